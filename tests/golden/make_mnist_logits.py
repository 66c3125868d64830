#!/usr/bin/env python3
"""Makes mnist-logits.safetensors: PyTorch's answers to the 100 digits of deploy/examples/mnist-digits.safetensors.

Usage: make_mnist_logits.py [OUTPUT]

The network of deploy/models/mnist is written here once more, in PyTorch, so that the definition, the checkpoint's
reader and the kernels are checked against something that shares none of them. OUTPUT (default: beside this script)
gets one tensor:

    logits  F32 [100, 10]  in the digits' order

They are computed in double precision and rounded once, so that neither the machine nor its number of threads shows
in them: all the difference to a server's answer is the server's. Float32 sums taken in another order differ from
them by about 1e-5 (logits are of order 10); a difference of 1e-2 is a mistake.

Needs Python 3, numpy and PyTorch 1.13 or later.
"""
import json
import pathlib
import struct
import sys

import numpy as np
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "deploy/models/mnist/weights.safetensors"
DIGITS = ROOT / "deploy/examples/mnist-digits.safetensors"
NUMPY = {"F32": "<f4", "I64": "<i8"}


class Mnist(nn.Module):
    """Input [N, 1, 28, 28]; output [N, 10] logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.conv3 = nn.Conv2d(32, 32, kernel_size=3)
        self.fc1 = nn.Linear(32 * 5 * 5, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 2)
        x = nn.functional.max_pool2d(self.bn2(self.conv2(x)).relu(), 2)
        x = self.conv3(x).relu()
        return self.fc2(self.fc1(x.flatten(1)).relu())


def load_safetensors(path):
    """-> name -> tensor. For files of ours: it trusts them."""
    blob = path.read_bytes()
    start = 8 + struct.unpack("<Q", blob[:8])[0]
    header = json.loads(blob[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        array = np.frombuffer(blob[start + begin:start + end], NUMPY[info["dtype"]])
        tensors[name] = torch.from_numpy(array.reshape(info["shape"]).copy())
    return tensors


def save_logits(logits, path):
    raw = logits.numpy().astype("<f4").tobytes()
    text = json.dumps({"logits": {"dtype": "F32", "shape": list(logits.shape), "data_offsets": [0, len(raw)]}},
                      separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw)


def main():
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/golden/mnist-logits.safetensors"
    digits = load_safetensors(DIGITS)
    network = Mnist()
    network.load_state_dict(load_safetensors(WEIGHTS))
    network.eval()
    with torch.no_grad():
        single = network(digits["input"])
        logits = network.double()(digits["input"].double()).float()
    save_logits(logits, output)
    right = logits.argmax(1) == digits["labels"]
    print(f"{output}: {right.sum().item()} of {len(right)} right; "
          f"float32 arithmetic differs by {(single - logits).abs().max().item():.1e} at most")
    for i in (~right).nonzero().flatten().tolist():
        print(f"  digit {i} is a {digits['labels'][i].item()}, taken for a {logits[i].argmax().item()}")


if __name__ == "__main__":
    main()
