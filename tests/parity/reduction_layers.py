"""Cases of what joins elements: reductions, orders, products of matrices."""
import math

import torch

from case import Floats, Given, Ids, function_case

INF, NAN = math.inf, math.nan
SHAPES = (2, 6), (3, 6, 5), (2, 6, 4, 3), (7,), ()
SPECIAL = Given([[1.0, NAN, 2.0, -INF], [INF, 1.0, -1.0, 0.0], [INF, -INF, 1.0, 2.0],
                 [-INF, -INF, -INF, -INF]])
INTEGERS = ("INT8", "INT16", "INT32", "INT64", "UINT8")


def integers(dtype, shape=(3, 5)):
    if dtype == "BOOL":
        return Ids(shape, 2, dtype)
    return Ids(shape, 100, dtype, 0 if dtype == "UINT8" else -100)


def label(*parts):
    text = "_".join(str(part) for part in parts)
    for mark, letter in (("-", "m"), (".", "p"), ("[", ""), ("]", ""), (", ", "_")):
        text = text.replace(mark, letter)
    return text


def norm(p):
    return lambda x, dim, keepdim: torch.linalg.vector_norm(x, p, dim, keepdim)


def spread(correction):
    return (lambda x, dim, keepdim: torch.var(x, dim or None, correction=correction, keepdim=keepdim),
            lambda x, dim, keepdim: torch.std(x, dim or None, correction=correction, keepdim=keepdim))


VAR, STD = spread(1)
VAR_0, STD_0 = spread(0)
VAR_3, _ = spread(3)


def truth(function, all_of):
    """torch.any and torch.all take one dim: one after the other, the last first."""
    def run(x, dim, keepdim):
        for axis in sorted((d % max(x.ndim, 1) for d in dim or range(x.ndim)), reverse=True):
            x = function(x, axis, keepdim)
        return x if x.dtype in (torch.bool, torch.uint8) else all_of(x)
    return run


# Name and arguments; the function of a list of dims (None: all) and keepdim.
REDUCTIONS = [
    ("sum", "", lambda x, d, k: torch.sum(x, d or [], k)),
    ("mean", "", lambda x, d, k: torch.mean(x, d or [], k)),
    ("amax", "", lambda x, d, k: torch.amax(x, d or [], k)),
    ("amin", "", lambda x, d, k: torch.amin(x, d or [], k)),
    ("logsumexp", "", lambda x, d, k: torch.logsumexp(x, d or list(range(x.ndim)) or [0], k)),
    ("var", "", VAR), ("std", "", STD), ("var", "correction: 0", VAR_0),
    ("std", "correction: 0", STD_0), ("var", "correction: 3", VAR_3),
    ("norm", "", norm(2)), ("norm", "p: 1", norm(1)), ("norm", "p: inf", norm(INF)),
    ("norm", "p: -inf", norm(-INF)), ("norm", "p: 0", norm(0)), ("norm", "p: 3", norm(3)),
    ("norm", "p: 0.5", norm(0.5)), ("norm", "p: -1", norm(-1)),
    ("any", "", truth(torch.any, torch.any)), ("all", "", truth(torch.all, torch.all)),
]
DIMS = (None, [0], [-1], [0, -2], [1, 2], [2, 0], [2, 3])


