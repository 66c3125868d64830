"""Functions that take one number of many."""
import collections

import torch

from ..arguments import per_axis
from ..errors import Unsupported
from ..definition import Value
from ..registry import function, given
from .arithmetic import binary, is_integral, is_tensor

Reduced = collections.namedtuple("Reduced", "values indices")


def dims_of(dim):
    """A list; none for all."""
    if dim is None or dim == () or dim == []:
        return None
    return per_axis(list(dim) if isinstance(dim, (tuple, list)) else dim) \
        if not isinstance(dim, (tuple, list)) or len(dim) == 1 else list(dim)


def reduced_rank(c, input, dim, keepdim):
    rank = c.rank(input)
    if rank is None:
        return 0 if dims_of(dim) is None and not keepdim else None
    if keepdim:
        return rank
    dims = dims_of(dim)
    return 0 if dims is None else rank - (len(dims) if isinstance(dims, list) else 1)


def reduce(c, field, input, dim, keepdim, arguments=None, dtype="same"):
    return c.layer(field, [input], {**(arguments or {}), "dim": dims_of(dim),
                                    "keepdim": given(bool(keepdim), False)},
                   dtype=dtype, rank=reduced_rank(c, input, dim, keepdim))


def cast_first(c, input, dtype):
    return input if dtype is None else c.cast(c.value(input), dtype)


@function("torch.mean", ".mean")
def mean(c, input, dim=None, keepdim=False, *, dtype=None, axis=None):
    return reduce(c, "mean", cast_first(c, input, dtype), axis if dim is None else dim, keepdim)


@function("torch.sum", ".sum")
def sum(c, input, dim=None, keepdim=False, *, dtype=None, axis=None):
    value = cast_first(c, c.value(input), dtype)
    made = torch.int64 if is_integral(value.dtype) else value.dtype
    return reduce(c, "sum", value, axis if dim is None else dim, keepdim, dtype=made)


@function("torch.prod", ".prod")
def prod(c, input, dim=None, keepdim=False, *, dtype=None):
    value = cast_first(c, c.value(input), dtype)
    made = torch.int64 if is_integral(value.dtype) else value.dtype
    return reduce(c, "prod", value, dim, keepdim, dtype=made)


@function("torch.amax", ".amax")
def amax(c, input, dim=(), keepdim=False):
    return reduce(c, "amax", input, dim, keepdim)


@function("torch.amin", ".amin")
def amin(c, input, dim=(), keepdim=False):
    return reduce(c, "amin", input, dim, keepdim)


def extremum(c, field, input, dim, keepdim):
    """max(x), max(x, y) or max(x, dim), which gives the places too."""
    if dim is None:
        return reduce(c, f"a{field}", input, None, False)
    if is_tensor(dim):
        return binary(c, f"{field}imum", input, dim)
    out = reduce(c, field, input, dim, keepdim)
    return Reduced(out, Value(f"{out.source}:indices", torch.int64, out.rank))


@function("torch.max", ".max")
def max(c, input, dim=None, keepdim=False, *, other=None):
    return extremum(c, "max", input, other if dim is None else dim, keepdim)


@function("torch.min", ".min")
def min(c, input, dim=None, keepdim=False, *, other=None):
    return extremum(c, "min", input, other if dim is None else dim, keepdim)


def register_spread(field):
    @function(f"torch.{field}", f".{field}")
    def spread(c, input, dim=None, unbiased=True, keepdim=False, *, correction=None, axis=None):
        if isinstance(dim, bool):  # x.var(False)
            dim, unbiased = None, dim
        correction = int(unbiased) if correction is None else correction
        return reduce(c, field, input, axis if dim is None else dim, keepdim,
                      {"correction": given(correction, 1)})


register_spread("var")
register_spread("std")


@function("torch.norm", ".norm")
def norm(c, input, p=2, dim=None, keepdim=False, out=None, dtype=None):
    if p in ("fro", None):
        p = 2
    if not isinstance(p, (int, float)):
        raise Unsupported(f"p={p!r} is not supported")
    return reduce(c, "norm", cast_first(c, input, dtype), dim, keepdim,
                  {"p": given(float(p), 2.0)})


@function("torch.linalg.vector_norm")
def vector_norm(c, x, ord=2, dim=None, keepdim=False, *, dtype=None):
    return norm(c, x, ord, dim, keepdim, dtype=dtype)


@function("torch.linalg.norm")
def linalg_norm(c, A, ord=None, dim=None, keepdim=False, *, dtype=None):
    if ord is not None and not isinstance(dim, int):
        raise Unsupported("norms of matrices are not supported")
    return norm(c, A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


@function("torch.any", ".any")
def any(c, input, dim=None, keepdim=False):
    return reduce(c, "any", input, dim, keepdim, dtype=torch.bool)


@function("torch.all", ".all")
def all(c, input, dim=None, keepdim=False):
    return reduce(c, "all", input, dim, keepdim, dtype=torch.bool)


@function("torch.argmax", ".argmax")
def argmax(c, input, dim=None, keepdim=False):
    return reduce(c, "argmax", input, dim, keepdim, dtype=torch.int64)


@function("torch.argmin", ".argmin")
def argmin(c, input, dim=None, keepdim=False):
    return reduce(c, "argmin", input, dim, keepdim, dtype=torch.int64)


@function("torch.topk", ".topk")
def topk(c, input, k, dim=-1, largest=True, sorted=True):
    if not isinstance(k, int):
        raise Unsupported("k wants a number")
    out = c.layer("topk", [input], {"k": k, "dim": given(dim, -1),
                                    "largest": given(largest, True),
                                    "sorted": given(sorted, True)}, rank=c.rank(input))
    return Reduced(out, Value(f"{out.source}:indices", torch.int64, out.rank))


@function("torch.sort", ".sort")
def sort(c, input, dim=-1, descending=False, stable=False):
    out = c.layer("sort", [input], {"dim": given(dim, -1), "descending": given(descending, False),
                                    "stable": given(bool(stable), False)}, rank=c.rank(input))
    return Reduced(out, Value(f"{out.source}:indices", torch.int64, out.rank))


@function("torch.argsort", ".argsort")
def argsort(c, input, dim=-1, descending=False, stable=False):
    return sort(c, input, dim, descending, stable).indices


@function("torch.cumsum", ".cumsum")
def cumsum(c, input, dim, *, dtype=None):
    value = cast_first(c, c.value(input), dtype)
    made = torch.int64 if is_integral(value.dtype) else value.dtype
    return c.layer("cumsum", [value], {"dim": dim}, dtype=made, rank=value.rank)


@function("torch.logsumexp", ".logsumexp")
def logsumexp(c, input, dim, keepdim=False):
    return reduce(c, "logsumexp", input, dim, keepdim)
