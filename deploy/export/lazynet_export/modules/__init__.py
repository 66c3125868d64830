"""Handlers of torch.nn's classes. Importing them registers them."""
from . import (activation, attention, convolution, linear, normalization, padding, pooling,  # noqa: F401
               recurrent, resampling, shape)
