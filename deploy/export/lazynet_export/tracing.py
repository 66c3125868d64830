"""Runs a module's forward function with values that record what is done with them."""
import collections
import contextlib
import inspect
import operator

import torch
from torch import nn

from . import places
from .errors import ExportError, Problem, TraceFailure
from .graph import Constant, Node, map_structure
from .proxies import Shape, Traced, holds_traced
from .ranks import rank_after

# Functions that take sizes, not tensors: PyTorch cannot see that those are traced.
FACTORIES = ("zeros", "ones", "full", "empty", "arange", "eye")
# Functions that draw at random, whatever the mode.
DRAWING = ("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson",
           "rand_like", "randn_like", "randint_like")
# Methods that take sizes, called on a tensor that is not traced.
SIZED = ("expand", "view", "reshape", "repeat", "__getitem__")
# Methods whose result depends on the tensor's dtype alone.
NEW = ("new_zeros", "new_ones", "new_full", "new_tensor")
# What gives Python values that depend on the elements of a tensor.
READERS = ("item", "tolist", "numpy", "equal", "allclose", "is_nonzero")
# Functions of torch.nn.utils.rnn that make or take packed sequences.
PACKING = ("pack_padded_sequence", "pack_sequence", "pad_packed_sequence")
NO_PACKING = "packed sequences are not supported: give the layer the padded one"
# Modules outside torch.nn that are taken as they are.
FROZEN_BATCH_NORM = "FrozenBatchNorm2d"
# Methods of torch.nn's classes that forward does not call, or that only check.
HARMLESS = ("reset_parameters", "_reset_parameters", "from_pretrained", "_check_input_dim")


def is_leaf(module):
    """Whether its forward function is one of torch.nn's own: not traced into.

    The class that defines forward decides, so a Conv3d with a constructor of its own is a Conv3d,
    and a LayerNorm with a forward of its own is traced. So is a Conv2d with a _conv_forward of its
    own.
    """
    if type(module).__name__ == FROZEN_BATCH_NORM:
        return True
    if "forward" in vars(module):
        return False
    owner = next((one for one in type(module).__mro__ if "forward" in vars(one)), None)
    return owner is not None and owner.__module__.startswith("torch.nn") and \
        owner not in (nn.Module, nn.Sequential) and not changes_calls_of(owner, type(module))


def changes_calls_of(owner, kind):
    """Whether a class before `owner` redefines a method that its forward function may call."""
    before = kind.__mro__[:kind.__mro__.index(owner)]
    names = {name for one in before if not one.__module__.startswith("torch.nn")
             for name in vars(one)}
    return any(hasattr(owner, name) and not hasattr(nn.Module, name) and
               not name.startswith("__") and name not in HARMLESS for name in names)


