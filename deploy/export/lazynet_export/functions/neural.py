"""F.linear, F.conv2d, F.batch_norm and others: layers whose parameters are arguments."""
from ..arguments import per_axis, refuse, size_or_lazy
from ..definition import Value, Word
from ..errors import Unsupported
from ..graph import Constant
from ..registry import function, given
from ..shapes import size_list
from ..sizes import Size
from .arithmetic import add
from .products import matmul
from .shape import transpose


@function("F.linear")
def linear(c, input, weight, bias=None):
    if not isinstance(weight, Constant) or weight.tensor.dim() != 2 or \
            not isinstance(bias, (Constant, type(None))):
        product = matmul(c, input, transpose(c, weight, -2, -1))
        return product if bias is None else add(c, product, bias)
    return c.with_parameters("linear", input, {"weight": weight, "bias": bias}, lambda weight,
                             bias=None: {
                                 "in_features": size_or_lazy(c, weight.shape[1]),
                                 "out_features": weight.shape[0],
                                 "bias": given(bias is not None, True)})


def register_convolution(n):
    @function(f"F.conv{n}d", f"torch.conv{n}d")
    def convolution(c, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        automatic = isinstance(padding, str)
        return c.with_parameters(f"conv{n}d", input, {"weight": weight, "bias": bias}, lambda
                                 weight, bias=None: {
            "in_channels": size_or_lazy(c, weight.shape[1] * groups),
            "out_channels": weight.shape[0], "kernel_size": per_axis(weight.shape[2:]),
            "stride": per_axis(stride, 1),
            "padding": None if automatic else per_axis(padding, 0),
            "dilation": per_axis(dilation, 1),
            "groups": Word("IN_CHANNELS") if c.lazy and weight.shape[1] == 1 and groups > 1
            else given(groups, 1), "bias": given(bias is not None, True),
            "auto_padding": padding if automatic and padding != "valid" else None})


def register_transposed(n):
    @function(f"F.conv_transpose{n}d", f"torch.conv_transpose{n}d")
    def transposed_convolution(c, input, weight, bias=None, stride=1, padding=0, output_padding=0,
                               groups=1, dilation=1):
        return c.with_parameters(f"conv_transpose{n}d", input, {"weight": weight, "bias": bias},
                                 lambda weight, bias=None: {
            "in_channels": size_or_lazy(c, weight.shape[0]),
            "out_channels": weight.shape[1] * groups, "kernel_size": per_axis(weight.shape[2:]),
            "stride": per_axis(stride, 1), "padding": per_axis(padding, 0),
            "output_padding": per_axis(output_padding, 0), "groups": given(groups, 1),
            "bias": given(bias is not None, True), "dilation": per_axis(dilation, 1)})


for n in (1, 2, 3):
    register_convolution(n)
    register_transposed(n)


@function("F.batch_norm", "torch.batch_norm")
def batch_norm(c, input, running_mean, running_var, weight=None, bias=None, training=False,
               momentum=0.1, eps=1e-5):
    refuse("training", bool(training) and running_mean is not None, False)
    if (weight is None) != (bias is None):
        raise Unsupported("wants both weight and bias, or none")
    rank = c.rank(input)
    if rank is None:
        raise Unsupported("the input's rank says which batch norm it is; --input gives an "
                          "example to trace with")
    # The only parameters that tell the size.
    known = next((one for one in (weight, running_mean) if isinstance(one, Constant)), None)
    if known is None:
        raise Unsupported("without parameters and statistics is not supported")
    tensors = {"weight": weight, "bias": bias, "running_mean": running_mean,
               "running_var": running_var}
    return c.with_parameters(f"batch_norm{max(rank - 2, 1)}d", input, tensors, lambda **_: {
        "num_features": size_or_lazy(c, known.tensor.shape[0]), "eps": given(eps, 1e-5),
        "affine": given(weight is not None, True),
        "track_running_stats": given(running_mean is not None, True)})


@function("F.instance_norm", "torch.instance_norm")
def instance_norm(c, input, running_mean=None, running_var=None, weight=None, bias=None,
                  use_input_stats=True, momentum=0.1, eps=1e-5):
    refuse("running_mean", running_mean is not None, False)
    refuse("use_input_stats", use_input_stats, True)
    rank = c.rank(input)
    if rank is None:
        raise Unsupported("the input's rank says which instance norm it is; --input gives an "
                          "example to trace with")
    if weight is None and bias is None:
        return c.layer(f"instance_norm{rank - 2}d", [input], {
            "eps": given(eps, 1e-5), "affine": False, "track_running_stats": False}, rank=rank)
    if not isinstance(weight, Constant) or not isinstance(bias, Constant):
        raise Unsupported("wants both weight and bias, or none")
    return c.with_parameters(f"instance_norm{rank - 2}d", input, {"weight": weight, "bias": bias},
                             lambda weight, bias: {
                                 "num_features": weight.shape[0], "eps": given(eps, 1e-5),
                                 "affine": True})


@function("F.layer_norm", "torch.layer_norm")
def layer_norm(c, input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True):
    shape = size_list([normalized_shape])
    if any(isinstance(one, Size) for one in shape):
        raise Unsupported("normalized_shape wants numbers; --input gives an example to trace with")
    if weight is None and bias is not None:
        raise Unsupported("bias without weight is not supported")

    def arguments(**tensors):
        sizes = shape
        if c.lazy:
            sizes = None if len(shape) == 1 else [-1] * len(shape)
        return {"normalized_shape": sizes if sizes is None or len(sizes) > 1 else sizes[0],
                "eps": given(eps, 1e-5), "elementwise_affine": given(weight is not None, True),
                "bias": False if weight is not None and bias is None else None}
    return c.with_parameters("layer_norm", input, {"weight": weight, "bias": bias}, arguments)


@function("F.rms_norm", "torch.rms_norm")
def rms_norm(c, input, normalized_shape, weight=None, eps=None):
    shape = list(normalized_shape)
    return c.with_parameters("rms_norm", input, {"weight": weight}, lambda **_: {
        "normalized_shape": shape[0] if len(shape) == 1 else shape, "eps": eps,
        "elementwise_affine": given(weight is not None, True)})


@function("F.group_norm", "torch.group_norm")
def group_norm(c, input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    if weight is None and bias is None:
        return c.layer("group_norm", [input], {"num_groups": num_groups, "eps": given(eps, 1e-5),
                                               "affine": False}, rank=c.rank(input))
    if not isinstance(weight, Constant) or not isinstance(bias, Constant):
        raise Unsupported("wants both weight and bias, or none")
    return c.with_parameters("group_norm", input, {"weight": weight, "bias": bias}, lambda weight,
                             bias: {"num_groups": num_groups,
                                    "num_channels": size_or_lazy(c, weight.shape[0]),
                                    "eps": given(eps, 1e-5)})


@function("F.local_response_norm")
def local_response_norm(c, input, size, alpha=1e-4, beta=0.75, k=1.0):
    return c.layer("local_response_norm", [input], {
        "size": size, "alpha": given(alpha, 1e-4), "beta": given(beta, 0.75),
        "k": given(float(k), 1.0)}, rank=c.rank(input))


@function("F.normalize")
def normalize(c, input, p=2.0, dim=1, eps=1e-12, out=None):
    return c.layer("normalize", [input], {"p": given(float(p), 2.0), "dim": given(dim, 1),
                                          "eps": given(eps, 1e-12)}, rank=c.rank(input))


@function("F.embedding", "torch.embedding")
def embedding(c, input, weight, padding_idx=None, max_norm=None, norm_type=2.0,
              scale_grad_by_freq=False, sparse=False):
    refuse("max_norm", max_norm, None)
    rank = c.rank(input)
    made = c.with_parameters("embedding", input, {"weight": weight}, lambda weight: {
        "num_embeddings": weight.shape[0], "embedding_dim": weight.shape[1],
        "padding_idx": None if padding_idx in (None, -1) else padding_idx})
    return Value(made.source, weight.tensor.dtype, None if rank is None else rank + 1)


@function("F.cosine_similarity", "torch.cosine_similarity")
def cosine_similarity(c, x1, x2, dim=1, eps=1e-8):
    return c.layer("cosine_similarity", [x1, x2], {"dim": given(dim, 1), "eps": given(eps, 1e-8)})


@function("F.pairwise_distance", "torch.pairwise_distance")
def pairwise_distance(c, x1, x2, p=2.0, eps=1e-6, keepdim=False):
    return c.layer("pairwise_distance", [x1, x2], {
        "p": given(float(p), 2.0), "eps": given(eps, 1e-6), "keepdim": given(keepdim, False)})


@function("F.dropout", "F.dropout1d", "F.dropout2d", "F.dropout3d", "F.alpha_dropout",
          "F.feature_alpha_dropout", "torch.dropout", "torch.alpha_dropout")
def dropout(c, input, p=0.5, training=True, inplace=False):
    if training and p:
        raise Unsupported("draws at random in eval mode too: pass training=self.training")
    c.leave_out("dropout")
    return input
