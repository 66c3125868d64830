"""Random networks: a definition in the language and the same in PyTorch, valid ones and others."""
import copy
import heapq
import random

import torch
from torch import nn

import random_layers
from case import DTYPES
from networks import To
from random_layers import Layer

# Keeps a layer that PyTorch refuses: such a network ends there.
KEEP_BROKEN = 0.12

MAX_ELEMENTS = 20000


class Network:
    """Layers in registration order; inputs and outputs by name."""

    def __init__(self):
        self.dtype = "FP32"
        self.seed = 0
        self.inputs = {}        # name -> (shape, datatype)
        self.constraints = {}   # name -> shape with -1, where there is one
        self.layers = []
        self.outputs = []       # (name, value)

    def definition(self):
        text = ""
        for name, (_, datatype) in self.inputs.items():
            shape = self.constraints.get(name)
            text += (f'inputs {{ name: "{name}" datatype: "{datatype}"'
                     f'{"" if shape is None else f" shape: {list(shape)}"} }}\n')
        text += "".join(layer.text() for layer in self.layers)
        text += "".join(f'outputs {{ name: "{name}" layer: "{value}" }}\n'
                        for name, value in self.outputs)
        return f'{text}seed: {self.seed}\nparameter_dtype: "{self.dtype}"\n'

    def module(self):
        """With the initial values that the definition's seed gives it."""
        torch.manual_seed(self.seed)
        module = Module(self)
        return module if self.dtype == "FP32" else module.to(DTYPES[self.dtype])


