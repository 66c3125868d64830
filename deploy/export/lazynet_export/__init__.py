"""Exports modules of PyTorch to lazynet: `from lazynet_export import export`."""
from .errors import ExportError, Problem
from .exporter import Exported, export

__all__ = ["ExportError", "Exported", "Problem", "export"]
