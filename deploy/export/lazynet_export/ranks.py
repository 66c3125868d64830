"""The number of dimensions of what modules give, where they tell it."""
from torch import nn

# What takes one rank only, as PyTorch checks.
FIXED = ((nn.BatchNorm2d, 4), (nn.BatchNorm3d, 5))
UPSAMPLED = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
# What gives as many dimensions as it takes.
KEEP = (nn.Linear, nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.LayerNorm,
        nn.GroupNorm, nn.LocalResponseNorm, nn.Identity, nn.modules.dropout._DropoutNd,
        nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd,
        nn.modules.pooling._AdaptiveAvgPoolNd, nn.modules.pooling._AdaptiveMaxPoolNd,
        nn.modules.padding._ConstantPadNd, nn.modules.padding._ReflectionPadNd,
        nn.modules.padding._ReplicationPadNd, nn.Upsample, nn.PixelShuffle, nn.PReLU)


def rank_after(module, rank):
    """The rank of a module's result; `rank` is its input's. None where it is not known."""
    if isinstance(module, nn.Upsample) and module.mode in UPSAMPLED:
        return UPSAMPLED[module.mode]
    for kind, wanted in FIXED:
        if isinstance(module, kind):
            return wanted
    # Activations of torch.nn are elementwise, but for those that attend.
    elementwise = type(module).__module__ == "torch.nn.modules.activation" and \
        not isinstance(module, nn.MultiheadAttention)
    return rank if elementwise or isinstance(module, KEEP) else None