class Module(nn.Module):
    """A Network in PyTorch; takes and gives tensors by name."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.parts = nn.ModuleDict()
        for layer in network.layers:
            if not layer.same_as:
                self.parts[layer.name] = layer.module(network.dtype)
        self.eval()

    def forward(self, inputs):
        values = dict(inputs)
        for layer in execution_order(self.network.layers):
            part = self.parts[layer.same_as or layer.name]
            values.update(call(layer, part, [values[name] for name in layer.inputs]))
        return [values[value] for _, value in self.network.outputs]


def call(layer, module, inputs):
    """The outputs by the names that references give them."""
    if layer.kind == "MultiheadAttention":
        # Not the same tensor three times: PyTorch 1.13's fast path fails without biases.
        value = inputs[0]
        return {layer.name: module(value, value.clone(), value.clone())[0]}
    result = module(*inputs)
    if isinstance(result, torch.Tensor):
        return {layer.name: result}
    output, states = result
    names = ["h_n", "c_n"] if isinstance(states, tuple) else ["h_n"]
    states = states if isinstance(states, tuple) else [states]
    return {layer.name: output,
            **{f"{layer.name}:{name}": state for name, state in zip(names, states)}}


def execution_order(layers):
    """Of the layers that can run, the first registered one first."""
    index = {layer.name: i for i, layer in enumerate(layers)}
    missing, users = [0] * len(layers), [[] for _ in layers]
    for i, layer in enumerate(layers):
        for name in layer.inputs:
            source = index.get(name.split(":")[0])
            if source is not None:
                missing[i] += 1
                users[source].append(i)
    ready = [i for i, count in enumerate(missing) if count == 0]
    while ready:
        i = heapq.heappop(ready)
        yield layers[i]
        for user in users[i]:
            missing[user] -= 1
            if missing[user] == 0:
                heapq.heappush(ready, user)


def in_double(module):
    """A copy that computes in FP64 all the way, for a closer look at rounding."""
    exact = copy.deepcopy(module).double()
    for part in exact.modules():
        if isinstance(part, To):
            part.dtype = torch.float64
    return exact


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.chooser = random_layers.Chooser(self.rng)

    def network(self):
        network = Network()
        network.dtype = self.rng.choice(["FP32", "FP32", "FP32", "FP64"])
        network.seed = self.rng.choice([self.rng.randrange(2**31), -self.rng.randrange(2**31),
                                        self.rng.randrange(2**62)])
        values = self.add_inputs(network)
        current = next(iter(values))
        count = self.rng.randint(1, 6)
        modules = {}
        for _ in range(8 * count):
            if len(network.layers) == count:
                break
            layer = self.next_layer(network, values, current, modules)
            outcome = self.attempt(network, layer, values, modules)
            if outcome is None and not self.chooser.chance(KEEP_BROKEN):
                continue
            network.layers.append(layer)
            if outcome is None:
                break
            values.update(outcome)
            current = self.rng.choice(list(outcome)) if self.chooser.chance(0.2) else layer.name
        self.finish(network, values)
        return network

    def shape(self):
        rank = self.rng.choices([0, 1, 2, 3, 4, 5], [1, 8, 25, 30, 25, 11])[0]
        return tuple(0 if self.chooser.chance(0.01) else self.rng.randint(1, 7)
                     for _ in range(rank))

    def add_inputs(self, network):
        shape = self.shape()
        if self.chooser.chance(0.06):
            network.inputs["ids"] = shape, self.rng.choice(["INT32", "INT64"])
        else:
            network.inputs["input"] = shape, network.dtype
            if self.chooser.chance(0.15):
                network.inputs["other"] = shape, network.dtype
        for name in network.inputs:
            if self.chooser.chance(0.4):
                network.constraints[name] = [-1 if i == 0 or self.chooser.chance(0.5) else one
                                             for i, one in enumerate(shape)]
            if not shape:
                network.constraints.pop(name, None)  # an empty one stands for any shape
        return make_inputs(network, self.rng)

    def next_layer(self, network, values, current, modules):
        again = [one for one in network.layers if one.name in modules
                 and DTYPES[one.dtype or network.dtype] == values[current].dtype]
        if not network.layers and "ids" in values:
            rows = 10
            layer = Layer("Embedding", {"num_embeddings": rows, "embedding_dim": 4,
                                        **self.chooser.some(padding_idx=self.rng.randint(-10, 9))})
            layer.inputs = ["ids"]
        elif len(values) > 1 and (not network.layers or self.chooser.chance(0.15)):
            layer = self.join(values, current)
        elif again and self.chooser.chance(0.08):
            source = self.rng.choice(again)
            layer = Layer(source.kind, source.arguments, source.sizes, source.lazy)
            layer.same_as, layer.inputs = source.name, [current] * max(len(source.inputs), 1)
        elif network.dtype == "FP32" and self.chooser.chance(0.05):
            layer = Layer("To", {"dtype": self.rng.choice(["FP32", "FP64"])})
        else:
            layer = self.chooser.layer(tuple(values[current].shape))
        layer.name = f"layer{len(network.layers)}"
        layer.inputs = [name or current for name in layer.inputs] or [current]
        dtype = values[current].dtype
        if (dtype != DTYPES[network.dtype] and dtype.is_floating_point and not layer.same_as
                and layer.kind not in random_layers.WITHOUT_PARAMETERS):
            layer.dtype = "FP64" if dtype == torch.float64 else "FP32"
        return layer

    def join(self, values, current):
        like = [name for name, value in values.items() if value.shape == values[current].shape
                and value.dtype == values[current].dtype]
        names = like if self.chooser.chance(0.8) else [
            name for name, value in values.items() if value.dtype == values[current].dtype]
        kind = self.rng.choice(["Add", "Mul", "Concat", "Sub", "Maximum", "Minimum", "Matmul"])
        rank = values[current].dim()
        arguments = self.chooser.some(dim=self.rng.randint(-rank, rank)) if kind == "Concat" else {}
        layer = Layer(kind, arguments)
        most = 2 if kind in ("Add", "Mul", "Concat") else 1
        layer.inputs = [current] + self.rng.choices(names, k=self.rng.randint(1, most))
        return layer

    def attempt(self, network, layer, values, modules):
        """What the layer gives, or nothing where PyTorch refuses."""
        try:
            if layer.same_as:
                module = modules[layer.same_as]
            else:
                module = layer.module(network.dtype).eval()
                if network.dtype != "FP32":
                    module = module.to(DTYPES[network.dtype])
            with torch.no_grad():
                outcome = call(layer, module, [values[name] for name in layer.inputs])
        except Exception:  # PyTorch raises whatever comes to its mind
            return None
        size = sum(value.numel() for value in outcome.values())
        # Whatever follows a MaxPool1d that gives nothing may be what lazynet refuses.
        if size > MAX_ELEMENTS or (layer.kind == "MaxPool1d" and size == 0):
            return None
        if not layer.same_as and layer.kind not in random_layers.MODULES:
            modules[layer.name] = module
        return outcome

    def finish(self, network, values):
        if not network.layers:
            network.layers.append(Layer("ReLU", {}, name="layer0", inputs=[next(iter(values))]))
        names = [network.layers[-1].name]
        made = [name for name in values if name not in network.inputs and name not in names]
        names += self.rng.sample(made, min(len(made), self.rng.randint(0, 2)))
        unused = set(network.inputs) - {name for layer in network.layers for name in layer.inputs}
        names += sorted(unused)
        network.outputs = [(f"out{i}", name) for i, name in enumerate(names)]
        if self.chooser.chance(0.2):
            shuffled = self.rng.sample(network.layers, len(network.layers))
            place = {layer.name: i for i, layer in enumerate(shuffled)}
            if all(place[one.same_as] < place[one.name] for one in shuffled if one.same_as):
                network.layers = shuffled


def make_inputs(network, rng, change=None):
    """Random tensors by name; `change` is an axis, and by how much it is larger than that of the
    network's inputs."""
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    tensors = {}
    for name, (shape, datatype) in network.inputs.items():
        if change is not None and shape:
            axis, grow = change[0] % len(shape), change[1]
            shape = (*shape[:axis], max(shape[axis] + grow, 1), *shape[axis + 1:])
        if datatype.startswith("INT"):
            tensors[name] = torch.randint(0, 10, shape, generator=generator).to(DTYPES[datatype])
        else:
            tensors[name] = torch.randn(shape, generator=generator).to(DTYPES[datatype])
    return tensors
