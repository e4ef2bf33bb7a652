"""Feature networks behind one protocol: images in [-1, 1] -> features `(n, d)`."""

from kgen.metrics.extractors.choice import extractor
from kgen.metrics.extractors.digits import digits
from kgen.metrics.extractors.extractor import Extractor
from kgen.metrics.extractors.inception import inception
from kgen.metrics.extractors.random_convolution import random_convolution

__all__ = ["Extractor", "digits", "extractor", "inception", "random_convolution"]
