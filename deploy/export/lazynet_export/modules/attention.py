"""Attention and transformer layers."""
import torch
from torch.nn import functional

from ..arguments import size_or_lazy
from ..definition import Value
from ..errors import Unsupported
from ..registry import given, module


@module("MultiheadAttention")
def multihead_attention(c, m, query, key, value, key_padding_mask=None, need_weights=True,
                        attn_mask=None, average_attn_weights=True, is_causal=False):
    own = not m._qkv_same_embed_dim
    masks, announced = masks_of(key_padding_mask=key_padding_mask, attn_mask=attn_mask)
    same = query is key and key is value and not masks
    inputs = [query] if same else [query, key, value, *masks]
    out = c.module_layer(m, "multihead_attention", inputs, {
        "embed_dim": size_or_lazy(c, m.embed_dim), "num_heads": m.num_heads,
        "dropout": given(float(m.dropout), 0.0), "bias": given(m.in_proj_bias is not None, True),
        "add_bias_kv": given(m.bias_k is not None, False),
        "add_zero_attn": given(m.add_zero_attn, False),
        "kdim": (-1 if c.lazy else m.kdim) if own else None,
        "vdim": (-1 if c.lazy else m.vdim) if own else None,
        "batch_first": given(m.batch_first, False), **announced,
        "average_attn_weights": given(bool(average_attn_weights), True) if need_weights else None,
    }, rank=c.rank(query))
    return out, Value(f"{out.source}:attn_output_weights", out.dtype) if need_weights else None


def masks_of(**masks):
    """The masks that are given, and the fields that announce them."""
    found = {name: mask for name, mask in masks.items() if mask is not None}
    return list(found.values()), dict.fromkeys(found, True)


def activation_name(activation):
    if isinstance(activation, torch.nn.ReLU) or activation in (functional.relu, torch.relu):
        return None
    if isinstance(activation, torch.nn.GELU) and activation.approximate == "none" or \
            activation is functional.gelu:
        return "gelu"
    raise Unsupported(f"activation={getattr(activation, '__name__', activation)} is not "
                      "supported: relu and gelu are")


def layer_arguments(c, m):
    return {"d_model": size_or_lazy(c, m.linear1.in_features), "nhead": m.self_attn.num_heads,
            "dim_feedforward": given(m.linear1.out_features, 2048),
            "dropout": given(m.dropout.p, 0.1), "activation": activation_name(m.activation),
            "layer_norm_eps": given(m.norm1.eps, 1e-5),
            "batch_first": given(m.self_attn.batch_first, False),
            "norm_first": given(m.norm_first, False)}


@module("TransformerEncoderLayer")
def encoder_layer(c, m, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
    masks, announced = masks_of(src_mask=src_mask, src_key_padding_mask=src_key_padding_mask)
    return c.module_layer(m, "transformer_encoder_layer", [src, *masks],
                          {**layer_arguments(c, m), **announced}, rank=c.rank(src))


@module("TransformerDecoderLayer")
def decoder_layer(c, m, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
                  memory_key_padding_mask=None, tgt_is_causal=False, memory_is_causal=False):
    masks, announced = masks_of(tgt_mask=tgt_mask, memory_mask=memory_mask,
                                tgt_key_padding_mask=tgt_key_padding_mask,
                                memory_key_padding_mask=memory_key_padding_mask)
    return c.module_layer(m, "transformer_decoder_layer", [tgt, memory, *masks],
                          {**layer_arguments(c, m), **announced}, rank=c.rank(tgt))


@module("TransformerEncoder")
def encoder(c, m, src, mask=None, src_key_padding_mask=None, is_causal=None):
    for i in range(len(m.layers)):
        src = c.submodule(f"layers.{i}", src, mask, src_key_padding_mask)
    return src if m.norm is None else c.submodule("norm", src)


@module("TransformerDecoder")
def decoder(c, m, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
            memory_key_padding_mask=None, tgt_is_causal=None, memory_is_causal=False):
    for i in range(len(m.layers)):
        tgt = c.submodule(f"layers.{i}", tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask,
                          memory_key_padding_mask)
    return tgt if m.norm is None else c.submodule("norm", tgt)


@module("Transformer")
def transformer(c, m, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None,
                src_key_padding_mask=None, tgt_key_padding_mask=None,
                memory_key_padding_mask=None, src_is_causal=None, tgt_is_causal=None,
                memory_is_causal=False):
    memory = c.submodule("encoder", src, src_mask, src_key_padding_mask)
    return c.submodule("decoder", tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask,
                       memory_key_padding_mask)
