"""Random layers: arguments by PyTorch's names, as text of a definition and as modules."""
import dataclasses
import random

import torch
import torch.nn.functional as F
from torch import nn

from case import DTYPES
from networks import To


class Word(str):
    """An enum's value in the definition language."""


IN_CHANNELS = Word("IN_CHANNELS")

FIELDS = {"Linear": "linear", "Bilinear": "bilinear", "Embedding": "embedding", "PReLU": "prelu",
          "LayerNorm": "layer_norm", "GroupNorm": "group_norm", "ReLU": "relu", "ReLU6": "relu6",
          "LeakyReLU": "leaky_relu", "ELU": "elu", "GELU": "gelu", "SiLU": "silu", "Mish": "mish",
          "Hardswish": "hardswish", "Hardsigmoid": "hardsigmoid", "Sigmoid": "sigmoid",
          "Tanh": "tanh", "Softplus": "softplus", "Softmax": "softmax",
          "LogSoftmax": "log_softmax", "Flatten": "flatten", "To": "to", "Identity": "identity",
          "Dropout": "dropout", "Dropout1d": "dropout1d", "AlphaDropout": "alpha_dropout",
          "Add": "add", "Mul": "mul", "Concat": "concat", "RNN": "rnn", "LSTM": "lstm",
          "GRU": "gru", "MultiheadAttention": "multihead_attention",
          "TransformerEncoderLayer": "transformer_encoder_layer", "Hardtanh": "hardtanh",
          "RReLU": "rrelu", "CELU": "celu", "SELU": "selu", "LogSigmoid": "log_sigmoid",
          "Softsign": "softsign", "Tanhshrink": "tanhshrink", "Softshrink": "softshrink",
          "GLU": "glu", "Softmin": "softmin", "Softmax2d": "softmax2d", "Sub": "sub",
          "Div": "div", "Maximum": "maximum", "Minimum": "minimum", "Abs": "abs", "Neg": "neg",
          "Square": "square", "Sin": "sin", "Cos": "cos", "Erf": "erf", "Atan": "atan",
          "Clamp": "clamp", "Mean": "mean", "Sum": "sum", "Amax": "amax", "Amin": "amin",
          "Var": "var", "Norm": "norm", "Logsumexp": "logsumexp", "Cumsum": "cumsum",
          "Normalize": "normalize", "Matmul": "matmul"}
for axes in (1, 2, 3):
    for kind, field in (("Conv", "conv"), ("ConvTranspose", "conv_transpose"),
                        ("BatchNorm", "batch_norm"), ("InstanceNorm", "instance_norm"),
                        ("MaxPool", "max_pool"), ("AvgPool", "avg_pool"),
                        ("AdaptiveAvgPool", "adaptive_avg_pool")):
        FIELDS[f"{kind}{axes}d"] = f"{field}{axes}d"

# Layers whose class in PyTorch has a lazy form.
LAZY = {kind for kind in FIELDS
        if kind == "Linear" or kind.startswith(("Conv", "BatchNorm", "InstanceNorm"))}
LAZY -= {"Concat"}

# Layers that initializers are tried on.
WITH_INITIALIZERS = {kind for kind in FIELDS if kind in ("Linear", "LayerNorm", "GroupNorm") or (
    kind.startswith("Conv") and kind != "Concat")}


def text_of(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, str) and not isinstance(value, Word):
        return f'"{value}"'
    return str(value)


def arguments_text(arguments):
    return " ".join(f"{name}: {text_of(value)}" for name, value in arguments.items())


