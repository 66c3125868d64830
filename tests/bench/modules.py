"""The networks that are not torchvision's, apart so that the worker loads nothing else."""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Mlp(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
                         nn.Linear(512, 10))


class LeNet(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, 10))


class Espcn(nn.Sequential):
    """Makes a picture's luma three times larger."""

    def __init__(self):
        super().__init__(nn.Conv2d(1, 64, 5, padding=2), nn.ReLU(),
                         nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(64, 32, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(32, 9, 3, padding=1), nn.PixelShuffle(3))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(128, 256, num_layers=2, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


class EncoderLayer(nn.Module):
    """BERT's: attention and a feed-forward part, each added and then normalized."""

    def __init__(self, sequence, width, heads):
        super().__init__()
        self.split = (-1, sequence, heads, width // heads)
        self.merged = (-1, sequence, width)
        self.scale = 1 / math.sqrt(width // heads)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=1e-12)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x):
        query = self.query(x).reshape(self.split).permute(0, 2, 1, 3)
        key = self.key(x).reshape(self.split).permute(0, 2, 3, 1)
        value = self.value(x).reshape(self.split).permute(0, 2, 1, 3)
        weights = F.softmax(torch.matmul(query, key) * self.scale, dim=-1)
        heads = torch.matmul(weights, value).permute(0, 2, 1, 3).reshape(self.merged)
        x = self.norm1(x + self.output(heads))
        return self.norm2(x + self.narrow(F.gelu(self.widen(x))))


class Encoder(nn.Sequential):
    """The encoder of BERT base, for one length: embedded tokens (N, L, 768) to the same."""

    def __init__(self, sequence, width=768, depth=12, heads=12):
        super().__init__(*(EncoderLayer(sequence, width, heads) for _ in range(depth)))
