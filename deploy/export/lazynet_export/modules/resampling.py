"""Resampling."""
from ..registry import given, module


def scale_list(scale):
    """Floats, one for all axes where they are equal."""
    if scale is None:
        return None
    values = [float(one) for one in scale] if isinstance(scale, (tuple, list)) else [float(scale)]
    return values[0] if len(set(values)) == 1 else values


def size_list(size):
    if size is None:
        return None
    return list(size) if isinstance(size, (tuple, list)) else [size]


@module("Upsample")
def upsample(c, m, input):
    arguments = {"mode": given(m.mode, "nearest"), "align_corners": m.align_corners or None,
                 "scale_factor": scale_list(m.scale_factor),
                 "recompute_scale_factor": getattr(m, "recompute_scale_factor", None) or None}
    return sized(c, m, "upsample", input, arguments)


@module("UpsamplingNearest2d", "UpsamplingBilinear2d")
def upsampling2d(c, m, input):
    return sized(c, m, f"upsampling_{m.mode}2d", input,
                 {"scale_factor": scale_list(m.scale_factor)})


def sized(c, m, field, input, arguments):
    if m.size is not None:
        arguments = {"size": ", ".join(map(str, size_list(m.size))), **arguments}
    return c.module_layer(m, field, [input], arguments, rank=c.rank(input))
