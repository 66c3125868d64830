"""Normalization layers."""
import torch

from ..arguments import size_or_lazy
from ..registry import given, module, modules, names_of_modules


def batch_norm_arguments(c, m):
    return {"num_features": size_or_lazy(c, m.num_features), "eps": given(m.eps, 1e-5),
            "momentum": None if m.momentum is None else given(m.momentum, 0.1),
            "affine": given(m.affine, True),
            "track_running_stats": given(m.running_mean is not None, True)}


@module(*(f"{lazy}BatchNorm{n}d" for n in (1, 2, 3) for lazy in ("", "Lazy")))
def batch_norm(c, m, input):
    kind = next(one.__name__ for one in type(m).__mro__ if one.__name__.startswith(
        ("BatchNorm", "LazyBatchNorm")))
    return c.module_layer(m, f"batch_norm{kind[-2]}d", [input], batch_norm_arguments(c, m),
                          rank=c.rank(input))


@module("SyncBatchNorm")
def sync_batch_norm(c, m, input):
    n = max((c.rank(input) or 4) - 2, 1)
    return c.module_layer(m, f"batch_norm{n}d", [input], batch_norm_arguments(c, m),
                          rank=c.rank(input))


def frozen_batch_norm(c, m, input):
    return c.module_layer(m, "batch_norm2d", [input], {
        "num_features": size_or_lazy(c, m.weight.shape[0]), "eps": given(m.eps, 1e-5)},
        rank=c.rank(input))


modules["FrozenBatchNorm2d"] = frozen_batch_norm
names_of_modules.append("torchvision.ops.FrozenBatchNorm2d")


@module(*(f"{lazy}InstanceNorm{n}d" for n in (1, 2, 3) for lazy in ("", "Lazy")))
def instance_norm(c, m, input):
    kind = next(one.__name__ for one in type(m).__mro__ if one.__name__.startswith(
        ("InstanceNorm", "LazyInstanceNorm")))
    # PyTorch keeps a count that it never checks where nothing depends on it.
    lazy = c.lazy and (m.affine or m.track_running_stats)
    size = None if lazy else m.num_features or None
    default = size is None
    return c.module_layer(m, f"instance_norm{kind[-2]}d", [input], {
        "num_features": size, "eps": given(m.eps, 1e-5),
        "momentum": None if m.momentum is None else given(m.momentum, 0.1),
        "affine": given(m.affine, default),
        "track_running_stats": given(m.track_running_stats, default)}, rank=c.rank(input))


@module("LayerNorm")
def layer_norm(c, m, input):
    shape = list(m.normalized_shape)
    return c.module_layer(m, "layer_norm", [input], {
        "normalized_shape": lazy_shape(shape) if c.lazy else shape[0] if len(shape) == 1 else shape,
        "eps": given(m.eps, 1e-5), "elementwise_affine": given(m.elementwise_affine, True),
        "bias": False if m.elementwise_affine and m.bias is None else None}, rank=c.rank(input))


@module("RMSNorm")
def rms_norm(c, m, input):
    shape = list(m.normalized_shape)
    epsilon = torch.finfo(c.dtype).eps
    return c.module_layer(m, "rms_norm", [input], {
        "normalized_shape": lazy_shape(shape) if c.lazy else shape[0] if len(shape) == 1 else shape,
        "eps": None if m.eps is None else given(m.eps, epsilon),
        "elementwise_affine": given(m.elementwise_affine, True)}, rank=c.rank(input))


def lazy_shape(shape):
    return None if len(shape) == 1 else [-1] * len(shape)


@module("GroupNorm")
def group_norm(c, m, input):
    return c.module_layer(m, "group_norm", [input], {
        "num_groups": m.num_groups, "num_channels": size_or_lazy(c, m.num_channels),
        "eps": given(m.eps, 1e-5), "affine": given(m.affine, True)}, rank=c.rank(input))


@module("LocalResponseNorm")
def local_response_norm(c, m, input):
    return c.module_layer(m, "local_response_norm", [input], {
        "size": m.size, "alpha": given(m.alpha, 1e-4), "beta": given(m.beta, 0.75),
        "k": given(float(m.k), 1.0)}, rank=c.rank(input))
