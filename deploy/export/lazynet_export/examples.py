"""What --input says: names, datatypes and example shapes of the network's inputs."""
import dataclasses

import torch

from .definition import DTYPES
from .errors import ExportError


@dataclasses.dataclass
class Example:
    """`shape` is None, or has for each axis its sizes in the examples, of which there are `count`.

    `datatype` is a name of the Open Inference Protocol, or None.
    """
    name: str
    shape: list = None
    datatype: str = None
    given: list = None  # the shape as it was said, the first of two sizes
    count: int = 0

    def varies(self, axis):
        return len(set(self.shape[axis])) > 1

    def guard(self):
        """The shape that a network traced with the examples is for."""
        return [-1 if self.varies(axis) else self.shape[axis][0]
                for axis in range(len(self.shape))]


def parse_examples(texts):
    """Examples by name: as many of each, for they are run together."""
    examples = {one.name: one for one in map(parse_example, texts)}
    shaped = [one for one in examples.values() if one.shape is not None]
    count = min([one.count for one in shaped], default=0)
    for one in shaped:
        one.count, one.shape = count, [sizes[:count] for sizes in one.shape]
    return examples


def parse_example(text):
    """An Example from `x=1,3,224,224:FP32`, `x=1,3,200..300,200..300`, `ids:INT64` or `mask`.

    The first axis is the batch: it differs between the examples, unless axes with `..` say which
    ones do.
    """
    before, colon, datatype = text.partition(":")
    name, equals, sizes = before.partition("=")
    if not name.isidentifier() or colon and datatype not in DTYPES:
        raise ExportError([f"--input {text}: wants name=1,3,224,224[:DATATYPE], a datatype of "
                           f"{', '.join(DTYPES)}"])
    if not equals:
        return Example(name, None, datatype or None)
    try:
        shape = [tuple(map(int, (size.split("..") * 2)[:2])) for size in sizes.split(",") if size]
    except ValueError:
        raise ExportError([f"--input {text}: {sizes} is no shape"]) from None
    if any(min(pair) < 1 for pair in shape):
        raise ExportError([f"--input {text}: sizes are 1 or more"])
    given = [first for first, _ in shape]
    if any(first != second for first, second in shape):
        return Example(name, shape, datatype or None, given, 2)
    # With 1, which code may treat in a way of its own, and a third that sets (n + 1) // 2 and
    # n < 3 apart from the numbers that they are with 1 and 2.
    shape = [(size, size, size) for size in given]
    if shape:
        batch = max(given[0], 2)
        shape[0] = (1, batch, 2 * batch + 1)
    return Example(name, shape, datatype or None, given, 3)


def make_values(example, dtype):
    """The example tensors; numbers below 2 where they may be ids."""
    dtype = DTYPES[example.datatype] if example.datatype else dtype
    generator = torch.Generator().manual_seed(0)
    made = []
    for at in range(example.count):
        shape = [sizes[at] for sizes in example.shape]
        if dtype.is_floating_point:
            made.append(torch.randn(shape, generator=generator).to(dtype))
        else:
            made.append(torch.randint(0, 2, shape, generator=generator).to(dtype))
    return made


def arguments_of(signature, examples):
    """Which arguments of forward are inputs, and the values of the others."""
    parameters = [one for one in signature.parameters.values()
                  if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    names = [one.name for one in parameters]
    unknown = [name for name in examples if name not in names]
    if unknown:
        raise ExportError([f"--input {name}: forward has the arguments {', '.join(names)}"
                           for name in unknown])
    inputs = [one.name for one in parameters
              if one.default is one.empty or one.name in examples]
    defaults = {one.name: one.default for one in parameters if one.name not in inputs}
    if not inputs:
        raise ExportError(["forward takes no input; --input names the arguments that are some"])
    return inputs, defaults
