#!/usr/bin/python3
"""Writes movement_goldens.json: ops that move, pad, resample and pool, as make_op_goldens.py does.

Usage: make_movement_goldens.py, with torch 1.13.1.
"""

import json
import math
import pathlib
import random

import torch
import torch.nn.functional as F

import make_op_goldens
from make_op_goldens import add, cases, noise, pad_sides, pick, special

rng = random.Random(20240608)
make_op_goldens.rng = rng

ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def slice_with_step():
    for rank in [1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 6]:
        shape = [rng.randint(1, 7) for _ in range(rank)]
        begin, step, indices = [], [], []
        for size in shape:
            by = pick(1, 1, 2, 3, -1, -2)
            first = rng.randint(0, size - 1)
            last = rng.randint(first, size - 1) if by > 0 else rng.randint(0, first)
            begin.append(first)
            step.append(by)
            indices.append(torch.arange(first, last + (1 if by > 0 else -1), by))

        def function(x):
            for axis, index in enumerate(indices):
                x = x.index_select(axis, index)
            return x

        add("slice", function, [special(*shape)], constants=pick((), (), (0,)),
            attributes={"begin": begin, "step": step}, exact=True)


def expand():
    for src, dst in [((), (3,)), ((1,), (4,)), ((3,), (2, 3)), ((2, 1), (2, 5)), ((1, 3), (4, 3)),
                     ((2, 1, 3), (2, 4, 3)), ((1, 1, 1), (2, 3, 4)), ((3, 1, 2), (5, 3, 2, 2)),
                     ((2, 3), (2, 3)), ((1, 4, 1, 1), (2, 4, 3, 5)), ((), (2, 1, 2))]:
        add("expand", lambda x: x.expand(dst), [special(*src)], constants=pick((), (0,)), exact=True)


def constant_pad():
    for shape in [(1,), (4,), (2, 3), (2, 16), (2, 3, 4), (1, 4, 3, 3), (2, 16, 3, 2), (2, 3, 2, 3, 2)]:
        for value in [0, -1.5, math.nan]:
            before = [pick(0, 0, rng.randint(0, 3)) for _ in shape]
            after = [pick(0, 0, rng.randint(0, 3)) for _ in shape]
            add("pad", lambda x: F.pad(x, pad_sides(before, after), value=value), [special(*shape)],
                attributes={"mode": "constant", "before": before, "after": after,
                            "value": make_op_goldens.encode(value)}, exact=True)


def adaptive_max_pooling():
    sizes = [([7], [3]), ([5], [5]), ([3], [7]), ([12], [1]), ([8, 6], [4, 3]), ([5, 7], [3, 2]),
             ([2, 3], [5, 4]), ([7, 7], [1, 1]), ([4, 5, 6], [2, 3, 4]), ([2, 3, 2], [3, 3, 3])]
    for src, dst in sizes:
        make = pick(noise, special)
        add("adaptive_max_pooling", lambda x: ADAPTIVE_MAX[len(src)](x, dst),
            [make(pick(1, 2, 3), rng.randint(1, 4), *src)], exact=True)


def resampling_scales(src, dst, align_corners, factors):
    """As op.h wants them: how far in src neighbours of dst lie apart."""
    if align_corners:
        return [(l - 1) / (o - 1) if o > 1 else 0 for l, o in zip(src, dst)]
    return [1 / f for f in factors] if factors else [l / o for l, o in zip(src, dst)]


