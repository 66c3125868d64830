"""Functions and methods that rearrange tensors."""
import torch

from ..arguments import per_axis
from ..definition import Value
from ..errors import Unsupported
from ..registry import function, given
from ..shapes import ShapeOf, numbers, size_list, sizes_of
from ..sizes import combine
from .arithmetic import common_dtype


@function(".contiguous", ".clone", "torch.clone", ".detach", ".cpu", ".cuda", ".requires_grad_",
          ".alias", "torch.detach")
def same(c, input, *args, **kwargs):
    return input


@function("torch.flatten", ".flatten")
def flatten(c, input, start_dim=0, end_dim=-1):
    return c.layer("flatten", [input], {"start_dim": given(start_dim, 1),
                                        "end_dim": given(end_dim, -1)},
                   rank=1 if (start_dim, end_dim) == (0, -1) else None)


@function("torch.ravel", ".ravel")
def ravel(c, input):
    return flatten(c, input)


@function("torch.unflatten", ".unflatten")
def unflatten(c, input, dim, sizes, names=None):
    made = size_list([sizes])
    rank = c.rank(input)
    return c.layer("unflatten", [input], {"dim": dim}, expressions={"unflattened_size": made},
                   rank=None if rank is None else rank + len(made) - 1)


@function("torch.reshape", ".reshape", ".view")
def reshape(c, input, *shape, **kwargs):
    if "shape" in kwargs:
        shape = (kwargs["shape"],)
    if len(shape) == 1 and isinstance(shape[0], torch.dtype):
        raise Unsupported("view(dtype) is not supported")
    if len(shape) == 1 and isinstance(shape[0], ShapeOf):
        return like_shape(c, input, shape[0])
    made = size_list(shape)
    return c.layer("reshape", [input], expressions={"shape": made}, rank=len(made))


def like_shape(c, input, shape):
    """x.view(x.shape[:-1] + (heads, size)) splits the last dimension, whatever the rank."""
    value = c.value(input)
    if shape.value is value and shape.start in (None, 0) and shape.stop == -1 and \
            len(shape.more) > 1:
        return unflatten(c, value, -1, list(shape.more))
    return reshape(c, value, *size_list([shape]))


@function(".view_as", ".reshape_as")
def view_as(c, input, other):
    return reshape(c, input, *sizes_of(c, other))


@function("torch.permute", ".permute")
def permute(c, input, *dims, **kwargs):
    order = numbers(dims or (kwargs["dims"],))
    return c.layer("permute", [input], {"dims": order}, rank=len(order))


@function("torch.transpose", ".transpose", "torch.swapaxes", ".swapaxes", "torch.swapdims",
          ".swapdims")
def transpose(c, input, dim0, dim1):
    return c.layer("transpose", [input], {"dim0": dim0, "dim1": dim1}, rank=c.rank(input))


@function("torch.t", ".t")
def t(c, input):
    return input if c.rank(input) in (0, 1) else transpose(c, input, 0, 1)


