"""Values and calls in the words of their user, for problems."""
from .definition import Value
from .graph import Constant
from .sizes import Size


def describe(one):
    """What an argument is."""
    if isinstance(one, Size):
        return "a size that is known only when a request comes"
    if isinstance(one, (Value, Constant)):
        return "a tensor"
    return repr(one) if isinstance(one, (int, float, str, bool, type(None))) \
        else type(one).__name__


def call_text(node):
    """The call as a user writes it."""
    if node.op == "method":
        return f"Tensor.{node.target}"
    if node.target is getattr:
        return f"Tensor.{node.args[1]}"
    space = getattr(node.target, "__module__", None) or ""
    space = {"torch._C._nn": "torch.nn.functional", "_operator": "operator",
             "torch._VF": "torch"}.get(space, space)
    name = getattr(node.target, "__name__", str(node.target))
    return f"{space}.{name}" if space else f"torch.{name}"
