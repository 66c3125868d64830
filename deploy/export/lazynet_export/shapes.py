"""Lists of sizes, as functions take them."""
from .errors import Unsupported
from .sizes import Size


class ShapeOf:
    """A shape of unknown rank; or `start` of it on, or up to `stop`, and then `more`."""

    def __init__(self, value, start=None, stop=None, more=()):
        self.value, self.start, self.stop, self.more = value, start, stop, tuple(more)

    def with_more(self, sizes):
        """This and then `sizes`."""
        return ShapeOf(self.value, self.start, self.stop, self.more + tuple(sizes))

    def sizes(self, count):
        """All of them if the rank is known; else `count` sizes from `start` on, if that is said."""
        if self.value.rank is not None:
            axes = range(self.value.rank)[self.start:self.stop]
            return [Size("dim", (self.value, axis)) for axis in axes] + list(self.more)
        if count is None or self.stop is not None or self.more or self.start is not None and self.start < 0:
            raise Unsupported("the rank of the shape is known only when a request comes; "
                              "--input gives an example to trace with")
        start = self.start or 0
        return [Size("dim", (self.value, start + i)) for i in range(count)]


def size_list(args, needed=None):
    """The sizes of view(2, 3), view((2, 3)) or view(x.shape[2:]), of which `needed` are wanted."""
    if len(args) == 1 and isinstance(args[0], (tuple, list, ShapeOf)):
        args = args[0]
    if isinstance(args, ShapeOf):
        return args.sizes(needed)
    for one in args:
        if not isinstance(one, (int, Size)) or isinstance(one, bool):
            raise Unsupported(f"wants sizes, got {type(one).__name__}")
    return list(args)


def sizes_of(c, value):
    """All sizes of a value whose rank is known."""
    rank = c.rank(value)
    if rank is None:
        raise Unsupported("the rank of a tensor is known only when a request comes; "
                          "--input gives an example to trace with")
    return [Size("dim", (c.value(value), axis)) for axis in range(rank)]


def numbers(args):
    """The numbers of permute(0, 2, 1) or permute((0, 2, 1))."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = args[0]
    for one in args:
        if not isinstance(one, int):
            raise Unsupported(f"wants numbers, got {type(one).__name__}")
    return list(args)
