"""Pools."""
from ..arguments import per_axis, refuse, same_as_kernel
from ..registry import given, module


def spatial_dims(m):
    """The number in the class's name."""
    return next(one.__name__ for one in type(m).__mro__ if one.__name__.endswith("d"))[-2]


@module(*(f"MaxPool{n}d" for n in (1, 2, 3)))
def max_pool(c, m, input):
    refuse("return_indices", m.return_indices, False)
    return c.module_layer(m, f"max_pool{spatial_dims(m)}d", [input], {
        "kernel_size": per_axis(m.kernel_size), "stride": same_as_kernel(m.stride, m.kernel_size),
        "padding": per_axis(m.padding, 0), "dilation": per_axis(m.dilation, 1),
        "ceil_mode": given(bool(m.ceil_mode), False)}, rank=c.rank(input))


@module(*(f"AvgPool{n}d" for n in (1, 2, 3)))
def avg_pool(c, m, input):
    return c.module_layer(m, f"avg_pool{spatial_dims(m)}d", [input], {
        "kernel_size": per_axis(m.kernel_size), "stride": same_as_kernel(m.stride, m.kernel_size),
        "padding": per_axis(m.padding, 0), "ceil_mode": given(bool(m.ceil_mode), False),
        "count_include_pad": given(bool(m.count_include_pad), True),
        "divisor_override": getattr(m, "divisor_override", None)}, rank=c.rank(input))


@module(*(f"Adaptive{kind}Pool{n}d" for kind in ("Avg", "Max") for n in (1, 2, 3)))
def adaptive_pool(c, m, input):
    refuse("return_indices", getattr(m, "return_indices", False), False)
    name = next(one.__name__ for one in type(m).__mro__ if one.__name__.startswith("Adaptive"))
    kind = "avg" if "Avg" in name else "max"
    return c.module_layer(m, f"adaptive_{kind}_pool{spatial_dims(m)}d", [input],
                          {"output_size": output_size(m.output_size)}, rank=c.rank(input))


def output_size(size):
    """None keeps the input's size: -1."""
    if isinstance(size, (tuple, list)):
        return per_axis([-1 if one is None else one for one in size])
    return -1 if size is None else per_axis(size)


@module("LPPool1d", "LPPool2d")
def lp_pool(c, m, input):
    return c.module_layer(m, f"lp_pool{spatial_dims(m)}d", [input], {
        "norm_type": float(m.norm_type), "kernel_size": per_axis(m.kernel_size),
        "stride": same_as_kernel(m.stride, m.kernel_size),
        "ceil_mode": given(bool(m.ceil_mode), False)}, rank=c.rank(input))