@dataclasses.dataclass
class Layer:
    """One layer of a random network. Its size arguments are in `sizes` where they are given, and
    are left out, or -1, where they are lazy."""
    kind: str
    arguments: dict
    sizes: dict = dataclasses.field(default_factory=dict)
    lazy: bool = False
    name: str = ""
    inputs: list = dataclasses.field(default_factory=list)
    same_as: str = ""
    dtype: str = ""
    initializers: list = dataclasses.field(default_factory=list)  # (parameter, function, arguments)
    channels: int = 1  # of the input that it was made for

    def text(self):
        inputs = " ".join(f'inputs: "{name}"' for name in self.inputs)
        if self.same_as:
            return f'layers {{ name: "{self.name}" {inputs} same_as: "{self.same_as}" }}\n'
        arguments = dict(self.arguments)
        if not self.lazy:
            arguments.update(self.sizes)
        elif self.kind == "LayerNorm":
            arguments["normalized_shape"] = [-1] * len(self.sizes["normalized_shape"])
        elif self.kind == "PReLU" and self.sizes:
            arguments["num_parameters"] = IN_CHANNELS
        text = f'layers {{ name: "{self.name}" {inputs}'
        if self.dtype:
            text += f' dtype: "{self.dtype}"'
        for parameter, function, given in self.initializers:
            text += (f' initializers {{ parameter: "{parameter}" {function} '
                     f"{{ {arguments_text(given)} }} }}")
        return f"{text} {FIELDS[self.kind]} {{ {arguments_text(arguments)} }} }}\n"

    def module(self, parameter_dtype):
        """PyTorch's, which draws as lazynet is to draw. Lazy ones that PyTorch lacks are made at
        their first call, in the dtype that they would have by then."""
        arguments = self.keywords()
        if self.kind not in MODULES and self.kind not in WITHOUT_PARAMETERS and self.dtype:
            arguments["dtype"] = DTYPES[self.dtype]
        if not self.lazy or not self.sizes:
            return self.make(self.kind, {**arguments, **self.sizes})
        if self.kind in LAZY:
            return self.make("Lazy" + self.kind, arguments)
        arguments["dtype"] = DTYPES[self.dtype or parameter_dtype]
        kept = arguments.get("elementwise_affine", True) and arguments.get("affine", True)
        return Deferred(lambda *shapes: self.make(
            self.kind, {**arguments, **self.sizes_for(shapes)}), kept)

    def make(self, kind, arguments):
        if kind in MODULES:
            return MODULES[kind](**arguments)
        cls = getattr(nn, kind)
        return with_initializers(cls, self.initializers)(**arguments)

    def keywords(self):
        """The arguments as PyTorch's classes take them."""
        arguments = {name: tuple(value) if isinstance(value, list) else value
                     for name, value in self.arguments.items()}
        if "auto_padding" in arguments:
            arguments["padding"] = arguments.pop("auto_padding")
        if self.kind.startswith("AdaptiveAvgPool"):
            size = arguments["output_size"]
            sizes = size if isinstance(size, tuple) else (size,) * int(self.kind[-2])
            arguments["output_size"] = tuple(None if one == -1 else one for one in sizes)
        if arguments.get("groups") == IN_CHANNELS:
            arguments["groups"] = self.channels
        return arguments

    def sizes_for(self, shapes):
        shape = shapes[0]
        if self.kind == "LayerNorm":
            return {"normalized_shape": shape[len(shape) - len(self.sizes["normalized_shape"]):]}
        if self.kind == "GroupNorm":
            return {"num_channels": shape[1]}
        if self.kind == "PReLU":
            return {"num_parameters": shape[1] if len(shape) > 1 else 1}
        if self.kind == "Bilinear":
            return {"in1_features": shape[-1], "in2_features": shapes[1][-1]}
        return {name: shape[-1] for name in self.sizes}


class Deferred(nn.Module):
    """A module that is made for the shapes of its first call, or unless `kept` of each one."""

    def __init__(self, make, kept):
        super().__init__()
        self.make, self.kept, self.inner = make, kept, None

    def forward(self, *inputs):
        if self.inner is None or not self.kept:
            self.inner = self.make(*[tuple(one.shape) for one in inputs]).eval()
        return self.inner(*inputs)


class Join(nn.Module):
    def __init__(self, function, **arguments):
        super().__init__()
        self.function, self.arguments = function, arguments

    def forward(self, *inputs):
        return self.function(inputs, **self.arguments)


def folded(function):
    """A function of a list from one of two; a number comes last, an alpha by name."""
    def run(inputs, other=None, **arguments):
        result, *rest = [*inputs, *([] if other is None else [other])]
        for one in rest:
            result = function(result, one, **arguments)
        return result
    return run


def extreme(function):
    return folded(lambda a, b: function(a, torch.as_tensor(b, dtype=a.dtype)))


def reduced(function):
    """A function of x, dims and keepdim."""
    return lambda inputs, dim=(), keepdim=False: function(inputs[0], dim, keepdim)


