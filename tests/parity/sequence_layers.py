"""Cases of recurrent layers and attention.

PyTorch has no lazy forms of these. They draw what lazy ones would, in FP64 networks once they are
made in FP64.
"""
import math

import torch
from torch import nn

from case import Case, Flags, Floats, Ids, Offsets


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


def cell_cases():
    for text, module, states, names in (
            ("rnn_cell", nn.RNNCell, 1, ("output",)), ("gru_cell", nn.GRUCell, 1, ("output",)),
            ("lstm_cell", nn.LSTMCell, 2, ("h", "c"))):
        yield Case(text, f"{text} {{ hidden_size: 3 }}", lambda module=module: module(5, 3), (4, 5),
                   (5,), (0, 5), outputs=names)
        inputs = ("input", "h_0", "c_0")[:1 + states]
        yield Case(f"{text}_state", f"{text} {{ input_size: 4 hidden_size: 6 bias: false }}",
                   lambda module=module: module(4, 6, bias=False), [(3, 4), *[(3, 6)] * states],
                   [(4,), *[(6,)] * states], inputs=inputs, outputs=names, run=with_state)
    yield Case("rnn_cell_relu", "rnn_cell { hidden_size: 3 nonlinearity: 'relu' }",
               lambda: nn.RNNCell(5, 3, nonlinearity="relu"), (4, 5))
    yield Case("lstm_cell_fp64", "lstm_cell { hidden_size: 3 }",
               lambda: nn.LSTMCell(5, 3, dtype=torch.float64), (4, 5), outputs=("h", "c"),
               dtype="FP64")


def embedding_bag_cases():
    kind = nn.EmbeddingBag
    for mode in ("mean", "sum", "max"):
        yield Case(f"embedding_bag_{mode}",
                   f"embedding_bag {{ num_embeddings: 9 embedding_dim: 5 mode: '{mode}' "
                   "padding_idx: -2 }", lambda mode=mode: kind(9, 5, mode=mode, padding_idx=-2),
                   Ids((4, 6), 9), Ids((1, 3), 9))
        yield Case(f"embedding_bag_{mode}_offsets",
                   f"embedding_bag {{ num_embeddings: 9 embedding_dim: 3 mode: '{mode}' }}",
                   lambda mode=mode: kind(9, 3, mode=mode),
                   [Ids((11,), 9), Offsets((5,), 11)], [Ids((1,), 9), Offsets((1,), 1)],
                   inputs=("ids", "offsets"))
    yield Case("embedding_bag_last_offset",
               "embedding_bag { num_embeddings: 4 embedding_dim: 3 include_last_offset: true }",
               lambda: kind(4, 3, include_last_offset=True),
               [Ids((7,), 4, "INT32"), Offsets((4,), 7, "INT32")], inputs=("ids", "offsets"))

    def weighted(module, ids, weights):
        return module(ids, per_sample_weights=weights)

    yield Case("embedding_bag_weights",
               "embedding_bag { num_embeddings: 4 embedding_dim: 3 mode: 'sum' }",
               lambda: kind(4, 3, mode="sum"), [Ids((3, 5), 4), (3, 5)], inputs=("ids", "weights"),
               run=weighted)
    yield Case("embedding_bag_offsets_weights",
               "embedding_bag { num_embeddings: 4 embedding_dim: 3 mode: 'sum' }",
               lambda: kind(4, 3, mode="sum"), [Ids((6,), 4), Offsets((3,), 6), (6,)],
               inputs=("ids", "offsets", "weights"))


