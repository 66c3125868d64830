"""Activations."""
from ..definition import Word
from ..elementwise import ACTIVATIONS, written
from ..registry import given, module


def register(kind, field, defaults):
    @module(kind)
    def activation(c, m, input):
        values = {name: getattr(m, name) for name in defaults}
        return c.module_layer(m, field, [input], written(defaults, values), rank=c.rank(input))


for kind, field, defaults, _ in ACTIVATIONS:
    register(kind, field, defaults)


@module("RReLU")
def rrelu(c, m, input):
    return c.module_layer(m, "rrelu", [input], {
        "lower": given(m.lower, 1 / 8), "upper": given(m.upper, 1 / 3)}, rank=c.rank(input))


@module("PReLU")
def prelu(c, m, input):
    lazy = c.lazy and m.num_parameters > 1
    return c.module_layer(m, "prelu", [input], {
        "num_parameters": Word("IN_CHANNELS") if lazy else given(m.num_parameters, 1),
        "init": given(getattr(m, "init", 0.25), 0.25)},
        rank=c.rank(input))


@module("Softmax", "LogSoftmax", "Softmin")
def softmax(c, m, input):
    field = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Softmin": "softmin"}
    kind = next(field[one.__name__] for one in type(m).__mro__ if one.__name__ in field)
    return c.module_layer(m, kind, [input], {"dim": m.dim}, rank=c.rank(input))


@module("Softmax2d")
def softmax2d(c, m, input):
    return c.module_layer(m, "softmax2d", [input], {}, rank=c.rank(input))
