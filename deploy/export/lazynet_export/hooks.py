"""Hooks change what a module computes without a trace of it: folded into the weight, or refused."""
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm, remove_spectral_norm
from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm

from .copies import copied
from .errors import ExportError, Problem
from .tracing import is_leaf

KNOWN = {WeightNorm: remove_weight_norm, SpectralNorm: remove_spectral_norm}


def has_hooks(module):
    return any(hooks_of(one) or parametrize.is_parametrized(one) for one in module.modules())


def hooks_of(module):
    """All but the one that initializes a lazy module at its first call."""
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    return [hook for hook in hooks
            if not isinstance(getattr(hook, "__self__", None), nn.modules.lazy.LazyModuleMixin)]


def without_hooks(module):
    """The module, or a copy of it whose weights are what its hooks make of them."""
    if not has_hooks(module):
        return module
    module = copied(module)
    problems = []
    for path, one in module.named_modules():
        if parametrize.is_parametrized(one):
            for name in list(one.parametrizations):
                parametrize.remove_parametrizations(one, name, leave_parametrized=True)
        for hook in list(one._forward_pre_hooks.values()):
            remove = next((KNOWN[kind] for kind in KNOWN if isinstance(hook, kind)), None)
            if remove:
                remove(one, hook.name)
        left = hooks_of(one)
        if left and is_leaf(one):
            names = ", ".join(getattr(hook, "__name__", type(hook).__name__) for hook in left)
            problems.append(Problem(f"{path} ({type(one).__name__}): its hooks are not "
                                    f"supported: {names}"))
    if problems:
        raise ExportError(problems)
    return module
