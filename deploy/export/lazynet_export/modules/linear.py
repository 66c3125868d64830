"""Linear layers and tables."""
from ..arguments import refuse, size_or_lazy
from ..errors import Unsupported
from ..registry import given, module


@module("Linear", "LazyLinear")
def linear(c, m, input):
    return c.module_layer(m, "linear", [input], {
        "in_features": size_or_lazy(c, m.in_features), "out_features": m.out_features,
        "bias": given(m.bias is not None, True)}, rank=c.rank(input))


@module("Bilinear")
def bilinear(c, m, input1, input2):
    return c.module_layer(m, "bilinear", [input1, input2], {
        "in1_features": size_or_lazy(c, m.in1_features),
        "in2_features": size_or_lazy(c, m.in2_features), "out_features": m.out_features,
        "bias": given(m.bias is not None, True)}, rank=c.rank(input1))


@module("Embedding")
def embedding(c, m, input):
    refuse("max_norm", m.max_norm, None)
    rank = c.rank(input)
    return c.module_layer(m, "embedding", [input], {
        "num_embeddings": m.num_embeddings, "embedding_dim": m.embedding_dim,
        "padding_idx": m.padding_idx}, m.weight.dtype, None if rank is None else rank + 1)


@module("EmbeddingBag")
def embedding_bag(c, m, input, offsets=None, per_sample_weights=None):
    refuse("max_norm", m.max_norm, None)
    if per_sample_weights is not None and offsets is None:
        raise Unsupported("per_sample_weights without offsets is not supported")
    inputs = [one for one in (input, offsets, per_sample_weights) if one is not None]
    return c.module_layer(m, "embedding_bag", inputs, {
        "num_embeddings": m.num_embeddings, "embedding_dim": m.embedding_dim,
        "mode": given(m.mode, "mean"), "include_last_offset": given(m.include_last_offset, False),
        "padding_idx": m.padding_idx}, m.weight.dtype, 2)


@module("CosineSimilarity")
def cosine_similarity(c, m, x1, x2):
    return c.module_layer(m, "cosine_similarity", [x1, x2],
                          {"dim": given(m.dim, 1), "eps": given(m.eps, 1e-8)})


@module("PairwiseDistance")
def pairwise_distance(c, m, x1, x2):
    return c.module_layer(m, "pairwise_distance", [x1, x2], {
        "p": given(float(m.norm), 2.0), "eps": given(m.eps, 1e-6),
        "keepdim": given(m.keepdim, False)})
