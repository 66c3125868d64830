"""Makes calls that change their input pure: later readers read the result instead."""
import operator

from torch import nn

from .errors import Problem

OPERATORS = (operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.setitem)
# Calls whose result shares its memory with the first argument.
VIEWS = {"view", "reshape", "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis",
         "t", "expand", "expand_as", "broadcast_to", "view_as", "reshape_as", "squeeze",
         "unsqueeze", "chunk", "split", "split_with_sizes", "tensor_split", "unbind", "narrow",
         "select", "flatten", "ravel", "unflatten", "contiguous", "detach", "alias", "getitem",
         "__getitem__", "diagonal", "to", "cpu", "cuda", "float", "double", "half", "bfloat16",
         "long", "int", "bool", "type", "type_as", "dropout", "pos", "positive", "getattr"}
VIEW_MODULES = (nn.Identity, nn.Flatten, nn.Unflatten, nn.modules.dropout._DropoutNd)


def called_name(node):
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")


def is_in_place(node, module):
    if node.op == "module":
        one = module.get_submodule(node.target)
        return bool(getattr(one, "inplace", False)) and not isinstance(one, VIEW_MODULES)
    if node.op not in ("function", "method"):
        return False
    name = called_name(node)
    if "dropout" in name:
        return False
    return node.target in OPERATORS or bool(node.kwargs.get("inplace")) or \
        name.endswith("_") and not name.endswith("__") or \
        positional_inplace(node, name)


def positional_inplace(node, name):
    """F.relu(x, True): the argument that F's activations end with."""
    places = {"relu": 1, "relu6": 1, "leaky_relu": 2, "elu": 2, "celu": 2, "selu": 1, "silu": 1,
              "mish": 1, "hardswish": 1, "hardsigmoid": 1, "hardtanh": 3, "threshold": 3}
    at = places.get(name)
    return node.op == "function" and at is not None and len(node.args) > at and \
        node.args[at] is True


def is_view(node, module):
    if node.op == "module":
        return isinstance(module.get_submodule(node.target), VIEW_MODULES)
    return node.op in ("function", "method") and called_name(node) in VIEWS


def make_pure(nodes, module):
    """Renames what is read after each call that works in place. Returns Problems.

    Another view of the changed memory would have to change too: reading one later is a problem.
    """
    problems = []
    memory = {}  # of each node: what all views of one memory share
    last_read = {}
    for at, node in enumerate(nodes):
        for one in node.inputs():
            last_read[one] = at
    current = {}
    for at, node in enumerate(nodes):
        originals = node.inputs()
        node.replace_inputs(lambda one: current.get(one, one))
        memory[node] = node
        first = originals[0] if originals else None
        changes = is_in_place(node, module) and first is not None
        if first is not None and (changes or is_view(node, module)):
            memory[node] = memory[first]
        if not changes:
            continue
        for other in nodes[:at]:
            shared = memory[other] is memory[first] and other is not first
            stale = current.get(other, other) is not current.get(first, first)
            if shared and stale and last_read.get(other, -1) > at and \
                    node.target is not operator.setitem:  # which is a problem by itself
                problems.append(Problem(f"{called_name(node)} works in place on memory that is "
                                        "read later through another view", node.place))
                break
        before = current.get(first, first)
        for other in [one for one, now in current.items() if now is before]:
            current[other] = node
        current[first] = node
    return problems


def used_nodes(nodes):
    """Those that the output needs, in their order."""
    needed = set()
    for node in reversed(nodes):
        if node.op == "output" or node in needed:
            needed.update(node.inputs())
    return [node for node in nodes if node in needed or node.op in ("output", "input")]
