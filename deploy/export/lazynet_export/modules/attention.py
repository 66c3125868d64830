"""Attention and transformer layers."""
import torch
from torch.nn import functional

from ..arguments import refuse, size_or_lazy
from ..errors import Unsupported
from ..registry import given, module
from ..tracing import is_leaf


@module("MultiheadAttention")
def multihead_attention(c, m, query, key, value, key_padding_mask=None, need_weights=True,
                        attn_mask=None, average_attn_weights=True, is_causal=False):
    refuse("key_padding_mask", key_padding_mask is not None, False)
    refuse("attn_mask", attn_mask is not None, False)
    refuse("add_bias_kv", m.bias_k is not None, False)
    refuse("add_zero_attn", m.add_zero_attn, False)
    own = not m._qkv_same_embed_dim
    same = query is key and key is value
    out = c.module_layer(m, "multihead_attention", [query] if same else [query, key, value], {
        "embed_dim": size_or_lazy(c, m.embed_dim), "num_heads": m.num_heads,
        "dropout": given(float(m.dropout), 0.0), "bias": given(m.in_proj_bias is not None, True),
        "kdim": (-1 if c.lazy else m.kdim) if own else None,
        "vdim": (-1 if c.lazy else m.vdim) if own else None,
        "batch_first": given(m.batch_first, False)}, rank=c.rank(query))
    return out, None


def activation_name(activation):
    if isinstance(activation, torch.nn.ReLU) or activation in (functional.relu, torch.relu):
        return None
    if isinstance(activation, torch.nn.GELU) and activation.approximate == "none" or \
            activation is functional.gelu:
        return "gelu"
    raise Unsupported(f"activation={getattr(activation, '__name__', activation)} is not "
                      "supported: relu and gelu are")


def encoder_layer_arguments(c, m):
    return {"d_model": size_or_lazy(c, m.linear1.in_features), "nhead": m.self_attn.num_heads,
            "dim_feedforward": given(m.linear1.out_features, 2048),
            "dropout": given(m.dropout.p, 0.1), "activation": activation_name(m.activation),
            "layer_norm_eps": given(m.norm1.eps, 1e-5),
            "batch_first": given(m.self_attn.batch_first, False),
            "norm_first": given(m.norm_first, False)}


@module("TransformerEncoderLayer")
def encoder_layer(c, m, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
    refuse("src_mask", src_mask is not None, False)
    refuse("src_key_padding_mask", src_key_padding_mask is not None, False)
    return c.module_layer(m, "transformer_encoder_layer", [src], encoder_layer_arguments(c, m),
                          rank=c.rank(src))


@module("TransformerEncoder", note="as its layers")
def encoder(c, m, src, mask=None, src_key_padding_mask=None, is_causal=None):
    if not all(is_leaf(layer) for layer in m.layers):
        raise Unsupported("layers with a forward of their own are not supported")
    for i in range(len(m.layers)):
        src = c.submodule(f"layers.{i}", src, mask, src_key_padding_mask)
    return src if m.norm is None else c.submodule("norm", src)
