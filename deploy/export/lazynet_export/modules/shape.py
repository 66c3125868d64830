"""Layers that rearrange, or do nothing when serving."""
from ..arguments import per_axis
from ..errors import Unsupported
from ..registry import given, module

DROPOUTS = {"Dropout": "dropout", "Dropout1d": "dropout1d", "Dropout2d": "dropout2d",
            "Dropout3d": "dropout3d", "AlphaDropout": "alpha_dropout",
            "FeatureAlphaDropout": "feature_alpha_dropout"}


@module(*DROPOUTS)
def dropout(c, m, input):
    field = next(DROPOUTS[one.__name__] for one in type(m).__mro__ if one.__name__ in DROPOUTS)
    return c.module_layer(m, field, [input], {"p": given(m.p, 0.5)}, rank=c.rank(input))


@module("Identity")
def identity(c, m, input):
    return c.module_layer(m, "identity", [input], {}, rank=c.rank(input))


@module("Flatten")
def flatten(c, m, input):
    return c.module_layer(m, "flatten", [input], {
        "start_dim": given(m.start_dim, 1), "end_dim": given(m.end_dim, -1)})


@module("Unflatten")
def unflatten(c, m, input):
    if isinstance(m.dim, str):
        raise Unsupported("named dimensions are not supported")
    return c.module_layer(m, "unflatten", [input], {
        "dim": m.dim, "unflattened_size": ", ".join(map(str, m.unflattened_size))})


@module("PixelShuffle")
def pixel_shuffle(c, m, input):
    return c.module_layer(m, "pixel_shuffle", [input], {"upscale_factor": m.upscale_factor},
                          rank=c.rank(input))


@module("PixelUnshuffle")
def pixel_unshuffle(c, m, input):
    return c.module_layer(m, "pixel_unshuffle", [input], {"downscale_factor": m.downscale_factor},
                          rank=c.rank(input))


@module("ChannelShuffle")
def channel_shuffle(c, m, input):
    return c.module_layer(m, "channel_shuffle", [input], {"groups": m.groups}, rank=c.rank(input))


@module("Unfold")
def unfold(c, m, input):
    return c.module_layer(m, "unfold", [input], fold_arguments(m))


@module("Fold")
def fold(c, m, input):
    return c.module_layer(m, "fold", [input], {
        "output_size": per_axis(m.output_size), **fold_arguments(m)})


def fold_arguments(m):
    return {"kernel_size": per_axis(m.kernel_size), "dilation": per_axis(m.dilation, 1),
            "padding": per_axis(m.padding, 0), "stride": per_axis(m.stride, 1)}
