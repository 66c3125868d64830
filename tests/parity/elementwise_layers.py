"""Cases of what works element by element: activations, functions of one, two and three tensors."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from case import DTYPES, Case, Floats, Given, Ids, function_case

INF, NAN = math.inf, math.nan
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 0.5, -0.5, 1.5, 30.0, -30.0, 88.0, 1e4, -1e4, INF,
           -INF, NAN]
SHAPES = (2, 6), (3, 6, 5), (2, 6, 4, 3), (), (0, 3)
DTYPES_OF_INTEGERS = ("INT8", "INT16", "INT32", "INT64", "UINT8")

ACTIVATIONS = [
    ("hardtanh {}", nn.Hardtanh), ("hardtanh { min_val: -0.5 max_val: 2 }",
                                   lambda: nn.Hardtanh(-0.5, 2)),
    ("rrelu {}", nn.RReLU), ("rrelu { lower: 0.1 upper: 0.9 }", lambda: nn.RReLU(0.1, 0.9)),
    ("celu {}", nn.CELU), ("celu { alpha: 0.3 }", lambda: nn.CELU(0.3)),
    ("celu { alpha: -2 }", lambda: nn.CELU(-2)), ("selu {}", nn.SELU),
    ("log_sigmoid {}", nn.LogSigmoid), ("softsign {}", nn.Softsign),
    ("tanhshrink {}", nn.Tanhshrink), ("hardshrink {}", nn.Hardshrink),
    ("hardshrink { lambd: 1.5 }", lambda: nn.Hardshrink(1.5)),
    ("hardshrink { lambd: -1 }", lambda: nn.Hardshrink(-1)),
    ("softshrink {}", nn.Softshrink), ("softshrink { lambd: 1.5 }", lambda: nn.Softshrink(1.5)),
    ("softshrink { lambd: 0 }", lambda: nn.Softshrink(0)),
    ("threshold { threshold: 0.5 value: -7 }", lambda: nn.Threshold(0.5, -7)),
    ("softmin { dim: -1 }", lambda: nn.Softmin(-1)), ("softmin {}", nn.Softmin),
]

# What PyTorch does to integers, too.
INTEGER_ACTIVATIONS = [
    ("relu {}", F.relu, "INT8"), ("relu {}", F.relu, "UINT8"), ("relu6 {}", F.relu6, "INT32"),
    ("hardtanh { min_val: -3 max_val: 2 }", lambda x: F.hardtanh(x, -3, 2), "INT16"),
    ("hardtanh { min_val: 1 max_val: 3 }", lambda x: F.hardtanh(x, 1, 3), "UINT8"),
    ("threshold { threshold: 1 value: 7 }", lambda x: F.threshold(x, 1, 7), "INT64"),
    ("sigmoid {}", torch.sigmoid, "INT32"), ("sigmoid {}", torch.sigmoid, "BOOL"),
    ("tanh {}", torch.tanh, "UINT8"), ("softsign {}", F.softsign, "INT8"),
    ("tanhshrink {}", F.tanhshrink, "INT64"),
]


def activation_cases():
    for i, (text, module) in enumerate(ACTIVATIONS):
        yield Case(f"elementwise_activation{i}", text, module, *SHAPES, Given(SPECIAL))
        yield Case(f"elementwise_activation{i}_fp64", text, module, (3, 7), dtype="FP64")
    for i, (text, function, dtype) in enumerate(INTEGER_ACTIVATIONS):
        low = 0 if dtype in ("UINT8", "BOOL") else -9
        yield function_case(f"integer_activation{i}", text, function,
                            Ids((3, 5), 2 if dtype == "BOOL" else 9, dtype, low))
    yield Case("softmax2d", "softmax2d {}", nn.Softmax2d, (2, 6, 3, 4), (6, 3, 4))
    for dim in (-1, 0, 1):
        yield Case(f"glu_{dim}".replace("-", "m"), f"glu {{ dim: {dim} }}", lambda dim=dim: nn.GLU(dim), (4, 6),
                   (2, 8, 4), (0, 2) if dim else (2, 6))
    yield Case("glu", "glu {}", nn.GLU, (4, 6), (6,), (2, 3, 4, 2))


# Names as in the definition language; what takes integers, and BOOL.
FRACTIONAL = {"exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt,
              "reciprocal": torch.reciprocal, "sin": torch.sin, "cos": torch.cos,
              "tan": torch.tan, "atan": torch.atan, "erf": torch.erf, "expm1": torch.expm1,
              "log1p": torch.log1p, "log2": torch.log2, "log10": torch.log10}
ROUNDINGS = {"floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
             "trunc": torch.trunc}
OTHERS = {"abs": torch.abs, "neg": torch.neg, "sign": torch.sign, "square": torch.square,
          "isnan": torch.isnan, "logical_not": torch.logical_not}


def integers(dtype, shape=(3, 5), nonzero=False):
    if dtype == "BOOL":
        return Ids(shape, 2, dtype, 1 if nonzero else 0)
    if nonzero:
        return Ids(shape, 9, dtype, 1)
    return Ids(shape, 9, dtype, 0 if dtype == "UINT8" else -9)


def unary_cases():
    for name, function in {**FRACTIONAL, **ROUNDINGS, **OTHERS}.items():
        special = SPECIAL if name != "tan" else [0.0, 1.0, -1.0, INF, NAN]
        yield function_case(name, f"{name} {{}}", function, *SHAPES[1:] if name != "tan" else (),
                            Given(special), Given([x for x in range(-4, 5)]))
        yield function_case(f"{name}_fp64", f"{name} {{}}", function, (4, 5), dtype="FP64")
        for dtype in DTYPES_OF_INTEGERS:
            yield function_case(f"{name}_{dtype}", f"{name} {{}}", function, integers(dtype))
    for name, function in {**FRACTIONAL, "sign": torch.sign, "square": torch.square,
                           "isnan": torch.isnan, "logical_not": torch.logical_not}.items():
        yield function_case(f"{name}_BOOL", f"{name} {{}}", function, integers("BOOL"))
    extremes = {"INT8": -128, "INT16": -2**15, "INT32": -2**31, "INT64": -2**63}
    for dtype, least in extremes.items():
        for name in ("abs", "neg", "sign", "square"):
            yield function_case(f"{name}_least_{dtype}", f"{name} {{}}", OTHERS[name],
                                Given([least, -least - 1, 0, -1], dtype))
    limits = [(None, 1), (-1, None), (-0.5, 0.75), (0, 2), (3, 1), (NAN, 1), (-INF, INF)]
    for low, high in limits:
        text = "".join(f"{name}: {value} " for name, value in (("min", low), ("max", high))
                       if value is not None)
        function = lambda x, low=low, high=high: torch.clamp(x, low, high)
        name = f"clamp_{low}_{high}".replace(".", "p").replace("-", "m")
        yield function_case(name, f"clamp {{ {text} }}", function, (3, 5), Given(SPECIAL), ())
        if all(x is None or math.isfinite(x) for x in (low, high)):
            for dtype in (*DTYPES_OF_INTEGERS, "BOOL"):
                if dtype == "BOOL" and (low, high) == (-0.5, 0.75):
                    continue
                yield function_case(f"{name}_{dtype}", f"clamp {{ {text} }}", function,
                                    integers(dtype))


ARITHMETIC = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
              "maximum": torch.maximum, "minimum": torch.minimum}
DIVISIONS = {"floor_divide": torch.floor_divide, "remainder": torch.remainder, "fmod": torch.fmod,
             "div { rounding_mode: 'trunc' }": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
             "div { rounding_mode: 'floor' }": lambda a, b: torch.div(a, b, rounding_mode="floor")}
COMPARISONS = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt,
               "ge": torch.ge}
LOGIC = {"logical_and": torch.logical_and, "logical_or": torch.logical_or,
         "logical_xor": torch.logical_xor}
BROADCASTS = ([(2, 3), (2, 3)], [(2, 3, 4), (3, 1)], [(4,), (2, 3, 4)], [(2, 1, 4), (1, 3, 1)],
              [(1, 6, 3, 3), (6, 1, 1)], [(2, 3), (1,)], [(0, 3), (1, 3)], [(), (3, 2)], [(), ()])
PAIRS = [("INT64", "FP32"), ("FP64", "FP32"), ("INT8", "UINT8"), ("INT16", "INT8"),
         ("UINT8", "UINT8"), ("BOOL", "INT32"), ("FP32", "BOOL"), ("INT64", "FP64"),
         ("INT8", "INT8"), ("INT32", "INT64"), ("FP16", "FP32")]


def text_of(name):
    return name if "{" in name else f"{name} {{}}"


def operand(dtype, shape, nonzero=False):
    return Floats(shape, dtype) if dtype.startswith("FP") else integers(dtype, shape, nonzero)


def binary_cases():
    values = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.0, INF, -INF, NAN]
    grid = [Given([[x] for x in values]), Given(values)]
    functions = {**ARITHMETIC, **DIVISIONS, **COMPARISONS, **LOGIC, "pow": torch.pow}
    for i, (name, function) in enumerate(functions.items()):
        yield function_case(f"binary{i}", text_of(name), function, *BROADCASTS, grid)
        yield function_case(f"binary{i}_fp64", text_of(name), function, [(2, 3), (3,)],
                            dtype="FP64")
        for left, right in PAIRS:
            if "BOOL" in (left, right) and name in ("sub", "pow"):
                continue
            divides = name in DIVISIONS
            positive = divides or name == "pow"
            yield function_case(f"binary{i}_{left}_{right}", text_of(name), function,
                                [operand(left, (3, 4)), operand(right, (4,), positive)])
    for name in ("add", "mul", "maximum", "minimum", "div", "eq", "lt", "logical_and"):
        yield function_case(f"{name}_bools", f"{name} {{}}", functions[name],
                            [integers("BOOL"), integers("BOOL")])
    wraps = [Given([127, -128, 100, -7], "INT8"), Given([1, -1, 2, -1], "INT8")]
    for i, (name, function) in enumerate({**ARITHMETIC, **DIVISIONS}.items()):
        yield function_case(f"wrap{i}", text_of(name), function, wraps)
    yield function_case("negative_exponents", "pow {}", torch.pow,
                        [Given([1, -1, -1, 2, 5], "INT64"), Given([-2, -2, -3, -1, 0], "INT64")])
    yield function_case("add_three", "add {}", lambda a, b, c: a + b + c,
                        [Ids((3,), 5, "INT32"), Floats((2, 3)), Floats((2, 1), "FP64")])


NUMBERS = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
    "floor_divide": torch.floor_divide, "remainder": torch.remainder, "fmod": torch.fmod,
    **COMPARISONS,
    "maximum": lambda x, n: torch.maximum(x, torch.tensor(n)),
    "minimum": lambda x, n: torch.minimum(x, torch.tensor(n)),
}


def number_cases():
    for name, function in NUMBERS.items():
        for number in (2, -3, 2.5, -0.125):
            with_number = lambda x, f=function, n=number: f(x, n)
            label = f"{name}_{str(number).replace('.', 'p').replace('-', 'm')}"
            text = f"{name} {{ other: {number} }}"
            yield function_case(label, text, with_number, (2, 6), (), (0, 3), Given(SPECIAL[:12]))
            yield function_case(f"{label}_fp64", text, with_number, (3,), dtype="FP64")
            for dtype in ("INT8", "INT64", "UINT8", "BOOL"):
                if dtype == "BOOL" and name == "sub":
                    continue
                # What a negative number is to UINT8 PyTorch does not tell but does.
                if dtype == "UINT8" and number < 0 and isinstance(number, int) and (
                        name in ("maximum", "minimum", *COMPARISONS)):
                    continue
                yield function_case(f"{label}_{dtype}", text, with_number, integers(dtype))
    for alpha, other in ((2, None), (-0.5, None), (3, 2)):
        for name, function in (("add", torch.add), ("sub", torch.sub)):
            text = f"{name} {{ {'' if other is None else f'other: {other}'} alpha: {alpha} }}"
            label = f"{name}_alpha_{alpha}_{other}".replace(".", "p").replace("-", "m")
            if other is not None:
                yield function_case(label, text, lambda x, f=function, a=alpha, o=other:
                                    f(x, o, alpha=a), (2, 3), Given(SPECIAL))
                continue
            scaled = lambda x, y, f=function, a=alpha: f(x, y, alpha=a)
            yield function_case(label, text, scaled, [(2, 3), (3,)])
            if alpha == 2:
                yield function_case(f"{label}_int", text, scaled,
                                    [integers("INT8"), integers("INT32")])
    for exponent in (0, 1, 2, 3, 0.5, -0.5, -1, -2, 1.5, -3, 7):
        label = f"pow_{exponent}".replace(".", "p").replace("-", "m")
        function = lambda x, e=exponent: torch.pow(x, e)
        yield function_case(label, f"pow {{ exponent: {exponent} }}", function, (2, 6),
                            Given([0.0, -0.0, 1.0, -1.0, 2.5, INF, NAN]))
        for dtype in ("INT8", "INT64", "BOOL"):
            if exponent < 0 and isinstance(exponent, int):
                continue  # PyTorch refuses integers
            yield function_case(f"{label}_{dtype}", f"pow {{ exponent: {exponent} }}", function,
                                integers(dtype))
    for base in (2, 2.5, -2, 1):
        label = f"pow_of_{base}".replace(".", "p").replace("-", "m")
        function = lambda x, b=base: torch.pow(b, x)
        yield function_case(label, f"pow {{ self: {base} }}", function, (2, 6), Given(SPECIAL))
        yield function_case(f"{label}_int", f"pow {{ self: {base} }}", function,
                            integers("INT64"))


def where_cases():
    mask = Ids((2, 1, 3), 2, "BOOL")
    yield function_case("where", "where {}", torch.where, [mask, (4, 3), (2, 4, 1)],
                        [mask, (), ()], [Ids((), 2, "BOOL"), (2, 3), (1,)])
    for left, right in (("INT8", "FP32"), ("FP64", "FP32"), ("BOOL", "INT16"), ("INT64", "INT64")):
        # PyTorch 1.13 promotes here as well.
        yield function_case(f"where_{left}_{right}", "where {}", torch.where,
                            [mask, operand(left, (3,)), operand(right, (2, 4, 3))])
    yield function_case("where_uint8", "where {}", torch.where,
                        [Ids((2, 3), 3, "UINT8"), (2, 3), (2, 3)])
    yield function_case("where_other", "where { other: -inf }",
                        lambda c, x: torch.where(c, x, -INF), [mask, (2, 4, 3)])
    yield function_case("where_input", "where { input: 2 }", lambda c, y: torch.where(c, 2, y),
                        [mask, integers("INT8", (3,))])
    yield function_case("where_float", "where { other: 2.5 }",
                        lambda c, x: torch.where(c, x, 2.5), [mask, integers("INT8", (3,))])
    yield function_case("where_numbers", "where { input: 1.5 other: 2 }",
                        lambda c: torch.where(c, 1.5, 2), mask)
    yield function_case("where_integers", "where { input: 1 other: 2 }",
                        lambda c: torch.where(c, 1, 2), mask)
    fill = lambda value: (lambda x, m: x.masked_fill(m, value))
    yield function_case("masked_fill", "masked_fill { value: -inf }", fill(-INF), [(2, 4, 3), mask],
                        [(1, 3), mask])
    for dtype in ("INT8", "UINT8", "INT64", "BOOL"):
        yield function_case(f"masked_fill_{dtype}", "masked_fill { value: 2.5 }", fill(2.5),
                            [integers(dtype, (4, 3)), mask])


def image_normalize(x, scale, mean, std, dtype=torch.float32):
    x = x.to(dtype) * scale
    shape = (-1, 1, 1)
    return (x - torch.tensor(mean, dtype=dtype).view(shape)) / torch.tensor(std, dtype=dtype).view(
        shape)


MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def other_cases():
    text = f"image_normalize {{ mean: {MEAN} std: {STD} }}"
    yield function_case("image_normalize", text, lambda x: image_normalize(x, 1 / 255, MEAN, STD),
                        Ids((2, 3, 4, 5), 256, "UINT8"), Ids((3, 4, 5), 256, "UINT8"))
    yield function_case("image_normalize_float", text, lambda x: image_normalize(x, 1, MEAN, STD),
                        (2, 3, 4, 5))
    yield function_case("image_normalize_scale", "image_normalize { scale: 0.5 mean: 1 }",
                        lambda x: image_normalize(x, 0.5, [1], [1]), Ids((1, 3, 2), 9, "INT16"))
    yield function_case("image_normalize_fp64", "image_normalize { std: 2 }",
                        lambda x: image_normalize(x, 1 / 255, [0], [2], torch.float64),
                        Ids((1, 3, 2), 256, "UINT8"), dtype="FP64")
    values = Given([0.0, -0.0, 1.9, -1.9, 100.5, 127.0, NAN])
    for dtype in DTYPES:
        to = lambda x, d=dtype: x.to(DTYPES[d])
        yield function_case(f"to_{dtype}", f"to {{ dtype: '{dtype}' }}", to,
                            Given([0.0, -0.0, 1.9, -1.9, 100.5, 127.0]), (2, 0))
        yield function_case(f"to_{dtype}_from_int", f"to {{ dtype: '{dtype}' }}", to,
                            Given([300, -1, 0, 2**40 + 5], "INT64"))
        yield function_case(f"to_{dtype}_from_bool", f"to {{ dtype: '{dtype}' }}", to,
                            integers("BOOL"))
        yield function_case(f"to_{dtype}_from_half", f"to {{ dtype: '{dtype}' }}", to,
                            Given([0.0, 1.5, -2.25, 100.0], "FP16"))
    yield function_case("to_BOOL_special", "to { dtype: 'BOOL' }", lambda x: x.to(torch.bool),
                        values)


def distance_cases():
    pairs = ([(4, 6), (4, 6)], [(4, 6), (6,)], [(1, 6), (4, 1)], [(0, 3), (0, 3)])
    for dim in (1, 0, -1):
        yield function_case(f"cosine_similarity_{dim}".replace("-", "m"),
                            f"cosine_similarity {{ dim: {dim} }}",
                            lambda a, b, d=dim: F.cosine_similarity(a, b, d), *pairs,
                            [(2, 3, 4), (3, 4)])
    yield function_case("cosine_similarity_eps", "cosine_similarity { eps: 100 }",
                        lambda a, b: F.cosine_similarity(a, b, eps=100), [(4, 6), (4, 6)])
    yield function_case("cosine_similarity_mixed", "cosine_similarity {}", F.cosine_similarity,
                        [Floats((4, 6)), Floats((4, 6), "FP64")])
    for p in (2, 1, 0, 3, 0.5, INF):
        yield function_case(f"pairwise_distance_{str(p).replace('.', 'p')}",
                            f"pairwise_distance {{ p: {p} }}",
                            lambda a, b, p=p: F.pairwise_distance(a, b, p), *pairs, [(7,), (7,)])
    yield function_case("pairwise_distance_keepdim",
                        "pairwise_distance { keepdim: true eps: 0.5 }",
                        lambda a, b: F.pairwise_distance(a, b, keepdim=True, eps=0.5),
                        [(4, 6), (4, 6)])
    yield function_case("pairwise_distance_int", "pairwise_distance {}", F.pairwise_distance,
                        [integers("INT64", (4, 6)), integers("INT64", (6,))])
    for p, dim in ((2, 1), (1, -1), (3, 0), (INF, 1)):
        yield function_case(f"normalize_{p}_{dim}".replace("-", "m"),
                            f"normalize {{ p: {p} dim: {dim} }}",
                            lambda x, p=p, d=dim: F.normalize(x, p, d), (4, 6), (2, 6, 4, 3))
    yield function_case("normalize_zeros", "normalize { dim: 0 eps: 0.5 }",
                        lambda x: F.normalize(x, dim=0, eps=0.5), Given([0.0, 0.0, 0.125]))


def cases():
    yield from activation_cases()
    yield from unary_cases()
    yield from binary_cases()
    yield from number_cases()
    yield from where_cases()
    yield from distance_cases()
    yield from other_cases()
