"""Products of matrices."""
from ..errors import Unsupported
from ..registry import function
from ..sizes import Size, combine
from .arithmetic import add, mul
from .shape import permute, reshape


@function("torch.matmul", ".matmul", "operator.matmul", ".__matmul__", ".__rmatmul__", "torch.bmm",
          ".bmm", "torch.mm", ".mm", "torch.mv", ".mv", "torch.dot", ".dot")
def matmul(c, input, other):
    if c.node.target == "__rmatmul__":
        input, other = other, input
    ranks = c.rank(input), c.rank(other)
    rank = None if None in ranks else max(ranks) if min(ranks) > 1 else max(ranks) - 1
    return c.layer("matmul", [input, other], rank=rank)


def scaled(c, tensor, factor):
    return tensor if factor == 1 else mul(c, tensor, factor)


@function("torch.addmm", ".addmm", "torch.baddbmm", ".baddbmm", "torch.addmv", ".addmv")
def addmm(c, input, mat1, mat2, *, beta=1, alpha=1):
    product = scaled(c, matmul(c, mat1, mat2), alpha)
    return product if beta == 0 else add(c, product, scaled(c, input, beta))


def parse(c, equation, operands):
    """The labels of each operand and of the result, `...` spelled out by numbers."""
    equation = equation.replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise Unsupported(f"{len(terms)} terms for {len(operands)} operands")
    widest, labels = 0, []
    for term, operand in zip(terms, operands):
        if "." not in term:
            labels.append(list(term))
            continue
        rank = c.rank(operand)
        if rank is None:
            raise Unsupported("... of a tensor whose rank is not known; --input gives an example")
        before, after = term.split("...")
        count = rank - len(before) - len(after)
        widest = max(widest, count)
        labels.append([*before, *range(-count, 0), *after])
    if not arrow:
        letters = sorted(one for one in set(left) if one.isalpha() and left.count(one) == 1)
        result = [*range(-widest, 0), *letters]
    elif "." in right:
        before, after = right.split("...")
        result = [*before, *range(-widest, 0), *after]
    else:
        result = list(right)
    for term in labels:
        if len(set(term)) != len(term):
            raise Unsupported("a label twice in one operand is not supported")
    return labels, result


def arranged(c, operand, labels, order):
    """An operand with its dimensions in another order."""
    if labels == order:
        return operand
    return permute(c, operand, [labels.index(one) for one in order])


def summed(c, operand, labels, keep):
    """Without the labels that nobody needs any more."""
    gone = [at for at, one in enumerate(labels) if one not in keep]
    if not gone:
        return operand, labels
    made = c.layer("sum", [operand], {"dim": gone if len(gone) > 1 else gone[0]},
                   rank=len(labels) - len(gone))
    return made, [one for one in labels if one in keep]


def joined(c, operand, sizes):
    """Groups of dimensions as one each; `sizes` are lists of Sizes."""
    if all(len(group) == 1 for group in sizes):
        return operand
    shape = []
    for group in sizes:
        product = 1
        for size in group:
            product = combine("*", product, size)
        shape.append(product)
    return reshape(c, operand, shape)


def contract(c, left, left_labels, right, right_labels, keep):
    """One product of two operands: their common kept labels are a batch."""
    left, left_labels = summed(c, left, left_labels, {*keep, *right_labels})
    right, right_labels = summed(c, right, right_labels, {*keep, *left_labels})
    sizes = {}
    for operand, labels in ((left, left_labels), (right, right_labels)):
        for axis, label in enumerate(labels):
            sizes.setdefault(label, Size("dim", (c.value(operand), axis)))
    batch = [one for one in left_labels if one in right_labels and one in keep]
    inner = [one for one in left_labels if one in right_labels and one not in keep]
    rows = [one for one in left_labels if one not in right_labels]
    columns = [one for one in right_labels if one not in left_labels]

    def grouped(*groups):
        return [[sizes[one]] for one in batch] + [[sizes[one] for one in group]
                                                  for group in groups]
    left = arranged(c, left, left_labels, batch + rows + inner)
    left = joined(c, left, grouped(rows, inner))
    right = arranged(c, right, right_labels, batch + inner + columns)
    right = joined(c, right, grouped(inner, columns))
    product = matmul(c, left, right)
    labels = batch + rows + columns
    if len(rows) != 1 or len(columns) != 1:
        product = reshape(c, product, [sizes[one] for one in labels])
    return product, labels


@function("torch.einsum")
def einsum(c, equation, *operands):
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = operands[0]
    labels, result = parse(c, equation, operands)
    value, own = operands[0], labels[0]
    for at in range(1, len(operands)):
        later = {one for term in labels[at + 1:] for one in term}
        value, own = contract(c, value, own, operands[at], labels[at], {*result, *later})
    value, own = summed(c, value, own, set(result))
    return arranged(c, value, own, result)
