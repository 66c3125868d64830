"""F.pad."""
import torch

from ..errors import Unsupported
from ..graph import Constant
from ..registry import function, given
from ..shapes import numbers, size_list
from ..sizes import Size, combine
from .indexing import cut
from .shape import cat


@function("F.pad", "torch.constant_pad_nd")
def pad(c, input, pad, mode="constant", value=None):
    sizes = size_list([pad])
    if any(isinstance(one, Size) for one in sizes):
        return pad_by_sizes(c, c.value(input), sizes, mode, value)
    made = numbers([pad])
    if all(one == 0 for one in made):
        return input
    return c.layer("pad", [input], {"pad": made, "mode": given(mode, "constant"),
                                    "value": None if not value else float(value)},
                   rank=c.rank(input))


def pad_by_sizes(c, value, pads, mode, filling):
    """Pads that are known when a request comes: cut where they are negative, joined to a filling
    where they are not."""
    if mode != "constant" or value.rank is None:
        raise Unsupported("pads that depend on sizes are not supported, but for constant ones of a "
                          "tensor whose rank is known; --input gives an example to trace with")
    constant = Constant(torch.full([1] * value.rank, float(filling or 0), dtype=c.dtype), None,
                        c.node.scope)
    for at in range(0, len(pads), 2):
        axis = value.rank - 1 - at // 2
        before, after = pads[at:at + 2]
        size = Size("dim", (value, axis))
        value = cut(c, value, axis, combine("max", combine("-", 0, before), 0),
                    combine("-", size, combine("max", combine("-", 0, after), 0)), None)
        parts = [filled(c, constant, value, axis, before), value,
                 filled(c, constant, value, axis, after)]
        value = cat(c, [part for part in parts if part is not None], axis)
    return value


def filled(c, constant, value, axis, size):
    """As large as `value`, but along `axis`; nothing where that is 0."""
    if size == 0:
        return None
    sizes = [combine("max", size, 0) if at == axis else Size("dim", (value, at))
             for at in range(value.rank)]
    return c.layer("expand", [constant], expressions={"size": sizes}, rank=value.rank)
