"""Features without any training: a convolutional network with seeded random weights."""

import keras
from keras import layers

from kgen.metrics.extractors.extractor import Extractor, in_float32


@in_float32()
def random_convolution(seed=0, image_size=32, channels=3, filters=32):
    """Returns the extractor `"random"`: `(n, 7 * filters)` features of an untrained network.

    Its scores depend on nothing but the seed, on any data, and follow those of trained networks
    roughly (Naeem et al. 2020, section 4.2, arXiv 2002.09797, use random features where trained
    ones do not fit the images).

    Three convolutions of stride 2 with orthogonal kernels; the features are the means of their
    maps over the image: of `filters`, twice and four times as many.

    Args:
        seed: Integer seed of the weights.
        image_size: Height and width that images are resized to.
        channels: 1 or 3.
        filters: Maps of the first convolution.
    """
    images = keras.Input((image_size, image_size, channels), name="images")
    x, features = images, []
    for stage in range(3):
        x = layers.Conv2D(
            filters * 2**stage,
            4,
            2,
            "same",
            activation="leaky_relu",
            # A gain that keeps the activations' scale.
            kernel_initializer=keras.initializers.Orthogonal(2.0**0.5, seed=seed + stage),
            name=f"random_convolution_{stage}",
        )(x)
        features.append(layers.GlobalAveragePooling2D(name=f"random_mean_{stage}")(x))
    joined = layers.Concatenate(name="random_features")(features)
    return Extractor(keras.Model(images, joined, name="random"), f"random (seed {seed})")
