"""Copies of modules, so that those of the user stay as they are."""
import copy

import torch


def copied(module):
    """A deep copy. Weights that hooks computed, which PyTorch would not copy, are copied too."""
    memo = {}
    for one in module.modules():
        for value in vars(one).values():
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    return copy.deepcopy(module, memo)
