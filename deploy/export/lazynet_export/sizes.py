"""Integers made of the sizes of values: dim expressions of the definition language."""
import dataclasses
import operator

from .errors import Unsupported

LEVELS = {"+": 1, "-": 1, "*": 2, "//": 2, "%": 2}
COMPUTE = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv,
           "%": operator.mod, "min": min, "max": max}


@dataclasses.dataclass(frozen=True)
class Size:
    """`op` is "dim" (of: value, axis), one of + - * // % (of: two), min or max."""
    op: str
    of: tuple


def combine(op, left, right):
    """left op right, of Sizes and ints."""
    if not isinstance(left, Size) and not isinstance(right, Size):
        return COMPUTE[op](left, right)
    for one in (left, right):
        if not isinstance(one, (Size, int)):
            raise Unsupported(f"a size is a whole number; this one is made with {one!r}")
    if op in ("+", "-") and right == 0 or op in ("*", "//") and right == 1:
        return left
    if op == "+" and left == 0 or op == "*" and left == 1:
        return right
    return Size(op, (left, right))


def render(size, inputs, level=0):
    """The text of a size. `inputs` are the layer's, and get those that it names as well."""
    if not isinstance(size, Size):
        return str(size)
    if size.op == "dim":
        value, axis = size.of
        if value not in inputs:
            inputs.append(value)
        at = inputs.index(value)
        return f"dim({axis})" if at == 0 else f"dim({at}, {axis})"
    if size.op in ("min", "max"):
        return f"{size.op}({', '.join(render(one, inputs) for one in size.of)})"
    own = LEVELS[size.op]
    left, right = size.of
    text = f"{render(left, inputs, own)} {size.op} {render(right, inputs, own + 1)}"
    return f"({text})" if own < level else text