@function("torch.movedim", ".movedim", "torch.moveaxis", ".moveaxis")
def movedim(c, input, source, destination):
    rank = c.rank(input)
    if rank is None:
        raise Unsupported("of a tensor whose rank is not known; --input gives an example")
    sources, targets = ([one % rank for one in numbers([dims])] for dims in (source, destination))
    order = [axis for axis in range(rank) if axis not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return permute(c, input, order)


@function("torch.squeeze", ".squeeze")
def squeeze(c, input, dim=None):
    value, shapes = c.value(input), c.example_shapes(0)
    if dim is None:
        if not shapes:
            raise Unsupported("wants dim: without it the rank depends on the request")
        # A batch of one is a batch.
        dim = [axis for axis in range(len(shapes[0])) if all(one[axis] == 1 for one in shapes)]
    dims = list(dim) if isinstance(dim, (tuple, list)) else [dim]
    if not dims:
        return value
    rank = value.rank
    return c.layer("squeeze", [value], {"dim": per_axis(dims)},
                   rank=None if rank is None else rank - len(dims))


@function("torch.unsqueeze", ".unsqueeze")
def unsqueeze(c, input, dim):
    rank = c.rank(input)
    return c.layer("unsqueeze", [input], {"dim": dim}, rank=None if rank is None else rank + 1)


@function(".expand", "torch.broadcast_to", ".broadcast_to")
def expand(c, input, *size, **kwargs):
    made = size_list(size or (kwargs["size"],))
    return c.layer("expand", [input], expressions={"size": made}, rank=len(made))


@function(".expand_as")
def expand_as(c, input, other):
    return expand(c, input, *sizes_of(c, other))


@function(".repeat")
def repeat(c, input, *repeats, **kwargs):
    made = size_list(repeats or (kwargs["repeats"],))
    return c.layer("repeat", [input], expressions={"repeats": made}, rank=len(made))


@function("torch.tile", ".tile")
def tile(c, input, *dims, **kwargs):
    """As repeat, whose first dimensions may be left out."""
    made, rank = size_list(dims or (kwargs["dims"],)), c.rank(input)
    if rank is None:
        raise Unsupported("of a tensor whose rank is not known: use repeat, or --input")
    return repeat(c, input, [1] * (rank - len(made)) + made)


@function("torch.repeat_interleave", ".repeat_interleave")
def repeat_interleave(c, input, repeats, dim=None, *, output_size=None):
    if not isinstance(repeats, int):
        raise Unsupported("repeats wants a number")
    if dim is None:
        input, dim = flatten(c, input), 0
    return c.layer("repeat_interleave", [input], {"repeats": repeats, "dim": dim},
                   rank=c.rank(input))


def pieces(c, out, count, rank):
    """The outputs of a layer that gives several."""
    return tuple(Value(f"{out.source}:{i}" if i else out.source, out.dtype, rank)
                 for i in range(count))


@function("torch.chunk", ".chunk")
def chunk(c, input, chunks, dim=0):
    out = c.layer("chunk", [input], {"chunks": chunks, "dim": given(dim, 0)}, rank=c.rank(input))
    return pieces(c, out, chunks, out.rank)


@function("torch.split", ".split", ".split_with_sizes")
def split(c, input, split_size_or_sections=None, dim=0, split_size=None):
    size = split_size if split_size_or_sections is None else split_size_or_sections
    sizes = size_list([size])
    listed = isinstance(size, (tuple, list))
    count = len(sizes) if listed else c.node.unpacked
    if count is None:
        return {i: piece(c, input, dim, i, size) for i in c.indices_of_results()}
    out = c.layer("split", [input], {"dim": given(dim, 0), "count": None if listed else count},
                  expressions={"split_size": sizes}, rank=c.rank(input))
    return pieces(c, out, count, out.rank)


def piece(c, input, dim, index, size):
    """x.split(size, dim)[index] of who knows how many."""
    if index < 0:
        raise Unsupported("pieces from the end are not supported")
    return c.layer("slice", [input], {"dim": dim}, rank=c.rank(input), expressions={
        "start": [combine("*", size, index)] if index else None,
        "end": [combine("*", size, index + 1)]})


@function("torch.unbind", ".unbind")
def unbind(c, input, dim=0):
    rank = c.rank(input)
    rank = None if rank is None else rank - 1
    count = c.node.unpacked
    if count is None:
        return {i: c.layer("select", [input], {"dim": dim}, expressions={"index": [i]}, rank=rank)
                for i in c.indices_of_results()}
    out = c.layer("unbind", [input], {"dim": given(dim, 0), "count": count}, rank=rank)
    return pieces(c, out, count, rank)


@function("torch.stack")
def stack(c, tensors, dim=0):
    rank = c.rank(tensors[0])
    return c.layer("stack", list(tensors), {"dim": given(dim, 0)}, dtype=common_dtype(c, tensors),
                   rank=None if rank is None else rank + 1)


@function("torch.cat", "torch.concat", "torch.concatenate")
def cat(c, tensors, dim=0, axis=None):
    tensors = list(tensors)
    dim = dim if axis is None else axis
    if len(tensors) == 1:
        return tensors[0]
    return c.layer("concat", tensors, {"dim": given(dim, 0)}, dtype=common_dtype(c, tensors),
                   rank=known_rank(c, tensors))


def known_rank(c, tensors):
    """The rank that all have, if that of one is known."""
    return next((rank for rank in map(c.rank, tensors) if rank is not None), None)


@function("torch.roll", ".roll")
def roll(c, input, shifts, dims=None):
    if dims is None or dims == ():
        raise Unsupported("wants dims")
    shifts, dims = numbers([shifts]), numbers([dims])
    return c.layer("roll", [input], {"shifts": shifts if len(shifts) > 1 else shifts[0],
                                     "dims": dims if len(dims) > 1 else dims[0]},
                   rank=c.rank(input))


@function("torch.flip", ".flip")
def flip(c, input, *dims, **kwargs):
    made = numbers(dims or (kwargs["dims"],))
    return c.layer("flip", [input], {"dims": made if len(made) > 1 else made[0]},
                   rank=c.rank(input))


@function("torch.fliplr", ".fliplr")
def fliplr(c, input):
    return flip(c, input, 1)


@function("torch.flipud", ".flipud")
def flipud(c, input):
    return flip(c, input, 0)


@function("torch.tril", ".tril")
def tril(c, input, diagonal=0):
    return c.layer("tril", [input], {"diagonal": given(diagonal, 0)}, rank=c.rank(input))


@function("torch.triu", ".triu")
def triu(c, input, diagonal=0):
    return c.layer("triu", [input], {"diagonal": given(diagonal, 0)}, rank=c.rank(input))


@function("F.pixel_shuffle", "torch.pixel_shuffle")
def pixel_shuffle(c, input, upscale_factor):
    return c.layer("pixel_shuffle", [input], {"upscale_factor": upscale_factor},
                   rank=c.rank(input))


@function("F.pixel_unshuffle", "torch.pixel_unshuffle")
def pixel_unshuffle(c, input, downscale_factor):
    return c.layer("pixel_unshuffle", [input], {"downscale_factor": downscale_factor},
                   rank=c.rank(input))


@function("torch.channel_shuffle", "F.channel_shuffle")
def channel_shuffle(c, input, groups):
    return c.layer("channel_shuffle", [input], {"groups": groups}, rank=c.rank(input))


def window_arguments(kernel_size, dilation, padding, stride):
    return {"kernel_size": per_axis(kernel_size), "dilation": per_axis(dilation, 1),
            "padding": per_axis(padding, 0), "stride": per_axis(stride, 1)}


@function("F.unfold")
def unfold(c, input, kernel_size, dilation=1, padding=0, stride=1):
    return c.layer("unfold", [input], window_arguments(kernel_size, dilation, padding, stride),
                   rank=3)


@function("F.fold")
def fold(c, input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return c.layer("fold", [input], {"output_size": per_axis(output_size), **window_arguments(
        kernel_size, dilation, padding, stride)}, rank=4)


def transposed(c, input):
    """x.T"""
    rank = c.rank(input)
    if rank is None:
        raise Unsupported("of a tensor whose rank is not known: use mT or transpose")
    return permute(c, input, *range(rank - 1, -1, -1))
