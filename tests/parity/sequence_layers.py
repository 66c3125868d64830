"""Cases of recurrent layers and attention.

PyTorch has no lazy forms of these. They draw what lazy ones would, in FP64 networks once they are
made in FP64.
"""
import torch
from torch import nn

from case import Case


def with_state(module, value, *states):
    """Calls a recurrent module, which takes two states as one argument."""
    return module(value, states if len(states) > 1 else states[0])


def recurrent_cases():
    for text, module, names in (("rnn", nn.RNN, ("h_n",)), ("gru", nn.GRU, ("h_n",)),
                                ("lstm", nn.LSTM, ("h_n", "c_n"))):
        outputs = ("output", *names)
        yield Case(text, f"{text} {{ hidden_size: 3 }}", lambda module=module: module(5, 3),
                   (4, 2, 5), (4, 5), (1, 3, 5), outputs=outputs)
        yield Case(f"{text}_eager",
                   f"{text} {{ input_size: 5 hidden_size: 3 num_layers: 2 dropout: 0.5 }}",
                   lambda module=module: module(5, 3, 2, dropout=0.5), (4, 2, 5), (7, 5),
                   outputs=outputs)
        yield Case(f"{text}_both_ways",
                   f"{text} {{ hidden_size: 17 num_layers: 3 bidirectional: true bias: false }}",
                   lambda module=module: module(9, 17, 3, bidirectional=True, bias=False),
                   (5, 3, 9), (5, 9), (1, 1, 9), outputs=outputs)
        yield Case(f"{text}_batch_first",
                   f"{text} {{ hidden_size: 8 bidirectional: true batch_first: true }}",
                   lambda module=module: module(7, 8, bidirectional=True, batch_first=True),
                   (2, 6, 7), (6, 7), outputs=outputs)
        states = ("h_0", "c_0")[:len(names)]
        for batch_first in (False, True):
            yield Case(f"{text}_state{int(batch_first)}",
                       f"{text} {{ hidden_size: 4 num_layers: 2 bidirectional: true "
                       f"batch_first: {str(batch_first).lower()} }}",
                       lambda module=module, batch_first=batch_first: module(
                           6, 4, 2, bidirectional=True, batch_first=batch_first),
                       [(3, 5, 6), *[(4, 3 if batch_first else 5, 4)] * len(names)],
                       [(3, 6), *[(4, 4)] * len(names)],
                       inputs=("input", *states), outputs=outputs, run=with_state)
    yield Case("rnn_relu", "rnn { hidden_size: 6 nonlinearity: 'relu' num_layers: 2 }",
               lambda: nn.RNN(5, 6, 2, nonlinearity="relu"), (4, 2, 5), outputs=("output", "h_n"))
    lstm = ("output", "h_n", "c_n")
    yield Case("lstm_projected",
               "lstm { hidden_size: 7 proj_size: 3 num_layers: 2 bidirectional: true }",
               lambda: nn.LSTM(5, 7, 2, proj_size=3, bidirectional=True), (4, 2, 5), (4, 5),
               outputs=lstm)
    yield Case("lstm_projected_state",
               "lstm { hidden_size: 7 proj_size: 3 batch_first: true bias: false }",
               lambda: nn.LSTM(5, 7, proj_size=3, batch_first=True, bias=False),
               [(2, 4, 5), (1, 2, 3), (1, 2, 7)], [(4, 5), (1, 3), (1, 7)],
               inputs=("input", "h_0", "c_0"), outputs=lstm, run=with_state)
    yield Case("lstm_fp64", "lstm { hidden_size: 5 num_layers: 2 }",
               lambda: nn.LSTM(4, 5, 2, dtype=torch.float64), (6, 3, 4), outputs=lstm, dtype="FP64")
    yield Case("gru_fp64", "gru { input_size: 4 hidden_size: 5 bidirectional: true }",
               lambda: nn.GRU(4, 5, bidirectional=True), (6, 3, 4), outputs=("output", "h_n"),
               dtype="FP64")


def itself(module, value):
    return module(value, value, value, need_weights=False)[0]


def attend(module, query, key, value):
    return module(query, key, value, need_weights=False)[0]


def attend_copies(module, value):
    """Not on PyTorch's fast path, which 1.13 takes, and fails on, without biases."""
    return attend(module, value, value.clone(), value.clone())


def attention_cases():
    kind = nn.MultiheadAttention
    yield Case("attention", "multihead_attention { num_heads: 3 }", lambda: kind(12, 3), (5, 2, 12),
               (5, 12), (1, 1, 12), run=itself)
    yield Case("attention_eager",
               "multihead_attention { embed_dim: 12 num_heads: 4 bias: false batch_first: true }",
               lambda: kind(12, 4, bias=False, batch_first=True), (2, 5, 12), (5, 12),
               run=attend_copies)
    cross = ("query", "key", "value")
    yield Case("attention_cross", "multihead_attention { num_heads: 2 }", lambda: kind(6, 2),
               [(5, 2, 6), (3, 2, 6), (3, 2, 6)], [(5, 6), (4, 6), (4, 6)], inputs=cross,
               run=attend)
    yield Case("attention_dims",
               "multihead_attention { num_heads: 2 kdim: 5 vdim: -1 batch_first: true }",
               lambda: kind(6, 2, kdim=5, vdim=7, batch_first=True),
               [(2, 3, 6), (2, 4, 5), (2, 4, 7)], [(3, 6), (1, 5), (1, 7)], inputs=cross,
               run=attend)
    yield Case("attention_dims_eager",
               "multihead_attention { embed_dim: 6 num_heads: 3 kdim: 5 bias: false }",
               lambda: kind(6, 3, kdim=5, bias=False), [(3, 2, 6), (4, 2, 5), (4, 2, 6)],
               inputs=cross, run=attend)
    yield Case("attention_fp64", "multihead_attention { num_heads: 2 }",
               lambda: kind(6, 2, dtype=torch.float64), (4, 3, 6), dtype="FP64", run=itself)
    layer = nn.TransformerEncoderLayer
    yield Case("encoder", "transformer_encoder_layer { nhead: 2 dim_feedforward: 9 }",
               lambda: layer(8, 2, 9), (5, 2, 8), (5, 8))
    yield Case("encoder_norm_first",
               "transformer_encoder_layer { nhead: 4 activation: 'gelu' batch_first: true "
               "norm_first: true layer_norm_eps: 0.001 dim_feedforward: 30 }",
               lambda: layer(12, 4, 30, activation="gelu", batch_first=True, norm_first=True,
                             layer_norm_eps=1e-3), (2, 5, 12), (3, 12))
    yield Case("encoder_eager", "transformer_encoder_layer { d_model: 6 nhead: 3 dropout: 0.3 }",
               lambda: layer(6, 3, dropout=0.3), (7, 1, 6))
    yield Case("encoder_fp64",
               "transformer_encoder_layer { nhead: 2 dim_feedforward: 5 batch_first: true }",
               lambda: layer(4, 2, 5, batch_first=True, dtype=torch.float64), (2, 3, 4),
               dtype="FP64")


def cases():
    yield from recurrent_cases()
    yield from attention_cases()
