"""Handlers of functions and methods. Importing them registers them."""
from . import (activation, arithmetic, attention, creation, dtypes, indexing,  # noqa: F401
               neural, pads, pooling, products, reduction, resampling, shape)
