#!/usr/bin/env python3
"""Writes torch_goldens.json: what PyTorch 1.13.1's CPU generator leaves in tensors.

  python3 make_goldens.py        needs torch 1.13.1 on an x86-64 machine with AVX2

"sequences" are of distributions, "initializers" of torch.nn.init. Every sequence seeds the generator once and fills one tensor after another, so that the goldens hold
the position of the stream and the cached second normal too. `sha256` is over the little-endian
bytes of a tensor, `first` its first values' bits (hexadecimal, up to three), `next` the bits of
torch.rand(1) after the whole sequence. Orthogonal tensors have their `values` instead, since the
last bits depend on the machine's BLAS; live_test.py compares those with the PyTorch that is there.
"""
import hashlib
import json
import math
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {"FP32": torch.float32, "FP64": torch.float64, "FP16": torch.float16, "BF16": torch.bfloat16}
BITS = {"FP32": torch.int32, "FP64": torch.int64, "FP16": torch.int16, "BF16": torch.int16}
SIZES = [1, 2, 7, 15, 16, 17, 31, 32, 33, 1000, 5000, 100003]


def bytes_of(tensor):
    for dtype, torch_type in TYPES.items():
        if tensor.dtype == torch_type:
            return tensor.contiguous().view(BITS[dtype]).numpy().tobytes()


def digest(tensor):
    raw, width = bytes_of(tensor), tensor.element_size()
    first = [raw[i:i + width][::-1].hex() for i in range(0, min(len(raw), 3 * width), width)]
    return {"first": first, "sha256": hashlib.sha256(raw).hexdigest()}


def fill(op, dtype, size, a, b):
    tensor = torch.empty(size, dtype=TYPES[dtype])
    getattr(tensor, op + "_")(a, b)
    return {"op": op, "dtype": dtype, "size": size, "a": a, "b": b, **digest(tensor)}


def initialize(init, dtype, shape, **arguments):
    tensor = torch.empty(shape, dtype=TYPES[dtype])
    return getattr(torch.nn.init, init + "_")(tensor, **arguments)


def sequence(name, seed, steps):
    torch.manual_seed(seed)
    filled = [fill(*step) for step in steps]
    return {"name": name, "seed": seed, "steps": filled,
            "next": torch.rand(1).numpy().tobytes()[::-1].hex()}


def sequences():
    for dtype in TYPES:
        for seed, a, b in ((0, -0.25, 0.25), (42, -0.1, 0.3), (2**32 + 7, -1.7, -1.3)):
            yield sequence("uniform", seed, [("uniform", dtype, n, a, b) for n in SIZES])
        for seed, a, b in ((0, 0.0, 1.0), (42, 0.3, 1.7), (-1, -2.5, 0.02)):
            yield sequence("normal", seed, [("normal", dtype, n, a, b) for n in SIZES])
        yield sequence("cached normal", 7, [
            ("normal", dtype, 3, 0.0, 1.0), ("uniform", dtype, 5, -1.0, 1.0), ("normal", dtype, 20, 0.0, 1.0),
            ("normal", "FP64", 2, 0.5, 2.0), ("normal", dtype, 1, 0.0, 1.0), ("normal", dtype, 2, 0.0, 1.0)])


def kaiming(a, mode, nonlinearity):
    return {"a": a, "mode": mode, "nonlinearity": nonlinearity}


NONLINEARITIES = ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
                  "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
MATRICES = [(3, 5), (4, 4), (17, 1), (31, 1, 1), (4, 2, 2, 2), (25, 40)]

# (init, shapes, arguments): every call of a sequence.
STEPS = [
    ("constant", [(7,), ()], {"val": 0.1}),
    ("zeros", [(3,)], {}),
    ("ones", [(3,)], {}),
    ("uniform", [(1,), (15,), (4, 4), (17,)], {"a": -0.3, "b": 0.1}),
    ("normal", [(1,), (15,), (4, 4), (17,), ()], {"mean": 0.3, "std": 1.7}),
    ("trunc_normal", [(1,), (15,), (4, 4), (17,), (1000,)],
     {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0}),
    ("trunc_normal", [(3,), (1000,)], {"mean": 0.3, "std": 0.02, "a": -0.1, "b": 0.31}),
    ("trunc_normal", [(100,)], {"mean": 0.0, "std": 0.1, "a": 5.0, "b": 6.0}),
    ("xavier_uniform", MATRICES, {"gain": 1.0}),
    ("xavier_uniform", [(3, 5)], {"gain": 5 / 3}),
    ("xavier_normal", MATRICES, {"gain": 1.0}),
    ("xavier_normal", [(3, 5)], {"gain": math.sqrt(2)}),
    ("kaiming_uniform", MATRICES, kaiming(math.sqrt(5), "fan_in", "leaky_relu")),
    ("kaiming_uniform", MATRICES, kaiming(0.0, "fan_out", "relu")),
    ("kaiming_uniform", [(0, 3), (3, 0)], kaiming(0.0, "fan_in", "leaky_relu")),
    # A slope whose square by pow is not the product of the slope by itself.
    ("kaiming_uniform", [(3, 5)], kaiming(1.2003023430399296, "fan_in", "leaky_relu")),
    *(("kaiming_uniform", [(3, 5)], kaiming(0.0, "fan_in", name)) for name in NONLINEARITIES),
    ("kaiming_normal", MATRICES, kaiming(0.2, "fan_in", "leaky_relu")),
    ("kaiming_normal", MATRICES, kaiming(0.0, "fan_out", "tanh")),
    ("orthogonal", [(3, 5), (5, 3), (4, 4), (3, 7), (2, 3, 2), (1, 7), (7, 1), (0, 3)], {"gain": 1.0}),
    ("orthogonal", [(3, 2)], {"gain": -0.7}),
    ("eye", [(3, 5), (5, 3), (1, 1), (0, 3)], {}),
    ("dirac", [(3, 2, 3), (4, 4, 2, 3), (2, 3, 1, 2, 3), (2, 0, 3)], {"groups": 1}),
    ("dirac", [(6, 2, 3), (4, 1, 3, 3)], {"groups": 2}),
]

# What PyTorch 1.13 does not do.
REFUSED = {("trunc_normal", "FP16"), ("orthogonal", "FP16"), ("orthogonal", "BF16"), ("eye", "BF16")}


def initializers(dtype, seed):
    torch.manual_seed(seed)
    steps = []
    for init, shapes, arguments in STEPS:
        if (init, dtype) in REFUSED:
            continue
        for shape in shapes:
            tensor = initialize(init, dtype, shape, **arguments)
            value = {"values": tensor.flatten().tolist()} if init == "orthogonal" else digest(tensor)
            steps.append({"init": init, "shape": shape, **arguments, **value})
    return {"dtype": dtype, "seed": seed, "steps": steps,
            "next": torch.rand(1).numpy().tobytes()[::-1].hex()}


def main():
    assert torch.__version__.startswith("1.13"), torch.__version__  # Debian calls its 1.13.1 "1.13.0a0"
    rows = ",\n".join(json.dumps(s) for s in sequences())
    named = ",\n".join(json.dumps(initializers(dtype, seed)) for dtype in TYPES for seed in (0, 7))
    with open(os.path.join(HERE, "torch_goldens.json"), "w") as f:
        f.write('{"torch": "1.13.1", "sequences": [\n%s\n], "initializers": [\n%s\n]}\n' % (rows, named))


if __name__ == "__main__":
    main()
