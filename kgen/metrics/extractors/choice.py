"""From a name or a network to an extractor."""

import keras

from kgen.metrics.extractors.digits import digits
from kgen.metrics.extractors.extractor import Extractor
from kgen.metrics.extractors.inception import inception
from kgen.metrics.extractors.random_convolution import random_convolution
from kgen.suggestion import did_you_mean

EXTRACTORS = {"digits": digits, "inception": inception, "random": random_convolution}


def extractor(network):
    """Returns the extractor that a name or a network stands for.

    Args:
        network: `"digits"`, `"inception"` or `"random"`; a built `keras.Model` from images in
            [-1, 1] to features; or what follows the protocol already: a function of images with the
            attributes `name`, `hash` and `resizer(image_shape)`, as `Extractor` has them.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(network, keras.Model):
        return Extractor(network)
    if isinstance(network, str) and network in EXTRACTORS:
        return EXTRACTORS[network]()
    if callable(network) and all(hasattr(network, n) for n in ("name", "hash", "resizer")):
        return network
    raise ValueError(
        f"`extractor` must be one of {sorted(EXTRACTORS)}, a keras.Model, or a function with `name`"
        f", `hash` and `resizer`; received {network!r}.{did_you_mean(network, EXTRACTORS)}"
    )
