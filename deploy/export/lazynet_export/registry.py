"""What can be exported: a handler for each class of torch.nn, function and method.

A handler takes the Converter and what the call takes; it adds layers, and returns what the call
returns. It has PyTorch's signature: what it does not name is an unsupported argument.
"""
import operator

import torch
from torch import nn
from torch.nn import functional

SPACES = {"torch": torch, "F": functional, "operator": operator, "torch.linalg": torch.linalg,
          "torch.special": torch.special}

modules = {}  # by class; by name where the class is not in torch.nn
functions = {}  # by callable, or ".name" of a method
names_of_modules, names_of_functions = [], []


def resolve(name):
    """The callable of "F.relu", which this PyTorch may not have."""
    space, _, last = name.rpartition(".")
    if space == "builtins":
        return {"getattr": getattr}.get(last)
    return getattr(SPACES[space], last, None)


def module(*names):
    """Registers a handler(converter, module, *args) for classes of torch.nn."""
    def register(handler):
        for name in names:
            names_of_modules.append(name)
            if hasattr(nn, name):
                modules[getattr(nn, name)] = handler
        return handler
    return register


def function(*names):
    """Registers a handler for functions such as "torch.relu", "F.relu", and methods: ".relu"."""
    def register(handler):
        for name in names:
            names_of_functions.append(name)
            if name.startswith("."):
                functions[name] = handler
            elif resolve(name) is not None:
                functions[resolve(name)] = handler
        return handler
    return register


def find_module(one):
    """The handler of a module's class, or of the first of its bases that has one."""
    for kind in type(one).__mro__:
        handler = modules.get(kind) or modules.get(kind.__name__)
        if handler:
            return handler
    return None


def find_function(op, target):
    """The handler of a function or method; in-place ones have that of the others."""
    if op != "method":
        found = functions.get(target) if callable(target) else None
        if found is None and getattr(target, "__name__", "").endswith("_"):
            found = functions.get("." + target.__name__[:-1])
        return found
    found = functions.get("." + target)
    if found is None and target.endswith("_") and not target.endswith("__"):
        found = functions.get("." + target[:-1])
    return found


def given(value, default):
    """A value if it is not PyTorch's default, which is not written."""
    return None if value == default else value
