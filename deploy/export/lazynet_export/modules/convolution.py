"""Convolutions."""
from ..arguments import per_axis, refuse, size_or_lazy
from ..definition import Word
from ..registry import given, module


def convolution_arguments(c, m):
    depthwise = c.lazy and m.groups > 1 and m.groups == m.in_channels
    automatic = isinstance(m.padding, str)
    return {
        "in_channels": size_or_lazy(c, m.in_channels), "out_channels": m.out_channels,
        "kernel_size": per_axis(m.kernel_size), "stride": per_axis(m.stride, 1),
        "padding": None if automatic else per_axis(m.padding, 0),
        "dilation": per_axis(m.dilation, 1),
        "groups": Word("IN_CHANNELS") if depthwise else given(m.groups, 1),
        "bias": given(m.bias is not None, True), "padding_mode": given(m.padding_mode, "zeros"),
        "auto_padding": m.padding if automatic and m.padding != "valid" else None}


@module(*(f"{lazy}Conv{n}d" for n in (1, 2, 3) for lazy in ("", "Lazy")))
def convolution(c, m, input):
    n = len(m.kernel_size)
    return c.module_layer(m, f"conv{n}d", [input], convolution_arguments(c, m), rank=c.rank(input))


@module(*(f"{lazy}ConvTranspose{n}d" for n in (1, 2, 3) for lazy in ("", "Lazy")))
def transposed_convolution(c, m, input, output_size=None):
    refuse("output_size", output_size, None)
    n = len(m.kernel_size)
    return c.module_layer(m, f"conv_transpose{n}d", [input], {
        "in_channels": size_or_lazy(c, m.in_channels), "out_channels": m.out_channels,
        "kernel_size": per_axis(m.kernel_size), "stride": per_axis(m.stride, 1),
        "padding": per_axis(m.padding, 0), "output_padding": per_axis(m.output_padding, 0),
        "groups": given(m.groups, 1), "bias": given(m.bias is not None, True),
        "dilation": per_axis(m.dilation, 1)}, rank=c.rank(input))
