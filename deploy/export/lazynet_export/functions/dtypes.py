"""Conversions between dtypes, and attributes of tensors."""
import torch

from ..definition import Value
from ..errors import Unsupported
from ..graph import Constant
from ..registry import function
from .shape import transpose, transposed

def dtype_of(c, tensor):
    return tensor.tensor.dtype if isinstance(tensor, Constant) else tensor.dtype or c.dtype


@function(".to")
def to(c, input, *args, dtype=None, device=None, non_blocking=False, copy=False,
       memory_format=None):
    for one in args:
        if isinstance(one, torch.dtype):
            dtype = one
        elif isinstance(one, (Value, Constant)):
            dtype = dtype_of(c, one)
    return input if dtype is None else c.cast(input, dtype)


@function(".type_as")
def type_as(c, input, other):
    return c.cast(input, dtype_of(c, other))


@function(".type")
def type_(c, input, dtype=None, non_blocking=False):
    if not isinstance(dtype, torch.dtype):
        raise Unsupported("wants a torch.dtype")
    return c.cast(input, dtype)


def register(name, dtype):
    @function(f".{name}")
    def convert(c, input, memory_format=None):
        return c.cast(input, dtype)


for name, dtype in (("float", torch.float32), ("double", torch.float64), ("half", torch.float16),
                    ("bfloat16", torch.bfloat16), ("long", torch.int64), ("int", torch.int32),
                    ("bool", torch.bool)):
    register(name, dtype)


@function("builtins.getattr")
def attribute(c, input, name):
    if name == "dtype":
        return dtype_of(c, input)
    if name == "mT":
        return transpose(c, input, -2, -1)
    if name in ("T", "H"):
        return transposed(c, input)
    if isinstance(input, tuple) and name in getattr(input, "_fields", ()):
        return getattr(input, name)
    raise Unsupported("is not supported")
