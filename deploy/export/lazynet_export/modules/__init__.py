"""Handlers of torch.nn's classes. Importing them registers them."""
from . import (activation, attention, convolution, linear, normalization,  # noqa: F401
               padding, pooling, recurrent, resampling, shape)
