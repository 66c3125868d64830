"""Cases of layers that move elements: views, permutations, parts, pieces, pads, indices."""
import torch
import torch.nn.functional as F
from torch import nn

from case import Case, Floats, Ids


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def of(function):
    return lambda: Call(function)


def typed(shape, *dtypes):
    """The same request in several dtypes; each is a case of its own."""
    for dtype in dtypes:
        one = Floats(shape) if dtype == "FP32" else (
            Ids(shape, 100, dtype) if dtype.startswith("INT") else Floats(shape, dtype))
        yield dtype, one


def every_dtype(name, text, function, shape, dtypes=("FP32", "INT64", "INT32", "FP64")):
    for dtype, request in typed(shape, *dtypes):
        yield Case(f"{name}_{dtype}", text, of(function), request)


def views():
    yield Case("reshape", "reshape { shape: 'dim(0), -1' }", of(lambda x: x.reshape(x.shape[0], -1)),
               (2, 3, 4), (5, 3, 4), (2, 2, 2))
    yield Case("reshape_split", "reshape { shape: 'dim(0), 2, dim(1) // 2, dim(-1)' }",
               of(lambda x: x.reshape(x.shape[0], 2, x.shape[1] // 2, x.shape[-1])), (3, 6, 5), (1, 4, 2))
    yield Case("reshape_scalar", "reshape {}", of(lambda x: x.reshape(())), (1, 1))
    yield Case("reshape_like", "reshape { shape: 'dim(1, 0), -1' }",
               of(lambda x, y: x.reshape(y.shape[0], -1)), [(6, 2), (4, 7)], [(2, 9), (3, 1)],
               inputs=("x", "y"))
    yield from every_dtype("reshape", "reshape { shape: '-1, 3' }", lambda x: x.reshape(-1, 3), (2, 6))
    yield Case("unflatten", "unflatten { dim: 1 unflattened_size: '2, -1' }",
               lambda: nn.Unflatten(1, (2, -1)), (3, 6), (2, 4, 5))
    yield Case("unflatten_negative", "unflatten { dim: -1 unflattened_size: '1, 3, 2' }",
               lambda: nn.Unflatten(-1, (1, 3, 2)), (2, 6))
    yield Case("squeeze", "squeeze { dim: -2 }", of(lambda x: x.squeeze(-2)), (2, 1, 3), (2, 4, 3))
    yield Case("squeeze_two", "squeeze { dim: [0, 2] }", of(lambda x: x.squeeze(2).squeeze(0)),
               (1, 5, 1, 2), (3, 2, 1))
    yield Case("unsqueeze_first", "unsqueeze { dim: 0 }", of(lambda x: x.unsqueeze(0)), (2, 3), ())
    yield Case("unsqueeze_last", "unsqueeze { dim: -1 }", of(lambda x: x.unsqueeze(-1)), (2, 3), (4,))
    yield Case("flatten_scalar", "flatten { start_dim: 0 }", lambda: nn.Flatten(0), (), (2, 3))
    yield from every_dtype("flatten", "flatten {}", nn.Flatten(), (2, 3, 4))


def permutations():
    yield Case("permute", "permute { dims: [0, -1, 1, 2] }", of(lambda x: x.permute(0, -1, 1, 2)),
               (2, 3, 4, 5), (1, 1, 2, 7))
    yield from every_dtype("permute", "permute { dims: [2, 0, 1] }", lambda x: x.permute(2, 0, 1),
                           (2, 3, 4), ("FP32", "INT64", "INT32", "FP64", "BF16"))
    yield Case("transpose", "transpose { dim0: 1 dim1: -1 }", of(lambda x: x.transpose(1, -1)),
               (2, 3, 4), (2, 3, 4, 5), (3, 2))
    yield Case("transpose_scalar", "transpose { dim0: 0 dim1: -1 }", of(lambda x: x.transpose(0, -1)), ())
    for factor in (2, 3):
        yield Case(f"pixel_shuffle_{factor}", f"pixel_shuffle {{ upscale_factor: {factor} }}",
                   lambda factor=factor: nn.PixelShuffle(factor), (2, 2 * factor ** 2, 3, 4),
                   (factor ** 2, 1, 2), (2, 1, factor ** 2, 2, 2))
        yield Case(f"pixel_unshuffle_{factor}", f"pixel_unshuffle {{ downscale_factor: {factor} }}",
                   lambda factor=factor: nn.PixelUnshuffle(factor), (2, 3, 2 * factor, 4 * factor),
                   (1, factor, factor))
    yield Case("channel_shuffle", "channel_shuffle { groups: 3 }", lambda: nn.ChannelShuffle(3),
               (2, 6, 3, 4), (1, 9, 2, 2))
    yield Case("flip", "flip { dims: [0, -1] }", of(lambda x: x.flip(0, -1)), (3, 4), (2, 3, 5))
    yield from every_dtype("flip", "flip { dims: 1 }", lambda x: x.flip(1), (2, 5))
    yield Case("roll", "roll { shifts: [1, -2] dims: [0, -1] }",
               of(lambda x: x.roll((1, -2), (0, -1))), (3, 4), (2, 3, 5), (1, 1))
    yield Case("roll_all", "roll { shifts: 5 }", of(lambda x: x.roll(5)), (3, 4), (2, 2), ())
    yield Case("roll_twice", "roll { shifts: [7, 1] dims: [1, 1] }", of(lambda x: x.roll((7, 1), (1, 1))),
               (2, 3))


def parts():
    for name, arguments, index in [
            ("from", "start: '1'", slice(1, None)), ("to", "end: '-1'", slice(None, -1)),
            ("step", "start: '1' end: '6' step: 2", slice(1, 6, 2)),
            ("beyond", "start: '-100' end: '100'", slice(-100, 100)),
            ("negative", "start: '-3' end: '-1'", slice(-3, -1)),
            ("steps", "start: '-5' step: 3", slice(-5, None, 3))]:
        yield Case(f"slice_{name}", f"slice {{ dim: -1 {arguments} }}",
                   of(lambda x, index=index: x[..., index]), (2, 7), (3, 2, 8))
    yield Case("slice_half", "slice { dim: 1 end: 'dim(1) // 2' }", of(lambda x: x[:, :x.shape[1] // 2]),
               (2, 7, 3), (2, 4, 1))
    yield Case("slice_empty", "slice { dim: 0 start: '5' }", of(lambda x: x[5:]), (3, 2), (8, 1))
    yield Case("slice_like", "slice { dim: 1 end: 'dim(1, -1)' }", of(lambda x, y: x[:, :y.shape[-1]]),
               [(2, 9), (1, 4)], [(1, 3), (2, 2)], inputs=("x", "y"))
    yield from every_dtype("slice", "slice { dim: 1 start: '1' step: 2 }", lambda x: x[:, 1::2], (3, 6))
    yield Case("select", "select { dim: 1 index: '-1' }", of(lambda x: x[:, -1]), (2, 3, 4), (2, 1), (3, 5))
    yield Case("select_middle", "select { dim: -1 index: 'dim(-1) // 2' }",
               of(lambda x: x[..., x.shape[-1] // 2]), (2, 3, 4), (5,))
    for chunks, shape in [(3, (2, 9, 2)), (3, (2, 8)), (4, (2, 7)), (2, (3, 0, 2))]:
        yield Case(f"chunk_{chunks}_{shape[1]}", f"chunk {{ chunks: {chunks} dim: 1 }}",
                   of(lambda x, chunks=chunks: x.chunk(chunks, 1)), shape,
                   outputs=[str(i) for i in range(chunks)])
    yield Case("chunk_channels_images", "chunk { chunks: 2 dim: 1 }", of(lambda x: x.chunk(2, 1)),
               (2, 16, 3, 3), (1, 6, 5, 4), outputs=("0", "1"))
    yield Case("split", "split { split_size: '3' dim: -1 count: 3 }", of(lambda x: x.split(3, -1)),
               (2, 7), (1, 9), outputs=("0", "1", "2"))
    yield Case("split_list", "split { split_size: '1, 0, dim(1) - 1' dim: 1 }",
               of(lambda x: x.split([1, 0, x.shape[1] - 1], 1)), (2, 7), (3, 2, 2),
               outputs=("0", "1", "2"))
    yield Case("unbind", "unbind { dim: -1 count: 3 }", of(lambda x: x.unbind(-1)), (2, 3), (4, 2, 3), (3,),
               outputs=("0", "1", "2"))
    yield Case("unbind_INT64", "unbind { count: 2 }", of(lambda x: x.unbind()), Ids((2, 3), 9),
               outputs=("0", "1"))


def repeats():
    yield Case("expand", "expand { size: '-1, 4, -1' }", of(lambda x: x.expand(-1, 4, -1)), (2, 1, 3),
               (3, 4, 1))
    yield Case("expand_new", "expand { size: 'dim(1, 0), -1, -1' }",
               of(lambda x, y: x.expand(y.shape[0], -1, -1)), [(1, 2, 3), (4, 5)], [(1, 1, 2), (1, 5)],
               inputs=("x", "y"))
    yield Case("expand_front", "expand { size: '2, 3, 4' }", of(lambda x: x.expand(2, 3, 4)), (4,), (3, 1), ())
    yield from every_dtype("expand", "expand { size: '2, 3, 5' }", lambda x: x.expand(2, 3, 5), (3, 1))
    yield Case("repeat", "repeat { repeats: '2, 1, 3' }", of(lambda x: x.repeat(2, 1, 3)), (3, 4), (2, 3, 2),
               (5,))
    yield Case("repeat_none", "repeat { repeats: '1, 0' }", of(lambda x: x.repeat(1, 0)), (3, 4))
    yield from every_dtype("repeat", "repeat { repeats: '2, 2' }", lambda x: x.repeat(2, 2), (2, 3))
    yield Case("repeat_interleave", "repeat_interleave { repeats: 3 dim: -2 }",
               of(lambda x: x.repeat_interleave(3, -2)), (2, 3), (2, 3, 4))


def joins():
    two = ("x", "y")
    yield Case("stack", "stack { dim: -1 }", of(lambda x, y: torch.stack([x, y], -1)), [(2, 3), (2, 3)],
               [(4,), (4,)], inputs=two)
    yield Case("stack_mixed", "stack {}", of(lambda x, y: torch.stack([x, y])),
               [(2, 3), Ids((2, 3), 9, "INT32")], inputs=two)
    yield Case("concat_INT64", "concat { dim: 1 }", of(lambda x, y: torch.cat([x, y], 1)),
               [Ids((2, 3), 9), Ids((2, 1), 9)], inputs=two)
    yield Case("concat_mixed", "concat { dim: -1 }", of(lambda x, y: torch.cat([x, y], -1)),
               [Ids((2, 3), 9, "INT32"), Ids((2, 1), 9)], inputs=two)
    yield Case("concat_promoted", "concat { dim: 0 }", of(lambda x, y: torch.cat([x, y], 0)),
               [Ids((2, 3), 9), Floats((1, 3))], inputs=two)
    yield Case("concat_empty_vector", "concat { dim: 1 }", of(lambda x, y: torch.cat([x, y], 1)),
               [(0,), (2, 3)], [(2, 1), (2, 3)], inputs=two)
    yield Case("concat_images", "concat { dim: 1 }", of(lambda x, y: torch.cat([x, y], 1)),
               [(2, 3, 4, 5), (2, 16, 4, 5)], inputs=two)


def indices():
    two = ("x", "index")
    for dtype in ("INT64", "INT32"):
        yield Case(f"index_select_{dtype}", "index_select { dim: -2 }",
                   of(lambda x, index: x.index_select(-2, index)),
                   [(4, 3), Ids((5,), 4, dtype)], [(2, 6, 3), Ids((1,), 6, dtype)],
                   [(2, 6, 3), Ids((), 6, dtype)], inputs=two)
    yield Case("index_select_of_INT64", "index_select { dim: 0 }",
               of(lambda x, index: x.index_select(0, index)), [Ids((4, 3), 99), Ids((5,), 4)], inputs=two)
    yield Case("gather", "gather { dim: 1 }", of(lambda x, index: x.gather(1, index)),
               [(3, 5), Ids((2, 7), 5)], [(3, 5, 2), Ids((3, 1, 1), 5)], inputs=two)
    yield Case("gather_negative", "gather { dim: -3 }", of(lambda x, index: x.gather(-3, index)),
               [(4, 5, 2), Ids((6, 5, 1), 4)], inputs=two)
    for name, function in [("tril", torch.tril), ("triu", torch.triu)]:
        for diagonal in (-1, 0, 2):
            yield Case(f"{name}_{diagonal}".replace("-", "minus"), f"{name} {{ diagonal: {diagonal} }}",
                       of(lambda x, f=function, d=diagonal: f(x, d)), (3, 4), (2, 5, 3))
        yield Case(f"{name}_INT64", f"{name} {{}}", of(function), Ids((3, 3), 9))


def patches():
    yield Case("unfold", "unfold { kernel_size: [2, 3] }", lambda: nn.Unfold((2, 3)), (2, 3, 5, 6), (3, 4, 4))
    yield Case("unfold_strided", "unfold { kernel_size: 3 dilation: [2, 1] padding: [1, 2] stride: 2 }",
               lambda: nn.Unfold(3, (2, 1), (1, 2), 2), (2, 3, 7, 6))
    yield Case("fold", "fold { output_size: [4, 5] kernel_size: [2, 3] }", lambda: nn.Fold((4, 5), (2, 3)),
               (2, 12, 9), (6, 9))
    yield Case("fold_strided", "fold { output_size: 6 kernel_size: 2 dilation: 2 padding: 1 stride: [2, 1] }",
               lambda: nn.Fold(6, 2, 2, 1, (2, 1)), (1, 8, 18))


def pads():
    sizes = {1: (5,), 2: (5, 6), 3: (4, 5, 3)}
    for n in (1, 2, 3):
        uneven = [1, 2, 0, 1, 2, 0][:2 * n]
        crop = [-1, 2, 1, -2, 0, 1][:2 * n]
        batched, unbatched = (2, 3, *sizes[n]), (3, *sizes[n])
        for name, numbers in [("one", [1]), ("uneven", uneven), ("crop", crop)]:
            pad = numbers * 2 * n if name == "one" else numbers
            yield Case(f"constant_pad{n}d_{name}", f"constant_pad{n}d {{ padding: {numbers} value: -1.5 }}",
                       lambda n=n, pad=pad: getattr(nn, f"ConstantPad{n}d")(tuple(pad), -1.5),
                       batched, unbatched, sizes[n])
            yield Case(f"zero_pad{n}d_{name}", f"zero_pad{n}d {{ padding: {numbers} }}",
                       of(lambda x, pad=pad: F.pad(x, pad)), batched)
            for kind, mode in [("reflection", "reflect"), ("replication", "replicate")]:
                yield Case(f"{kind}_pad{n}d_{name}", f"{kind}_pad{n}d {{ padding: {numbers} }}",
                           of(lambda x, pad=pad, mode=mode: F.pad(x, pad, mode)), batched, unbatched)
            yield Case(f"circular_pad{n}d_{name}", f"circular_pad{n}d {{ padding: {numbers} }}",
                       of(lambda x, pad=pad: F.pad(x, pad, "circular")), batched)
    yield Case("pad", "pad { pad: [1, 2, 0, 1, 3, 0, 1, 1] value: 2.5 }",
               of(lambda x: F.pad(x, (1, 2, 0, 1, 3, 0, 1, 1), value=2.5)), (2, 3, 4, 2), (1, 1, 1, 1))
    yield Case("pad_reflect", "pad { pad: [1, 2] mode: 'reflect' }",
               of(lambda x: F.pad(x, (1, 2), "reflect")), (2, 3, 4), (3, 4))
    yield Case("pad_of_nothing", "pad { pad: [1, 2] value: 3 }", of(lambda x: F.pad(x, (1, 2), value=3)), (2, 0))
    yield Case("pad_to_nothing", "pad { pad: [-1, -2] }", of(lambda x: F.pad(x, (-1, -2))), (2, 3))
    yield from every_dtype("pad", "pad { pad: [1, -1] value: 7 }", lambda x: F.pad(x, (1, -1), value=7),
                           (2, 3), ("FP32", "INT64", "INT32", "FP64", "BF16"))
    yield Case("pad_truncates", "pad { pad: [1, 1] value: -2.7 }", of(lambda x: F.pad(x, (1, 1), value=-2.7)),
               Ids((2,), 9))


def cases():
    for family in (views, permutations, parts, repeats, joins, indices, patches, pads):
        yield from family()
