"""Copies of modules, so that those of the user stay as they are."""
import copy

import torch
from torch.nn.parameter import UninitializedBuffer


def copied(module):
    """A deep copy. What PyTorch would not copy is copied too: weights that hooks computed, and
    buffers that have no shape yet."""
    memo = {}
    for one in module.modules():
        for value in [*vars(one).values(), *one._buffers.values()]:
            if isinstance(value, UninitializedBuffer):
                memo[id(value)] = UninitializedBuffer(value.requires_grad, value.device, value.dtype)
            elif isinstance(value, torch.Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    return copy.deepcopy(module, memo)
