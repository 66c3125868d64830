"""Pads."""
from ..arguments import per_axis
from ..registry import module

KINDS = {"ConstantPad": "constant_pad", "ZeroPad": "zero_pad", "ReflectionPad": "reflection_pad",
         "ReplicationPad": "replication_pad", "CircularPad": "circular_pad"}


@module(*(f"{kind}{n}d" for kind in KINDS for n in (1, 2, 3)))
def pad(c, m, input):
    name = next(one.__name__ for one in type(m).__mro__ if one.__name__[:-2] in KINDS)
    # ZeroPad2d is a ConstantPad with value 0.
    value = float(m.value) if name.startswith("ConstantPad") else None
    return c.module_layer(m, f"{KINDS[name[:-2]]}{name[-2]}d", [input], {
        "padding": per_axis(m.padding), "value": value}, rank=c.rank(input))
