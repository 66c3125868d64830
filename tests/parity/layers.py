"""The layers and arguments that lazynet is compared with PyTorch on.

A case: its name, the layer's line in the definition language, a function that makes the PyTorch
module, and input shapes. The first shape materializes; all are compared.
"""
from torch import nn


class Case:
    def __init__(self, name, text, module, *shapes):
        self.name, self.text, self.module, self.shapes = name, text, module, shapes


def spatial_cases(n):
    """Convolutions, norms and pools over n axes."""
    size = (9, 8, 7)[:n]
    batched, unbatched, other = (2, 6, *size), (6, *size), (3, 6, *(s + 2 for s in size))
    conv, deconv = getattr(nn, f"LazyConv{n}d"), getattr(nn, f"LazyConvTranspose{n}d")
    eager = getattr(nn, f"Conv{n}d")
    three = {1: "3", 2: "[3, 2]", 3: "[3, 2, 1]"}[n]
    kernel = (3, 2, 1)[:n]
    d = f"{n}d"
    yield Case(f"conv{d}", f"conv{d} {{ out_channels: 4 kernel_size: {three} }}",
               lambda: conv(4, kernel), batched, unbatched, other)
    yield Case(f"conv{d}_eager",
               f"conv{d} {{ in_channels: 6 out_channels: 4 kernel_size: 3 bias: false }}",
               lambda: eager(6, 4, 3, bias=False), batched, unbatched)
    yield Case(f"conv{d}_strided",
               f"conv{d} {{ out_channels: 8 kernel_size: 3 stride: 2 padding: 2 dilation: 2 "
               "groups: 2 }",
               lambda: conv(8, 3, stride=2, padding=2, dilation=2, groups=2), batched, unbatched)
    yield Case(f"conv{d}_depthwise", f"conv{d} {{ out_channels: 6 kernel_size: 3 padding: 1 "
               "groups: 6 }", lambda: conv(6, 3, padding=1, groups=6), batched, unbatched)
    yield Case(f"conv{d}_same", f"conv{d} {{ out_channels: 4 kernel_size: 4 auto_padding: 'same' }}",
               lambda: conv(4, 4, padding="same"), batched, unbatched)
    yield Case(f"conv{d}_valid",
               f"conv{d} {{ out_channels: 4 kernel_size: 2 auto_padding: 'valid' }}",
               lambda: conv(4, 2, padding="valid"), batched)
    for mode in ("reflect", "replicate", "circular"):
        yield Case(f"conv{d}_{mode}",
                   f"conv{d} {{ out_channels: 4 kernel_size: 3 padding: 2 padding_mode: '{mode}' }}",
                   lambda mode=mode: conv(4, 3, padding=2, padding_mode=mode), batched)
    yield Case(f"conv_transpose{d}", f"conv_transpose{d} {{ out_channels: 4 kernel_size: {three} }}",
               lambda: deconv(4, kernel), batched, unbatched, other)
    yield Case(f"conv_transpose{d}_strided",
               f"conv_transpose{d} {{ out_channels: 4 kernel_size: 3 stride: 2 padding: 1 "
               "output_padding: 1 groups: 2 bias: false }",
               lambda: deconv(4, 3, stride=2, padding=1, output_padding=1, groups=2, bias=False),
               batched, unbatched)
    yield Case(f"conv_transpose{d}_dilated",
               f"conv_transpose{d} {{ out_channels: 4 kernel_size: 2 dilation: 3 padding: 3 "
               "output_padding: 2 }",
               lambda: deconv(4, 2, dilation=3, padding=3, output_padding=2), batched)
    norm = getattr(nn, f"LazyBatchNorm{n}d")
    yield Case(f"batch_norm{d}", f"batch_norm{d} {{ eps: 0.001 }}", lambda: norm(eps=1e-3), batched,
               other)
    yield Case(f"batch_norm{d}_batch",
               f"batch_norm{d} {{ affine: false track_running_stats: false }}",
               lambda: norm(affine=False, track_running_stats=False), batched, other)
    lazy, known = getattr(nn, f"LazyInstanceNorm{n}d"), getattr(nn, f"InstanceNorm{n}d")
    yield Case(f"instance_norm{d}", f"instance_norm{d} {{}}", lambda: lazy(), batched, other)
    yield Case(f"instance_norm{d}_eager", f"instance_norm{d} {{ num_features: 6 }}",
               lambda: known(6), batched, unbatched)
    yield Case(f"instance_norm{d}_affine",
               f"instance_norm{d} {{ num_features: 6 affine: true }}",
               lambda: known(6, affine=True), batched, unbatched)
    maxp, avgp = getattr(nn, f"MaxPool{n}d"), getattr(nn, f"AvgPool{n}d")
    adaptive = getattr(nn, f"AdaptiveAvgPool{n}d")
    yield Case(f"max_pool{d}", f"max_pool{d} {{ kernel_size: 3 stride: 2 padding: 1 }}",
               lambda: maxp(3, 2, 1), batched, unbatched)
    yield Case(f"max_pool{d}_ceil",
               f"max_pool{d} {{ kernel_size: 2 stride: 3 padding: 1 ceil_mode: true }}",
               lambda: maxp(2, 3, 1, ceil_mode=True), batched, other)
    yield Case(f"max_pool{d}_dilated", f"max_pool{d} {{ kernel_size: 2 stride: 1 dilation: 3 }}",
               lambda: maxp(2, 1, dilation=3), batched, unbatched)
    for ceil in (False, True):
        for include in (False, True):
            yield Case(f"avg_pool{d}_ceil{int(ceil)}_include{int(include)}",
                       f"avg_pool{d} {{ kernel_size: 3 stride: 2 padding: 1 "
                       f"ceil_mode: {str(ceil).lower()} count_include_pad: {str(include).lower()} }}",
                       lambda ceil=ceil, include=include: avgp(3, 2, 1, ceil, include), batched,
                       unbatched, other)
    if n > 1:
        yield Case(f"avg_pool{d}_divisor",
                   f"avg_pool{d} {{ kernel_size: 2 divisor_override: 3 }}",
                   lambda: avgp(2, divisor_override=3), batched)
    for out in (1, 3, 5):
        yield Case(f"adaptive_avg_pool{d}_{out}", f"adaptive_avg_pool{d} {{ output_size: {out} }}",
                   lambda out=out: adaptive(out), batched, unbatched)