def reduction_cases():
    for name, arguments, function in REDUCTIONS:
        for dim in DIMS:
            if name in ("any", "all") and dim is None:
                continue  # below
            fitting = [shape for shape in SHAPES
                       if dim is None or all(-len(shape) <= d < len(shape) for d in dim)
                       or (shape == () and len(dim) == 1 and dim[0] in (0, -1))]
            fitting = [shape for shape in fitting if dim is None or len(
                {d % max(len(shape), 1) for d in dim}) == len(dim)]
            special = [SPECIAL] if dim is None or max(dim) < 2 and dim != [0, -2] else []
            keepdim = dim in ([0], [-1], [2, 0])
            text = f"{name} {{ {arguments} {'' if dim is None else f'dim: {dim}'} "
            text += f"{'keepdim: true' if keepdim else ''} }}"
            run = lambda x, f=function, d=dim, k=keepdim: f(x, d, k)
            case = label(name, arguments.replace(": ", "_"), dim)
            yield function_case(case, text, run, *fitting, *special)
            if dim == [-1]:
                yield function_case(f"{case}_fp64", text, run, (3, 5), dtype="FP64")
    empty = {"sum": torch.sum, "mean": torch.mean, "prod": torch.prod, "any": torch.any,
             "all": torch.all}
    for name, function in empty.items():
        yield function_case(f"{name}_of_none", f"{name} {{ dim: 0 }}",
                            lambda x, f=function: f(x, 0), (0, 3), (2, 3), (2, 0))
        yield function_case(f"{name}_of_all", f"{name} {{}}", lambda x, f=function: f(x), (2, 3),
                            (0, 3), ())
    for name, function in {"var": lambda x: torch.var(x, 0), "norm": lambda x: torch.norm(x, 2, 0),
                           "logsumexp": lambda x: torch.logsumexp(x, 0)}.items():
        yield function_case(f"{name}_of_none", f"{name} {{ dim: 0 }}", function, (0, 3), (1, 3))
    for dim in (0, 1, -1):
        yield function_case(label("prod", dim), f"prod {{ dim: {dim} }}",
                            lambda x, d=dim: torch.prod(x, d), (2, 6), (2, 3, 4), SPECIAL)
    for dtype in (*INTEGERS, "BOOL"):
        same = {"amax": lambda x: torch.amax(x, 1), "amin": lambda x: torch.amin(x, 1),
                "sum": lambda x: torch.sum(x, 1), "prod": lambda x: torch.prod(x, 1),
                "any": lambda x: torch.any(x, 1), "all": lambda x: torch.all(x, 1),
                "cumsum": lambda x: torch.cumsum(x, 1),
                "logsumexp": lambda x: torch.logsumexp(x.float(), 1)}
        for name, function in same.items():
            yield function_case(f"{name}_{dtype}", f"{name} {{ dim: 1 }}", function,
                                integers(dtype))


BOTH = ("values", "indices")


