"""Arguments as the definition language writes them."""
from .errors import Unsupported


def per_axis(value, default=None):
    """A number for all axes, or one for each; nothing if that is the default."""
    values = list(value) if isinstance(value, (tuple, list)) else [value]
    if any(not isinstance(one, int) for one in values):
        raise Unsupported(f"wants whole numbers, got {value!r}")
    if len(set(values)) == 1:
        values = values[:1]
    if default is not None and values == [default]:
        return None
    return values[0] if len(values) == 1 else values


def same_as_kernel(stride, kernel_size):
    """The stride of a pool, if it is not its kernel's size."""
    if stride is None or stride == [] or per_axis(stride) == per_axis(kernel_size):
        return None
    return per_axis(stride)


def size_or_lazy(converter, size):
    """An input-dependent size; nothing if it is unknown or to be inferred."""
    return None if converter.lazy or not size else int(size)


def refuse(what, value, wanted):
    """An argument that serving cannot do."""
    if value != wanted:
        raise Unsupported(f"{what}={value!r} is not supported")