ACTIVATIONS = [
    ("relu {}", nn.ReLU), ("relu6 {}", nn.ReLU6), ("leaky_relu {}", nn.LeakyReLU),
    ("leaky_relu { negative_slope: 0.3 }", lambda: nn.LeakyReLU(0.3)), ("prelu {}", nn.PReLU),
    ("prelu { num_parameters: 6 init: 0.1 }", lambda: nn.PReLU(6, 0.1)), ("elu {}", nn.ELU),
    ("elu { alpha: 0.5 }", lambda: nn.ELU(0.5)), ("gelu {}", nn.GELU),
    ("gelu { approximate: 'tanh' }", lambda: nn.GELU("tanh")), ("silu {}", nn.SiLU),
    ("mish {}", nn.Mish), ("hardswish {}", nn.Hardswish), ("hardsigmoid {}", nn.Hardsigmoid),
    ("sigmoid {}", nn.Sigmoid), ("tanh {}", nn.Tanh), ("softplus {}", nn.Softplus),
    ("softplus { beta: 2 threshold: 3 }", lambda: nn.Softplus(2, 3)),
    ("softmax { dim: 1 }", lambda: nn.Softmax(1)), ("softmax { dim: -1 }", lambda: nn.Softmax(-1)),
    ("log_softmax { dim: -2 }", lambda: nn.LogSoftmax(-2)), ("softmax {}", nn.Softmax),
    ("identity {}", nn.Identity), ("dropout { p: 0.9 }", lambda: nn.Dropout(0.9)),
    ("dropout2d {}", nn.Dropout2d), ("dropout3d {}", nn.Dropout3d),
    ("alpha_dropout {}", nn.AlphaDropout), ("feature_alpha_dropout {}", nn.FeatureAlphaDropout),
]


def cases():
    """All of them."""
    for i, (text, module) in enumerate(ACTIVATIONS):
        yield Case(f"activation{i}", text, module, (2, 6), (3, 6, 5), (2, 6, 4, 3))
    yield Case("dropout1d", "dropout1d {}", nn.Dropout1d, (2, 6), (2, 6, 4))
    yield Case("linear", "linear { out_features: 5 }", lambda: nn.LazyLinear(5), (2, 7), (7,),
               (3, 4, 7), (2, 3, 4, 7))
    yield Case("linear_nobias", "linear { in_features: 7 out_features: 5 bias: false }",
               lambda: nn.Linear(7, 5, bias=False), (2, 7))
    yield Case("linear_wide", "linear { out_features: 130 }", lambda: nn.LazyLinear(130), (3, 257))
    yield Case("flatten", "flatten {}", nn.Flatten, (2, 3, 4), (2, 3))
    yield Case("flatten_some", "flatten { start_dim: 0 end_dim: -2 }", lambda: nn.Flatten(0, -2),
               (2, 3, 4, 5))
    yield Case("batch_norm1d_flat", "batch_norm1d {}", nn.LazyBatchNorm1d, (4, 6))
    for n in (1, 2, 3):
        yield from spatial_cases(n)
