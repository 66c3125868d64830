"""Cases of layers that resample and pool, and of local response normalization."""
import torch.nn.functional as F
from torch import nn

from case import Case, Floats, Ids
from shape_layers import of

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
SIZES = {1: (7,), 2: (5, 6), 3: (3, 4, 5)}
# Two channels at least: PyTorch takes images of one for channels-last, where nearest differs.
FACTORS = ("2", "1.5", "0.6", "2.7", "1.05")


def upsample(name, arguments, shapes, **torch_arguments):
    return Case(name, f"upsample {{ {arguments} }}",
                of(lambda x: F.interpolate(x, **torch_arguments)), *shapes)


def by_factor():
    for n in (1, 2, 3):
        shapes = [(2, 3, *SIZES[n]), (1, 17, *(size + 1 for size in SIZES[n])), (1, 1, *SIZES[n])]
        modes = ["nearest", "nearest-exact", "area", LINEAR[n]] + (["bicubic"] if n == 2 else [])
        for mode in modes:
            for factor in FACTORS:
                name = f"upsample{n}d_{mode}_{factor}".replace(".", "_").replace("-", "_")
                text = f"mode: '{mode}' scale_factor: {factor}"
                yield upsample(name, text, shapes, mode=mode, scale_factor=float(factor))
                yield upsample(f"{name}_recomputed", f"{text} recompute_scale_factor: true", shapes[:1],
                               mode=mode, scale_factor=float(factor), recompute_scale_factor=True)
                if mode in ("linear", "bilinear", "trilinear", "bicubic"):
                    yield upsample(f"{name}_aligned", f"{text} align_corners: true", shapes,
                                   mode=mode, scale_factor=float(factor), align_corners=True)
                if mode in ("bilinear", "bicubic"):
                    yield upsample(f"{name}_antialiased", f"{text} antialias: true", shapes,
                                   mode=mode, scale_factor=float(factor), antialias=True)
    yield upsample("upsample_two_factors", "mode: 'bilinear' scale_factor: [0.5, 3.1]", [(2, 3, 6, 5)],
                   mode="bilinear", scale_factor=(0.5, 3.1))


def by_size():
    for size, text in [((5, 9), "5, 9"), ((4, 3), "4, 3"), ((1, 1), "1"), ((6, 5), "6, 5"), ((12, 10), "12, 10")]:
        for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area"):
            name = f"upsample_{mode}_{size[0]}_{size[1]}".replace("-", "_")
            yield upsample(name, f"mode: '{mode}' size: '{text}'", [(2, 3, 6, 5), (1, 8, 2, 9)],
                           mode=mode, size=size)
            if mode in ("bilinear", "bicubic"):
                yield upsample(f"{name}_antialiased", f"mode: '{mode}' size: '{text}' antialias: true",
                               [(2, 3, 6, 5)], mode=mode, size=size, antialias=True)
                yield upsample(f"{name}_antialiased_aligned",
                               f"mode: '{mode}' size: '{text}' antialias: true align_corners: true",
                               [(2, 3, 6, 5)], mode=mode, size=size, antialias=True, align_corners=True)
    yield Case("upsample_like", "upsample { mode: 'bilinear' size: 'dim(1, -2), dim(1, -1)' }",
               of(lambda x, y: F.interpolate(x, size=y.shape[-2:], mode="bilinear")),
               [(2, 3, 4, 5), (2, 1, 9, 8)], [(1, 3, 2, 2), (1, 1, 3, 7)], inputs=("x", "y"))


def other():
    yield Case("upsampling_nearest2d", "upsampling_nearest2d { scale_factor: 2 }",
               lambda: nn.UpsamplingNearest2d(scale_factor=2), (2, 3, 4, 5))
    yield Case("upsampling_bilinear2d", "upsampling_bilinear2d { size: '7, 4' }",
               lambda: nn.UpsamplingBilinear2d(size=(7, 4)), (2, 3, 4, 5))
    yield Case("upsample_UINT8", "upsample { scale_factor: 1.7 }",
               of(lambda x: F.interpolate(x, scale_factor=1.7)), Ids((1, 3, 5, 4), 256, "UINT8"))
    for mode in ("nearest", "nearest-exact", "bilinear"):
        yield Case(f"upsample_{mode}_FP64".replace("-", "_"), f"upsample {{ mode: '{mode}' scale_factor: 1.7 }}",
                   of(lambda x, mode=mode: F.interpolate(x, scale_factor=1.7, mode=mode)),
                   Floats((1, 3, 23, 14), "FP64"), dtype="FP64")
    for size in (1, 2, 3, 4, 5):
        yield Case(f"local_response_norm_{size}",
                   f"local_response_norm {{ size: {size} alpha: 0.3 beta: 0.6 k: 1.5 }}",
                   lambda size=size: nn.LocalResponseNorm(size, 0.3, 0.6, 1.5), (2, 7, 4), (1, 16, 3, 5),
                   (1, 5, 2, 3, 2))
    yield Case("local_response_norm", "local_response_norm { size: 5 }", lambda: nn.LocalResponseNorm(5),
               (2, 7, 4, 4))


def pools():
    for n in (1, 2, 3):
        pool = getattr(nn, f"AdaptiveMaxPool{n}d")
        size = (9, 8, 7)[:n]
        for output in (1, 3, 11):
            yield Case(f"adaptive_max_pool{n}d_{output}", f"adaptive_max_pool{n}d {{ output_size: {output} }}",
                       lambda pool=pool, output=output: pool(output), (2, 6, *size), (6, *size))
    yield Case("adaptive_max_pool2d_none", "adaptive_max_pool2d { output_size: [-1, 3] }",
               lambda: nn.AdaptiveMaxPool2d((None, 3)), (2, 17, 5, 7))
    for n in (1, 2):
        pool = getattr(nn, f"LPPool{n}d")
        shapes = [(2, 3, 9, 8)[:n + 2], (3, 7, 8)[:n + 1]]
        for p in (1, 2):
            for ceil in (False, True):
                yield Case(f"lp_pool{n}d_{p}_ceil{int(ceil)}",
                           f"lp_pool{n}d {{ norm_type: {p} kernel_size: 3 stride: 2 "
                           f"ceil_mode: {str(ceil).lower()} }}",
                           lambda pool=pool, p=p, ceil=ceil: pool(p, 3, 2, ceil), *shapes)
        yield Case(f"lp_pool{n}d_3", f"lp_pool{n}d {{ norm_type: 3 kernel_size: 2 }}",
                   lambda pool=pool: pool(3, 2), *shapes)
    yield Case("lp_pool2d_kernel", "lp_pool2d { norm_type: 2 kernel_size: [2, 3] stride: [1, 2] }",
               lambda: nn.LPPool2d(2, (2, 3), (1, 2)), (2, 3, 7, 8))


def cases():
    for family in (by_factor, by_size, other, pools):
        yield from family()
