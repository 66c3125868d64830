"""Arithmetic, comparisons and elementwise functions of tensors; arithmetic of sizes."""
import functools

import torch

from ..definition import Value
from ..errors import Unsupported
from ..graph import Constant
from ..registry import function, given
from ..sizes import Size, combine

NUMBERS = (int, float, bool)


def is_tensor(one):
    return isinstance(one, (Value, Constant, torch.Tensor))


def simplified(one):
    """A constant of no dimensions, which is no parameter, as the number that it is."""
    if isinstance(one, Constant) and one.key is None and one.tensor.dim() == 0 and \
            one.tensor.is_floating_point():
        return one.tensor.item()
    return one


def is_integral(dtype):
    return dtype is not None and not dtype.is_floating_point


def result_dtype(c, *operands):
    """As PyTorch promotes tensors and numbers; None if a dtype is not known."""
    made = []
    for one in operands:
        if is_tensor(one):
            dtype = one.dtype if isinstance(one, Value) else one.tensor.dtype
            if dtype is None:
                return None
            rank = c.rank(one)
            made.append(torch.empty([1] * (1 if rank is None else rank), dtype=dtype))
        else:
            made.append(one)
    return torch.result_type(*made) if len(made) == 2 else made[0].dtype


def common_dtype(c, tensors):
    """What tensors of equal rank are promoted to; None if a dtype is not known."""
    dtypes = [c.value(one).dtype for one in tensors]
    return None if None in dtypes else functools.reduce(torch.promote_types, dtypes)


def rank_of(c, *operands):
    ranks = [c.rank(one) for one in operands if is_tensor(one)]
    return None if None in ranks else max(ranks)


def floating_for(c, value, number):
    """`value` as a float one where `number` is a float that reads as an int in the definition."""
    if isinstance(number, float) and number.is_integer() and is_integral(value.dtype):
        return c.cast(value, torch.get_default_dtype())
    return value


def of_one_width(one, other):
    """A floating constant without dimensions does not widen what has some: it takes its dtype."""
    if not isinstance(one, Constant) or one.tensor.dim() or not is_tensor(other):
        return one
    dtype = other.dtype if isinstance(other, Value) else other.tensor.dtype
    if dtype is None or is_integral(dtype) or is_integral(one.tensor.dtype) or \
            dtype == one.tensor.dtype or isinstance(other, Value) and other.rank == 0:
        return one
    return Constant(one.tensor.to(dtype), None, one.scope)


def binary(c, field, left, right, arguments=None, boolean=False, floats=False):
    """A layer of two tensors, or of a tensor and a number as `other`."""
    left, right = simplified(left), simplified(right)
    if not is_tensor(left):
        raise Unsupported(f"wants a tensor first, got {left!r}")
    left, right = of_one_width(left, right), of_one_width(right, left)
    left = c.value(left)
    arguments = dict(arguments or {})
    inputs = [left]
    if is_tensor(right):
        right = c.value(right)
        inputs.append(right)
    elif isinstance(right, NUMBERS):
        left = inputs[0] = floating_for(c, left, right)
        arguments = {"other": right, **arguments}
    else:
        raise Unsupported("a size that is known only when a request comes is no number for "
                          "arithmetic with tensors; --input gives an example to trace with")
    dtype = torch.bool if boolean else result_dtype(c, left, right)
    if floats and is_integral(dtype):
        dtype = torch.get_default_dtype()
    return c.layer(field, inputs, arguments, dtype=dtype, rank=rank_of(c, left, right))


def of_sizes(op, left, right):
    """The number or Size, if neither is a tensor; else nothing."""
    if is_tensor(left) or is_tensor(right):
        return None
    if isinstance(left, (tuple, list)) or isinstance(right, (tuple, list)):
        return None
    return combine(op, left, right)


@function("operator.add", "operator.iadd", "torch.add", ".add", ".__add__", ".__radd__")
def add(c, input, other, *, alpha=1):
    made = of_sizes("+", input, other)
    if made is not None:
        return made
    if hasattr(input, "with_more") and isinstance(other, (tuple, list)):
        return input.with_more(other)  # x.shape[:-1] + (heads, size)
    if isinstance(input, (tuple, list)):
        return input + type(input)(other)
    if not is_tensor(input):
        input, other = other, input
        if alpha != 1:
            raise Unsupported("alpha of a number first is not supported")
    if alpha != 1 and not is_tensor(other):
        other, alpha = other * alpha, 1
    return binary(c, "add", input, other, {"alpha": given(float(alpha), 1.0)})


@function("operator.mul", "operator.imul", "torch.mul", "torch.multiply", ".mul", ".multiply",
          ".__mul__", ".__rmul__")
def mul(c, input, other):
    made = of_sizes("*", input, other)
    if made is not None:
        return made
    if isinstance(input, (tuple, list)):
        return input * other
    if not is_tensor(simplified(input)):
        input, other = other, input
    return binary(c, "mul", input, other)


@function("operator.sub", "operator.isub", "torch.sub", "torch.subtract", ".sub", ".subtract",
          ".__sub__")
