"""Tensors of one value whose sizes are those of a request."""
import torch

from ..descriptions import describe
from ..errors import Unsupported
from ..graph import Constant
from ..registry import function
from ..shapes import size_list, sizes_of
from ..sizes import Size, combine
from .arithmetic import add


def filled(c, sizes, value, dtype):
    """A constant of one element, as large as a request says."""
    dtype = dtype or (torch.get_default_dtype() if isinstance(value, float) else
                      torch.bool if isinstance(value, bool) else torch.int64)
    known = [1 if isinstance(one, Size) else one for one in sizes]
    constant = Constant(torch.full(known, value, dtype=dtype), None, c.node.scope)
    if known == list(sizes):
        return constant
    return c.layer("expand", [constant], expressions={"size": sizes}, rank=len(sizes))


def register_filled(name, value):
    @function(f"torch.{name}")
    def create(c, *size, dtype=None, device=None, requires_grad=False, layout=None, out=None,
               **kwargs):
        sizes = size_list(size or (kwargs["size"],))
        return filled(c, sizes, value, dtype or torch.get_default_dtype())

    @function(f"torch.{name}_like")
    def create_like(c, input, *, dtype=None, device=None, requires_grad=False, layout=None,
                    memory_format=None):
        return filled(c, sizes_of(c, input), value, dtype or c.value(input).dtype or c.dtype)

    @function(f".new_{name}")
    def create_new(c, input, *size, dtype=None, device=None, requires_grad=False, **kwargs):
        sizes = size_list(size or (kwargs["size"],))
        return filled(c, sizes, value, dtype or c.value(input).dtype or c.dtype)


register_filled("zeros", 0)
register_filled("ones", 1)


@function("torch.full")
def full(c, size, fill_value, *, dtype=None, device=None, requires_grad=False):
    return filled(c, size_list([size]), fill_value, dtype)


@function("torch.full_like")
def full_like(c, input, fill_value, *, dtype=None, device=None, requires_grad=False,
              memory_format=None):
    return filled(c, sizes_of(c, input), fill_value, dtype or c.value(input).dtype or c.dtype)


@function(".new_full")
def new_full(c, input, size, fill_value, *, dtype=None, device=None, requires_grad=False):
    return filled(c, size_list([size]), fill_value, dtype or c.value(input).dtype or c.dtype)


@function("torch.arange")
def arange(c, *bounds, start=0, end=None, step=1, dtype=None, device=None, requires_grad=False):
    """As many ones as that, added up."""
    start, stop, step = {0: (start, end, step), 1: (start, *bounds, step),
                         2: (*bounds, step)}.get(len(bounds), bounds)
    if not isinstance(stop, (int, Size)):
        raise Unsupported(f"wants to end at a size, got {describe(stop)}")
    if not isinstance(start, int) or not isinstance(step, int):
        raise Unsupported("from or by a size is not supported")
    if step != 1:
        raise Unsupported("a step to a size is not supported")
    ones = filled(c, [combine("-", stop, start)], 1, dtype or torch.int64)
    counted = c.layer("cumsum", [ones], {"dim": 0}, dtype=dtype or torch.int64, rank=1)
    return add(c, counted, start - 1)
