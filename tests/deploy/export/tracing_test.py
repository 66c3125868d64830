#!/usr/bin/python3
"""What a trace makes of networks that are written in special ways, and what it refuses.

  tracing_test.py
"""
import pathlib
import tempfile
import unittest
import warnings

import torch
from torch import nn
from torch.nn import functional as F

from served import export, network_text
from lazynet_export import ExportError


class Net(nn.Module):
    """A network whose forward function is given; its layers are keyword arguments."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.function(self, x)


class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.FractionalMaxPool2d(2, output_size=3)
        self.table = nn.Embedding(4, 4, max_norm=1.0)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x, ids):
        self.steps += 1
        y = torch.fft.fft(x)
        z = self.pool(x)
        w = F.dropout(x)
        return y, z, w, self.table(ids), x.sum(dim=1, where=x)


class Checked(nn.Module):
    """The checks that networks start with."""

    def forward(self, x):
        assert x.shape[1] == 3, "three channels"
        torch._assert(x.dim() == 4, "four dimensions")
        if x.requires_grad or x.is_cuda:
            return x
        return x + 1


class Windows(nn.Module):
    """Needs sizes to go on, but for the batch."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, x):
        batch, length, width = x.shape
        mask = x.new_zeros((length, length))
        for i in range(length):
            mask[i, : i + 1] = 1
        x = x.reshape(batch * length, width) * self.scale.exp()
        return torch.matmul(mask, x.view(batch, length, width)) / length


def made(module, **options):
    """The text of the definition."""
    with tempfile.TemporaryDirectory() as folder:
        return network_text(export(module, pathlib.Path(folder) / "net", title="net",
                                   **options).definition)


def lines(module, **options):
    """That without comments, inputs, blank lines and what is around a layer."""
    return [line.removeprefix("layers { name: ").removesuffix(" }")
            for line in made(module, **options).splitlines()
            if line and not line.startswith(("#", "inputs"))]


def problems(module, **options):
    try:
        made(module, **options)
    except ExportError as error:
        return error.problems
    return []


