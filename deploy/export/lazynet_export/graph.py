"""What a trace records: calls in their order, with the values that are known already."""
import dataclasses

import torch


@dataclasses.dataclass(frozen=True, eq=False)
class Constant:
    """A tensor that does not depend on the inputs: a parameter, a buffer, or computed from them.

    `key` is its name in the state dict, or None. `scope` is the module that used it.
    """
    tensor: torch.Tensor
    key: str = None
    scope: str = ""


@dataclasses.dataclass(eq=False)
class Node:
    """One call.

    `op` is "input", "module" (target: its path), "function" (target: the callable), "method"
    (target: its name), "size" (args: node, axis), "shape" and "rank" (args: node) or "output".
    `scope` is the path of the module whose forward function called.
    """
    op: str
    target: object
    args: tuple = ()
    kwargs: dict = dataclasses.field(default_factory=dict)
    scope: str = ""
    place: object = None
    shapes: list = None  # of the example values, if it is a tensor and there are any
    dtype: object = None
    unpacked: int = None  # into how many variables it was taken apart
    name: str = ""

    def __str__(self):
        return self.name

    def inputs(self):
        """All nodes among its arguments."""
        found = []
        map_structure((self.args, self.kwargs), Node, found.append)
        return found

    def replace_inputs(self, change):
        self.args = map_structure(self.args, Node, change)
        self.kwargs = map_structure(self.kwargs, Node, change)


def map_structure(value, kind, change):
    """`value` with every instance of `kind` in its tuples, lists, dicts and slices changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_structure(one, kind, change) for one in value))
    if isinstance(value, (tuple, list)):
        made = [map_structure(one, kind, change) for one in value]
        return made if isinstance(value, list) else tuple(made)
    if isinstance(value, dict):
        return {key: map_structure(one, kind, change) for key, one in value.items()}
    if isinstance(value, slice):
        return slice(*(map_structure(one, kind, change)
                       for one in (value.start, value.stop, value.step)))
    return value
