"""Modules of torch.nn to export, with their input's shape."""
import inspect

import torch
from torch import nn

LINE, IMAGE, VOLUME = (2, 4, 9), (2, 4, 8, 8), (2, 4, 6, 6, 6)
SPATIAL = {1: LINE, 2: IMAGE, 3: VOLUME}


def ids(*shape):
    return lambda generator: torch.randint(0, 7, shape, generator=generator)


class Two(nn.Module):
    """A layer of two inputs."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, y):
        return self.layer(x, y)


class Outputs(nn.Module):
    """All that a recurrent layer returns."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        output, state = self.layer(x)
        if isinstance(self.layer, nn.LSTM):
            hidden, cell = state
            return output, hidden, cell
        return output, state


class Stateful(nn.Module):
    """An LSTM that starts with zeros made for the batch."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 3, batch_first=True)

    def forward(self, x):
        hidden = torch.zeros(1, x.size(0), 3)
        output, _ = self.lstm(x, (hidden, hidden))
        return output[:, -1]


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(4, 3), nn.GRUCell(3, 3), nn.RNNCell(3, 2)

    def forward(self, x):
        hidden, cell = self.lstm(x)
        hidden, cell = self.lstm(x, (hidden, cell))
        return self.rnn(self.gru(hidden, cell))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x, y):
        attended, _ = self.attention(x, x, x, need_weights=False)
        return attended + self.attention(query=attended, key=y, value=y)[0]


class Masked(nn.Module):
    """Attention that hides what comes later, and what is not there."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, add_bias_kv=True)

    def forward(self, x, hidden):
        later = torch.triu(torch.ones(x.size(1), x.size(1)), diagonal=1) > 0
        return self.attention(x, x, x, key_padding_mask=hidden, attn_mask=later,
                              average_attn_weights=False)


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)

    def forward(self, src, tgt):
        mask = nn.Transformer.generate_square_subsequent_mask(tgt.size(1))
        return self.transformer(src, tgt, tgt_mask=mask)


