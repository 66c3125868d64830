"""x[...], and the functions that pick parts."""
import torch

from ..definition import Value
from ..errors import Unsupported
from ..graph import Constant
from ..registry import function
from ..shapes import ShapeOf
from ..sizes import Size, combine
from .neural import embedding
from .shape import unsqueeze


@function("operator.getitem", ".__getitem__")
def getitem(c, input, index):
    if isinstance(input, ShapeOf):
        return part_of_shape(input, index)
    if isinstance(input, (tuple, list, dict)):
        if isinstance(index, Size):
            raise Unsupported("an index that is known only when a request comes")
        try:
            return input[index]
        except (IndexError, KeyError) as error:
            raise Unsupported(f"{index} of {len(input)} results") from error
    if isinstance(input, Size):
        raise Unsupported("a size is a number")
    items = list(index) if isinstance(index, tuple) else [index]
    middle = [at for at, one in enumerate(items) if one is Ellipsis]
    at = middle[0] if middle else len(items)
    if isinstance(input, Constant) and input.tensor.dim() == 2 and len(items) == 1 and \
            isinstance(items[0], Value) and input.tensor.is_floating_point():
        return embedding(c, items[0], input)  # table[ids]
    value = c.value(input)
    if sum(is_index_tensor(one) for one in items) > 1:
        raise Unsupported("several index tensors are not supported")
    # From the end first: what is before it does not move.
    value = from_right(c, value, items[at + 1:])
    return from_left(c, value, items[:at])


def is_index_tensor(one):
    return isinstance(one, (Value, Constant, torch.Tensor, list))


def part_of_shape(shape, index):
    if isinstance(index, slice) and index.step in (None, 1) and not shape.more and \
            shape.start is None and shape.stop is None:
        return ShapeOf(shape.value, index.start, index.stop)
    if isinstance(index, int) and shape.stop is None and not shape.more:
        start = shape.start or 0
        return Size("dim", (shape.value, index + start if index >= 0 else index))
    raise Unsupported("this part of a shape is not supported")


def from_left(c, value, items):
    dim = 0
    for item in items:
        value, kept = pick(c, value, item, dim)
        dim += kept
    return value


def from_right(c, value, items):
    dim = -1
    for item in reversed(items):
        value, kept = pick(c, value, item, dim)
        dim -= kept
    return value


def pick(c, value, item, dim):
    """One part of an index along `dim`, and how many dimensions it leaves there."""
    if item is None:
        return unsqueeze(c, value, dim), 1
    if isinstance(item, slice):
        return cut(c, value, dim, item.start, item.stop, item.step), 1
    if isinstance(item, bool):
        raise Unsupported("bool as an index is not supported")
    if isinstance(item, (int, Size)):
        return select(c, value, dim, item), 0
    if is_index_tensor(item):
        return gather_rows(c, value, dim, item), 1
    raise Unsupported(f"an index of {type(item).__name__}")


def cut(c, value, dim, start, stop, step):
    start = None if start == 0 else start
    step = None if step == 1 else step
    if start is None and stop is None and step is None:
        return value
    if isinstance(step, Size) or step is not None and step < 1:
        raise Unsupported("a step that is not a number above 0")
    return c.layer("slice", [value], {"dim": dim, "step": step},
                   expressions={"start": None if start is None else [start],
                                "end": None if stop is None else [stop]}, rank=value.rank)


@function("torch.select", ".select")
def select(c, input, dim, index):
    rank = c.rank(input)
    return c.layer("select", [input], {"dim": dim}, expressions={"index": [index]},
                   rank=None if rank is None else rank - 1)


def gather_rows(c, value, dim, index):
    if isinstance(index, list):
        if any(not isinstance(one, int) for one in index):
            raise Unsupported("an index list wants whole numbers")
        index = torch.tensor(index)
    dtype = index.dtype if isinstance(index, (Value, torch.Tensor)) else index.tensor.dtype
    if dtype in (torch.bool, torch.uint8):
        raise Unsupported("a bool index has a result whose size depends on data")
    if isinstance(index, torch.Tensor):
        index = Constant(index, None, c.node.scope)
    if c.rank(index) != 1:
        raise Unsupported("an index tensor wants one dimension")
    if isinstance(index, Constant) and bool((index.tensor < 0).any()):
        raise Unsupported("negative numbers in an index tensor are not supported")
    return index_select(c, value, dim, index)


@function("torch.index_select", ".index_select")
def index_select(c, input, dim, index):
    return c.layer("index_select", [input, index], {"dim": dim}, rank=c.rank(input))


@function("torch.gather", ".gather")
def gather(c, input, dim, index, *, sparse_grad=False):
    return c.layer("gather", [input, index], {"dim": dim}, rank=c.rank(input))


@function("torch.narrow", ".narrow")
def narrow(c, input, dim, start, length):
    stop = combine("+", start, length)
    if isinstance(start, int) and start < 0 and stop == 0:
        stop = None  # to the end
    return cut(c, c.value(input), dim, start, stop, None)
