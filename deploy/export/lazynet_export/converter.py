"""Turns the recorded calls into layers."""
import collections
import dataclasses
import inspect
import operator

import torch
from torch import nn

from . import in_place
from .definition import DATATYPES, Definition, Layer, Value
from .descriptions import call_text, describe
from .errors import Problem, Unsupported
from .graph import Constant, Node, map_structure
from .outputs import flatten_outputs
from .registry import find_function, find_module
from .shapes import ShapeOf
from .sizes import Size, render
from .tracing import is_leaf

# Arguments that are ids, and that are masks, by their places.
ID_ARGUMENTS = {("embedding", 0), ("embedding_bag", 0), ("gather", 2), ("index_select", 2)}
MASK_ARGUMENTS = {("masked_fill", 1), ("where", 0), ("invert", 0)}
# Calls whose result has a dtype of its own.
CONVERSIONS = ("to", "float", "double", "half", "bfloat16", "long", "int", "bool", "type",
               "type_as")

BROKEN = object()  # the result of a call that is a problem already


class Converter:
    """Handlers call `layer`, `value`, `sizes` and the like.

    `parameters` are the tensors of layers by key, `constants` those that no layer draws.
    """

    def __init__(self, module, lazy=False):
        self.module, self.lazy = module, lazy
        self.layers, self.inputs, self.problems = [], [], []
        self.parameters, self.constants = {}, {}
        self.left_out = collections.Counter()
        self.results, self.parameter_layers, self.module_layers = {}, {}, {}
        self.node = None
        self.uses, self.ranks = {}, {}
        # Of each parameter, by its id: the layers that have it, and "" where a call reads it.
        self.owners = collections.defaultdict(set)
        self.dtype = main_dtype(module)
        self.taken = {path for path, _ in module.named_modules()} | set(module.state_dict())

    # -- what handlers use

    def layer(self, field, inputs, arguments=None, name=None, dtype="same", expressions=None,
              rank=None, parameters=None, same_as=""):
        """Adds a layer and returns its Value.

        `inputs` may be Constants. `expressions` are fields of sizes, whose values become inputs as
        well. `parameters` are tensors by their name in the layer.
        """
        values = [self.value(one) for one in inputs]
        rendered = {key: ", ".join(render(one, values) for one in sizes)
                    for key, sizes in (expressions or {}).items() if sizes is not None}
        given = dict(arguments or {})
        first = {"dim": given.pop("dim")} if rendered and "dim" in given else {}
        arguments = {**first, **rendered, **given}
        name = name or self.new_name(field)
        layer = Layer(name, field, values, arguments, same_as, group=self.group(name))
        own = next((tensor.dtype for tensor in (parameters or {}).values()
                    if tensor.is_floating_point()), None)
        if own is not None and own != self.dtype:
            layer.dtype = DATATYPES[own]
        for key, tensor in (parameters or {}).items():
            self.parameters[f"{name}.{key}"] = tensor
        self.layers.append(layer)
        if dtype == "same":
            dtype = values[0].dtype if values else None
        return Value(name, dtype, rank)

    def value(self, one):
        """The Value of a tensor, be it a constant."""
        if isinstance(one, Value):
            return one
        if isinstance(one, torch.Tensor):
            one = Constant(one, None, self.node.scope)
        if isinstance(one, Constant):
            return self.parameter(one)
        raise Unsupported(f"wants a tensor, got {describe(one)}")

    def parameter(self, constant):
        """The layer of a constant; one for all its uses."""
        self.note_owner(constant)
        if constant not in self.parameter_layers:
            if constant.tensor.dtype not in DATATYPES:
                raise Unsupported(f"a constant of {constant.tensor.dtype}")
            key = constant.key
            owner = self.module.get_submodule(key.rpartition(".")[0]) if key else None
            free = key and key not in self.parameters and key not in self.constants and \
                not is_leaf(owner)  # whose layer has the key
            name = key if free else self.new_name("constant", constant.scope)
            datatype = DATATYPES[constant.tensor.dtype]
            floating = constant.tensor.is_floating_point()
            self.layers.append(Layer(
                name, "parameter", [], {"shape": list(constant.tensor.shape) or None,
                                        "datatype": None if floating else datatype},
                dtype=datatype if floating and constant.tensor.dtype != self.dtype else "",
                group=self.group(name)))
            self.constants[name] = constant.tensor
            self.parameter_layers[constant] = Value(name, constant.tensor.dtype,
                                                    constant.tensor.dim())
        return self.parameter_layers[constant]

    def with_parameters(self, field, input, tensors, make_arguments, name=None, **options):
        """A layer with parameters from a function's arguments: F.linear(x, weight, bias).

        `tensors` are Constants or None by their names in the layer. Where they are all of one
        module, `fc.weight` and `fc.bias`, the layer has its name, and so their keys.
        """
        given = {key: one for key, one in tensors.items() if one is not None}
        for key, one in given.items():
            if not isinstance(one, Constant):
                raise Unsupported(f"{key} wants a parameter, got {describe(one)}")
            self.note_owner(one)
        owner = self.common_owner(given)
        name = owner or self.new_name(field)
        drawn = owner and find_module(self.module.get_submodule(owner))
        lazy, self.lazy = self.lazy, self.lazy and bool(drawn)
        try:
            arguments = make_arguments(**{key: one.tensor for key, one in given.items()})
        finally:
            self.lazy = lazy
        made = {key: one.tensor for key, one in given.items()}
        if owner:
            self.module_layers[owner] = written(arguments)
        if not drawn:
            self.constants.update({f"{name}.{key}": tensor for key, tensor in made.items()})
        return self.layer(field, [input], arguments, name, rank=self.rank(input),
                          parameters=made, **options)

    def note_owner(self, constant):
        """A parameter that is read by itself, too."""
        if constant.key is not None:
            path, _, name = constant.key.rpartition(".")
            self.owners[id(getattr(self.module.get_submodule(path), name))].add("")

    def shared_parameters(self):
        """The tensors of layers that share one with another place: drawn, they would differ."""
        shared = {path for paths in self.owners.values() if len(paths) > 1 for path in paths} - {""}
        return {key: tensor for key, tensor in self.parameters.items()
                if any(key.startswith(f"{path}.") for path in shared)}

    def common_owner(self, constants):
        """The path of the module whose parameters these are, if no layer has it yet."""
        owners = {one.key[:-len(key) - 1] if one.key and one.key.endswith("." + key) else None
                  for key, one in constants.items()}
        path = owners.pop() if len(owners) == 1 else None
        free = path and all(layer.name != path for layer in self.layers) and \
            path not in self.module_layers and \
            not any(f"{path}.{key}" in self.constants for key in constants)
        return path if free else None

    def cast(self, value, dtype):
        """A value in another dtype."""
        if isinstance(value, Constant):
            return Constant(value.tensor.to(dtype), None, value.scope)
        if value.dtype == dtype:
            return value
        if dtype not in DATATYPES:
            raise Unsupported(f"{dtype} is not supported")
        return self.layer("to", [value], {"dtype": DATATYPES[dtype]}, dtype=dtype,
                          rank=value.rank)

    def new_name(self, field, scope=None):
        scope = self.node.scope if scope is None else scope
        base = f"{scope}.{field}" if scope else field
        name, number = base, 0
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(name)
        return name

    def group(self, name):
        """Layers of one block stand together: the first two parts of their path."""
        return ".".join(name.split(".")[:-1][:2])

    def rank(self, value):
        """The number of dimensions, or None."""
        return value.tensor.dim() if isinstance(value, Constant) else value.rank

    def example_shapes(self, at):
        """The shapes that argument number `at` has in the examples; none without examples."""
        one = self.node.args[at] if len(self.node.args) > at else None
        if one is None:
            return None
        return one.shapes if isinstance(one, Node) else [tuple(one.tensor.shape)]

    def indices_of_results(self):
        """Which results of this call are read, where nothing tells how many it has."""
        indices = [use.args[1] for use in self.uses[self.node] if use.target is operator.getitem]
        if len(indices) < len(self.uses[self.node]) or \
                any(not isinstance(one, int) for one in indices):
            raise Unsupported("how many results it has is known only when a request comes")
        return sorted(set(indices))

    def leave_out(self, what):
        self.left_out[what] += 1

    # -- the conversion

    def convert(self, nodes, inputs, ranks, title):
        """The Definition. By node: `inputs` are the Inputs, `ranks` those that the trace knows."""
        self.ranks = ranks
        self.problems += in_place.make_pure(nodes, self.module)
        nodes = in_place.used_nodes(nodes)
        self.uses = collections.defaultdict(list)
        for node in nodes:
            for one in node.inputs():
                self.uses[one].append(node)
        for node in nodes:
            if node.op == "input" and self.uses[node]:
                self.add_input(node, inputs[node])
        outputs = []
        for node in nodes:
            self.node = node
            if node.op == "output":
                outputs = self.guarded(self.find_outputs) or []
            elif node.op != "input":
                self.results[node] = self.guarded(self.call)
        if self.lazy:
            self.order_drawn_layers()
        groups = {path: type(one).__name__ for path, one in self.module.named_modules()}
        for kind in ("Sequential", "ModuleList", "ModuleDict"):
            groups = {path: name for path, name in groups.items() if name != kind}
        return Definition(title, self.inputs, self.layers, outputs, groups,
                          parameter_dtype=DATATYPES[self.dtype])

    def order_drawn_layers(self):
        """Layers that are never lazy draw as they are constructed: in the order of registration."""
        order = {path: at for at, (path, _) in enumerate(self.module.named_modules())}
        places = [at for at, layer in enumerate(self.layers)
                  if layer.field in ("embedding", "embedding_bag") and layer.name in order]
        ordered = sorted((self.layers[at] for at in places), key=lambda one: order[one.name])
        for at, layer in zip(places, ordered):
            self.layers[at] = layer

    def add_input(self, node, declared):
        if declared.datatype is None:
            declared.datatype = self.datatype_by_use(node) or DATATYPES[self.dtype]
        if self.names_a_layer(declared.name):
            declared.name = self.new_name(f"{declared.name}_input", "")
        self.taken.add(declared.name)
        self.inputs.append(declared)
        dtype = next(key for key, name in DATATYPES.items() if name == declared.datatype)
        self.results[node] = Value(declared.name, dtype, self.ranks.get(node))

    def names_a_layer(self, name):
        """Whether the keys of parameters make this the name of a layer."""
        tensors = dict([*self.module.named_parameters(), *self.module.named_buffers()])
        module = dict(self.module.named_modules()).get(name)
        return name in tensors or module is not None and is_leaf(module)

    def datatype_by_use(self, node):
        """What a call wants that reads the node itself or a part or view of it; None if any will do."""
        found = None
        for use in self.uses[node]:
            at = next((at for at, one in enumerate(use.args) if one is node), None)
            target = use.target if use.op in ("function", "method") else None
            name = in_place.called_name(use).rstrip("_")
            if use.op == "module" and at == 0 and isinstance(
                    self.module.get_submodule(use.target), (nn.Embedding, nn.EmbeddingBag)) or \
                    target is not None and (name, at) in ID_ARGUMENTS:
                found = "INT64"
            elif target is not None and (name, at) in MASK_ARGUMENTS:
                found = "BOOL"
            elif at == 0 and in_place.is_view(use, self.module) and name not in CONVERSIONS:
                found = self.datatype_by_use(use)
            if found:
                break
        return found

    def guarded(self, step):
        try:
            return step()
        except Unsupported as problem:
            if str(problem):
                self.problems.append(Problem(str(problem), self.node.place))
            return BROKEN

    def resolved(self, structure):
        """Arguments with the results of nodes in their places."""
        def look_up(node):
            if self.results[node] is BROKEN:
                raise Unsupported("")
            return self.results[node]
        return map_structure(structure, Node, look_up)

    def call(self):
        node = self.node
        args, kwargs = self.resolved((node.args, node.kwargs))
        if node.op == "size":
            result = Size("dim", args)
            return args[0].tensor.shape[args[1]] if isinstance(args[0], Constant) else result
        if node.op == "shape":
            return ShapeOf(args[0])
        if node.op == "rank":
            if self.rank(args[0]) is None:
                raise Unsupported("the number of dimensions is known only when a request comes; "
                                  "--input gives an example to trace with")
            return self.rank(args[0])
        if node.op == "module":
            return self.ranked(self.call_module(args, kwargs))
        handler = find_function(node.op, node.target)
        name = call_text(node)
        if handler is None:
            raise Unsupported(f"{name} is not supported")
        result = self.call_handler(handler, name, (self, *args), kwargs)
        if in_place.is_in_place(node, self.module) and isinstance(result, Value) and \
                self.value(args[0]).dtype is not None:
            result = self.cast(result, self.value(args[0]).dtype)  # of the memory it is in
        return self.ranked(result)

    def call_handler(self, handler, name, args, kwargs):
        try:
            bound = inspect.signature(handler).bind(*args, **kwargs)
        except TypeError as error:
            raise Unsupported(f"{name}: {error}") from error
        try:
            return handler(*bound.args, **bound.kwargs)
        except Unsupported as problem:
            raise Unsupported(f"{name}: {problem}" if str(problem) else "") from problem
        except (TypeError, ValueError, AttributeError, LookupError, RuntimeError) as error:
            raise Unsupported(f"{name}: these arguments are not supported "
                              f"({type(error).__name__}: {error})") from error

    def call_module(self, args, kwargs):
        path = self.node.target
        one = self.module.get_submodule(path)
        name = f"{path} ({type(one).__name__})"
        handler = find_module(one)
        if handler is None:
            raise Unsupported(f"{name}: torch.nn.{type(one).__name__} is not supported")
        for inner, part in one.named_modules():
            if part is not one and not is_leaf(part) and not isinstance(part, nn.ModuleList):
                raise Unsupported(f"{name}: {inner} is a {type(part).__name__}, and not what "
                                  "torch.nn puts there")
        return self.call_handler(handler, name, (self, one, *args), kwargs)

    def submodule(self, path, *args, **kwargs):
        """The result of a module within the called one."""
        outer = self.node
        self.node = dataclasses.replace(outer, target=f"{outer.target}.{path}", shapes=None)
        try:
            return self.call_module(args, kwargs)
        finally:
            self.node = outer

    def ranked(self, result):
        """The trace's rank and dtype, which are surer than ours."""
        if isinstance(result, Value):
            result.rank = self.ranks.get(self.node, result.rank)
            result.dtype = self.node.dtype or result.dtype
        return result

    def module_layer(self, one, field, inputs, arguments, dtype="same", rank=None):
        """The layer of a module, under its path; with its parameters, or same_as where it is
        called again."""
        path = self.node.target
        tensors = dict(one.state_dict(keep_vars=True))
        if path in self.module_layers:
            if tensors and written(arguments) != self.module_layers[path]:
                raise Unsupported("is called again with other arguments")
            name = self.new_name(path, "")
            if tensors:
                return self.layer(field, inputs, {}, name, dtype, rank=rank, same_as=path)
            return self.layer(field, inputs, arguments, name, dtype, rank=rank)
        self.module_layers[path] = written(arguments)
        for tensor in tensors.values():
            self.owners[id(tensor)].add(path)
        # Nothing of a lazy layer: its counters are no values to keep.
        lazy = any(map(nn.parameter.is_lazy, tensors.values()))
        known = {} if lazy else {key: tensor.detach() for key, tensor in tensors.items()}
        return self.layer(field, inputs, arguments, path, dtype, rank=rank, parameters=known)

    def find_outputs(self):
        """The outputs' names and sources: `output`, the keys of a dict, or numbered ones."""
        result, = self.resolved(self.node.args)
        found = []
        flatten_outputs(result, "", found)
        if not found:
            raise Unsupported("forward returns no tensor")
        outputs = []
        for name, one in found:
            if not isinstance(one, (Value, Constant)):
                raise Unsupported(f"forward returns {describe(one)}: a server's outputs are "
                                  "tensors")
            outputs.append((name or "output", self.value(one).source))
        if len(outputs) == 1 and outputs[0][0] == "output" and \
                outputs[0][1] in [one.name for one in self.inputs]:
            outputs = [("output", self.layer("identity", [found[0][1]]).source)]
        return outputs


def written(arguments):
    """Those that the definition has."""
    return {key: value for key, value in arguments.items() if value is not None}


def main_dtype(module):
    """What most parameters are."""
    counts = collections.Counter(one.dtype for one in module.parameters()
                                 if one.is_floating_point())
    return counts.most_common(1)[0][0] if counts else torch.float32