def all_dims(x, dim):
    return dim or tuple(range(x.dim())) or (0,)


FUNCTIONS = {
    "Add": folded(torch.add), "Sub": folded(torch.sub), "Mul": folded(torch.mul),
    "Div": folded(torch.div), "Maximum": extreme(torch.maximum),
    "Minimum": extreme(torch.minimum), "Concat": lambda inputs, dim=0: torch.cat(inputs, dim),
    "Clamp": lambda inputs, **limits: torch.clamp(inputs[0], **limits),
    "Mean": reduced(torch.mean), "Sum": reduced(torch.sum), "Amax": reduced(torch.amax),
    "Amin": reduced(torch.amin),
    "Var": reduced(lambda x, dim, keepdim: torch.var(x, dim, keepdim=keepdim)),
    "Norm": reduced(lambda x, dim, keepdim: torch.linalg.vector_norm(x, 2, dim or None, keepdim)),
    "Logsumexp": reduced(lambda x, dim, keepdim: torch.logsumexp(x, all_dims(x, dim), keepdim)),
    "Cumsum": lambda inputs, dim: torch.cumsum(inputs[0], dim),
    "Normalize": lambda inputs, **arguments: F.normalize(inputs[0], **arguments),
    "Matmul": lambda inputs: torch.matmul(*inputs),
    **{kind: lambda inputs, f=getattr(torch, kind.lower()): f(inputs[0])
       for kind in ("Abs", "Neg", "Square", "Sin", "Cos", "Erf", "Atan")},
}

MODULES = {"To": To, **{kind: lambda f=function, **arguments: Join(f, **arguments)
                        for kind, function in FUNCTIONS.items()}}

WITHOUT_PARAMETERS = {kind for kind in FIELDS if kind not in WITH_INITIALIZERS and kind not in LAZY
                      and kind not in ("Bilinear", "Embedding", "PReLU", "RNN", "LSTM", "GRU",
                                       "MultiheadAttention", "TransformerEncoderLayer")}


def default_(module, name, parameter):
    """The layer's own draw of one parameter."""
    if isinstance(module, (nn.LayerNorm, nn.GroupNorm)):
        nn.init.constant_(parameter, 1 if name == "weight" else 0)
    elif name == "weight":
        nn.init.kaiming_uniform_(parameter, a=5**0.5)
    else:
        fan_in = nn.init._calculate_fan_in_and_fan_out(module.weight)[0]
        bound = fan_in**-0.5 if fan_in > 0 else 0
        nn.init.uniform_(parameter, -bound, bound)


def with_initializers(cls, initializers):
    """The class with other draws in the places of its own."""
    if not initializers:
        return cls
    given = {parameter: (function, arguments) for parameter, function, arguments in initializers}

    class Drawn(cls):
        def reset_parameters(self):
            lazy = isinstance(self, nn.modules.lazy.LazyModuleMixin)
            # PyTorch's lazy classes construct an empty layer first.
            if lazy and (self.has_uninitialized_params() or not self.weight.numel()):
                return
            for name, parameter in self.named_parameters(recurse=False):
                if name in given:
                    function, arguments = given[name]
                    getattr(nn.init, function + "_")(parameter, **arguments)
                else:
                    default_(self, name, parameter)
    return Drawn


ACTIVATIONS = [("ReLU", {}), ("ReLU6", {}), ("LeakyReLU", {"negative_slope": 0.2}), ("ELU", {}),
               ("ELU", {"alpha": 0.4}), ("GELU", {}), ("GELU", {"approximate": "tanh"}),
               ("SiLU", {}), ("Mish", {}), ("Hardswish", {}), ("Hardsigmoid", {}),
               ("Sigmoid", {}), ("Tanh", {}), ("Softplus", {}),
               ("Softplus", {"beta": 2.0, "threshold": 3.0}), ("Identity", {}),
               ("Dropout", {"p": 0.3}), ("Dropout1d", {}), ("AlphaDropout", {}),
               ("Hardtanh", {}), ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}), ("RReLU", {}),
               ("CELU", {}), ("CELU", {"alpha": 0.5}), ("SELU", {}), ("LogSigmoid", {}),
               ("Softsign", {}), ("Tanhshrink", {}), ("Softshrink", {}),
               ("Softshrink", {"lambd": 0.2})]