class Joined(nn.Module):
    """As U-Nets join: the smaller image gets a border, or is cut."""

    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x, y):
        x = self.bn(x)
        rows, columns = y.size(2) - x.size(2), y.size(3) - x.size(3)
        x = torch.nn.functional.pad(x, [columns // 2, columns - columns // 2,
                                        rows // 2, rows - rows // 2], value=2.0)
        return torch.cat([x, y], dim=1)


def last_hidden(generator):
    return torch.tensor([[False] * 3, [False, False, True]])


def cases():
    """name: what makes the module, then an input each."""
    made = {
        "Linear": (lambda: nn.Linear(8, 5), (3, 8)),
        "Linear_no_bias": (lambda: nn.Linear(8, 5, bias=False), (2, 3, 8)),
        "Bilinear": (lambda: Two(nn.Bilinear(3, 4, 5)), (2, 3), (2, 4)),
        "Embedding": (lambda: nn.Embedding(7, 3, padding_idx=1), ids(2, 5)),
        "EmbeddingBag": (lambda: nn.EmbeddingBag(7, 3, mode="sum"), ids(2, 5)),
        "CosineSimilarity": (lambda: Two(nn.CosineSimilarity(dim=-1)), (2, 5), (2, 5)),
        "PairwiseDistance": (lambda: Two(nn.PairwiseDistance(p=1)), (2, 5), (2, 5)),
        "LayerNorm": (lambda: nn.LayerNorm([4, 9], eps=1e-3), LINE),
        "LayerNorm_plain": (lambda: nn.LayerNorm(9, elementwise_affine=False), LINE),
        "GroupNorm": (lambda: nn.GroupNorm(2, 4), IMAGE),
        "LocalResponseNorm": (lambda: nn.LocalResponseNorm(3, alpha=0.1), IMAGE),
        "PReLU": (lambda: nn.PReLU(4), IMAGE),
        "Softmax": (lambda: nn.Softmax(dim=-1), LINE),
        "Softmax_old": (lambda: nn.Softmax(), LINE),
        "LogSoftmax": (lambda: nn.LogSoftmax(1), LINE),
        "Softmin": (lambda: nn.Softmin(dim=1), LINE),
        "Softmax2d": (lambda: nn.Softmax2d(), IMAGE),
        "RReLU": (lambda: nn.RReLU(0.1, 0.2), LINE),
        "Threshold": (lambda: nn.Threshold(0.1, -3), LINE),
        "GLU": (lambda: nn.GLU(1), LINE),
        "Flatten": (lambda: nn.Flatten(2), IMAGE),
        "Unflatten": (lambda: nn.Unflatten(1, (2, -1)), IMAGE),
        "Dropout": (lambda: nn.Dropout(0.2), LINE),
        "Dropout2d": (lambda: nn.Dropout2d(), IMAGE),
        "Identity": (lambda: nn.Identity(), LINE),
        "PixelShuffle": (lambda: nn.PixelShuffle(2), IMAGE),
        "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), IMAGE),
        "ChannelShuffle": (lambda: nn.ChannelShuffle(2), IMAGE),
        "Unfold": (lambda: nn.Unfold((2, 3), stride=2), IMAGE),
        "Fold": (lambda: nn.Fold((5, 6), (2, 3)), (2, 12, 16)),
        "Upsample": (lambda: nn.Upsample(scale_factor=1.5, mode="bilinear"), IMAGE),
        "Upsample_size": (lambda: nn.Upsample(size=(5, 9), mode="bicubic", align_corners=True),
                          IMAGE),
        "UpsamplingNearest2d": (lambda: nn.UpsamplingNearest2d(scale_factor=2), IMAGE),
        "UpsamplingBilinear2d": (lambda: nn.UpsamplingBilinear2d(size=7), IMAGE),
        "LPPool1d": (lambda: nn.LPPool1d(2, 3, stride=2), LINE),
        "LPPool2d": (lambda: nn.LPPool2d(2, 2, ceil_mode=True), IMAGE),
        "RNN": (lambda: Outputs(nn.RNN(4, 3, nonlinearity="relu")), (5, 2, 4)),
        "LSTM": (lambda: Outputs(nn.LSTM(4, 3, 2, bidirectional=True, proj_size=2)), (5, 2, 4)),
        "GRU": (lambda: Outputs(nn.GRU(4, 3, batch_first=True, bias=False)), (2, 5, 4)),
        "LSTM_states": (Stateful, (2, 5, 4)),
        "cells": (Cells, (2, 4)),
        "MultiheadAttention": (Attention, (2, 3, 8), (2, 4, 8)),
        "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, norm_first=True),
                                    (3, 2, 8)),
        "pad_by_sizes": (Joined, IMAGE, (2, 4, 11, 5)),
        "MultiheadAttention_masks": (Masked, (2, 3, 8), last_hidden),
        "TransformerDecoderLayer": (lambda: nn.TransformerDecoderLayer(8, 2, 16), (3, 2, 8),
                                    (4, 2, 8)),
        "Transformer": (Translator, (2, 3, 8), (2, 4, 8)),
        "TransformerEncoder": (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(
            8, 2, 16, activation="gelu", batch_first=True), 2, nn.LayerNorm(8),
            enable_nested_tensor=False), (2, 3, 8)),
    }
    for name in ("ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish",
                 "Hardswish", "Hardsigmoid", "Hardtanh", "Sigmoid", "Tanh", "LogSigmoid",
                 "Softplus", "Softsign", "Tanhshrink", "Hardshrink", "Softshrink"):
        made[name] = (getattr(nn, name), LINE)
    for n, shape in SPATIAL.items():
        kinds = {
            f"Conv{n}d": lambda n=n: getattr(nn, f"Conv{n}d")(4, 6, 3, 2, 1, groups=2),
            f"Conv{n}d_reflect": lambda n=n: getattr(nn, f"Conv{n}d")(
                4, 4, 3, padding="same", padding_mode="replicate", bias=False),
            f"ConvTranspose{n}d": lambda n=n: getattr(nn, f"ConvTranspose{n}d")(
                4, 6, 3, 2, 1, output_padding=1),
            f"BatchNorm{n}d": lambda n=n: getattr(nn, f"BatchNorm{n}d")(4, eps=1e-3),
            f"InstanceNorm{n}d": lambda n=n: getattr(nn, f"InstanceNorm{n}d")(4, affine=True),
            f"MaxPool{n}d": lambda n=n: getattr(nn, f"MaxPool{n}d")(3, 2, 1, ceil_mode=True),
            f"AvgPool{n}d": lambda n=n: getattr(nn, f"AvgPool{n}d")(
                3, 2, 1, count_include_pad=False),
            f"AdaptiveAvgPool{n}d": lambda n=n: getattr(nn, f"AdaptiveAvgPool{n}d")(2),
            f"AdaptiveMaxPool{n}d": lambda n=n: getattr(nn, f"AdaptiveMaxPool{n}d")(3),
            f"ConstantPad{n}d": lambda n=n: getattr(nn, f"ConstantPad{n}d")(1, 2.5),
            f"ReflectionPad{n}d": lambda n=n: getattr(nn, f"ReflectionPad{n}d")(
                tuple(range(1, n + 1)) * 2),
            f"ReplicationPad{n}d": lambda n=n: getattr(nn, f"ReplicationPad{n}d")(2)}
        made.update({name: (make, shape) for name, make in kinds.items()})
    made["ZeroPad2d"] = (lambda: nn.ZeroPad2d((1, 2, 0, -1)), IMAGE)
    return made


def make(name):
    """The module of a case, and its inputs by name."""
    create, *inputs = cases()[name]
    torch.manual_seed(3)
    module = create()
    names = inspect.signature(module.forward).parameters
    return module.eval(), dict(zip(names, inputs))
