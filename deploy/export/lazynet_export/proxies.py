"""What stands for a value while the forward function is traced."""
import dis
import operator
import sys

import torch
import torch.fx

from .errors import TraceFailure
from .graph import map_structure

# Attributes whose value is the same for every tensor of a served network.
FIXED = {"device": torch.device("cpu"), "is_cuda": False, "requires_grad": False,
         "is_quantized": False, "is_sparse": False, "is_nested": False, "is_mkldnn": False,
         "is_meta": False, "layout": torch.strided, "grad": None, "is_mps": False}
SIZES = ("size", "dim", "ndimension", "numel", "nelement", "is_floating_point", "is_complex",
         "is_contiguous", "element_size", "get_device", "__len__")


class Traced(torch.fx.Proxy):
    """A value of the network.

    `examples` is what it is in the examples: one value if it is a constant, else one for each
    example; None if there are none. `random` says that a constant was drawn within forward.
    """
    random = False

    def __init__(self, node, tracer, examples=None, key=None, random=False):
        self.node, self.tracer, self.examples, self.key = node, tracer, examples, key
        self.random = random

    def __repr__(self):
        return f"Traced({self.node})"

    @property
    def constant(self):
        return self.examples is not None and len(self.examples) == 1

    def known(self, read):
        """read(value) if that is the same in all examples."""
        if self.examples is None:
            return None
        first, *others = [read(value) for value in self.examples]
        return first if all(same(first, other) for other in others) else None

    def is_tensor(self):
        return self.examples is None or isinstance(self.examples[0], torch.Tensor)

    def __getattr__(self, name):
        if name in FIXED:
            return FIXED[name]
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "shape":
            return self.tracer.shape_of(self)
        if name == "data":
            return self
        if self.examples is not None and hasattr(type(self.examples[0]), name):
            found = self.known(lambda value: plain(getattr(value, name)))
            if found is not None:
                return found
        if name == "ndim":
            return self.tracer.rank_of(self)
        return Attribute(self, name)

    def __len__(self):
        length = self.known(len) if self.examples is not None else self.tracer.length_of(self.node)
        if length is None:
            raise TraceFailure("len() of it is known only when a request comes")
        return length

    def __bool__(self):
        if in_assertion(sys._getframe(1)):
            self.tracer.left_out["assertion"] += 1
            return True
        return self.whole(bool, "a condition depends on it")

    def __int__(self):
        return self.whole(int, "int() of it")

    def __index__(self):
        return self.whole(operator.index, "it is wanted as a Python int (range, index, size)")

    def __float__(self):
        return self.whole(float, "it is wanted as a Python float (math, int division)")

    def whole(self, convert, what):
        """A Python number, if all examples agree and it does not depend on data of the inputs."""
        if self.examples is not None and (self.constant or not self.is_tensor()):
            found = self.known(convert)
            if found is not None:
                return found
            raise TraceFailure(f"{what}, and it differs between the sizes of the examples")
        if self.examples is not None:
            raise TraceFailure(f"{what}, and it depends on the values of the inputs")
        raise TraceFailure(f"{what}, and it is known only when a request comes; "
                           "--input gives an example to trace with")

    def __iter__(self):
        count = unpack_count(sys._getframe(1))
        if count is not None:
            self.node.unpacked = count
            return iter([self[i] for i in range(count)])
        return iter([self[i] for i in range(len(self))])

    def __setitem__(self, index, value):
        if self.constant and not holds_traced((index, value)):
            self.tracer.protect(self)
            index, value = map_structure((index, value), Traced, lambda one: one.examples[0])
            self.examples[0][index] = value
            return
        self.tracer.record_assignment(self, index, value)

    def __iadd__(self, other):
        return self.in_place(operator.iadd, other)

    def __isub__(self, other):
        return self.in_place(operator.isub, other)

    def __imul__(self, other):
        return self.in_place(operator.imul, other)

    def __itruediv__(self, other):
        return self.in_place(operator.itruediv, other)

    def in_place(self, target, other):
        """As a size it is a Python number, which `+=` does not change."""
        if self.examples is not None and not self.is_tensor() or \
                self.node and self.tracer.is_size(self.node):
            target = {operator.iadd: operator.add, operator.isub: operator.sub,
                      operator.imul: operator.mul, operator.itruediv: operator.truediv}[target]
        return self.tracer.record("function", target, (self, other), {})

    def __call__(self, *args, **kwargs):
        raise TraceFailure("a value of the network is called as a function")

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        tracers = []
        map_structure((args, kwargs or {}), Traced, lambda traced: tracers.append(traced.tracer))
        name = getattr(function, "__name__", "")
        if torch.overrides.is_tensor_method_or_property(function):
            if name == "__get__":  # a property of a real tensor: not of ours
                raise TraceFailure(f"{function} of a value of the network")
            return tracers[0].record("method", name, tuple(args), kwargs or {})
        return tracers[0].record("function", function, tuple(args), kwargs or {})


