"""Networks of our own: a BERT, a tagger with an LSTM, a U-Net."""
import torch
from torch import nn
from torch.nn import functional as F


class Bert(nn.Module):
    """The encoder of BERT base, with a smaller vocabulary: ids (N, L) to (N, L, 768), (N, 768)."""

    def __init__(self, vocabulary=1000, width=768, depth=12, heads=12, longest=128):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(longest, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, activation="gelu",
                                           batch_first=True, layer_norm_eps=1e-12)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.pooler = nn.Linear(width, width)

    def forward(self, ids):
        places = torch.arange(ids.size(1), device=ids.device)
        x = self.norm(self.words(ids) + self.positions(places))
        x = self.encoder(x)
        return {"hidden": x, "pooled": torch.tanh(self.pooler(x[:, 0]))}


class Tagger(nn.Module):
    """Ids (N, L) to scores (N, L, 5) and one attention-weighted sum (N, 12)."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.lstm = nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.tags = nn.Linear(12, 5)
        self.query = nn.Linear(12, 1)

    def forward(self, ids):
        x, (hidden, _) = self.lstm(self.embed(ids))
        weights = F.softmax(self.query(x), dim=1)
        return self.tags(x), (weights * x).sum(dim=1), hidden


class Double(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(nn.Conv2d(before, after, 3, padding=1, bias=False),
                         nn.BatchNorm2d(after), nn.ReLU(inplace=True),
                         nn.Conv2d(after, after, 3, padding=1), nn.GroupNorm(2, after),
                         nn.LeakyReLU(0.1, inplace=True))


class Up(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.up = nn.ConvTranspose2d(before, after, 2, stride=2)
        self.conv = Double(2 * after, after)

    def forward(self, x, skip):
        x = self.up(x)
        if_odd = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
        return self.conv(torch.cat([skip, if_odd], dim=1))


class UNet(nn.Module):
    """Images (N, 3, H, W) of any size to (N, 2, H, W)."""

    def __init__(self, width=8):
        super().__init__()
        self.first = Double(3, width)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), Double(width, 2 * width))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), Double(2 * width, 4 * width))
        self.up1 = Up(4 * width, 2 * width)
        self.up2 = Up(2 * width, width)
        self.last = nn.Conv2d(width, 2, 1)

    def forward(self, x):
        first = self.first(x)
        second = self.down1(first)
        third = self.down2(second)
        return torch.sigmoid(self.last(self.up2(self.up1(third, second), first)))