# Continuous functions of one input: rounding is not to make another branch of.
UNARY = [("Abs", {}), ("Neg", {}), ("Square", {}), ("Sin", {}), ("Cos", {}), ("Erf", {}),
         ("Atan", {}), ("Clamp", {"min": -0.5}), ("Clamp", {"min": -1.0, "max": 2.0}),
         ("Add", {"other": 2.0}), ("Add", {"other": 0.25, "alpha": -2.0}), ("Sub", {"other": 1.5}),
         ("Mul", {"other": -0.5}), ("Div", {"other": 4.0}), ("Maximum", {"other": 0.125}),
         ("Minimum", {"other": 1.0})]


class Chooser:
    """Draws layers that an input of some shape may like."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def chance(self, probability):
        return self.rng.random() < probability

    def some(self, **arguments):
        """Each argument with a chance of being left out."""
        return {name: value for name, value in arguments.items() if self.chance(0.5)}

    def size(self, right):
        """Mostly the right one."""
        return right + self.rng.choice([-1, 1, 2]) if self.chance(0.03) else right

    def per_axis(self, axes, low, high):
        if self.chance(0.5):
            return self.rng.randint(low, high)
        return [self.rng.randint(low, high) for _ in range(axes)]

    def axes_for(self, shape):
        fitting = [n for n in (1, 2, 3) if len(shape) - n in (1, 2)]
        if not fitting or self.chance(0.05):
            return self.rng.randint(1, 3)
        return self.rng.choice(fitting)

    def divisor(self, number):
        divisors = [n for n in range(1, number + 1) if number % n == 0] or [1]
        return self.rng.randint(1, 4) if self.chance(0.05) else self.rng.choice(divisors)

    def layer(self, shape):
        """A layer of one input, or of the same one twice."""
        makers = [self.activation] * 2 + [self.linear, self.flatten, self.layer_norm, self.softmax,
                                          self.unary, self.reduction, self.along_a_dim]
        if len(shape) >= 2:
            makers += [self.convolution] * 3 + [self.transposed, self.max_pool, self.avg_pool,
                                                self.adaptive_pool, self.batch_norm,
                                                self.instance_norm, self.group_norm]
        if len(shape) in (2, 3):
            makers += [self.recurrent, self.attention, self.encoder]
        makers += [self.prelu, self.bilinear]
        layer = self.rng.choice(makers)(shape)
        layer.lazy = bool(layer.sizes) and self.chance(0.6)
        unbatched_instance_norm = (layer.kind.startswith("InstanceNorm") and
                                   len(shape) != int(layer.kind[-2]) + 2)
        if unbatched_instance_norm:
            layer.lazy = False  # PyTorch's takes the wrong axis for the channels
        bare = {"elementwise_affine", "affine"} & layer.arguments.keys()
        if layer.kind in WITH_INITIALIZERS and not bare and self.chance(0.25):
            layer.initializers = self.initializers(layer)
        self.corrupt(layer)
        return layer

    def corrupt(self, layer):
        """Now and then an argument that cannot be."""
        ints = [name for name, value in layer.arguments.items() if type(value) is int]
        if ints and self.chance(0.03):
            layer.arguments[self.rng.choice(ints)] = self.rng.choice([0, -1, -3, 100])

    def activation(self, shape):
        kind, arguments = self.rng.choice(ACTIVATIONS)
        return Layer(kind, dict(arguments))

    def unary(self, shape):
        kind, arguments = self.rng.choice(UNARY)
        return Layer(kind, dict(arguments))

    def dim(self, shape):
        """Mostly one that there is."""
        rank = max(len(shape), 1)
        return self.rng.randint(-rank, rank - 1) + (10 if self.chance(0.02) else 0)

    def reduction(self, shape):
        dims = [self.dim(shape) for _ in range(self.rng.randint(0, 2))]
        arguments = {"dim": dims} if dims else {}
        return Layer(self.rng.choice(["Mean", "Sum", "Amax", "Amin", "Var", "Norm", "Logsumexp"]),
                     {**arguments, **self.some(keepdim=True)})

    def along_a_dim(self, shape):
        kind = self.rng.choice(["GLU", "Cumsum", "Normalize"])
        # An eps so large that rounding where 0 should be stays small.
        return Layer(kind, {"dim": self.dim(shape), **({"eps": 0.1} if kind == "Normalize" else {})})

    def linear(self, shape):
        return Layer("Linear", {"out_features": self.rng.randint(1, 9), **self.some(bias=False)},
                     {"in_features": self.size(shape[-1] if shape else 1)})

    def bilinear(self, shape):
        last = shape[-1] if shape else 1
        layer = Layer("Bilinear", {"out_features": self.rng.randint(1, 5), **self.some(bias=False)},
                      {"in1_features": self.size(last), "in2_features": self.size(last)})
        layer.inputs = ["", ""]
        return layer

    def prelu(self, shape):
        channels = shape[1] if len(shape) > 1 else 1
        sizes = {} if self.chance(0.5) else {"num_parameters": self.size(channels)}
        return Layer("PReLU", self.some(init=0.1), sizes)

    def flatten(self, shape):
        rank = len(shape)
        return Layer("Flatten", self.some(start_dim=self.rng.randint(-rank - 1, rank),
                                          end_dim=self.rng.randint(-rank - 1, rank)))

    def softmax(self, shape):
        rank = len(shape)
        if self.chance(0.1):
            return Layer("Softmax2d", {})
        return Layer(self.rng.choice(["Softmax", "LogSoftmax", "Softmin"]),
                     self.some(dim=self.rng.randint(-rank - (rank > 1), max(rank - 1, 0))))

    def layer_norm(self, shape):
        count = self.rng.randint(1, max(len(shape), 1))
        return Layer("LayerNorm", self.some(eps=0.01, elementwise_affine=False),
                     {"normalized_shape": [self.size(one) for one in shape[-count:]] or [1]})

    def group_norm(self, shape):
        arguments = {"num_groups": self.divisor(shape[1]), **self.some(eps=0.01, affine=False)}
        # Without parameters PyTorch does not look at the number, lazynet does.
        channels = shape[1] if "affine" in arguments else self.size(shape[1])
        return Layer("GroupNorm", arguments, {"num_channels": channels})

    def batch_norm(self, shape):
        axes = self.rng.randint(1, 3) if self.chance(0.05) else min(max(len(shape) - 2, 1), 3)
        arguments = self.some(eps=0.01, affine=self.chance(0.5),
                              track_running_stats=self.chance(0.5))
        bare = not (arguments.get("affine", True) or arguments.get("track_running_stats", True))
        channels = shape[1] if bare else self.size(shape[1])  # as in group_norm
        return Layer(f"BatchNorm{axes}d", arguments, {"num_features": channels})

    def instance_norm(self, shape):
        axes = self.axes_for(shape)
        return Layer(f"InstanceNorm{axes}d", self.some(eps=0.01, affine=self.chance(0.5),
                                                       track_running_stats=self.chance(0.5)),
                     {"num_features": self.size(self.channels(shape, axes))})

    def channels(self, shape, axes):
        return shape[-axes - 1] if len(shape) > axes else 1

    def convolution(self, shape):
        axes = self.axes_for(shape)
        channels = self.channels(shape, axes)
        groups = self.divisor(channels) if self.chance(0.4) else 1
        arguments = {"out_channels": groups * self.rng.randint(1, 3) if self.chance(0.95) else 5,
                     "kernel_size": self.per_axis(axes, 1, 4),
                     **self.some(stride=self.per_axis(axes, 1, 3), bias=False,
                                 dilation=self.per_axis(axes, 1, 2))}
        if groups > 1:
            arguments["groups"] = IN_CHANNELS if groups == channels and self.chance(0.5) else groups
        if self.chance(0.2):
            arguments["auto_padding"] = self.rng.choice(["same", "valid"])
        else:
            arguments.update(self.some(padding=self.per_axis(axes, 0, 2)))
        if self.chance(0.3):
            arguments["padding_mode"] = self.rng.choice(["zeros", "reflect", "replicate",
                                                         "circular"])
        layer = Layer(f"Conv{axes}d", arguments, {"in_channels": self.size(channels)})
        layer.channels = channels
        return layer

    def transposed(self, shape):
        axes = self.axes_for(shape)
        channels = self.channels(shape, axes)
        groups = self.divisor(channels) if self.chance(0.4) else 1
        arguments = {"out_channels": groups * self.rng.randint(1, 3),
                     "kernel_size": self.per_axis(axes, 1, 3),
                     **self.some(stride=self.per_axis(axes, 1, 3), bias=False,
                                 padding=self.per_axis(axes, 0, 2), groups=groups,
                                 output_padding=self.per_axis(axes, 0, 1),
                                 dilation=self.per_axis(axes, 1, 2))}
        return Layer(f"ConvTranspose{axes}d", arguments, {"in_channels": self.size(channels)})

    def max_pool(self, shape):
        axes = self.axes_for(shape)
        return Layer(f"MaxPool{axes}d", {
            "kernel_size": self.per_axis(axes, 1, 4),
            **self.some(stride=self.per_axis(axes, 1, 3), padding=self.per_axis(axes, 0, 1),
                        dilation=self.per_axis(axes, 1, 2), ceil_mode=True)})

    def avg_pool(self, shape):
        axes = self.axes_for(shape)
        layer = Layer(f"AvgPool{axes}d", {
            "kernel_size": self.per_axis(axes, 1, 4),
            **self.some(stride=self.per_axis(axes, 1, 3), padding=self.per_axis(axes, 0, 1),
                        ceil_mode=True, count_include_pad=False)})
        if axes > 1 and self.chance(0.2):
            layer.arguments["divisor_override"] = self.rng.randint(1, 5)
        return layer

    def adaptive_pool(self, shape):
        axes = self.axes_for(shape)
        size = self.per_axis(axes, 1, 6)
        if isinstance(size, list) and self.chance(0.3):
            size[0] = -1
        return Layer(f"AdaptiveAvgPool{axes}d", {"output_size": size})

    def recurrent(self, shape):
        kind = self.rng.choice(["RNN", "LSTM", "GRU"])
        hidden = self.rng.randint(1, 6)
        arguments = {"hidden_size": hidden,
                     **self.some(num_layers=self.rng.randint(1, 2), bias=False, batch_first=True,
                                 bidirectional=True)}
        if kind == "RNN":
            arguments.update(self.some(nonlinearity="relu"))
        if kind == "LSTM" and hidden > 1:
            arguments.update(self.some(proj_size=self.rng.randint(0, hidden - 1)))
        return Layer(kind, arguments, {"input_size": self.size(shape[-1])})

    def attention(self, shape):
        return Layer("MultiheadAttention", {"num_heads": self.divisor(shape[-1]),
                                            **self.some(bias=False, batch_first=True)},
                     {"embed_dim": self.size(shape[-1])})

    def encoder(self, shape):
        return Layer("TransformerEncoderLayer", {
            "nhead": self.divisor(shape[-1]), "dim_feedforward": self.rng.randint(1, 8),
            **self.some(activation="gelu", batch_first=True, norm_first=True,
                        layer_norm_eps=0.01)}, {"d_model": self.size(shape[-1])})

    def initializers(self, layer):
        has_bias = layer.arguments.get("bias", True)
        names = ["weight"] + (["bias"] if has_bias and self.chance(0.5) else [])
        return [(name, *self.function(name)) for name in self.rng.sample(names, len(names))]

    def function(self, name):
        low, high = sorted(round(self.rng.uniform(-1, 1), 3) for _ in range(2))
        slope = round(self.rng.uniform(-1, 1), 3)
        mode = self.rng.choice(["fan_in", "fan_out"])
        nonlinearity = self.rng.choice(["relu", "tanh", "leaky_relu", "linear", "selu", "conv2d"])
        plain = [("zeros", {}), ("ones", {}), ("constant", {"val": slope}),
                 ("uniform", {"a": low, "b": high}), ("normal", self.some(mean=low, std=0.5)),
                 ("trunc_normal", self.some(std=0.7, a=-1.5, b=1.0))]
        of_matrices = [("xavier_uniform", self.some(gain=0.5)), ("xavier_normal", {}),
                       ("kaiming_uniform", self.some(a=slope, mode=mode)),
                       ("kaiming_normal", self.some(mode=mode, nonlinearity=nonlinearity)),
                       ("orthogonal", self.some(gain=1.5)), ("eye", {}), ("dirac", {})]
        if name == "weight" and self.chance(0.7) or self.chance(0.05):
            return self.rng.choice(of_matrices)
        return self.rng.choice(plain)
