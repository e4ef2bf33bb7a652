"""Image sets as `tf.data` streams: batched, float32, NHWC, in [-1, 1]."""

from kgen.data.class_count import class_count
from kgen.data.class_names import class_names
from kgen.data.from_arrays import from_arrays
from kgen.data.in_order import in_order
from kgen.data.loading import load
from kgen.data.pairs import pairs
from kgen.data.pairs_in_order import pairs_in_order
from kgen.data.pipeline import image_shape
from kgen.data.stream import Stream
from kgen.data.unpaired import unpaired

__all__ = [
    "Stream",
    "class_count",
    "class_names",
    "from_arrays",
    "image_shape",
    "in_order",
    "load",
    "pairs",
    "pairs_in_order",
    "unpaired",
]
