"""A network in the definition language, before it is text."""
import dataclasses

import torch

DATATYPES = {torch.float32: "FP32", torch.float64: "FP64", torch.float16: "FP16",
             torch.bfloat16: "BF16", torch.int64: "INT64", torch.int32: "INT32",
             torch.int16: "INT16", torch.int8: "INT8", torch.uint8: "UINT8", torch.bool: "BOOL"}
DTYPES = {name: dtype for dtype, name in DATATYPES.items()}


class Word(str):
    """A string that is written without quotes: a name of an enum."""


@dataclasses.dataclass(eq=False)
class Value:
    """A tensor of the network: an input, or an output of a layer."""
    source: str  # "conv1", "lstm:h_n"
    dtype: torch.dtype = None
    rank: int = None


@dataclasses.dataclass(eq=False)
class Layer:
    name: str
    field: str  # "conv2d"; empty with same_as
    inputs: list
    arguments: dict = dataclasses.field(default_factory=dict)
    same_as: str = ""
    dtype: str = ""
    group: str = ""
    comment: str = ""


@dataclasses.dataclass(eq=False)
class Input:
    name: str
    datatype: str = "FP32"
    shape: list = None
    argument: str = ""  # forward's, which may have another name


@dataclasses.dataclass(eq=False)
class Definition:
    title: list  # lines of a comment
    inputs: list
    layers: list
    outputs: list  # of name and source
    groups: dict  # of a group's name: the class of its module
    seed: int = 0
    parameter_dtype: str = "FP32"
