"""Handlers of functions and methods. Importing them registers them."""
from . import (activation, arithmetic, creation, dtypes, indexing, neural, pooling,  # noqa: F401
               products, reduction, resampling, shape)
