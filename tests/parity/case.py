"""What is compared: a definition in the language, the PyTorch module it stands for, requests."""
import dataclasses
from typing import Callable

import numpy
import torch

DTYPES = {"FP32": torch.float32, "FP64": torch.float64, "BF16": torch.bfloat16,
          "FP16": torch.float16, "INT8": torch.int8, "INT16": torch.int16, "INT32": torch.int32,
          "INT64": torch.int64, "UINT8": torch.uint8, "BOOL": torch.bool}


@dataclasses.dataclass
class Floats:
    """An input of normal random numbers in the network's dtype, or one of its own."""
    shape: tuple
    dtype: str = ""


@dataclasses.dataclass
class Ids:
    """An input of random integers from `start` to below `end`."""
    shape: tuple
    end: int
    dtype: str = "INT64"
    start: int = 0


@dataclasses.dataclass
class Given:
    """An input of just these values."""
    values: list
    dtype: str = "FP32"


@dataclasses.dataclass
class Flags:
    """An input of random booleans, `share` of them true; the first of each row is false."""
    shape: tuple
    share: float = 0.4
    dtype: str = "BOOL"


@dataclasses.dataclass
class Offsets:
    """An input of ascending integers, the first 0 and none beyond `end`."""
    shape: tuple
    end: int
    dtype: str = "INT64"


def call(module, *inputs):
    return module(*inputs)


class Case:
    """A network of one layer.

    `text` is the layer in the definition language, `module` makes PyTorch's. Each request is a
    shape, one of the classes above, or for several inputs a list of those; the first one
    materializes. `run` calls the module with the inputs; what it returns, tuples within tuples
    flattened, are the outputs.
    """

    def __init__(self, name: str, text: str, module: Callable, *requests, inputs=("input",),
                 outputs=("output",), dtype="FP32", run=call):
        self.name, self.text, self.module, self.run, self.dtype = name, text, module, run, dtype
        self.inputs, self.outputs = inputs, outputs
        self.requests = [[Floats(one) if isinstance(one, tuple) else one for one in
                          (request if isinstance(request, list) else [request])]
                         for request in requests]

    def layers(self):
        read = " ".join(f'inputs: "{name}"' for name in self.inputs)
        given = " ".join(f'outputs {{ name: "{name}" layer: "layer:{name}" }}'
                         for name in self.outputs)
        return f'layers {{ name: "layer" {read} {self.text} }}\n{given}\n'

    def definition(self, seed):
        """The text of the whole definition."""
        text = ""
        for name, one in zip(self.inputs, self.requests[0]):
            text += f'inputs {{ name: "{name}" datatype: "{one.dtype or self.dtype}" }}\n'
        return f'{text}{self.layers()}seed: {seed}\nparameter_dtype: "{self.dtype}"\n'

    def make_inputs(self, request, generator):
        """Tensors for one of the requests; `generator` is numpy's."""
        tensors = []
        for one in request:
            if isinstance(one, Given):
                tensors.append(torch.tensor(one.values, dtype=DTYPES[one.dtype]))
            elif isinstance(one, Ids):
                array = torch.from_numpy(
                    numpy.asarray(generator.integers(one.start, one.end, one.shape)))
                tensors.append(array.to(DTYPES[one.dtype]))
            elif isinstance(one, Flags):
                array = generator.random(one.shape) < one.share
                array[..., 0] = False
                tensors.append(torch.from_numpy(array))
            elif isinstance(one, Offsets):
                array = numpy.sort(generator.integers(0, one.end + 1, one.shape))
                array[0] = 0
                tensors.append(torch.from_numpy(array).to(DTYPES[one.dtype]))
            else:
                array = torch.from_numpy(
                    numpy.asarray(generator.standard_normal(one.shape) * 2))
                tensors.append(array.to(DTYPES[one.dtype or self.dtype]))
        return tensors

    def make_module(self, seed):
        """As the definition's seed draws it."""
        torch.manual_seed(seed)
        module = self.module().eval()
        # Layers of another dtype of their own are in networks of FP32.
        return module if self.dtype == "FP32" else module.to(DTYPES[self.dtype])

    def wanted(self, module, inputs):
        """The outputs as a list."""
        with torch.no_grad():
            return flattened(self.run(module, *inputs))


class Function(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def function_case(name, text, function, *requests, **options):
    """The Case of a function. Requests of several inputs are lists; the inputs are called x0, x1,
    ..."""
    count = len(requests[0]) if isinstance(requests[0], list) else 1
    inputs = [f"x{i}" for i in range(count)]
    return Case(name, text, lambda: Function(function), *requests, inputs=inputs, **options)


class GraphCase(Case):
    """A network of several layers, whose `text` is all of it but inputs and seed."""

    def layers(self):
        return self.text


class HalfCase(Case):
    """A network of 16 bits: values are stored so, sums are of FP32, which PyTorch's CPU lacks."""

    def wanted(self, module, inputs):
        try:
            super().wanted(module, inputs)  # initializes what is lazy, before it may fail
        except RuntimeError:
            pass
        wide = [one.float() if one.is_floating_point() else one for one in inputs]
        return [one.to(DTYPES[self.dtype]) for one in super().wanted(module.float(), wide)]


def flattened(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [tensor for part in value for tensor in flattened(part)]
