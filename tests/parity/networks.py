"""Cases of several layers: graphs, layers used twice, dtypes, initializers."""
import torch
from torch import nn

from case import DTYPES, Case, Floats, GraphCase, HalfCase, Ids


class To(nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.dtype = DTYPES[dtype]

    def forward(self, x):
        return x.to(self.dtype)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.LazyLinear(6)
        self.b = nn.LazyLinear(6)

    def forward(self, x, y):
        a = torch.relu(self.a(x))
        return torch.cat([a + self.b(y), a], -1), a


class Siamese(nn.Module):
    """One encoder on both inputs, and twice in a row."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, x, y):
        left = self.encoder(x)
        return left * self.encoder(y), self.encoder(left)


SIAMESE = '''
layers {{ name: "left" inputs: "x" {0} }}
layers {{ name: "right" inputs: "y" same_as: "left" }}
layers {{ name: "product" inputs: "left" inputs: "right" mul {{}} }}
layers {{ name: "again" inputs: "left" same_as: "left" }}
outputs {{ name: "product" layer: "product" }}
outputs {{ name: "again" layer: "again" }}
'''


class Gated(nn.Module):
    """The states of one LSTM start another, which is the same one."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 4)

    def forward(self, x):
        first, states = self.lstm(x)
        second, (hidden, _) = self.lstm(first, states)
        return second, hidden


class Tagger(nn.Module):
    """Ids and floats, over 64 bits and back."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 4)
        self.to_wide, self.to_float = To("FP64"), To("FP32")
        self.wide = nn.Linear(4, 3, dtype=torch.float64)

    def forward(self, ids, x):
        wide = self.wide(self.to_wide(self.embed(ids) + x))
        return wide, self.to_float(wide)


class Conv(nn.Module):
    """A convolution whose weights come from elsewhere, then a layer that draws after it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.LazyConv2d(6, 3)
        self.fc = nn.LazyLinear(4)
        self.conv.reset_parameters = self.draw

    def draw(self):
        if not self.conv.has_uninitialized_params():
            nn.init.orthogonal_(self.conv.weight, 2)
            nn.init.constant_(self.conv.bias, -0.5)

    def forward(self, x):
        return self.fc(self.conv(x))


def graph_cases():
    yield GraphCase("residual", '''
        layers { name: "a" inputs: "x" linear { out_features: 6 } }
        layers { name: "relu" relu {} }
        layers { name: "b" inputs: "y" linear { out_features: 6 } }
        layers { name: "sum" inputs: "relu" inputs: "b" add {} }
        layers { name: "all" inputs: "sum" inputs: "relu" concat { dim: -1 } }
        outputs { name: "all" layer: "all" }
        outputs { name: "a" layer: "relu" }''', Residual, [(3, 4), (3, 5)], [(4,), (5,)],
                    inputs=("x", "y"), outputs=("all", "a"))
    for name, text, make in (
            ("linear", "linear { out_features: 5 }", lambda: nn.LazyLinear(5)),
            ("conv", "conv2d { out_channels: 3 kernel_size: 3 padding: 1 }",
             lambda: nn.LazyConv2d(3, 3, padding=1)),
            ("norm", "batch_norm1d {}", nn.LazyBatchNorm1d),
            ("eager", "linear { in_features: 5 out_features: 5 bias: false }",
             lambda: nn.Linear(5, 5, bias=False))):
        shape = (2, 3, 6, 7) if name == "conv" else (4, 5)
        yield GraphCase(f"siamese_{name}", SIAMESE.format(text), lambda make=make: Siamese(make()),
                        [shape, shape], inputs=("x", "y"), outputs=("product", "again"))
    yield GraphCase("lstm_twice", '''
        layers { name: "lstm" lstm { hidden_size: 4 } }
        layers { name: "more" inputs: ["lstm", "lstm:h_n", "lstm:c_n"] same_as: "lstm" }
        outputs { name: "y" layer: "more" }
        outputs { name: "h" layer: "more:h_n" }''', Gated, (3, 2, 4), (5, 4), outputs=("y", "h"))
    yield GraphCase("initializers", '''
        layers { name: "conv" conv2d { out_channels: 6 kernel_size: 3 }
                 initializers { parameter: "bias" constant { val: -0.5 } }
                 initializers { parameter: "weight" orthogonal { gain: 2 } } }
        layers { name: "fc" linear { out_features: 4 } }''', Conv, (2, 3, 7, 8))


def dtype_cases():
    yield GraphCase("tagger", '''
        layers { name: "embed" inputs: "ids" embedding { num_embeddings: 9 embedding_dim: 4 } }
        layers { name: "sum" inputs: "embed" inputs: "x" add {} }
        layers { name: "to_wide" to { dtype: "FP64" } }
        layers { name: "wide" dtype: "FP64" linear { in_features: 4 out_features: 3 } }
        layers { name: "to_float" to { dtype: "FP32" } }
        outputs { name: "wide" layer: "wide" }
        outputs { name: "float" layer: "to_float" }''', Tagger, [Ids((2, 3), 9), (2, 3, 4)],
                    inputs=("ids", "x"), outputs=("wide", "float"))
    for source in ("FP32", "FP64", "BF16", "FP16"):
        for target in ("FP32", "FP64", "BF16", "FP16"):
            yield Case(f"to_{source}_{target}", f'to {{ dtype: "{target}" }}',
                       lambda target=target: To(target), Floats((3, 5), source))
        for ids in ("INT32", "INT64"):
            yield Case(f"to_{ids}_{source}", f'to {{ dtype: "{source}" }}',
                       lambda source=source: To(source), Ids((40,), 1 << 30, ids))
    yield Case("conv_fp64", "conv2d { out_channels: 5 kernel_size: 3 padding: 1 groups: 1 }",
               lambda: nn.LazyConv2d(5, 3, padding=1), (2, 3, 6, 7), dtype="FP64")
    yield Case("conv_fp64_eager", "conv1d { in_channels: 4 out_channels: 6 kernel_size: 2 }",
               lambda: nn.Conv1d(4, 6, 2), (2, 4, 9), dtype="FP64")
    yield Case("conv_transpose_fp64",
               "conv_transpose2d { out_channels: 5 kernel_size: 3 stride: 2 }",
               lambda: nn.LazyConvTranspose2d(5, 3, stride=2), (2, 3, 6, 7), dtype="FP64")
    yield GraphCase("mlp_fp64", '''
        layers { name: "fc1" linear { out_features: 9 } }
        layers { name: "act" gelu {} }
        layers { name: "norm" batch_norm1d {} }
        layers { name: "fc2" linear { in_features: 9 out_features: 4 } }
        layers { name: "softmax" softmax { dim: -1 } }''', lambda: nn.Sequential(
            nn.LazyLinear(9), nn.GELU(), nn.LazyBatchNorm1d(), nn.Linear(9, 4), nn.Softmax(-1)),
                    (6, 5), dtype="FP64")
    for dtype in ("BF16", "FP16"):
        yield HalfCase(f"linear_{dtype}", "linear { in_features: 7 out_features: 5 }",
                       lambda: nn.Linear(7, 5), (3, 7), dtype=dtype)
        yield HalfCase(f"lazy_linear_{dtype}", "linear { out_features: 40 }",
                       lambda: nn.LazyLinear(40), (3, 33), dtype=dtype)
        yield HalfCase(f"conv_{dtype}", "conv2d { out_channels: 5 kernel_size: 3 padding: 1 }",
                       lambda: nn.LazyConv2d(5, 3, padding=1), (2, 3, 6, 7), dtype=dtype)
        yield HalfCase(f"lstm_{dtype}", "lstm { input_size: 4 hidden_size: 5 }",
                       lambda: nn.LSTM(4, 5), (6, 3, 4), outputs=("output", "h_n", "c_n"),
                       dtype=dtype)
        yield HalfCase(f"layer_norm_{dtype}", "layer_norm { normalized_shape: 9 }",
                       lambda: nn.LayerNorm(9), (4, 9), dtype=dtype)
        yield HalfCase(f"embedding_{dtype}", "embedding { num_embeddings: 6 embedding_dim: 3 }",
                       lambda: nn.Embedding(6, 3), Ids((4,), 6), dtype=dtype)
        yield HalfCase(f"encoder_{dtype}",
                       "transformer_encoder_layer { d_model: 6 nhead: 3 dim_feedforward: 5 }",
                       lambda: nn.TransformerEncoderLayer(6, 3, 5), (4, 2, 6), dtype=dtype)


def cases():
    yield from graph_cases()
    yield from dtype_cases()
