"""Image sets as `tf.data` streams: batched, float32, NHWC, in [-1, 1]."""

from kgen.data.loading import load
from kgen.data.pipeline import image_shape

__all__ = ["image_shape", "load"]
