"""F.interpolate and its kin."""
from ..errors import Unsupported
from ..modules.resampling import scale_list
from ..registry import function, given
from ..shapes import size_list

SPATIAL_DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


@function("F.interpolate", "F.upsample")
def interpolate(c, input, size=None, scale_factor=None, mode="nearest", align_corners=None,
                recompute_scale_factor=None, antialias=False):
    value = c.value(input)
    count = SPATIAL_DIMS.get(mode, None if value.rank is None else value.rank - 2)
    sizes = None if size is None else size_list([size], count)
    if scale_factor is not None:
        factors = scale_factor if isinstance(scale_factor, (tuple, list)) else [scale_factor]
        if any(not isinstance(one, (int, float)) for one in factors):
            raise Unsupported("scale_factor wants numbers")
    return c.layer("upsample", [value], {
        "scale_factor": scale_list(scale_factor), "mode": given(mode, "nearest"),
        "align_corners": align_corners or None,
        "recompute_scale_factor": recompute_scale_factor or None,
        "antialias": given(antialias, False)}, expressions={"size": sizes}, rank=value.rank)


@function("F.upsample_nearest")
def upsample_nearest(c, input, size=None, scale_factor=None):
    return interpolate(c, input, size, scale_factor)


@function("F.upsample_bilinear")
def upsample_bilinear(c, input, size=None, scale_factor=None):
    return interpolate(c, input, size, scale_factor, "bilinear", True)