class Attribute(Traced):
    """`x.name`: a method if it is called, else a value of its own."""

    def __init__(self, root, name):
        self.root, self.attribute, self.tracer, self.key = root, name, root.tracer, None
        self.made = None

    def make(self):
        if self.made is None:
            self.made = self.tracer.record("function", getattr, (self.root, self.attribute), {})
        return self.made

    @property
    def node(self):
        return self.make().node

    @property
    def examples(self):
        return self.make().examples

    @property
    def random(self):
        return self.make().random

    def __call__(self, *args, **kwargs):
        root, name = self.root, self.attribute
        if name in SIZES:
            return self.tracer.size_method(root, name, *args, **kwargs)
        return self.tracer.record("method", name, (root, *args), kwargs)


class Shape(Traced):
    """`x.shape`, of an `x` whose rank may be unknown."""

    def __init__(self, owner):
        self.owner, self.tracer, self.examples, self.key = owner, owner.tracer, None, None
        self.made = None

    @property
    def node(self):
        if self.made is None:
            self.made = self.tracer.add("shape", None, (self.owner.node,), {})
        return self.made

    def __getitem__(self, index):
        rank = self.tracer.ranks.get(self.owner.node)
        if isinstance(index, slice):
            axes = known_axes(index, rank)
            if axes is None:
                return self.tracer.record("function", operator.getitem, (self, index), {})
            return tuple(self[axis] for axis in axes)
        if isinstance(index, Traced):
            raise TraceFailure("the axis of a size is not a number")
        return self.tracer.size_of(self.owner, index)

    def __iter__(self):
        rank = self.tracer.ranks.get(self.owner.node)
        count = unpack_count(sys._getframe(1))
        if count is not None:
            self.tracer.ranks[self.owner.node] = rank = count
        if rank is None:
            raise TraceFailure("the number of its dimensions is known only when a request comes; "
                               "--input gives an example to trace with")
        return iter([self[axis] for axis in range(rank)])

    def __len__(self):
        rank = self.tracer.rank_of(self.owner)
        if isinstance(rank, Traced):
            raise TraceFailure("the number of its dimensions is known only when a request comes; "
                               "--input gives an example to trace with")
        return rank

    def numel(self):
        return self.tracer.size_method(self.owner, "numel")


def known_axes(index, rank):
    """The axes that a slice of a shape names; None if that depends on an unknown rank.

    From the end they are negative where the rank is not known, and x.shape[:2] is taken to be of a
    tensor that has two dimensions.
    """
    start, stop, step = index.start, index.stop, index.step
    if rank is not None:
        return range(*index.indices(rank))
    if step not in (None, 1):
        return None
    if (start is None or start >= 0) and stop is not None and stop >= 0:
        return range(start or 0, stop)
    if start is not None and start < 0 and (stop is None or stop < 0):
        return range(start, stop if stop is not None else 0)
    return None


def plain(value):
    """Only what is no method and no tensor is read at once."""
    return None if callable(value) or isinstance(value, torch.Tensor) else value


def same(one, other):
    return type(one) is type(other) and bool(one == other)


def holds_traced(value):
    found = []
    map_structure(value, Traced, found.append)
    return any(not traced.constant for traced in found)


def current_instruction(frame):
    """The instruction that a frame runs, and those of its function.

    By its offset: there are caches between instructions since Python 3.11.
    """
    instructions = list(dis.get_instructions(frame.f_code))
    for at, instruction in enumerate(instructions):
        if instruction.offset == frame.f_lasti:
            return at, instructions
    return None, instructions


def unpack_count(frame):
    """How many variables `a, b = x` has, if that is what the frame runs."""
    at, instructions = current_instruction(frame)
    found = at is not None and instructions[at].opname == "UNPACK_SEQUENCE"
    return instructions[at].argval if found else None


def in_assertion(frame):
    """Whether a frame runs the condition of an `assert`."""
    at, instructions = current_instruction(frame)
    if at is None or "JUMP" not in instructions[at].opname:
        return False
    target = [one for one in instructions if one.offset == instructions[at].argval]
    return any(one.opname == "LOAD_ASSERTION_ERROR" for one in [*instructions[at + 1:at + 2],
                                                                *target])