def masked_attention_cases():
    kind = nn.MultiheadAttention
    both = ("output", "attn_output_weights")

    def hiding(module, query, key, value, padding=None, mask=None):
        return module(query, key, value, key_padding_mask=padding, attn_mask=mask)

    def hiding_heads(module, query, key, value, mask):
        return module(query, key, value, attn_mask=mask, average_attn_weights=False)

    cross = ("query", "key", "value")
    sizes = [(5, 2, 6), (3, 2, 6), (3, 2, 6)]
    yield Case("attention_weights", "multihead_attention { num_heads: 2 }", lambda: kind(6, 2),
               sizes, [(5, 6), (4, 6), (4, 6)], inputs=cross, outputs=both, run=hiding)
    yield Case("attention_masks",
               "multihead_attention { num_heads: 2 key_padding_mask: true attn_mask: true }",
               lambda: kind(6, 2), [*sizes, Flags((2, 3)), Flags((5, 3))],
               [(5, 6), (4, 6), (4, 6), Flags((4,)), Flags((5, 4))],
               inputs=(*cross, "padding", "mask"), outputs=both, run=hiding)
    yield Case("attention_float_mask", "multihead_attention { num_heads: 2 attn_mask: true "
               "batch_first: true average_attn_weights: false }",
               lambda: kind(6, 2, batch_first=True),
               [(2, 5, 6), (2, 3, 6), (2, 3, 6), Floats((4, 5, 3))],
               [(5, 6), (3, 6), (3, 6), Floats((5, 3))], inputs=(*cross, "mask"), outputs=both,
               run=hiding_heads)
    yield Case("attention_bias_kv",
               "multihead_attention { num_heads: 2 add_bias_kv: true add_zero_attn: true "
               "key_padding_mask: true attn_mask: true }",
               lambda: kind(6, 2, add_bias_kv=True, add_zero_attn=True),
               [*sizes, Flags((2, 3)), Flags((4, 5, 3))], inputs=(*cross, "padding", "mask"),
               outputs=both, run=hiding)
    yield Case("attention_bias_kv_dims",
               "multihead_attention { num_heads: 2 kdim: 4 add_bias_kv: true bias: false "
               "batch_first: true }",
               lambda: kind(6, 2, kdim=4, add_bias_kv=True, bias=False, batch_first=True),
               [(2, 5, 6), (2, 3, 4), (2, 3, 6)], inputs=cross, outputs=both, run=hiding)
    yield Case("attention_masks_fp64", "multihead_attention { num_heads: 2 attn_mask: true }",
               lambda: kind(6, 2, dtype=torch.float64),
               [(5, 2, 6), (3, 2, 6), (3, 2, 6), Flags((5, 3))], inputs=(*cross, "mask"),
               outputs=both, dtype="FP64", run=lambda module, *values: hiding(
                   module, *values[:3], mask=values[3]))

    def encode(module, value, mask, padding):
        return module(value, src_mask=mask, src_key_padding_mask=padding)

    yield Case("encoder_masks", "transformer_encoder_layer { nhead: 2 dim_feedforward: 9 "
               "src_mask: true src_key_padding_mask: true }",
               lambda: nn.TransformerEncoderLayer(8, 2, 9), [(5, 3, 8), Flags((5, 5)),
                                                             Flags((3, 5))],
               inputs=("input", "mask", "padding"), run=encode)
    layer = nn.TransformerDecoderLayer
    pair = ("tgt", "memory")
    yield Case("decoder", "transformer_decoder_layer { nhead: 2 dim_feedforward: 9 }",
               lambda: layer(8, 2, 9), [(5, 3, 8), (4, 3, 8)], [(5, 8), (1, 8)], inputs=pair)
    yield Case("decoder_norm_first",
               "transformer_decoder_layer { d_model: 8 nhead: 4 norm_first: true batch_first: true "
               "activation: 'gelu' dim_feedforward: 7 layer_norm_eps: 0.01 }",
               lambda: layer(8, 4, 7, norm_first=True, batch_first=True, activation="gelu",
                             layer_norm_eps=1e-2), [(2, 5, 8), (2, 3, 8)], inputs=pair)
    yield Case("decoder_masks",
               "transformer_decoder_layer { nhead: 2 dim_feedforward: 9 tgt_mask: true "
               "memory_mask: true tgt_key_padding_mask: true memory_key_padding_mask: true }",
               lambda: layer(8, 2, 9),
               [(5, 3, 8), (4, 3, 8), Floats((5, 5)), Flags((5, 4)), Flags((3, 5)), Flags((3, 4))],
               inputs=(*pair, "mask", "memory_mask", "padding", "memory_padding"))
    yield Case("decoder_fp64", "transformer_decoder_layer { nhead: 2 dim_feedforward: 3 }",
               lambda: layer(4, 2, 3, dtype=torch.float64), [(5, 3, 4), (4, 3, 4)], inputs=pair,
               dtype="FP64")


def dot_product(query, key, value, mask=None, is_causal=False, scale=None, enable_gqa=False):
    """F.scaled_dot_product_attention as PyTorch 2.5 documents it, which 1.13 lacks."""
    if enable_gqa:
        key, value = (one.repeat_interleave(query.size(-3) // one.size(-3), -3)
                      for one in (key, value))
    scores = query @ key.transpose(-2, -1) * (scale or 1 / math.sqrt(query.size(-1)))
    if is_causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        hidden = torch.full_like(scores, -math.inf)
        scores = torch.where(mask, scores, hidden) if mask.dtype == torch.bool else scores + mask
    weights = scores.softmax(-1)
    return weights.masked_fill((scores == -math.inf).all(-1, keepdim=True), 0) @ value


class DotProduct(nn.Module):
    def __init__(self, **arguments):
        super().__init__()
        self.arguments = arguments

    def forward(self, *inputs):
        return dot_product(*inputs, **self.arguments)


def dot_product_cases():
    text = "scaled_dot_product_attention"
    cross = ("query", "key", "value")
    sizes = [(2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 7)]
    yield Case("dot_product", f"{text} {{}}", DotProduct, sizes, [(5, 4), (6, 4), (6, 7)],
               [(2, 3, 5, 4), (3, 6, 4), (1, 1, 6, 7)], inputs=cross)
    yield Case("dot_product_causal", f"{text} {{ is_causal: true scale: 0.3 }}",
               lambda: DotProduct(is_causal=True, scale=0.3), sizes, [(1, 4), (2, 4), (2, 1)],
               inputs=cross)
    yield Case("dot_product_mask", f"{text} {{}}", DotProduct,
               [*sizes, Flags((2, 1, 5, 6), 0.5)], [*sizes, Flags((5, 6), 0.2)],
               [*sizes, Flags((6,), 0.0)], inputs=(*cross, "mask"))
    yield Case("dot_product_float_mask", f"{text} {{}}", DotProduct, [*sizes, Floats((3, 5, 6))],
               inputs=(*cross, "mask"))
    yield Case("dot_product_gqa", f"{text} {{ enable_gqa: true }}",
               lambda: DotProduct(enable_gqa=True), [(2, 6, 5, 4), (2, 2, 6, 4), (2, 3, 6, 7)],
               inputs=cross)
    yield Case("dot_product_fp64", f"{text} {{ is_causal: true }}",
               lambda: DotProduct(is_causal=True), [(3, 5, 4), (3, 5, 4), (3, 5, 2)], inputs=cross,
               dtype="FP64")


def cases():
    yield from recurrent_cases()
    yield from cell_cases()
    yield from embedding_bag_cases()
    yield from attention_cases()
    yield from masked_attention_cases()
    yield from dot_product_cases()
