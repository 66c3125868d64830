"""Cases of layers that read no sequences: convolutions, norms, pools, activations, linear ones."""
import numpy as np
import torch
from torch import nn

from case import Case, Ids


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
    yield Case(f"conv{d}_same",
               f"conv{d} {{ out_channels: 4 kernel_size: 4 auto_padding: 'same' }}",
               lambda: conv(4, 4, padding="same"), batched, unbatched)
    yield Case(f"conv{d}_valid",
               f"conv{d} {{ out_channels: 4 kernel_size: 2 auto_padding: 'valid' }}",
               lambda: conv(4, 2, padding="valid"), batched)
    for mode in ("reflect", "replicate", "circular"):
        yield Case(f"conv{d}_{mode}",
                   f"conv{d} {{ out_channels: 4 kernel_size: 3 padding: 2 "
                   f"padding_mode: '{mode}' }}",
                   lambda mode=mode: conv(4, 3, padding=2, padding_mode=mode), batched)
    yield Case(f"conv_transpose{d}",
               f"conv_transpose{d} {{ out_channels: 4 kernel_size: {three} }}",
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
    yield Case(f"conv{d}_in_channels", f"conv{d} {{ out_channels: 12 kernel_size: 2 "
               "groups: IN_CHANNELS }", lambda: conv(12, 2, groups=6), batched, unbatched)
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
                       f"ceil_mode: {str(ceil).lower()} "
                       f"count_include_pad: {str(include).lower()} }}",
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
    ("prelu { num_parameters: 6 init: 0.1 }", lambda: nn.PReLU(6, 0.1)),
    ("prelu { num_parameters: IN_CHANNELS init: -0.5 }", lambda: nn.PReLU(6, -0.5)),
    ("elu {}", nn.ELU),
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


class RMSNorm(nn.Module):
    """The formula, in numpy: PyTorch 1.13 has no such class."""

    def __init__(self, shape, eps=None, affine=True):
        super().__init__()
        self.axes, self.eps = tuple(range(-len(shape), 0)), eps
        self.weight = nn.Parameter(torch.ones(shape)) if affine else None

    def forward(self, x):
        array = x.double().numpy()
        eps = torch.finfo(x.dtype).eps if self.eps is None else self.eps
        array = array / np.sqrt(np.mean(array**2, self.axes, keepdims=True) + eps)
        if self.weight is not None:
            array = array * self.weight.double().numpy()
        return torch.from_numpy(array).to(x.dtype)


# Weights that are not all 1, and shifts that are not all 0.
DRAWN = ("initializers { parameter: 'weight' normal { mean: 1 std: 0.5 } } "
         "initializers { parameter: 'bias' uniform { a: -1 } }")
DRAWN_WEIGHT = "initializers { parameter: 'weight' normal { mean: 1 std: 0.5 } }"


def drawn(module):
    """The module with the initial values of DRAWN, or DRAWN_WEIGHT if it has no bias."""
    nn.init.normal_(module.weight, 1, 0.5)
    if getattr(module, "bias", None) is not None:
        nn.init.uniform_(module.bias, -1)
    return module


def without_bias(module):
    module.bias = None
    return module


def norm_cases():
    yield Case("layer_norm", f"layer_norm {{}} {DRAWN}", lambda: drawn(nn.LayerNorm(7)), (3, 7),
               (7,), (2, 5, 7), (2, 3, 4, 5, 7))
    yield Case("layer_norm_dims",
               f"layer_norm {{ normalized_shape: [-1, 3, -1] eps: 0.1 }} {DRAWN}",
               lambda: drawn(nn.LayerNorm([2, 3, 5], eps=0.1)), (4, 2, 3, 5), (2, 3, 5),
               (1, 7, 2, 3, 5))
    yield Case("layer_norm_eager", "layer_norm { normalized_shape: [4, 5] }",
               lambda: nn.LayerNorm([4, 5]), (3, 4, 5), (1, 2, 4, 5))
    yield Case("layer_norm_nobias", f"layer_norm {{ bias: false }} {DRAWN_WEIGHT}",
               lambda: drawn(without_bias(nn.LayerNorm(33))), (5, 33))
    # Without parameters no size is fixed; PyTorch's class wants one all the same.
    yield Case("layer_norm_plain", "layer_norm { elementwise_affine: false }",
               lambda: nn.LayerNorm(6, elementwise_affine=False), (2, 6))
    yield Case("layer_norm_fp64", f"layer_norm {{}} {DRAWN}",
               lambda: drawn(nn.LayerNorm(7).double()), (3, 7), dtype="FP64")
    yield Case("rms_norm", f"rms_norm {{}} {DRAWN_WEIGHT}", lambda: drawn(RMSNorm([7])), (3, 7),
               (7,), (2, 5, 7))
    yield Case("rms_norm_dims",
               f"rms_norm {{ normalized_shape: [-1, 5] eps: 0.25 }} {DRAWN_WEIGHT}",
               lambda: drawn(RMSNorm([3, 5], 0.25)), (2, 3, 5), (3, 5))
    yield Case("rms_norm_plain", "rms_norm { normalized_shape: 6 elementwise_affine: false }",
               lambda: RMSNorm([6], affine=False), (4, 6))
    yield Case("rms_norm_fp64", "rms_norm {}", lambda: RMSNorm([7]), (3, 7), dtype="FP64")
    shapes = (2, 6), (2, 6, 5), (3, 6, 4, 3), (1, 6, 3, 2, 2)
    yield Case("group_norm", f"group_norm {{ num_groups: 3 }} {DRAWN}",
               lambda: drawn(nn.GroupNorm(3, 6)), *shapes)
    yield Case("group_norm_all", "group_norm { num_groups: 1 num_channels: 6 eps: 0.5 }",
               lambda: nn.GroupNorm(1, 6, 0.5), *shapes)
    yield Case("group_norm_each", "group_norm { num_groups: 6 affine: false }",
               lambda: nn.GroupNorm(6, 6, affine=False), *shapes[1:])
    yield Case("group_norm_fp64", "group_norm { num_groups: 2 }", lambda: nn.GroupNorm(2, 6),
               (2, 6, 3), dtype="FP64")


def linear_cases():
    yield Case("linear", "linear { out_features: 5 }", lambda: nn.LazyLinear(5), (2, 7), (7,),
               (3, 4, 7), (2, 3, 4, 7))
    yield Case("linear_nobias", "linear { in_features: 7 out_features: 5 bias: false }",
               lambda: nn.Linear(7, 5, bias=False), (2, 7))
    yield Case("linear_wide", "linear { out_features: 130 }", lambda: nn.LazyLinear(130), (3, 257))
    pair = ("left", "right")
    yield Case("bilinear", "bilinear { out_features: 4 }", lambda: nn.Bilinear(3, 5, 4),
               [(2, 3), (2, 5)], [(3,), (5,)], [(2, 7, 3), (2, 7, 5)], inputs=pair)
    yield Case("bilinear_eager",
               "bilinear { in1_features: 9 in2_features: 1 out_features: 17 bias: false }",
               lambda: nn.Bilinear(9, 1, 17, bias=False), [(6, 9), (6, 1)], inputs=pair)
    yield Case("bilinear_fp64", "bilinear { out_features: 2 }",
               lambda: nn.Bilinear(3, 4, 2, dtype=torch.float64), [(5, 3), (5, 4)], inputs=pair,
               dtype="FP64")
    yield Case("embedding", "embedding { num_embeddings: 11 embedding_dim: 5 }",
               lambda: nn.Embedding(11, 5), Ids((3, 4), 11), Ids((), 11), Ids((2, 3, 2), 11))
    yield Case("embedding_int32",
               "embedding { num_embeddings: 3 embedding_dim: 17 padding_idx: -2 }",
               lambda: nn.Embedding(3, 17, padding_idx=-2), Ids((40,), 3, "INT32"))
    yield Case("embedding_fp64", "embedding { num_embeddings: 6 embedding_dim: 2 padding_idx: 0 }",
               lambda: nn.Embedding(6, 2, padding_idx=0), Ids((4, 9), 6), dtype="FP64")


def cases():
    for i, (text, module) in enumerate(ACTIVATIONS):
        yield Case(f"activation{i}", text, module, (2, 6), (3, 6, 5), (2, 6, 4, 3))
    yield Case("dropout1d", "dropout1d {}", nn.Dropout1d, (2, 6), (2, 6, 4))
    yield Case("flatten", "flatten {}", nn.Flatten, (2, 3, 4), (2, 3))
    yield Case("flatten_some", "flatten { start_dim: 0 end_dim: -2 }", lambda: nn.Flatten(0, -2),
               (2, 3, 4, 5))
    yield Case("batch_norm1d_flat", "batch_norm1d {}", nn.LazyBatchNorm1d, (4, 6))
    for n in (1, 2, 3):
        yield from spatial_cases(n)
    yield from norm_cases()
    yield from linear_cases()
