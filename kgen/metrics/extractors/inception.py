"""InceptionV3 of Keras Applications, trained on ImageNet."""

import functools

import keras

from kgen.metrics.extractors.extractor import Extractor, in_float32


@functools.cache
@in_float32()
def inception():
    """Returns the extractor `"inception"`: `(n, 2048)` features, pooled, and 1,000 classes.

    InceptionV3 (Szegedy et al. 2015, arXiv 1512.00567) with the weights of Keras Applications.
    Differs from the network of the published Frechet distances and Inception scores, which is an
    earlier one with other weights: numbers compare among themselves, not with published ones.

    The weights are downloaded once by Keras, 92 MiB, to `~/.keras/models` (`KERAS_HOME`).

    Raises:
        ValueError: If the weights are not there and cannot be downloaded.
    """
    try:
        # Takes images in [-1, 1], as kgen's are.
        network = keras.applications.InceptionV3(weights="imagenet")
    except Exception as error:  # Keras raises a bare one where a download fails.
        raise ValueError(
            "extractor='inception' needs the weights of keras.applications.InceptionV3, which are "
            f"not in ~/.keras/models and could not be downloaded ({error}). Expected a network, or "
            "the file inception_v3_weights_tf_dim_ordering_tf_kernels.h5 of Keras Applications "
            "there; extractor='random' needs neither."
        ) from error
    pooled = network.get_layer("avg_pool").output
    features = keras.Model(network.input, pooled, name="inception")
    return Extractor(features, "inception (Keras Applications)", network, batch_size=32)