def sub(c, input, other, *, alpha=1):
    made = of_sizes("-", input, other)
    if made is not None:
        return made
    if not is_tensor(simplified(input)):
        negative = binary(c, "mul", other, -alpha)
        return binary(c, "add", negative, simplified(input))
    if alpha != 1 and not is_tensor(other):
        other, alpha = other * alpha, 1
    return binary(c, "sub", input, other, {"alpha": given(float(alpha), 1.0)})


@function("torch.rsub", ".__rsub__")
def rsub(c, input, other, *, alpha=1):
    return sub(c, other, mul(c, input, alpha) if alpha != 1 else input)


@function("operator.truediv", "operator.itruediv", "torch.div", "torch.divide",
          "torch.true_divide", ".div", ".divide", ".true_divide", ".__truediv__", ".__div__")
def div(c, input, other, *, rounding_mode=None):
    if not is_tensor(input) and not is_tensor(other):
        if isinstance(input, Size) or isinstance(other, Size):
            raise Unsupported("sizes are divided by // only")
        return input / other
    if not is_tensor(simplified(input)):
        if rounding_mode is not None:
            raise Unsupported("rounding_mode with a number first is not supported")
        reciprocal = elementwise(c, "reciprocal", other, floats=True)
        return binary(c, "mul", reciprocal, simplified(input))
    return binary(c, "div", input, other, {"rounding_mode": rounding_mode},
                  floats=rounding_mode is None)


@function(".__rdiv__", ".__rtruediv__")
def rdiv(c, input, other):
    return div(c, other, input)


@function("operator.floordiv", "torch.floor_divide", ".floor_divide", ".__floordiv__")
def floor_divide(c, input, other):
    made = of_sizes("//", input, other)
    return binary(c, "floor_divide", input, other) if made is None else made


@function("operator.mod", "torch.remainder", ".remainder", ".__mod__")
def remainder(c, input, other):
    made = of_sizes("%", input, other)
    return binary(c, "remainder", input, other) if made is None else made


@function("torch.fmod", ".fmod")
def fmod(c, input, other):
    return binary(c, "fmod", input, other)


@function("operator.pow", "torch.pow", ".pow", ".__pow__")
def power(c, input, exponent):
    if not is_tensor(input) and not is_tensor(exponent):
        if isinstance(input, Size) or isinstance(exponent, Size):
            raise Unsupported("powers of sizes are not supported; --input gives an example to "
                              "trace with")
        return input ** exponent
    input, exponent = simplified(input), simplified(exponent)
    if not is_tensor(input):
        value = floating_for(c, c.value(exponent), input)
        return c.layer("pow", [value], {"self": float(input)}, rank=value.rank,
                       dtype=result_dtype(c, value, input))
    value = c.value(input)
    if is_tensor(exponent):
        return binary(c, "pow", value, exponent)
    value = floating_for(c, value, exponent)
    return c.layer("pow", [value], {"exponent": float(exponent)}, rank=value.rank,
                   dtype=result_dtype(c, value, exponent))


@function(".__rpow__")
def rpow(c, input, other):
    return power(c, other, input)


@function("torch.maximum", ".maximum")
def maximum(c, input, other):
    return binary(c, "maximum", input, other)


@function("torch.minimum", ".minimum")
def minimum(c, input, other):
    return binary(c, "minimum", input, other)


def register_comparison(field, names, mirrored):
    @function(*names)
    def comparison(c, input, other):
        if not is_tensor(input) and not is_tensor(other):
            raise Unsupported("sizes are compared only by assertions; --input gives an example "
                              "to trace with")
        if not is_tensor(simplified(input)):
            return binary(c, mirrored, other, simplified(input), boolean=True)
        return binary(c, field, input, other, boolean=True)


for field, mirrored in (("eq", "eq"), ("ne", "ne"), ("lt", "gt"), ("le", "ge"), ("gt", "lt"),
                        ("ge", "le")):
    register_comparison(field, (f"operator.{field}", f"torch.{field}", f".{field}",
                                f".__{field}__"), mirrored)


def register_logical(field, names, operator_of_ints):
    @function(*names)
    def logical(c, input, other):
        values = [c.value(input), c.value(other)]
        if operator_of_ints and any(one.dtype != torch.bool for one in values):
            raise Unsupported("on other tensors than bool ones is not supported")
        return c.layer(field, values, dtype=torch.bool, rank=rank_of(c, *values))


for field, sign in (("and", "and_"), ("or", "or_"), ("xor", "xor")):
    register_logical(f"logical_{field}", (f"torch.logical_{field}", f".logical_{field}"), False)
    register_logical(f"logical_{field}", (f"operator.{sign}", f"torch.bitwise_{field}",
                                          f".bitwise_{field}", f".__{field}__"), True)


@function("torch.logical_not", ".logical_not")
def logical_not(c, input):
    return c.layer("logical_not", [input], dtype=torch.bool, rank=c.rank(input))


@function("operator.invert", "torch.bitwise_not", ".bitwise_not", ".__invert__")
def invert(c, input):
    if c.value(input).dtype != torch.bool:
        raise Unsupported("on other tensors than bool ones is not supported")
    return logical_not(c, input)


