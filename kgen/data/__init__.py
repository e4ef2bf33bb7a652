"""Image sets as `tf.data` streams: batched, float32, NHWC, in [-1, 1]."""

from kgen.data.from_arrays import from_arrays
from kgen.data.in_order import in_order
from kgen.data.loading import load
from kgen.data.pairs import pairs
from kgen.data.pipeline import image_shape
from kgen.data.stream import Stream
from kgen.data.unpaired import unpaired

__all__ = ["Stream", "from_arrays", "image_shape", "in_order", "load", "pairs", "unpaired"]