class Tracing(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")

    def test_a_module_called_again_has_its_parameters(self):
        net = Net(lambda self, x: self.act(self.fc(self.act(self.fc(x)))), fc=nn.Linear(4, 4),
                  act=nn.ReLU())
        self.assertEqual(lines(net), [
            '"fc"    linear { in_features: 4 out_features: 4 }', '"act"   relu {}',
            '"fc_1"  same_as: "fc"', '"act_1" relu {}'])

    def test_two_names_of_one_module_are_one_layer(self):
        layer = nn.Linear(4, 4)
        net = Net(lambda self, x: self.b(self.a(x)), a=layer, b=layer)
        self.assertEqual(lines(net)[1], '"a_1" same_as: "a"')

    def test_functions_of_a_layers_parameters_are_that_layer(self):
        net = Net(lambda self, x: F.linear(x, self.fc.weight, self.fc.bias), fc=nn.Linear(4, 2))
        self.assertEqual(lines(net), ['"fc" linear { in_features: 4 out_features: 2 }'])

    def test_a_layer_whose_parameters_a_function_had_is_that_layer_again(self):
        net = Net(lambda self, x: self.fc(F.linear(x, self.fc.weight, self.fc.bias)),
                  fc=nn.Linear(4, 4))
        self.assertEqual(lines(net), ['"fc"   linear { in_features: 4 out_features: 4 }',
                                      '"fc_1" same_as: "fc"'])
        net = Net(lambda self, x: self.fc(F.linear(x, self.fc.weight)), fc=nn.Linear(4, 4))
        self.assertIn("is called again with other arguments", str(problems(net)[0]))

    def test_subclasses_are_what_they_inherit_from(self):
        class Own(nn.GRUCell):
            pass
        self.assertEqual(lines(Own(3, 2)), ['"own" gru_cell { input_size: 3 hidden_size: 2 }'])

    def test_tied_weights_are_written_twice(self):
        net = Net(lambda self, ids: F.linear(self.table(ids), self.table.weight),
                  table=nn.Embedding(5, 3))
        self.assertEqual(lines(net), [
            '"table"  embedding { num_embeddings: 5 embedding_dim: 3 }',
            '"linear" linear { in_features: 3 out_features: 5 bias: false }'])

    def test_lazy_networks_store_what_two_layers_share(self):
        class Tied(nn.Module):
            def __init__(self):
                super().__init__()
                self.table, self.fc, self.head = nn.Embedding(5, 3), nn.Linear(3, 3), \
                    nn.Linear(3, 5, bias=False)
                self.head.weight = self.table.weight

            def forward(self, ids):
                return self.head(self.fc(self.table(ids)))
        with tempfile.TemporaryDirectory() as folder:
            exported = export(Tied(), pathlib.Path(folder) / "net", lazy=True)
            self.assertEqual(sorted(exported.tensors), ["head.weight", "table.weight"])
            net = Net(lambda self, ids: F.linear(self.fc(self.table(ids)), self.table.weight),
                      table=nn.Embedding(5, 3), fc=nn.Linear(3, 3))
            exported = export(net, pathlib.Path(folder) / "other", lazy=True)
            self.assertEqual(sorted(exported.tensors), ["linear.weight", "table.weight"])

    def test_what_depends_on_parameters_alone_is_computed(self):
        net = Net(lambda self, x: x * (self.scale.exp() + 1)[None])
        net.scale = nn.Parameter(torch.zeros(3))
        self.assertEqual(lines(net), ['"constant" parameter { shape: [1, 3] }',
                                      '"mul"      inputs: ["x", "constant"] mul {}'])

    def test_parameters_have_their_keys(self):
        net = Net(lambda self, x: x + self.bias)
        net.bias = nn.Parameter(torch.zeros(3))
        self.assertEqual(lines(net)[0], '"bias" parameter { shape: 3 }'.replace("3", "[3]"))

    def test_a_weight_read_before_its_layer_is_stored_twice(self):
        net = Net(lambda self, x: self.fc(x * self.fc.weight), fc=nn.Linear(4, 4))
        self.assertEqual(lines(net), ['"constant" parameter { shape: [4, 4] }',
                                      '"mul"      inputs: ["x", "constant"] mul {}',
                                      '"fc"       linear { in_features: 4 out_features: 4 }'])

    def test_an_input_called_as_a_layer_has_another_name(self):
        class Head(nn.Module):
            def __init__(self):
                super().__init__()
                self.features = nn.Linear(2, 2)

            def forward(self, features):
                return self.features(features)
        text = made(Head())
        self.assertIn("# Forward's features is the input features_input: a layer has its name.", text)
        self.assertIn('inputs { name: "features_input" }', text)
        self.assertIn('layers { name: "features" linear', text)

    def test_an_input_with_the_name_of_a_parameter_has_another_name(self):
        class Shift(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))
                self.register_buffer("shift", torch.ones(3), persistent=False)

            def forward(self, scale, shift):
                return scale * self.scale + shift * self.shift
        self.assertEqual([line for line in made(Shift()).splitlines()
                          if line.startswith(("inputs", "layers"))], [
            'inputs { name: "scale_input" }', 'inputs { name: "shift_input" }',
            'layers { name: "scale" parameter { shape: [3] } }',
            'layers { name: "mul"   inputs: ["scale_input", "scale"] mul {} }',
            'layers { name: "shift" parameter { shape: [3] } }',
            'layers { name: "mul_1" inputs: ["shift_input", "shift"] mul {} }',
            'layers { name: "add"   inputs: ["mul", "mul_1"] add {} }'])

    def test_weight_norm_is_folded(self):
        layer = torch.nn.utils.weight_norm(nn.Linear(4, 2))
        with tempfile.TemporaryDirectory() as folder:
            exported = export(Net(lambda self, x: self.fc(x), fc=layer),
                              pathlib.Path(folder) / "net")
        self.assertEqual(list(exported.tensors), ["fc.bias", "fc.weight"])
        layer(torch.zeros(1, 4))
        torch.testing.assert_close(exported.tensors["fc.weight"], layer.weight.detach())
        self.assertTrue(hasattr(layer, "weight_g"), "the module stays as it is")

    def test_classes_that_change_what_forward_calls_are_traced(self):
        class Scaled(nn.Conv2d):
            def _conv_forward(self, input, weight, bias):
                return super()._conv_forward(input, weight * 2, bias)

        class Initialized(nn.Conv2d):
            def reset_parameters(self):
                nn.init.normal_(self.weight)
        for kind, name in ((Scaled, "conv.conv2d"), (Initialized, "conv")):
            net = Net(lambda self, x: self.conv(x), conv=kind(3, 4, 1, bias=False))
            self.assertEqual(lines(net), [f'"{name}" conv2d {{ in_channels: 3 out_channels: 4 '
                                          'kernel_size: 1 bias: false }'])

    def test_hooks_of_traced_modules_run(self):
        net = Net(lambda self, x: self.body(x), body=nn.Sequential(nn.ReLU()))
        net.register_forward_pre_hook(lambda module, inputs: (inputs[0] - 1,))
        net.register_forward_hook(lambda module, inputs, output: output / 3)
        net.body.register_forward_hook(lambda module, inputs, output: output * 2)
        self.assertEqual(lines(net), [
            '"sub" sub { other: 1 }', '"body.0"   relu {}', '"body.mul" mul { other: 2 }',
            '"div" div { other: 3 }'])

    def test_parts_of_layers_that_are_not_torchs_are_refused(self):
        class Doubled(nn.Linear):
            def forward(self, input):
                return 2 * super().forward(input)
        layer = nn.TransformerEncoderLayer(4, 2, 4)
        layer.linear1 = Doubled(4, 4)
        found, = problems(layer)
        self.assertIn("linear1 is a Doubled, and not what torch.nn puts there", found.text)
        found, = problems(nn.TransformerEncoder(layer, 1, enable_nested_tensor=False))
        self.assertIn("layers.0.linear1 is a Doubled", found.text)

    def test_other_hooks_are_refused(self):
        layer = nn.Linear(4, 2)
        layer.register_forward_hook(lambda *_: None)
        found, = problems(Net(lambda self, x: self.fc(x), fc=layer))
        self.assertIn("fc (Linear): its hooks are not supported", str(found))

    def test_outputs_have_the_names_of_a_dict(self):
        net = Net(lambda self, x: {"out": x + 1, "aux": {"a": x * 2, "none": None}})
        self.assertEqual(lines(net)[2:], ['outputs { name: "out" layer: "add"',
                                          'outputs { name: "aux_a" layer: "mul"'])

    def test_in_place_calls_change_what_is_read_later(self):
        def forward(self, x):
            y = x + 1
            F.relu_(y)
            y += 1
            return y * x
        self.assertEqual(lines(Net(forward)), [
            '"add"   add { other: 1 }', '"relu"  relu {}', '"add_1" add { other: 1 }',
            '"mul"   inputs: ["add_1", "x"] mul {}'])

    def test_another_view_of_what_is_changed_is_refused(self):
        def forward(self, x):
            y = x + 1
            z = y.view(-1)
            y.add_(1)
            return z
        found, = problems(Net(forward))
        self.assertIn("add_ works in place on memory that is read later", found.text)
        self.assertEqual(found.place.source, "y.add_(1)")

    def test_whatever_shares_memory_is_a_view(self):
        for view in (torch.ravel, lambda x: x.split_with_sizes([1, 2], 1)[0], lambda x: x.cpu(),
                     lambda x: x.moveaxis(0, 1),
                     lambda x: x.double(), lambda x: +x, lambda x: x.T):
            def forward(self, x, view=view):
                y = x + 1
                z = view(y)
                z.add_(1)
                return y
            found, = problems(Net(forward), inputs=["x=3,3"])
            self.assertIn("add_ works in place on memory that is read later", found.text)

    def test_checks_are_left_out(self):
        text = made(Checked())
        self.assertIn("# Left out, for serving does without: 2 assertions.", text)
        self.assertEqual(lines(Checked()), ['"add" add { other: 1 }'])

    def test_all_problems_are_told_at_once_with_their_places(self):
        found = problems(Broken())
        self.assertEqual([(problem.place.source, problem.text) for problem in found], [
            ("self.steps += 1", "forward changes steps, which serving does not"),
            ("y = torch.fft.fft(x)", "torch._C._fft.fft_fft is not supported"),
            ("z = self.pool(x)",
             "pool (FractionalMaxPool2d): torch.nn.FractionalMaxPool2d is not supported"),
            ("w = F.dropout(x)", "torch.nn.functional.dropout: draws at random in eval mode too: "
                                 "pass training=self.training"),
            ("return y, z, w, self.table(ids), x.sum(dim=1, where=x)",
             "table (Embedding): max_norm=1.0 is not supported"),
            ("return y, z, w, self.table(ids), x.sum(dim=1, where=x)",
             "Tensor.sum: got an unexpected keyword argument 'where'")])
        self.assertTrue(all(problem.place.file == __file__ for problem in found))
        self.assertEqual(len({problem.place.line for problem in found}), 5)

    def test_nothing_is_written_where_something_is_not_supported(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(ExportError):
                export(Broken(), pathlib.Path(folder) / "net")
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [])

    def test_control_flow_on_data_is_refused_with_its_place(self):
        def forward(self, x):
            return x if x.sum() > 0 else -x
        for options in ({}, {"inputs": ["x=1,3"]}):
            found, = problems(Net(forward), **options)
            self.assertEqual(found.place.source, "return x if x.sum() > 0 else -x")

    def test_values_of_the_example_do_not_become_constants(self):
        for function, text in ((lambda self, x: x * x.max().item(), "item() of it"),
                               (lambda self, x: x * sum(x.tolist()), "tolist() of it"),
                               (lambda self, x: x if torch.equal(x, x.abs()) else -x,
                                "equal() of it")):
            found, = problems(Net(function), inputs=["x=3:INT64"])
            self.assertIn(f"{text} depends on the values of the inputs", found.text)
        found, = problems(Net(lambda self, x: x.new_full((4,), x.max())), inputs=["x=4:INT64"])
        self.assertIn("Tensor.new_full", found.text)

    def test_what_forward_draws_at_random_is_no_constant(self):
        found = problems(Net(lambda self, x: (x + 0.1 * torch.randn(4), x * torch.rand(2, 3).T)))
        self.assertEqual(len(found), 1)
        self.assertIn("drawn at random within forward", found[0].text)
        found, = problems(Net(lambda self, x: x + torch.randn(x.size(0), 4)))
        self.assertIn("torch.randn is not supported", found.text)

        def forward(self, x):
            drop = torch.rand(()) < 0.5
            return x if drop and self.training else x + 1
        self.assertEqual(lines(Net(forward)), ['"add" add { other: 1 }'])

    def test_whether_an_input_is_floating_is_what_it_is_said_to_be(self):
        net = Net(lambda self, x: x if x.is_floating_point() else x / 255)
        self.assertEqual(lines(net, inputs=["x:UINT8"]), ['"div" div { other: 255 }'])
        self.assertEqual(lines(net, inputs=["x:FP32"]), ['"identity" identity {}'])
        self.assertEqual(lines(net, inputs=["x=1,3:UINT8"]), ['"div" div { other: 255 }'])
        found, = problems(net)
        self.assertIn("--input x:FP32 says it", found.text)

    def test_sizes_are_those_of_the_example_and_the_batch_stays_open(self):
        self.assertIn("--input gives an example", str(problems(Windows())[0]))
        self.assertEqual(lines(Windows(), inputs=["x=1,3,4"]), [
            '"reshape"    reshape { shape: "dim(0) * 3, 4" }',
            '"constant"   parameter { shape: [1] }',
            '"mul"        inputs: ["reshape", "constant"] mul {}',
            '"reshape_1"  inputs: ["mul", "x"] reshape { shape: "dim(1, 0), 3, 4" }',
            '"constant_1" parameter { shape: [3, 3] }',
            '"matmul"     inputs: ["constant_1", "reshape_1"] matmul {}',
            '"div"        div { other: 3 }'])
        self.assertIn('inputs { name: "x" shape: [-1, 3, 4] }', made(Windows(), inputs=["x=1,3,4"]))

    def test_the_example_says_which_axes_stay_open(self):
        def forward(self, x):
            return x.reshape(x.size(0) * x.size(1), -1) / x.size(-1)
        self.assertEqual(lines(Net(forward), inputs=["x=1..2,3..5,4"]), [
            '"reshape" reshape { shape: "dim(0) * dim(1), -1" }', '"div"     div { other: 4 }'])
        self.assertIn('shape: [-1, -1, 4]', made(Net(forward), inputs=["x=1..2,3..5,4"]))

    def test_unpacked_sizes_tell_the_rank(self):
        def forward(self, x):
            batch, channels, _, _ = x.size()
            return x * x.mean([2, 3]).view(batch, channels, 1, 1).expand_as(x)
        self.assertEqual(lines(Net(forward))[2], '"expand"  inputs: ["reshape", "x"] expand '
                         '{ size: "dim(1, 0), dim(1, 1), dim(1, 2), dim(1, 3)" }')

    def test_the_rank_of_an_example_is_used(self):
        for function, line in (
                (lambda self, x: x.tile(2), '"repeat" repeat { repeats: "1, 1, 2" }'),
                (lambda self, x: F.instance_norm(x),
                 '"instance_norm1d" instance_norm1d { affine: false track_running_stats: false }'),
                (lambda self, x: F.layer_norm(x, x.size()[1:]),
                 '"layer_norm" layer_norm { normalized_shape: [3, 4] elementwise_affine: false }')):
            self.assertEqual(lines(Net(function), inputs=["x=1,3,4"]), [line])
            self.assertIn("--input", problems(Net(function))[0].text)

    def test_packed_sequences_are_refused_by_name(self):
        net = Net(lambda self, x: self.rnn(nn.utils.rnn.pack_padded_sequence(
            x, torch.tensor([2, 1]), batch_first=True))[1], rnn=nn.GRU(3, 2, batch_first=True))
        for options in ({}, {"inputs": ["x=2,4,3"]}):
            found, = problems(net, **options)
            self.assertIn("packed sequences are not supported", found.text)

        class Lengths(nn.Module):
            def forward(self, x, lengths):
                return nn.utils.rnn.pack_padded_sequence(x, lengths)
        self.assertIn("packed sequences are not supported", problems(Lengths())[0].text)

    def test_pads_made_of_sizes_are_refused(self):
        found, = problems(Net(lambda self, x: F.pad(x, [x.size(0), 0])))
        self.assertIn("pads that depend on sizes are not supported", found.text)

    def test_batch_normalization_tells_the_rank(self):
        def forward(self, x):
            y = self.act(self.bn(x))
            return y.view(y.size(0), 2, -1, *y.shape[2:])
        self.assertIn('reshape { shape: "dim(0), 2, -1, dim(2), dim(3)" }',
                      made(Net(forward, bn=nn.BatchNorm2d(4), act=nn.SiLU())))

    def test_a_plain_tensor_is_cut_to_a_size(self):
        net = Net(lambda self, x: self.mask[: x.size(1)] * x, mask=torch.ones(9))
        self.assertEqual(lines(net)[1],
                         '"slice"    inputs: ["constant", "x"] slice { dim: 0 end: "dim(1, 1)" }')

    def test_a_condition_on_the_batch_is_refused(self):
        def forward(self, x):
            return x if x.shape[0] > 1 else -x
        found, = problems(Net(forward), inputs=["x=1,3"])
        self.assertIn("it differs between the sizes of the examples", found.text)

    def test_what_is_the_same_for_small_batches_only_is_no_number(self):
        found, = problems(Net(lambda self, x: x if x.size(0) < 3 else -x), inputs=["x=1,3"])
        self.assertIn("it differs between the sizes of the examples", found.text)
        self.assertEqual(lines(Net(lambda self, x: x[: (x.size(0) + 1) // 2] / len(x[0])),
                               inputs=["x=1,3"])[0],
                         '"slice" slice { dim: 0 end: "(dim(0) + 1) // 2" }')

        class Both(nn.Module):
            def forward(self, x, y):
                return x.reshape(y.size(0) * x.size(1), -1) / y.size(1)
        text = made(Both(), inputs=["x=1..2,3..4,2", "y=1,3"])
        self.assertIn('reshape { shape: "dim(1, 0) * dim(1), -1" }', text)

    def test_arguments_with_defaults_are_inputs_only_where_named(self):
        class Masked(nn.Module):
            def forward(self, x, mask=None):
                return x if mask is None else x.masked_fill(mask, 0.0)
        self.assertEqual(lines(Masked()), ['"identity" identity {}'])
        self.assertEqual(lines(Masked(), inputs=["mask:BOOL"]),
                         ['"masked_fill" inputs: ["x", "mask"] masked_fill { value: 0 }'])
        self.assertIn("forward has the arguments x, mask",
                      str(problems(Masked(), inputs=["z=1"])[0]))

    def test_the_module_stays_as_it_is(self):
        net = Net(lambda self, x: self.drop(self.fc(x)), fc=nn.LazyLinear(3), drop=nn.Dropout())
        net.train()
        net.drop.eval()
        before = dict(vars(net))
        made(net)
        self.assertEqual(vars(net), before)
        self.assertTrue(net.training and net.fc.training and not net.drop.training)
        self.assertTrue(net.fc.has_uninitialized_params())

    def test_a_scalar_buffer_does_not_widen_what_it_scales(self):
        net = Net(lambda self, x: x * self.scale, scale=nn.Identity())
        del net.scale
        net.register_buffer("scale", torch.tensor(2.5, dtype=torch.float64))
        self.assertEqual(lines(net), ['"constant" parameter {}',
                                      '"mul"      inputs: ["x", "constant"] mul {}'])

    def test_what_needs_a_dtype_says_how_to_give_it(self):
        net = Net(lambda self, x: x.masked_fill(x > 0, torch.finfo(x.dtype).min))
        self.assertIn("--input gives an example to trace with", problems(net)[0].text)
        self.assertIn("masked_fill", lines(net, inputs=["x=1,3"])[1])

    def test_inputs_have_the_datatype_that_their_use_wants(self):
        class Mixed(nn.Module):
            def __init__(self):
                super().__init__()
                self.table = nn.Embedding(5, 3)

            def forward(self, ids, places, mask, weights):
                x = self.table(ids.mT[:, :2]) * weights
                x = x.gather(1, places.unsqueeze(-1))
                return x.masked_fill(mask[:, None], 0.0).masked_fill(~mask.view(-1, 1), 1.0)
        self.assertEqual([line for line in made(Mixed()).splitlines() if line.startswith("inputs")], [
            'inputs { name: "ids" datatype: "INT64" }', 'inputs { name: "places" datatype: "INT64" }',
            'inputs { name: "mask" datatype: "BOOL" }', 'inputs { name: "weights" }'])
        net = Net(lambda self, x: self.table(x.long()), table=nn.Embedding(5, 3))
        self.assertIn('inputs { name: "x" }', made(net))

    def test_dtypes_are_the_networks_or_a_layers_own(self):
        net = Net(lambda self, x: self.b(self.a(x).double()), a=nn.Linear(2, 3),
                  b=nn.Linear(3, 1).double())
        self.assertEqual(lines(net)[1:], ['"to" to { dtype: "FP64" }',
                                          '"b"  linear { in_features: 3 out_features: 1 } '
                                          'dtype: "FP64"'])
        text = made(nn.Linear(2, 3).double())
        self.assertIn('parameter_dtype: "FP64"', text)
        self.assertIn('inputs { name: "input" datatype: "FP64" }', text)


if __name__ == "__main__":
    unittest.main()
