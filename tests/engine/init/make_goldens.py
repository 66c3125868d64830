#!/usr/bin/env python3
"""Writes torch_goldens.json: what PyTorch 1.13.1's CPU generator leaves in tensors.

  python3 make_goldens.py        needs torch 1.13.1 on an x86-64 machine with AVX2

Every sequence seeds the generator once and fills one tensor after another, so that the goldens hold
the position of the stream and the cached second normal too. `sha256` is over the little-endian
bytes of a tensor, `first` its first values' bits (hexadecimal, up to three), `next` the bits of
torch.rand(1) after the whole sequence.
"""
import hashlib
import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {"FP32": torch.float32, "FP64": torch.float64, "FP16": torch.float16, "BF16": torch.bfloat16}
BITS = {"FP32": torch.int32, "FP64": torch.int64, "FP16": torch.int16, "BF16": torch.int16}
SIZES = [1, 2, 7, 15, 16, 17, 31, 32, 33, 1000, 5000, 100003]


def fill(op, dtype, size, a, b):
    tensor = torch.empty(size, dtype=TYPES[dtype])
    getattr(tensor, op + "_")(a, b)
    raw = tensor.view(BITS[dtype]).numpy().tobytes()
    width = len(raw) // size
    first = [raw[i:i + width][::-1].hex() for i in range(0, min(len(raw), 3 * width), width)]
    return {"op": op, "dtype": dtype, "size": size, "a": a, "b": b, "first": first,
            "sha256": hashlib.sha256(raw).hexdigest()}


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


def main():
    assert torch.__version__.startswith("1.13"), torch.__version__  # Debian calls its 1.13.1 "1.13.0a0"
    rows = ",\n".join(json.dumps(s) for s in sequences())
    with open(os.path.join(HERE, "torch_goldens.json"), "w") as f:
        f.write('{"torch": "1.13.1", "sequences": [\n%s\n]}\n' % rows)


if __name__ == "__main__":
    main()