@function("torch.where", ".where")
def where(c, condition, input=None, other=None):
    if input is None or other is None:
        raise Unsupported("with a condition alone has a result whose size depends on data")
    # x.where(condition, y) has x first.
    if isinstance(condition, Value) and condition.dtype not in (torch.bool, torch.uint8) and \
            isinstance(input, (Value, Constant)) and \
            c.value(input).dtype in (torch.bool, torch.uint8):
        condition, input = input, condition
    input, other = simplified(input), simplified(other)
    numbers = [one for one in (input, other) if not is_tensor(one)]
    if any(not isinstance(one, NUMBERS) for one in numbers):
        raise Unsupported("wants tensors or numbers")
    inputs, arguments = [c.value(condition)], {}
    for name, one in (("input", input), ("other", other)):
        if is_tensor(one):
            inputs.append(floating_for(c, c.value(one), numbers[0]) if numbers else c.value(one))
        else:
            arguments[name] = float(one)
    rank = rank_of(c, *inputs)
    if len(numbers) < 2:
        return c.layer("where", inputs, arguments, dtype=result_dtype(c, *inputs[1:], *numbers),
                       rank=rank)
    whole = all(float(one).is_integer() for one in numbers)
    made = c.layer("where", inputs, arguments, rank=rank,
                   dtype=torch.int64 if whole else torch.get_default_dtype())
    return c.cast(made, torch.result_type(*numbers))


@function("torch.masked_fill", ".masked_fill")
def masked_fill(c, input, mask, value):
    if isinstance(value, Constant):
        value = value.tensor.item()
    if not isinstance(value, NUMBERS):
        raise Unsupported("a value that is not constant is not supported")
    return c.layer("masked_fill", [input, mask], {"value": float(value)},
                   rank=rank_of(c, input, mask))


# field, whether integers become floats, whether the result is bool
UNARY = (("abs", False), ("neg", False), ("sign", False), ("exp", True), ("log", True),
         ("sqrt", True), ("rsqrt", True), ("square", False), ("reciprocal", True),
         ("floor", False), ("ceil", False), ("round", False), ("sin", True), ("cos", True),
         ("erf", True), ("expm1", True), ("log1p", True), ("trunc", False), ("log2", True),
         ("log10", True), ("isnan", False), ("tan", True), ("atan", True))
ALIASES = {"abs": ("torch.absolute", ".absolute", ".__abs__"),
           "neg": ("operator.neg", "torch.negative", ".negative", ".__neg__"),
           "trunc": ("torch.fix", ".fix"), "atan": ("torch.arctan", ".arctan"),
           "sign": ("torch.sgn", ".sgn"), "erf": ("torch.special.erf",),
           "expm1": ("torch.special.expm1",), "log1p": ("torch.special.log1p",)}


def elementwise(c, field, input, floats=False):
    value = c.value(input)
    dtype = torch.get_default_dtype() if floats and is_integral(value.dtype) else value.dtype
    dtype = torch.bool if field == "isnan" else dtype
    return c.layer(field, [value], dtype=dtype, rank=value.rank)


def register_unary(field, floats):
    @function(f"torch.{field}", f".{field}", *ALIASES.get(field, ()))
    def unary(c, input):
        if isinstance(input, Size):
            if field == "neg":
                return combine("-", 0, input)
            raise Unsupported("of a size that is known only when a request comes")
        return elementwise(c, field, input, floats)


for field, floats in UNARY:
    register_unary(field, floats)


@function("operator.pos", ".positive", "torch.positive")
def positive(c, input):
    return input


@function("torch.clamp", "torch.clip", ".clamp", ".clip")
def clamp(c, input, min=None, max=None):
    if is_tensor(min) or is_tensor(max):
        if min is not None:
            input = binary(c, "maximum", input, min)
        return input if max is None else binary(c, "minimum", input, max)
    value = c.value(input)
    numbers = [one for one in (min, max) if one is not None]
    if not numbers:
        raise Unsupported("wants min or max")
    if any(isinstance(one, Size) for one in numbers):
        raise Unsupported("bounds that are sizes are not supported")
    for one in numbers:
        value = floating_for(c, value, one)
    dtype = value.dtype
    for one in numbers:
        dtype = result_dtype(c, Value("", dtype), one) if dtype is not None else None
    return c.layer("clamp", [value], {"min": None if min is None else float(min),
                                      "max": None if max is None else float(max)},
                   dtype=dtype, rank=value.rank)


@function("torch.clamp_min", ".clamp_min")
def clamp_min(c, input, min):
    return clamp(c, input, min)


@function("torch.clamp_max", ".clamp_max")
def clamp_max(c, input, max):
    return clamp(c, input, None, max)


@function("torch.lerp", ".lerp")
def lerp(c, input, end, weight):
    return add(c, input, mul(c, sub(c, end, input), weight))


@function("torch.addcmul", ".addcmul")
def addcmul(c, input, tensor1, tensor2, *, value=1):
    product = mul(c, tensor1, tensor2)
    return add(c, input, mul(c, product, value) if value != 1 else product)
