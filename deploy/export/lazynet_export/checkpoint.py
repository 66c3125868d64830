"""Loads a checkpoint into a module."""
import pathlib
import pickle

import torch

from . import safetensors
from .errors import ExportError

WRAPPERS = ("state_dict", "model_state_dict", "model", "module")


def read(path):
    """The state dict of a .safetensors, .pt or .pth file."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise ExportError([f"--checkpoint {path}: there is no such file"])
    if path.suffix == ".safetensors":
        return safetensors.read(path)
    try:
        # Without weights_only a file may run any code.
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ExportError([f"--checkpoint {path}: wants a file of tensors, as "
                           f"torch.save(module.state_dict(), ...) makes it: {error}"]) from error
    while isinstance(found, dict) and not any(isinstance(one, torch.Tensor)
                                              for one in found.values()):
        inner = next((found[key] for key in WRAPPERS if isinstance(found.get(key), dict)), None)
        if inner is None:
            break
        found = inner
    if not isinstance(found, dict) or not found or \
            not all(isinstance(one, torch.Tensor) for one in found.values()):
        raise ExportError([f"--checkpoint {path}: wants a dict of tensors, or one under "
                           f"{', '.join(WRAPPERS)}"])
    if all(key.startswith("module.") for key in found):  # of DataParallel
        found = {key[len("module."):]: one for key, one in found.items()}
    return found


def load(module, path):
    """Strictly: every key, every shape."""
    try:
        module.load_state_dict(read(path), strict=True)
    except RuntimeError as error:
        raise ExportError([f"--checkpoint {path}: {error}"]) from error
