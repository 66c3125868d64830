"""Activations as functions."""
from ..arguments import refuse
from ..elementwise import ACTIVATIONS, written
from ..errors import Unsupported
from ..registry import function, given


def register(field, defaults, names):
    @function(*names)
    def activation(c, input, *args, inplace=False, **kwargs):
        if len(args) == len(defaults) + 1:
            args = args[:-1]  # inplace, the last one
        values = dict(zip(defaults, args), **kwargs)
        unknown = [name for name in values if name not in defaults] or \
            ["too many"] * (len(args) > len(defaults))
        missing = [name for name, default in defaults.items()
                   if name not in values and default is None]
        if unknown or missing:
            raise Unsupported(f"arguments: {', '.join(unknown + missing)}")
        values = {name: values.get(name, default) for name, default in defaults.items()}
        return c.layer(field, [input], written(defaults, values), rank=c.rank(input))


for _, field, defaults, names in ACTIVATIONS:
    register(field, defaults, names)


@function("F.rrelu", "torch.rrelu")
def rrelu(c, input, lower=1 / 8, upper=1 / 3, training=False, inplace=False):
    refuse("training", training, False)
    return c.layer("rrelu", [input], {"lower": given(lower, 1 / 8), "upper": given(upper, 1 / 3)},
                   rank=c.rank(input))


@function("F.softmax", "torch.softmax", ".softmax")
def softmax(c, input, dim=None, _stacklevel=3, dtype=None):
    return along("softmax", c, input, dim, dtype)


@function("F.log_softmax", "torch.log_softmax", ".log_softmax")
def log_softmax(c, input, dim=None, _stacklevel=3, dtype=None):
    return along("log_softmax", c, input, dim, dtype)


@function("F.softmin")
def softmin(c, input, dim=None, _stacklevel=3, dtype=None):
    return along("softmin", c, input, dim, dtype)


def along(field, c, input, dim, dtype):
    """dtype casts first, as in PyTorch."""
    value = c.value(input)
    if dtype is not None and dtype != value.dtype:
        value = c.cast(value, dtype)
    return c.layer(field, [value], {"dim": dim}, rank=value.rank)


@function("F.prelu", "torch.prelu", ".prelu")
def prelu(c, input, weight):
    return c.with_parameters("prelu", input, {"weight": weight}, lambda weight: {
        "num_parameters": given(weight.numel(), 1)})
