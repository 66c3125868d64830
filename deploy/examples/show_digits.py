#!/usr/bin/env python3
"""Prints each prediction beside its label, and the accuracy.

  lazynet infer mnist --input digits.safetensors --json | show_digits.py digits.safetensors

Reads the answer of `lazynet infer --json` from standard input and the labels (INT64 `labels`) from
the safetensors file. Needs only the standard library.
"""
import json
import struct
import sys


def read_labels(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        begin, end = header["labels"]["data_offsets"]
        start = file.tell()
        file.seek(start + begin)
        return struct.unpack(f"<{(end - begin) // 8}q", file.read(end - begin))


def main():
    answer = json.load(sys.stdin)
    labels = read_labels(sys.argv[1])
    output = answer["outputs"][0]
    rows, classes = output["shape"]
    flat = output["data"]
    predictions = []
    for row in range(rows):
        logits = flat[row * classes:(row + 1) * classes]
        predictions.append(max(range(classes), key=logits.__getitem__))
    for start in range(0, rows, 25):
        part = slice(start, start + 25)
        print("label      " + " ".join(map(str, labels[part])))
        print("prediction " + " ".join(map(str, predictions[part])))
    right = sum(p == l for p, l in zip(predictions, labels))
    print(f"{right} of {rows} right ({100 * right / rows:.1f} %)")


if __name__ == "__main__":
    main()