def resampling():
    geometries = [([7], [14]), ([7], [10]), ([5], [5]), ([9], [4]), ([1], [3]), ([4], [1]), ([6], [18]),
                  ([4, 5], [8, 10]), ([5, 4], [7, 3]), ([3, 3], [3, 5]), ([8, 9], [3, 2]), ([2, 7], [9, 7]),
                  ([1, 4], [5, 1]), ([2, 1, 3], [4, 2, 6]), ([3, 2, 2], [2, 3, 2]), ([4, 2, 3], [5, 1, 4])]
    for index, (src, sizes) in enumerate(geometries):
        axes = len(src)
        modes = [("nearest", False), ("nearest_exact", False), ("linear", False), ("linear", True)]
        if axes == 2:
            modes += [("cubic", False), ("cubic", True), ("antialiased_linear", False),
                      ("antialiased_linear", True), ("antialiased_cubic", False)]
        for mode, align_corners in modes:
            factors = None
            if not align_corners and (index + len(mode)) % 2:
                factors = [pick(0.4, 0.7, 1.1, 1.25, 1.5, 2.3, 2.0) for _ in src]
                factors = [max(f, 1 / l) for f, l in zip(factors, src)]
                dst = [math.floor(l * f) for l, f in zip(src, factors)]
            else:
                dst = sizes
            antialias = mode.startswith("antialiased")
            name = mode.removeprefix("antialiased_")
            torch_mode = {"linear": LINEAR[axes], "cubic": "bicubic",
                          "nearest_exact": "nearest-exact"}.get(name, name)
            arguments = {"mode": torch_mode, "antialias": antialias}
            if not name.startswith("nearest"):
                arguments["align_corners"] = align_corners
            if factors:
                arguments.update(scale_factor=tuple(factors), recompute_scale_factor=False)
            else:
                arguments["size"] = dst
            exact = name.startswith("nearest")
            make = special if exact and index % 2 else noise
            add("resampling", lambda x: F.interpolate(x, **arguments),
                [make(pick(1, 2), pick(1, 1, 2, 3), *src)],
                attributes={"mode": mode, "align_corners": align_corners,
                            "scales": resampling_scales(src, dst, align_corners, factors)},
                exact=exact)


def nearest_of_many_sizes():
    """Columns that count, so that each index shows. Of more channels FP64 has other indices."""
    for size in [3, 7, 10, 23]:
        column = torch.arange(size, dtype=torch.float32)[None, None, :, None]
        for factor in [0.3, 0.35, 0.7, 1.3, 1.7, 2.1, 3.7]:
            for mode in ["nearest", "nearest-exact"]:
                if math.floor(size * factor) == 0:
                    continue
                add("resampling", lambda x: F.interpolate(x, scale_factor=(factor, 1), mode=mode,
                                                          recompute_scale_factor=False), [column],
                    attributes={"mode": mode.replace("-", "_"), "align_corners": False,
                                "scales": [1 / factor, 1]}, exact=True)


def patches():
    made = 0
    while made < 16:
        size = [rng.randint(1, 8) for _ in range(2)]
        kernel = [rng.randint(1, 3) for _ in range(2)]
        strides = [rng.randint(1, 3) for _ in range(2)]
        dilations = [pick(1, 1, 2) for _ in range(2)]
        padding = [rng.randint(0, 2) for _ in range(2)]
        counts = [(l + 2 * p - d * (k - 1) - 1) // s + 1
                  for l, p, d, k, s in zip(size, padding, dilations, kernel, strides)]
        if min(counts) < 1:
            continue
        made += 1
        batch, channels = pick(1, 2), rng.randint(1, 3)
        attributes = {"kernel": kernel, "strides": strides, "dilations": dilations, "padding": padding}
        arguments = (kernel, dilations, padding, strides)
        add("unfold", lambda x: F.unfold(x, *arguments), [special(batch, channels, *size)],
            attributes=attributes, exact=True)
        add("fold", lambda x: F.fold(x, size, *arguments),
            [noise(batch, channels * math.prod(kernel), math.prod(counts))], attributes=attributes)


def lrn():
    for shape in [(1, 5, 3), (2, 7, 3, 2), (1, 17, 2, 3), (2, 3, 2, 2, 2), (1, 16, 4, 4)]:
        for size in [1, 2, 3, 6, 9]:
            alpha, beta, k = pick(1e-4, 0.5, 2.0), pick(0.75, 0.5, 1.0), pick(1, 2.0, 0.5)
            make = special if size == 3 else noise
            add("lrn", lambda x: F.local_response_norm(x, size, alpha, beta, k), [make(*shape)],
                attributes={"size": size, "alpha": alpha, "beta": beta, "k": k})


def triangle():
    for shape in [(1, 1), (3, 3), (2, 5), (5, 2), (2, 3, 4), (2, 2, 3, 3)]:
        for diagonal in [-6, -2, -1, 0, 1, 3, 6]:
            upper = pick(True, False)
            function = torch.triu if upper else torch.tril
            add("triangle", lambda x: function(x, diagonal), [special(*shape)],
                attributes={"upper": upper, "diagonal": diagonal}, exact=True)


def main():
    torch.set_num_threads(1)
    for make in [slice_with_step, expand, constant_pad, adaptive_max_pooling, resampling,
                 nearest_of_many_sizes, patches, lrn, triangle]:
        make()
    for case in cases:  # of ops that the other file has too
        case["name"] = case["name"].replace("/", "/moved ")
    lines = [json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases]
    path = pathlib.Path(__file__).with_name("movement_goldens.json")
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