def order_cases():
    for name, function in (("max", torch.max), ("min", torch.min)):
        for dim, keepdim in ((0, False), (-1, True), (1, False)):
            shapes = SHAPES if dim != 1 else SHAPES[:3]
            yield function_case(label(name, dim), f"{name} {{ dim: {dim} keepdim: "
                                f"{str(keepdim).lower()} }}",
                                lambda x, f=function, d=dim, k=keepdim: f(x, d, k), *shapes,
                                SPECIAL, Given([[3.0, 1.0, 3.0], [1.0, 1.0, 3.0]]), outputs=BOTH)
        yield function_case(f"{name}_values", f"{name} {{ dim: 0 }}",
                            lambda x, f=function: f(x, 0)[0], (3, 4), outputs=BOTH[:1])
        for dtype in (*INTEGERS, "BOOL"):
            # Of equals PyTorch does not say which one it gives.
            yield function_case(f"{name}_{dtype}", f"{name} {{ dim: 1 }}",
                                lambda x, f=function: f(x, 1)[0], integers(dtype),
                                outputs=BOTH[:1])
    for name, function in (("argmax", torch.argmax), ("argmin", torch.argmin)):
        yield function_case(name, f"{name} {{}}", function, *SHAPES, SPECIAL)
        yield function_case(f"{name}_kept", f"{name} {{ keepdim: true }}",
                            lambda x, f=function: f(x, keepdim=True), *SHAPES)
        for dim in (0, -1):
            yield function_case(label(name, dim), f"{name} {{ dim: {dim} }}",
                                lambda x, f=function, d=dim: f(x, d), *SHAPES, SPECIAL)
        for dtype in INTEGERS:
            yield function_case(f"{name}_{dtype}", f"{name} {{ dim: 1 }}",
                                lambda x, f=function: f(x, 1), integers(dtype))
    for k, dim, largest in ((1, -1, True), (3, -1, False), (2, 0, True), (5, 1, False),
                            (0, 0, True)):
        shapes = ((3, 7), (4, 6, 5), (6, 5, 4, 3))
        yield function_case(f"topk_{k}_{largest}", f"topk {{ k: {k} dim: {dim} largest: "
                            f"{str(largest).lower()} }}",
                            lambda x, k=k, d=dim, a=largest: torch.topk(x, k, d, a), *shapes,
                            outputs=BOTH)
    yield function_case("topk_special", "topk { k: 2 }", lambda x: torch.topk(x, 2)[0], SPECIAL,
                        outputs=BOTH[:1])
    yield function_case("topk_scalar", "topk { k: 1 }", lambda x: torch.topk(x, 1), (),
                        outputs=BOTH)
    yield function_case("topk_int", "topk { k: 2 largest: false }",
                        lambda x: torch.topk(x, 2, largest=False), Given([5, 3, -4, 9], "INT8"),
                        outputs=BOTH)
    for dim, descending in ((-1, False), (0, True), (1, True)):
        yield function_case(label("sort", dim, descending), f"sort {{ dim: {dim} descending: "
                            f"{str(descending).lower()} }}",
                            lambda x, d=dim, a=descending: torch.sort(x, dim=d, descending=a,
                                                                      stable=True),
                            (3, 7), (4, 6, 5), SPECIAL, outputs=BOTH)
    for dtype in (*INTEGERS, "BOOL"):
        yield function_case(f"sort_{dtype}", "sort { stable: true }",
                            lambda x: torch.sort(x, stable=True), integers(dtype), outputs=BOTH)
    yield function_case("sort_scalar", "sort {}", torch.sort, (), (0, 3), outputs=BOTH)
    for dim in (0, -1):
        yield function_case(label("cumsum", dim), f"cumsum {{ dim: {dim} }}",
                            lambda x, d=dim: torch.cumsum(x, d), *SHAPES, (0, 3), SPECIAL)
    yield function_case("cumsum_fp64", "cumsum { dim: 1 }", lambda x: torch.cumsum(x, 1), (3, 40),
                        dtype="FP64")


def product_cases():
    for i, pair in enumerate(([(2, 3), (3, 4)], [(3,), (3,)], [(2, 3), (3,)], [(3,), (3, 2)],
                              [(3,), (5, 3, 2)], [(5, 2, 3), (3,)], [(5, 2, 3), (3, 4)],
                              [(5, 2, 3), (5, 3, 4)], [(5, 1, 2, 3), (7, 3, 2)],
                              [(2, 3), (4, 3, 5)], [(1, 2, 3), (4, 3, 5)], [(4, 2, 3), (1, 3, 5)],
                              [(2, 0), (0, 3)], [(0,), (0,)], [(0, 3), (3, 4)], [(3, 2, 0), (0, 4)],
                              [(0, 2, 3), (0, 3, 4)], [(1, 64), (64, 1000)])):
        yield function_case(f"matmul{i}", "matmul {}", torch.matmul, pair)
    yield function_case("matmul_fp64", "matmul {}", torch.matmul, [(4, 3, 5), (5, 2)], dtype="FP64")
    yield function_case("matmul_shapes", "matmul {}", torch.matmul, [(2, 3), (3, 4)],
                        [(6, 2, 3), (3, 4)], [(3,), (3,)])
    yield function_case("matmul_input_dtypes", "matmul {}", torch.matmul,
                        [Floats((4, 3), "FP64"), Floats((3, 2), "FP64")])
    for dtype in INTEGERS:
        yield function_case(f"matmul_{dtype}", "matmul {}", torch.matmul,
                            [integers(dtype, (2, 4, 3)), integers(dtype, (3, 5))],
                            [integers(dtype, (3,)), integers(dtype, (3,))])


def cases():
    yield from reduction_cases()
    yield from order_cases()
    yield from product_cases()
