"""Attention as a function."""
from ..registry import function, given


@function("F.scaled_dot_product_attention")
def attention(c, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None,
              enable_gqa=False):
    if dropout_p:
        c.leave_out("dropout")
    masks = [] if attn_mask is None else [attn_mask]
    return c.layer("scaled_dot_product_attention", [query, key, value, *masks], {
        "is_causal": given(bool(is_causal), False), "scale": scale,
        "enable_gqa": given(enable_gqa, False)}, rank=c.rank(query))
