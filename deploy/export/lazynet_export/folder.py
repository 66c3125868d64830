"""Writes a model's folder whole or not at all."""
import os
import pathlib
import shutil
import tempfile

from . import safetensors
from .errors import ExportError


def check(folder, force):
    """Refuses a folder that is there, before any work."""
    folder = pathlib.Path(folder)
    if not folder.exists():
        return
    if not force:
        raise ExportError([f"{folder} is there already; --force replaces it"])
    if not folder.is_dir() or any(folder.iterdir()) and not \
            (folder / "network.textproto").exists():
        raise ExportError([f"{folder} is not a model's folder: it has no network.textproto"])


def write(folder, texts, tensors, force):
    """`texts` by file name; `tensors` go to weights.safetensors unless there are none."""
    folder = pathlib.Path(folder)
    check(folder, force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = pathlib.Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, text in texts.items():
            (made / name).write_text(text, encoding="utf-8")
        if tensors:
            safetensors.write(made / "weights.safetensors", tensors)
        made.chmod(0o755)
        if folder.exists():
            old = pathlib.Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            os.rename(folder, old)
            os.rename(made, folder)
            shutil.rmtree(old)
        else:
            os.rename(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