class Tracer:
    """One trace. `nodes` is what it recorded; `left_out` counts what serving does without."""

    def __init__(self, module, twin=None):
        self.module = module
        self.twin = twin or module  # runs the examples
        self.paths = {one: path for path, one in module.named_modules()}
        self.keys = {id(tensor): key for key, tensor in
                     [*module.named_parameters(), *module.named_buffers()]}
        self.nodes, self.left_out, self.ranks = [], collections.Counter(), {}
        self.problems, self.kept = [], []
        self.scopes, self.running, self.cache = [""], False, {}

    # -- what is recorded

    def add(self, op, target, args, kwargs):
        node = Node(op, target, args, kwargs, self.scopes[-1], places.of_stack())
        node.name = f"{op}_{len(self.nodes)}"
        self.nodes.append(node)
        return node

    def record(self, op, target, args, kwargs):
        """Records a call, and gives what stands for its result.

        What depends on constants alone is computed now, and so it is not recorded.
        """
        if target is torch._assert:
            self.left_out["assertion"] += 1
            return None
        traced = []
        map_structure((args, kwargs), Traced, traced.append)
        if traced and traced[0].constant and is_in_place(target):
            self.protect(traced[0])
        values = None
        if all(one.examples is not None for one in traced):
            name = target if op == "method" else getattr(target, "__name__", "")
            if name in READERS and not all(one.constant for one in traced):
                raise TraceFailure(f"{name}() of it depends on the values of the inputs")
            values = self.run(op, target, args, kwargs, traced)
            if not isinstance(values[0], (torch.Tensor, tuple, list)) and \
                    all(values[0] == other for other in values):
                return values[0]
            if op == "method" and target in NEW and values[0].shape == values[-1].shape and \
                    all(one.constant for one in traced[1:]):
                values = values[:1]
            if len(values) == 1:
                random = name in DRAWING or any(one.random for one in traced)
                return map_structure(values[0], torch.Tensor, lambda tensor: Traced(
                    None, self, (tensor,), random=random))
        node = self.add(op, target, *map_structure((args, kwargs), (Traced, torch.Tensor),
                                                   self.argument))
        return self.wrap(node, values)

    def protect(self, traced):
        """A parameter or buffer that forward changes stays as it is, here and when serving."""
        if traced.key is not None:
            self.problems.append(Problem(f"forward changes {traced.key}, which serving does not",
                                         places.of_stack()))
            traced.examples, traced.key = (traced.examples[0].clone(),), None

    def record_assignment(self, traced, index, value):
        """x[index] = value"""
        if traced.examples is not None:
            self.run("function", operator.setitem, (traced, index, value), {}, [traced])
        self.add("function", operator.setitem, *map_structure(
            ((traced, index, value), {}), (Traced, torch.Tensor), self.argument))

    def create_proxy(self, op, target, args, kwargs, **_):
        """What the operators of torch.fx.Proxy call."""
        return self.record(op.removeprefix("call_"), target, args, kwargs)

    def wrap(self, node, values):
        if values is not None and isinstance(values[0], torch.Tensor):
            if len({value.dim() for value in values}) > 1:
                raise TraceFailure("the number of its dimensions differs between the examples")
            node.shapes = [tuple(value.shape) for value in values]
            node.dtype = values[0].dtype
            self.ranks[node] = values[0].dim()
        return Traced(node, self, values)

    def argument(self, value):
        """What a node holds for a traced value or a tensor."""
        if isinstance(value, Traced) and not value.constant:
            return value.node
        if isinstance(value, Traced) and value.random:
            self.problems.append(Problem("what it is given was drawn at random within forward, which "
                                         "would draw it anew at each call", places.of_stack()))
        tensor, key = (value.examples[0], value.key) if isinstance(value, Traced) else (value, None)
        if not isinstance(tensor, torch.Tensor):
            return tensor
        key = key or self.keys.get(id(tensor))
        state = (id(tensor), tensor._version)
        if state not in self.cache:
            # One without a key may be changed in place later. It is kept, so that its id stays.
            held = tensor.detach() if key else tensor.detach().clone()
            self.cache[state] = Constant(held, key, self.scopes[-1]), tensor
        return self.cache[state][0]

    def run(self, op, target, args, kwargs, traced):
        """The result for each example."""
        count = max([len(one.examples) for one in traced], default=1)
        results = []
        for i in range(count):
            own_args, own_kwargs = map_structure(
                (args, kwargs), Traced, lambda one, i=i: one.examples[i % len(one.examples)])
            with self.example(), torch.no_grad():
                if op == "module":
                    results.append(self.run_module(target, own_args, own_kwargs))
                elif op == "method":
                    results.append(getattr(own_args[0], target)(*own_args[1:], **own_kwargs))
                else:
                    results.append(target(*own_args, **own_kwargs))
        return results

    def run_module(self, path, args, kwargs):
        module = self.twin.get_submodule(path)
        if self.twin is self.module and any(map(nn.parameter.is_lazy, module.parameters())):
            raise TraceFailure(f"{path} is called with a constant before it has a shape")
        return module(*args, **kwargs)

    @contextlib.contextmanager
    def example(self):
        before, self.running = self.running, True
        try:
            yield
        finally:
            self.running = before

    # -- sizes

    def shape_of(self, traced):
        if traced.examples is None:
            return Shape(traced)
        first, *others = [value.shape for value in traced.examples]
        if all(first == other for other in others):
            return first
        return tuple(self.size_of(traced, axis) for axis in range(len(first)))

    def size_of(self, traced, axis):
        if traced.examples is None:
            return Traced(self.add("size", None, (traced.node, axis), {}), self)
        sizes = [value.shape[axis] for value in traced.examples]
        if len(set(sizes)) == 1:
            return sizes[0]
        return Traced(self.add("size", None, (traced.node, axis), {}), self, sizes)

    def rank_of(self, traced):
        """The number of dimensions; what stands for it where that is not known."""
        rank = traced.known(lambda value: value.dim())
        rank = self.ranks.get(traced.node) if rank is None else rank
        return Traced(self.add("rank", None, (traced.node,), {}), self) if rank is None else rank

    def size_method(self, traced, name, *args, **kwargs):
        """The methods that give numbers."""
        if name == "size":
            shape = self.shape_of(traced)
            axis = args[0] if args else kwargs.get("dim")
            return shape if axis is None else shape[axis]
        if name in ("dim", "ndimension"):
            return self.rank_of(traced)
        if name == "is_contiguous":
            return True
        if name == "is_complex":
            return False
        if name == "is_floating_point" and traced.examples is None and \
                traced.node.dtype is not None:
            return traced.node.dtype.is_floating_point
        if name in ("numel", "nelement"):
            product = 1
            for size in traced.shape:
                product = size * product
            return product
        found = traced.known(lambda value: getattr(value, name)(*args, **kwargs))
        if found is None and name == "is_floating_point":
            raise TraceFailure("whether it is floating depends on the datatypes of the inputs: "
                               "--input x:FP32 says it of one, --input x=1,3,224,224 with an "
                               "example of all")
        if found is None:
            raise TraceFailure(f"{name}() of it is known only when a request comes")
        return found

    def is_size(self, node):
        """Whether a node is a number made of sizes."""
        return node.op in ("size", "rank") or node.op == "function" and \
            getattr(node.target, "__module__", "") == "_operator" and \
            node.target is not operator.getitem and bool(node.inputs()) and \
            all(map(self.is_size, node.inputs()))

    def length_of(self, node):
        """How many values a call gives, where its arguments tell."""
        name = getattr(node.target, "__name__", node.target)
        rest = node.args[1:]
        if name in ("chunk", "split", "tensor_split"):
            argument = rest[0] if rest else next(
                (node.kwargs[key] for key in ("chunks", "split_size_or_sections", "split_size",
                                              "indices_or_sections") if key in node.kwargs), None)
            if isinstance(argument, (list, tuple)):
                return len(argument)
            return argument if name == "chunk" else None
        if node.unpacked is not None:
            return node.unpacked
        return None

    # -- modules

    def call_module(self, module, call, args, kwargs):
        if self.running:
            return call(*args, **kwargs)
        path = self.paths.get(module)
        if path is None:
            raise TraceFailure(f"{type(module).__name__} is not a submodule of the network: its "
                               "parameters have no names")
        if any(isinstance(one, nn.utils.rnn.PackedSequence) for one in args):
            raise TraceFailure(NO_PACKING)
        if is_leaf(module):
            return self.with_rank(self.record("module", path, args, kwargs), module)
        self.scopes.append(path)
        try:
            return call(*args, **kwargs)
        finally:
            self.scopes.pop()

    def with_rank(self, result, module):
        """Notes the rank of a module's result where it is known without examples."""
        if isinstance(result, Traced) and result.node and result.examples is None:
            inputs = result.node.inputs()
            rank = rank_after(module, self.ranks.get(inputs[0]) if inputs else None)
            if rank is not None:
                self.ranks[result.node] = rank
        return result

    def attribute(self, value):
        """Parameters and buffers are traced constants, so that what is computed of them can be
        mixed with sizes."""
        if self.running or not isinstance(value, torch.Tensor) or id(value) not in self.keys:
            return value
        if nn.parameter.is_lazy(value):
            raise TraceFailure(f"{self.keys[id(value)]} is read before it has a shape; "
                               "give the module its sizes, or --checkpoint")
        return Traced(None, self, (value.detach(),), self.keys[id(value)])

    def assign(self, module, name, value, set_attribute):
        """`self.x = value` within forward: forgotten after the trace, and refused for buffers."""
        if name in module._buffers or name in module._parameters:
            path = self.paths.get(module, "")
            key = f"{path}.{name}" if path else name
            self.problems.append(Problem(f"forward changes {key}, which serving does not",
                                         places.of_stack()))
            return
        self.kept.append((module, name, vars(module).get(name), name in vars(module)))
        set_attribute(module, name, value)

    # -- the trace itself

    def trace(self, inputs, defaults):
        """Runs forward with `inputs` (Traced) and `defaults` (Python values), both by name."""
        try:
            with self.patched(), torch.no_grad():
                args, kwargs = bound_arguments(self.module.forward, {**inputs, **defaults})
                result = self.module(*args, **kwargs)
        except Exception as error:
            if places.passes_through(error, PACKING):
                text = NO_PACKING
            elif isinstance(error, TraceFailure):
                text = str(error)
            else:
                text = f"it cannot be traced: {type(error).__name__}: {error}"
                if self.twin is self.module:
                    text += "; --input gives an example to trace with"
            raise ExportError([Problem(text, places.of_exception(error))]) from error
        self.add("output", None, (map_structure(result, (Traced, torch.Tensor), self.argument),),
                 {})
        return self.nodes

    @contextlib.contextmanager
    def patched(self):
        """PyTorch with our hands on module calls, module attributes, and what takes sizes."""
        call, getattr_ = nn.Module.__call__, nn.Module.__getattr__
        setattr_ = nn.Module.__setattr__
        factories = {name: getattr(torch, name) for name in (*FACTORIES, *DRAWING)}
        sized = {name: getattr(torch.Tensor, name) for name in SIZED}
        pad = nn.functional.pad

        def patched_call(module, *args, **kwargs):
            return self.call_module(module, lambda *a, **k: call(module, *a, **k), args, kwargs)

        def patched_getattr(module, name):
            return self.attribute(getattr_(module, name))

        def patched_setattr(module, name, value):
            if isinstance(value, Traced):
                self.assign(module, name, value, setattr_)
            else:
                setattr_(module, name, value)

        def make_factory(function):
            def factory(*args, **kwargs):
                if self.running or not holds_traced((args, kwargs)):
                    return function(*args, **kwargs)
                return self.record("function", function, args, kwargs)
            return factory

        def make_method(name, method):
            def sized_method(tensor, *args, **kwargs):
                if self.running or not holds_traced((args, kwargs)):
                    return method(tensor, *args, **kwargs)
                return self.record("method", name, (tensor, *args), kwargs)
            return sized_method

        def make_drawing(function):
            def draw(*args, **kwargs):
                if self.running:
                    return function(*args, **kwargs)
                return self.record("function", function, args, kwargs)
            return draw

        nn.Module.__call__, nn.Module.__getattr__ = patched_call, patched_getattr
        nn.Module.__setattr__ = patched_setattr
        for name, function in factories.items():
            make_patch = make_drawing if name in DRAWING else make_factory
            setattr(torch, name, make_patch(function))
        nn.functional.pad = make_factory(pad)
        for name, method in sized.items():
            setattr(torch.Tensor, name, make_method(name, method))
        try:
            yield
        finally:
            nn.Module.__call__, nn.Module.__getattr__ = call, getattr_
            nn.Module.__setattr__ = setattr_
            for module, name, value, was_there in reversed(self.kept):
                vars(module).pop(name, None)
                if was_there:
                    vars(module)[name] = value
            for name, function in factories.items():
                setattr(torch, name, function)
            nn.functional.pad = pad
            for name in sized:  # the originals are those of its base
                delattr(torch.Tensor, name)


def bound_arguments(forward, values):
    """Values by name as a user passes them, by position where they may be: hooks see no others."""
    args, kwargs = [], dict(values)
    for one in inspect.signature(forward).parameters.values():
        if one.kind not in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD):
            break
        args.append(kwargs.pop(one.name))
    return args, kwargs


def is_in_place(target):
    name = target if isinstance(target, str) else getattr(target, "__name__", "")
    return name.endswith("_") and not name.endswith("__") or \
        target in (operator.iadd, operator.isub, operator.imul, operator.itruediv)
