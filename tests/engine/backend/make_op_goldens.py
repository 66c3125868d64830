#!/usr/bin/python3
"""Writes op_goldens.json: cases of every op, with the results of torch.nn.functional.

Usage: make_op_goldens.py, with torch 1.13.1. The cases are drawn from one seeded generator, so that
the file comes out the same every time.

Inputs are exact in float32 (multiples of 1/64, unless a case is about special values). Results are
those of float64, so that one case serves both dtypes and a test sees only the rounding of the code
under test. The script checks that torch's own float32 results agree.
"""

import itertools
import json
import math
import pathlib
import random

import numpy
import torch
import torch.nn.functional as F

INF = math.inf
NAN = math.nan
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.0, -3.0, 30.0, -30.0, 89.0, -89.0, 1e4, -1e4, 3e38,
           -3e38, INF, -INF, NAN]

rng = random.Random(20240607)
cases = []


def noise(*shape):
    count = math.prod(shape)
    values = [rng.randint(-128, 128) / 64 for _ in range(count)]
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


def positive(*shape):
    return noise(*shape).abs() + 1 / 64


def special(*shape):
    """Ordinary values with some NaN and infinities among them."""
    values = noise(*shape)
    flat = values.view(-1)
    for _ in range(max(1, flat.numel() // 12)):
        flat[rng.randrange(flat.numel())] = rng.choice([NAN, INF, -INF, -INF, -INF])
    return values


def pick(*choices):
    return rng.choice(choices)


def encode(value):
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return int(value) if value == int(value) and abs(value) < 1e6 and str(value) != "-0.0" else value


def tensor_json(tensor):
    return {"shape": list(tensor.shape), "values": [encode(v) for v in tensor.flatten().tolist()]}


def add(op, function, inputs, constants=(), attributes=None, exact=False, float32_overflows=False):
    """`function` is called with the inputs (None where absent); `constants` are indices of inputs."""
    doubles = [None if i is None else i.double() for i in inputs]
    result = function(*doubles)
    if not float32_overflows:
        single = function(*inputs)
        assert torch.allclose(single, result.float(), rtol=1e-4, atol=1e-4, equal_nan=True), (op, attributes)
    cases.append({
        "name": f"{op}/{sum(case['op'] == op for case in cases)}",
        "op": op,
        "attributes": attributes or {},
        "exact": exact,
        "inputs": [None if tensor is None else
                   dict(tensor_json(tensor), constant=index in constants)
                   for index, tensor in enumerate(inputs)],
        "output": tensor_json(result),
    })


def inner_product():
    sizes = [(1, 1, 1), (1, 7, 5), (3, 16, 16), (5, 33, 3), (1, 64, 1), (7, 1, 9), (2, 257, 2),
             (8, 17, 10), (33, 5, 2), (1, 100, 11)]
    for (m, k, n), with_bias in itertools.product(sizes, [True, False]):
        add("inner_product", F.linear, [noise(m, k), noise(n, k), noise(n) if with_bias else None],
            constants=(1, 2))


# What an op may be given as: all inputs by the request, all constant, or a mixture.
def constant_choices(inputs):
    return itertools.cycle([(), tuple(range(inputs)), *((i,) for i in range(inputs)),
                            tuple(range(1, inputs))])


def matmul():
    shapes = [((1, 1), (1, 1)), ((3, 5), (5, 7)), ((1, 64), (64, 17)), ((33, 2), (2, 40)),
              ((2, 3, 4), (2, 4, 5)), ((1, 3, 4), (2, 4, 5)), ((2, 3, 4), (1, 4, 5)),
              ((2, 3, 5, 7), (2, 3, 7, 5)), ((2, 1, 5, 7), (1, 3, 7, 2)), ((1, 1, 1, 16), (2, 4, 16, 9)),
              ((2, 2, 17, 33), (2, 2, 33, 17)), ((2, 1, 3, 2, 9), (1, 2, 3, 9, 4))]
    choices = constant_choices(2)
    for (left, right), transpose in itertools.product(shapes, [False, True]):
        alpha = pick(1, 1, 0.125, -2, 0.35)
        make = pick(noise, noise, special)
        second = noise(*right)
        if transpose:
            second = second.transpose(-1, -2).contiguous()
        add("matmul", lambda a, b: alpha * torch.matmul(a, b.transpose(-1, -2) if transpose else b),
            [make(*left), second], constants=next(choices),
            attributes={"transpose_b": transpose, "alpha": alpha})


def channels(groups_of):
    """(groups, input channels, output channels) of a kind of grouping."""
    if groups_of == "one":
        return 1, rng.randint(1, 5), rng.randint(1, 5)
    groups = rng.randint(2, 4)
    if groups_of == "depthwise":
        return groups, groups, groups
    if groups_of == "multiplier":
        return groups, groups, 2 * groups
    return groups, groups * rng.randint(1, 3), groups * rng.randint(1, 3)


GROUPINGS = ["one", "one", "depthwise", "multiplier", "groups"]
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
DECONV = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_POOL = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
MAX_SIZE = {1: 16, 2: 8, 3: 5}


def pad_sides(before, after):
    """F.pad's order: the last axis first."""
    return [side for pair in reversed(list(zip(before, after))) for side in pair]


def convolution():
    made = 0
    while made < 60:
        axes = 1 + made % 3
        groups, inputs, outputs = channels(GROUPINGS[made % len(GROUPINGS)])
        sizes = [rng.randint(1, MAX_SIZE[axes]) for _ in range(axes)]
        kernel = [rng.randint(1, 4 if axes < 3 else 3) for _ in range(axes)]
        strides = [rng.randint(1, 3) for _ in range(axes)]
        dilations = [pick(1, 1, 2, 3) for _ in range(axes)]
        before = [rng.randint(0, 3) for _ in range(axes)]
        after = [rng.randint(0, 3) for _ in range(axes)] if made % 2 else before
        spans = [d * (k - 1) + 1 for d, k in zip(dilations, kernel)]
        if any(l + b + a < s for l, b, a, s in zip(sizes, before, after, spans)):
            continue
        bias = noise(outputs) if made % 3 else None

        def function(src, weights, bias):
            return CONV[axes](F.pad(src, pad_sides(before, after)), weights, bias, stride=strides,
                              dilation=dilations, groups=groups)

        add("convolution", function,
            [noise(pick(1, 1, 2, 3), inputs, *sizes), noise(outputs, inputs // groups, *kernel), bias],
            constants=(1, 2),
            attributes={"strides": strides, "dilations": dilations, "padding_l": before,
                        "padding_r": after, "groups": groups})
        made += 1


def deconvolution():
    made = 0
    while made < 50:
        axes = 1 + made % 3
        groups, inputs, outputs = channels(GROUPINGS[made % len(GROUPINGS)])
        sizes = [rng.randint(1, MAX_SIZE[axes] // 2 + 1) for _ in range(axes)]
        kernel = [rng.randint(1, 4 if axes < 3 else 3) for _ in range(axes)]
        strides = [rng.randint(1, 3) for _ in range(axes)]
        dilations = [pick(1, 1, 2, 3) for _ in range(axes)]
        padding = [rng.randint(0, 2) for _ in range(axes)]
        output_padding = [rng.randint(0, max(s, d) - 1) for s, d in zip(strides, dilations)]
        result = [(l - 1) * s - 2 * p + d * (k - 1) + o + 1 for l, s, p, d, k, o in
                  zip(sizes, strides, padding, dilations, kernel, output_padding)]
        if min(result) < 1:
            continue
        bias = noise(outputs) if made % 3 else None

        def function(src, weights, bias):
            return DECONV[axes](src, weights, bias, stride=strides, padding=padding,
                                output_padding=output_padding, groups=groups, dilation=dilations)

        add("deconvolution", function,
            [noise(pick(1, 1, 2, 3), inputs, *sizes), noise(inputs, outputs // groups, *kernel), bias],
            constants=(1, 2),
            attributes={"strides": strides, "dilations": dilations, "padding": padding,
                        "groups": groups})
        made += 1


def pooling():
    made = 0
    while made < 80:
        axes = 1 + made % 3
        is_max = made % 2 == 0
        sizes = [rng.randint(1, MAX_SIZE[axes] + 2) for _ in range(axes)]
        kernel = [rng.randint(1, 5 if axes < 3 else 3) for _ in range(axes)]
        strides = [rng.randint(1, 3) for _ in range(axes)]
        dilations = [pick(1, 1, 2, 3) if is_max else 1 for _ in range(axes)]
        padding = [rng.randint(0, k // 2) for k in kernel]
        ceil_mode = pick(True, False)
        spans = [d * (k - 1) + 1 for d, k in zip(dilations, kernel)]
        if any(l + 2 * p < s for l, p, s in zip(sizes, padding, spans)):
            continue
        if axes == 3 and any(l < k for l, k in zip(sizes, kernel)):
            continue  # torch's avg_pool3d does not count the padding and refuses
        src = (special if is_max and made % 4 == 0 else noise)(pick(1, 1, 2, 3), rng.randint(1, 3), *sizes)
        attributes = {"kernel": kernel, "strides": strides, "dilations": dilations,
                      "padding": padding, "kind": "max" if is_max else "average",
                      "count_include_pad": True, "divisor_override": None}
        if is_max:
            add("pooling", lambda x: MAX_POOL[axes](x, kernel, strides, padding, dilations, ceil_mode),
                [src], attributes=attributes, exact=True)
        else:
            include = attributes["count_include_pad"] = pick(True, False)
            arguments = [kernel, strides, padding, ceil_mode, include]
            if axes > 1:
                attributes["divisor_override"] = pick(None, None, 1, 3, 7)
                arguments.append(attributes["divisor_override"])
            add("pooling", lambda x: AVG_POOL[axes](x, *arguments), [src], attributes=attributes)
        made += 1


def adaptive_pooling():
    sizes = [([7], [3]), ([5], [5]), ([3], [7]), ([12], [1]), ([10], [4]),
             ([7, 7], [1, 1]), ([8, 6], [4, 3]), ([5, 7], [3, 2]), ([2, 3], [5, 4]), ([9, 1], [4, 1]),
             ([4, 5, 6], [1, 1, 1]), ([4, 5, 6], [2, 3, 4]), ([2, 3, 2], [3, 3, 3]), ([6, 4, 2], [3, 2, 1])]
    for src, dst in sizes:
        add("adaptive_pooling", lambda x: ADAPTIVE_POOL[len(src)](x, dst),
            [noise(pick(1, 2, 3), rng.randint(1, 4), *src)])


def normalization():
    shapes = [(1, 3, 4), (3, 5), (2, 1, 7), (2, 3, 4, 5), (1, 17, 3, 3), (3, 4, 2, 3, 2), (5, 16, 2)]
    for shape, affine in itertools.product(shapes, ["both", "none", "scale", "shift"]):
        c = shape[1]
        scale = noise(c) if affine in ("both", "scale") else None
        shift = noise(c) if affine in ("both", "shift") else None
        eps = pick(1e-5, 1e-3, 1.0)
        attributes = {"eps": eps}
        add("normalization",
            lambda x, mean, variance, a, b: F.batch_norm(x, mean, variance, a, b, False, 0, eps),
            [noise(*shape), noise(c), positive(c), scale, shift], constants=(1, 2, 3, 4),
            attributes=dict(attributes, statistics="given"))
        if affine in ("scale", "shift"):
            continue
        add("normalization",
            lambda x, mean, variance, a, b: F.batch_norm(x, None, None, a, b, True, 0, eps),
            [noise(*shape), None, None, scale, shift], constants=(3, 4),
            attributes=dict(attributes, statistics="per_batch"))
        if len(shape) > 2:
            add("normalization",
                lambda x, mean, variance, a, b: F.instance_norm(x, None, None, a, b, True, 0, eps),
                [noise(*shape), None, None, scale, shift], constants=(3, 4),
                attributes=dict(attributes, statistics="per_instance"))
    shapes = [((2, 6), 3), ((1, 4, 5), 2), ((2, 6, 7), 1), ((3, 6, 2, 5), 3), ((1, 34, 3, 3), 2),
              ((2, 5, 4, 4), 5), ((2, 8, 2, 3, 2), 4)]
    for (shape, groups), affine in itertools.product(shapes, [True, False]):
        eps = pick(1e-5, 1e-3, 1.0)
        make = pick(noise, special)
        add("normalization",
            lambda x, mean, variance, a, b: F.group_norm(x, groups, a, b, eps),
            [make(*shape), None, None, noise(shape[1]) if affine else None,
             noise(shape[1]) if affine else None], constants=(3, 4),
            attributes={"eps": eps, "statistics": "per_group", "groups": groups})


def layer_normalization():
    def rms_norm(x, scale, shift, eps):
        normed = x / torch.sqrt(x.square().mean(-1, keepdim=True) + eps)
        normed = normed if scale is None else normed * scale
        return normed if shift is None else normed + shift

    choices = constant_choices(3)
    for (rows, size), rms in itertools.product([(1, 1), (3, 7), (2, 16), (5, 33), (4, 256)],
                                               [False, True]):
        for affine in ["both", "none", "scale", "shift"]:
            eps = pick(1e-5, 1e-3, 1.0)
            make = pick(noise, special)
            function = (lambda x, a, b: rms_norm(x, a, b, eps)) if rms else (
                lambda x, a, b: F.layer_norm(x, x.shape[1:], a, b, eps))
            add("layer_normalization", function,
                [make(rows, size), noise(size) if affine in ("both", "scale") else None,
                 noise(size) if affine in ("both", "shift") else None], constants=next(choices),
                attributes={"eps": eps, "rms": rms})


def softmax():
    for shape in [(1,), (9,), (3, 7), (2, 5, 4), (1, 3, 2, 5), (2, 2, 3, 2, 2)]:
        for axis in range(len(shape)):
            log = bool((axis + len(shape)) % 2)
            add("softmax", lambda x: (F.log_softmax if log else F.softmax)(x, axis),
                [noise(*shape) * pick(1, 8, 64)], attributes={"axis": axis, "log": log})
    rows = [[0, 1, NAN, 2], [-INF, -INF, -INF, -INF], [INF, 0, 1, 2], [INF, INF, 0, 0],
            [-INF, 0, 1, -INF], [89, -89, 0, 1], [3e38, -3e38, 0, 1], [1e4, 1e4, 1e4, 1e4],
            [-1e4, -1e4, -1e4, 0], [INF, -INF, 0, 0]]
    for log in [True, False]:
        function = F.log_softmax if log else F.softmax
        src = torch.tensor(rows, dtype=torch.float32)
        add("softmax", lambda x: function(x, 1), [src], attributes={"axis": 1, "log": log})
        add("softmax", lambda x: function(x, 0), [src.t().contiguous()],
            attributes={"axis": 0, "log": log})


# Algorithm: (function of x, alpha, beta; what alpha and beta to try).
ELTWISE = {
    "relu": (lambda x, a, b: F.relu(x), [(0, 0)]),
    "clamp": (lambda x, a, b: torch.clamp(x, a, b), [(0, 6), (-1, 1), (-0.375, 2.25)]),
    "leaky_relu": (lambda x, a, b: F.leaky_relu(x, a), [(0.01, 0), (-0.5, 0), (2, 0)]),
    "elu": (lambda x, a, b: F.elu(x, a), [(1, 0), (0.3, 0), (-2, 0)]),
    "gelu_erf": (lambda x, a, b: F.gelu(x), [(0, 0)]),
    "gelu_tanh": (lambda x, a, b: F.gelu(x, approximate="tanh"), [(0, 0)]),
    "silu": (lambda x, a, b: F.silu(x), [(0, 0)]),
    "mish": (lambda x, a, b: F.mish(x), [(0, 0)]),
    "hardswish": (lambda x, a, b: F.hardswish(x), [(0, 0)]),
    "hardsigmoid": (lambda x, a, b: F.hardsigmoid(x), [(0, 0)]),
    "sigmoid": (lambda x, a, b: torch.sigmoid(x), [(0, 0)]),
    "tanh": (lambda x, a, b: torch.tanh(x), [(0, 0)]),
    "softplus": (lambda x, a, b: F.softplus(x, a, b), [(1, 20), (2, 20), (0.5, 3), (1, 60)]),
    "linear": (lambda x, a, b: x * a + b, [(1, 0), (0.125, -3), (-2, 0.5), (0, 1)]),
}


def eltwise():
    for algorithm, (function, arguments) in ELTWISE.items():
        for alpha, beta in arguments:
            # Whole rows of 16 and a remainder, as vector kernels treat them apart.
            ordinary = noise(3, 13) * pick(1, 4)
            for src in [torch.tensor(SPECIAL, dtype=torch.float32),
                        torch.tensor(SPECIAL * 2, dtype=torch.float32).reshape(2, 1, 19), ordinary]:
                # torch's float32 hardswish multiplies by 6 before it divides: 3e38 overflows.
                add("eltwise", lambda x: function(x, alpha, beta), [src],
                    attributes={"algorithm": algorithm, "alpha": alpha, "beta": beta},
                    exact=algorithm in ("relu", "clamp"), float32_overflows=algorithm == "hardswish")


def prelu():
    for shape in [(1, 3), (5, 4), (2, 3, 5), (1, 17, 2, 3), (3, 1, 4), (2, 4, 2, 2, 3)]:
        for slopes in sorted({1, shape[1]}):
            add("prelu", F.prelu, [special(*shape), noise(slopes)], constants=(1,))
    add("prelu", F.prelu, [noise(7), noise(1)], constants=(1,))


def binary():
    shapes = [((3,), (3,)), ((2, 3), (2, 3)), ((2, 3, 4), (3, 1)), ((2, 3, 4), (4,)), ((4,), (2, 3, 4)),
              ((2, 1, 4), (1, 3, 1)), ((1, 5, 3, 3), (1, 5, 1, 1)), ((5, 1, 1), (2, 5, 3, 3)),
              ((2, 3, 2, 2), (2, 3, 1, 1)), ((3, 1), (1, 4)), ((1,), (5,)), ((7, 2), (1,)), ((7, 2), ()),
              ((), ()), ((2, 3, 2, 2, 2), (2, 3, 2, 2, 2)), ((1, 1, 1, 4), (3, 2, 1, 4))]
    for index, (left, right) in enumerate(shapes):
        for algorithm, function in [("add", torch.add), ("mul", torch.mul)]:
            make = special if index % 4 == 1 else noise
            add("binary", function, [make(*left), noise(*right)], constants=(1,) if index % 2 else (),
                attributes={"algorithm": algorithm})


def concat():
    for shape, sizes in [((2, 0, 3), [1, 2]), ((0, 4), [2, 3]), ((3, 0), [1, 1, 5]), ((0,), [2, 3, 1]),
                         ((1, 0, 2, 2), [16, 8, 3]), ((2, 2, 0, 3), [1, 3]), ((1, 2, 2, 0), [2, 2, 2]),
                         ((2, 0, 2, 1, 2), [1, 4]), ((3, 0, 2), [4])]:
        axis = shape.index(0)
        pieces = [special(*shape[:axis], size, *shape[axis + 1:]) for size in sizes]
        add("concat", lambda *tensors: torch.cat(tensors, axis), pieces, attributes={"axis": axis},
            exact=True)


NUMPY_PAD = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad():
    shapes = [(4,), (3, 5), (2, 3, 4), (1, 2, 3, 5), (2, 1, 3, 2, 4)]
    for shape, mode, _ in itertools.product(shapes, NUMPY_PAD, range(2)):
        limit = {"reflect": -1, "replicate": 2, "circular": 0}[mode]
        before = [rng.randint(0, size + limit) for size in shape]
        after = [rng.randint(0, size + limit) for size in shape]
        if len(shape) > 2:  # torch pads the spatial axes only; numpy all axes of the others
            before[:2] = after[:2] = [0, 0]
            function = lambda x: F.pad(x, pad_sides(before[2:], after[2:]), mode=mode)
        else:
            function = lambda x: torch.from_numpy(
                numpy.pad(x.numpy(), list(zip(before, after)), mode=NUMPY_PAD[mode]))
        add("pad", function, [noise(*shape)],
            attributes={"mode": mode, "before": before, "after": after}, exact=True)


def permute():
    choices = constant_choices(1)
    orders = [(0,), (1, 0), (0, 1), (0, 2, 1), (2, 0, 1), (0, 2, 1, 3), (0, 2, 3, 1), (0, 3, 1, 2),
              (3, 2, 1, 0), (1, 0, 2, 4, 3), (0, 4, 1, 3, 2), (5, 0, 3, 1, 4, 2)]
    for order in orders:
        shape = [rng.randint(1, 5) for _ in order]
        add("permute", lambda x: x.permute(order), [special(*shape)], constants=next(choices),
            attributes={"order": order}, exact=True)


def slice_():
    choices = constant_choices(1)
    for rank in [1, 1, 2, 2, 3, 3, 4, 4, 5, 6]:
        shape = [rng.randint(1, 6) for _ in range(rank)]
        begin = [pick(0, rng.randint(0, size - 1)) for size in shape]
        end = [pick(size, rng.randint(first + 1, size)) for first, size in zip(begin, shape)]
        box = tuple(slice(first, last) for first, last in zip(begin, end))
        add("slice", lambda x: x[box], [special(*shape)], constants=next(choices),
            attributes={"begin": begin}, exact=True)


def recurrent_layer(cell, reverse, with_bias, projected):
    """torch's layer as a function of the op's inputs; those that are None count as zeros."""
    def function(src, weights_layer, weights_iter, bias_layer, bias_iter, projection, hidden, c):
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}.get(cell, torch.nn.RNN)
        gates = {"lstm": 4, "gru": 3}.get(cell, 1)
        size = weights_layer.shape[0] // gates
        arguments = {}
        if kind is torch.nn.RNN:
            arguments["nonlinearity"] = cell.removeprefix("rnn_")
        if projected:
            arguments["proj_size"] = projection.shape[0]
        layer = kind(src.shape[2], size, bias=with_bias, **arguments).to(src.dtype)
        state = {"weight_ih_l0": weights_layer, "weight_hh_l0": weights_iter}
        if with_bias:
            zeros = torch.zeros(weights_layer.shape[0], dtype=src.dtype)
            state["bias_ih_l0"] = zeros if bias_layer is None else bias_layer
            state["bias_hh_l0"] = zeros if bias_iter is None else bias_iter
        if projected:
            state["weight_hr_l0"] = projection
        layer.load_state_dict(state)
        batch = src.shape[1]
        h0 = torch.zeros(batch, weights_iter.shape[1]).to(src) if hidden is None else hidden
        c0 = torch.zeros(batch, size).to(src) if c is None else c
        states = (h0[None], c0[None]) if cell == "lstm" else h0[None]
        y, last = layer(src.flip(0) if reverse else src, states)
        y = y.flip(0) if reverse else y
        return torch.cat([y.flatten(), last[1].flatten()] if cell == "lstm" else [y.flatten()]).detach()
    return function


def recurrent():
    choices = itertools.cycle([(1, 2, 3, 4, 5), (), tuple(range(8)), (1, 2), (0, 3, 6), (2, 4, 5, 7)])
    biases = itertools.cycle(["both", "none", "both", "layer", "iter"])
    states = itertools.cycle([False, True, True])
    for cell, reverse in itertools.product(["rnn_tanh", "rnn_relu", "lstm", "lstm projected", "gru"],
                                           [False, True]):
        cell, projected = cell.split()[0], " " in cell
        for steps, batch, inputs, size in [(1, 1, 1, 1), (3, 2, 5, 4), (5, 1, 16, 16), (7, 3, 9, 17),
                                           (4, 6, 2, 19)]:
            make = special if batch == 6 else noise
            if projected and size == 1:
                continue
            gates = {"lstm": 4, "gru": 3}.get(cell, 1)
            outputs = size - 1 - size // 3 if projected else size
            bias, with_states = next(biases), next(states)
            is_lstm = cell == "lstm"
            # Small weights, so that the cells stay where they are not flat.
            add("recurrent", recurrent_layer(cell, reverse, bias != "none", projected),
                [make(steps, batch, inputs), noise(gates * size, inputs) / 4,
                 noise(gates * size, outputs) / 4,
                 noise(gates * size) if bias in ("both", "layer") else None,
                 noise(gates * size) if bias in ("both", "iter") else None,
                 noise(outputs, size) / 2 if projected else None,
                 noise(batch, outputs) if with_states else None,
                 noise(batch, size) if with_states and is_lstm else None],
                constants=next(choices), attributes={"cell": cell, "reverse": reverse})


# As ELTWISE, for what needs less trying: functions of few branches, and the mathematical ones.
UNARY = {
    "celu": (lambda x, a, b: F.celu(x, a), [(1, 0), (0.5, 0), (-2, 0)]),
    "log_sigmoid": (lambda x, a, b: F.logsigmoid(x), [(0, 0)]),
    "softsign": (lambda x, a, b: F.softsign(x), [(0, 0)]),
    "hardshrink": (lambda x, a, b: F.hardshrink(x, a), [(0.5, 0), (0, 0), (-1, 0)]),
    "softshrink": (lambda x, a, b: F.softshrink(x, a), [(0.5, 0), (0, 0)]),
    "threshold": (lambda x, a, b: F.threshold(x, a, b), [(0.5, -7), (-1, 2.5)]),
    "abs": (lambda x, a, b: x.abs(), [(0, 0)]),
    "negate": (lambda x, a, b: -x, [(0, 0)]),
    "sign": (lambda x, a, b: x.sign(), [(0, 0)]),
    "exp": (lambda x, a, b: x.exp(), [(0, 0)]),
    "expm1": (lambda x, a, b: x.expm1(), [(0, 0)]),
    "log": (lambda x, a, b: x.log(), [(0, 0)]),
    "log2": (lambda x, a, b: x.log2(), [(0, 0)]),
    "log10": (lambda x, a, b: x.log10(), [(0, 0)]),
    "log1p": (lambda x, a, b: x.log1p(), [(0, 0)]),
    "sqrt": (lambda x, a, b: x.sqrt(), [(0, 0)]),
    "rsqrt": (lambda x, a, b: x.rsqrt(), [(0, 0)]),
    "reciprocal": (lambda x, a, b: x.reciprocal(), [(0, 0)]),
    "floor": (lambda x, a, b: x.floor(), [(0, 0)]),
    "ceil": (lambda x, a, b: x.ceil(), [(0, 0)]),
    "round": (lambda x, a, b: x.round(), [(0, 0)]),
    "trunc": (lambda x, a, b: x.trunc(), [(0, 0)]),
    "sin": (lambda x, a, b: x.sin(), [(0, 0)]),
    "cos": (lambda x, a, b: x.cos(), [(0, 0)]),
    "tan": (lambda x, a, b: x.tan(), [(0, 0)]),
    "atan": (lambda x, a, b: x.atan(), [(0, 0)]),
    "erf": (lambda x, a, b: x.erf(), [(0, 0)]),
}


def unary():
    # Without what overflows float32 and not float64, or has a large argument of a periodic function.
    special_values = torch.tensor([x for x in SPECIAL if math.isinf(x) or not abs(x) > 30])
    ties = torch.arange(-8, 8) / 2
    for algorithm, (function, arguments) in UNARY.items():
        for alpha, beta in arguments:
            for src in [special_values, torch.cat([noise(29) * pick(1, 4), ties])]:
                if algorithm == "tan":
                    src = src / 4  # away from the poles
                add("eltwise", lambda x: function(x, alpha, beta), [src],
                    attributes={"algorithm": algorithm, "alpha": alpha, "beta": beta})


ARITHMETIC = {
    "sub": torch.sub,
    "div": torch.div,
    "max": torch.maximum,
    "min": torch.minimum,
    "pow": torch.pow,
    "floor_divide": torch.floor_divide,
    "remainder": torch.remainder,
    "fmod": torch.fmod,
}


def arithmetic():
    shapes = [((3, 7), (3, 7)), ((2, 3, 4), (3, 1)), ((4,), (2, 3, 4)), ((2, 1, 4), (1, 3, 1)),
              ((1, 20, 3, 3), (20, 1, 1)), ((7, 2), ()), ((), (5,)), ((), ())]
    choices = itertools.cycle([(), (1,), (0,)])
    values = torch.tensor([0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.0, -3.0, 30.0, INF, -INF, NAN])
    for algorithm, function in ARITHMETIC.items():
        for left, right in shapes:
            add("binary", function, [noise(*left) * 4, noise(*right) * 4], constants=next(choices),
                attributes={"algorithm": algorithm})
        add("binary", function, [values.reshape(-1, 1), values], attributes={"algorithm": algorithm})
        # Quotients and remainders of numbers that are no powers of two.
        tenths = torch.tensor([0.5, 1.0, 3.0, 7.5, -0.25, -9.0])
        add("binary", function, [tenths.reshape(-1, 1), tenths.flip(0)],
            attributes={"algorithm": algorithm})


REDUCTIONS = {
    "sum": lambda x, axes: x.sum(axes, True),
    "mean": lambda x, axes: x.mean(axes, True),
    "max": lambda x, axes: x.amax(axes, True),
    "min": lambda x, axes: x.amin(axes, True),
    "logsumexp": lambda x, axes: x.logsumexp(axes, True),
    "prod": None,  # of one axis
    "variance": None,  # with a correction
    "norm": None,  # with p
}


def reduction():
    shapes = [(7,), (3, 5), (2, 40, 3), (2, 3, 4, 5), (1, 35, 2, 2), (2, 3, 2, 2, 3)]
    corrections = itertools.cycle([1, 0, 2])
    powers = itertools.cycle([2, 1, 0, INF, -INF, 3, 0.5, -1])
    for algorithm, shape in itertools.product(REDUCTIONS, shapes):
        for axes in [[axis] for axis in range(len(shape))] + [list(range(len(shape))), [0, -1], [2, 3]]:
            axes = sorted({axis % len(shape) for axis in axes if axis < len(shape)})
            if not axes or algorithm == "prod" and len(axes) > 1:
                continue
            correction, p = next(corrections), next(powers)
            function = REDUCTIONS[algorithm] or {
                "prod": lambda x, a: x.prod(a[0], True),
                "variance": lambda x, a: torch.var(x, a, correction=correction, keepdim=True),
                "norm": lambda x, a: torch.linalg.vector_norm(x, p, a, True)}[algorithm]
            # Infinite ones among few elements: rows without stay.
            src = (special if len(axes) == 1 and rng.random() < 0.4 else noise)(*shape)
            if algorithm == "variance" and math.prod(shape[a] for a in axes) - correction <= 0:
                correction = 0
            add("reduction", lambda x: function(x, axes), [src],
                attributes={"algorithm": algorithm, "axes": axes, "p": encode(p),
                            "correction": correction}, exact=algorithm in ("max", "min"))


def cumsum():
    for shape in [(1,), (9,), (3, 7), (2, 5, 4), (2, 2, 3, 2)]:
        for axis in range(len(shape)):
            add("cumsum", lambda x: x.cumsum(axis), [special(*shape)], attributes={"axis": axis})


def topk():
    for shape in [(1,), (9,), (3, 7), (2, 5, 4)]:
        for axis, largest in itertools.product(range(len(shape)), [True, False]):
            k = rng.randint(1, shape[axis])
            values = special(*shape)
            add("topk", lambda x: torch.topk(x, k, axis, largest)[0], [values],
                attributes={"axis": axis, "largest": largest}, exact=True)


def main():
    torch.set_num_threads(1)
    for make in [inner_product, convolution, deconvolution, pooling, adaptive_pooling, normalization,
                 softmax, eltwise, prelu, binary, concat, pad, matmul, layer_normalization, permute,
                 slice_, recurrent, unary, arithmetic, reduction, cumsum, topk]:
        make()
    lines = [json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases]
    path = pathlib.Path(__file__).with_name("op_goldens.json")
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
