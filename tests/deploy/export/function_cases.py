"""Functions of tensors to export, with what each is called with."""

import torch
from torch import nn
from torch.nn import functional as F

X = (2, 4, 6, 6)
ROWS = (3, 8)


def ids(high):
    return lambda generator: torch.randint(0, high, (2, 5), generator=generator)


def mask(shape):
    return lambda generator: torch.randn(shape, generator=generator) > 0


def positive(shape):
    return lambda generator: torch.rand(shape, generator=generator) + 0.5


def unpack(x):
    b, c, h, w = x.shape
    return x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h * w)


def heads(x):
    return x.view(x.shape[:-1] + (2, 4))


def three(x):
    a, b, c = x.split(3, dim=-1)
    return a + c, b


def apart(x):
    a, b, c = x.unbind(1)
    return a * c + b


def parts(x):
    q, k = x.chunk(2, dim=1)
    return q * k


def largest(x):
    values, indices = x.max(dim=1)
    return {"values": values, "indices": indices}


def in_place_of_floats(x, i):
    y = x + 1
    y += i.double()
    y.gt_(1)
    return y


def in_place(x):
    y = x + 1
    y += 2
    y.mul_(3)
    F.relu(y, inplace=True)
    return y


# name: function, then an input each
CASES = {
    # arithmetic
    "add": (lambda x, y: x + y, X, X),
    "add_number": (lambda x: x + 2.5, X),
    "add_alpha": (lambda x, y: torch.add(x, y, alpha=2), X, X),
    "radd": (lambda x: 1 + x, X),
    "sub": (lambda x, y: x - y, X, (6,)),
    "sub_number": (lambda x: x - 2, X),
    "rsub": (lambda x: 2 - x, X),
    "mul": (lambda x, y: x * y, X, X),
    "mul_number": (lambda x: 0.5 * x, X),
    "div": (lambda x, y: x / y, X, positive(X)),
    "div_number": (lambda x: x / 4, X),
    "rdiv": (lambda x: 2 / x, positive(X)),
    "div_floor": (lambda x: torch.div(x, 0.3, rounding_mode="floor"), X),
    "floordiv": (lambda x: x // 0.7, X),
    "remainder": (lambda x: x % 0.7, X),
    "fmod": (lambda x: torch.fmod(x, 0.7), X),
    "pow": (lambda x: x ** 2, X),
    "rpow": (lambda x: 2 ** x, X),
    "pow_tensors": (lambda x, y: x ** y, positive(X), X),
    "maximum": (torch.maximum, X, X),
    "minimum": (lambda x, y: x.minimum(y), X, X),
    "neg": (lambda x: -x, X),
    "unary": (lambda x: x.abs().sqrt().exp().log() + torch.erf(x).sin() * x.floor(), X),
    "rsqrt": (lambda x: torch.rsqrt(x) + x.reciprocal() + x.log2(), positive(X)),
    "clamp": (lambda x: x.clamp(-1, 0.5), X),
    "clamp_min": (lambda x: torch.clamp(x, min=0), X),
    "compare": (lambda x, y: (x > y) & (x != 0) | ~(y <= 0), X, X),
    "compare_number": (lambda x: (0 < x).float(), X),
    "where": (lambda x, y: torch.where(x > 0, x, y), X, X),
    "where_number": (lambda x: torch.where(x > 0, x, 0.0), X),
    "where_ints": (lambda x: torch.where(x > 0, 1, 0), X),
    "where_floats": (lambda x: torch.where(x > 0, 1.0, 0.0), X),
    "where_bools": (lambda x: torch.where(x > 0, True, False), X),
    "where_float_of_ints": (lambda i: torch.where(i > 2, i, 0.0), ids(6)),
    "pow_float_of_ints": (lambda i: i ** 2.0, ids(6)),
    "rpow_float_of_ints": (lambda i: 2.0 ** i, ids(6)),
    "clamp_float_of_ints": (lambda i: i.clamp(1.0, 3.0), ids(6)),
    "clamp_ints": (lambda i: i.clamp(1, 3), ids(6)),
    "masked_fill": (lambda x, m: x.masked_fill(m, -1e9), X, mask((6, 6))),
    "in_place": (in_place, X),
    "in_place_dtype": (in_place_of_floats, (2, 5), ids(6)),
    "constant": (lambda x: x + torch.tensor([1.0, 2, 3, 4, 5, 6]), X),
    "dtypes": (lambda x: x.double().mul(2).to(x.dtype), X),
    # activations
    "activations": (lambda x: F.silu(F.gelu(x, approximate="tanh")) + F.elu(x, 0.5), X),
    "leaky": (lambda x: F.leaky_relu(x, 0.2, True), X),
    "softmax": (lambda x: F.softmax(x, dim=-1), X),
    "log_softmax": (lambda x: x.log_softmax(1), X),
    "hardtanh": (lambda x: F.hardtanh(x, -2, 2), X),
    "normalize": (lambda x: F.normalize(x, dim=-1), X),
    "group_norm": (lambda x: F.group_norm(x, 2), X),
    "layer_norm": (lambda x: F.layer_norm(x, (6,)), X),
    "glu": (lambda x: F.glu(x, 1), X),
    "dropout": (lambda x: F.dropout(x, 0.5, training=False) * 2, X),
    # shapes
    "flatten": (lambda x: torch.flatten(x, 1), X),
    "flatten_all": (lambda x: x.flatten(), X),
    "view": (lambda x: x.view(x.size(0), -1), X),
    "unpack": (unpack, X),
    "heads": (heads, (2, 3, 8)),
    "permute": (lambda x: x.permute(0, 2, 3, 1), X),
    "transpose": (lambda x: x.transpose(1, -1).mT, X),
    "squeeze": (lambda x: x.mean(1, keepdim=True).squeeze(1).unsqueeze(-1), X),
    "expand": (lambda x: x[:, :1].expand(-1, 4, -1, -1), X),
    "expand_batch": (lambda x: torch.ones(1, 4).expand(x.shape[0], -1) + x, (3, 4)),
    "repeat": (lambda x: x.repeat(1, 2, 1, x.shape[-1] // 3), X),
    "repeat_interleave": (lambda x: torch.repeat_interleave(x, 2, dim=1), X),
    "chunk": (parts, X),
    "split": (three, (2, 9)),
    "split_list": (lambda x: x.split([1, 3], 1)[1], X),
    "split_some": (lambda x: x.split(3, dim=2)[1] + torch.split(x, 3, 2)[0], X),
    "unbind": (apart, (2, 3, 5)),
    "unbind_some": (lambda x: x.unbind(1)[2] * x.unbind(1)[-1], X),
    "stack": (lambda x, y: torch.stack([x, y], dim=-1), X, X),
    "cat": (lambda x, y: torch.cat((x, y, x), 1), X, X),
    "cat_dtypes": (lambda x, i: torch.cat((i, x * 3), 1).long(), (2, 5), ids(6)),
    "stack_dtypes": (lambda x, i: torch.stack((i, x * 3)).long(), (2, 5), ids(6)),
    "roll": (lambda x: torch.roll(x, shifts=(1, -2), dims=(2, 3)), X),
    "flip": (lambda x: x.flip(-1), X),
    "flip_dims": (lambda x: torch.flip(x, dims=[1, -1]), X),
    "narrow": (lambda x: x.narrow(1, -2, 2) * x.narrow(1, 0, 2) + x.narrow(1, -3, 2), X),
    "tril": (lambda x: x.tril(-1) + torch.triu(x), X),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), X),
    "pad": (lambda x: F.pad(x, (1, 2, 0, 1), value=3.0), X),
    "pad_reflect": (lambda x: F.pad(x, (1, 2, 2, 1), mode="reflect"), X),
    "unfold": (lambda x: F.unfold(x, 3, padding=1), X),
    "index": (lambda x: x[:, 1:3, ::2, -1], X),
    "index_ellipsis": (lambda x: x[..., None, 2:], X),
    "index_size": (lambda x, y: x[:, : y.shape[0] // 2], X, X),
    "index_list": (lambda x: x[:, [2, 0, 1]], X),
    "index_tensor": (lambda x: torch.index_select(x, 1, torch.tensor([3, 0])), X),
    "table": (lambda i: torch.arange(12.0).reshape(6, 2)[i], ids(6)),
    # reductions
    "mean": (lambda x: x.mean([2, 3]), X),
    "mean_all": (lambda x: torch.mean(x), X),
    "sum": (lambda x: x.sum(dim=-1, keepdim=True), X),
    "amax": (lambda x: x.amax((2, 3)) + torch.amin(x, (2, 3)), X),
    "max": (lambda x: torch.max(x), X),
    "max_dim": (largest, X),
    "max_values": (lambda x: x.max(1).values, X),
    "var": (lambda x: x.var(1) + torch.std(x, 1, unbiased=False), X),
    "norm": (lambda x: x.norm(dim=1) + torch.norm(x, p=1, dim=1), X),
    "argmax": (lambda x: x.argmax(dim=1), X),
    "topk": (lambda x: x.topk(2, dim=1)[0], X),
    "sort": (lambda x: x.sort(-1, descending=True)[1], X),
    "cumsum": (lambda x: x.cumsum(-1), X),
    "logsumexp": (lambda x: x.logsumexp(dim=(1, 2)), X),
    "all": (lambda x: (x > -9).all(dim=1), X),
    # products
    "matmul": (lambda x, y: x @ y, X, X),
    "bmm": (lambda x, y: torch.bmm(x, y.transpose(1, 2)), (2, 3, 4), (2, 5, 4)),
    "baddbmm": (lambda z, x, y: torch.baddbmm(z, x, y, beta=2, alpha=0.5),
                (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    "einsum_attention": (lambda q, k: torch.einsum("bhid,bhjd->bhij", q, k),
                         (2, 3, 4, 5), (2, 3, 6, 5)),
    "einsum_outer": (lambda x, y: torch.einsum("bi,bj->bij", x, y), (2, 3), (2, 4)),
    "einsum_many": (lambda x, y: torch.einsum("bthw,bhwo->bto", x, y), (2, 3, 4, 5),
                    (2, 4, 5, 6)),
    "einsum_sum": (lambda x: torch.einsum("bij->jb", x), (2, 3, 4)),
    # pools, resampling
    "pools": (lambda x: F.max_pool2d(x, 2, 1, 1) + F.avg_pool2d(x, 2, 1, 1), X),
    "adaptive": (lambda x: F.adaptive_avg_pool2d(x, (1, None)), X),
    "adaptive_max": (lambda x: F.adaptive_max_pool2d(x, 3), X),
    "interpolate": (lambda x: F.interpolate(x, scale_factor=1.5, mode="bilinear"), X),
    "interpolate_to": (lambda x, y: F.interpolate(x, size=y.shape[2:], mode="bilinear",
                                                  align_corners=True), X, (1, 1, 9, 5)),
    "interpolate_part": (lambda x, y: F.interpolate(x, size=y.shape[-2:]), X, (1, 1, 9, 5)),
    # made
    "zeros": (lambda x: torch.cat([x, torch.zeros(x.shape[0], 2)], 1), (3, 4)),
    "positions_by_name": (lambda x: x + torch.arange(start=1, end=x.size(1) + 1), (3, 4)),
    "positions": (lambda x: x + torch.arange(x.size(1)), (3, 4)),
    "full": (lambda x: x.new_full((x.shape[0], 4), 2.0) * x, (3, 4)),
}


class Function(nn.Module):
    """A function of tensors as a module, whose arguments are the function's."""

    def __init__(self, function, count):
        super().__init__()
        self.function = function
        self.forward = {1: self.one, 2: self.two, 3: self.three}[count]

    def one(self, x):
        return self.function(x)

    def two(self, x, y):
        return self.function(x, y)

    def three(self, x, y, z):
        return self.function(x, y, z)


def make(name):
    """The module of a case, and its inputs by name."""
    function, *inputs = CASES[name]
    return Function(function, len(inputs)), dict(zip("xyz", inputs))
