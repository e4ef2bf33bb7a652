"""The smallest model that can be exported: where it is the files that matter."""

import keras

from kgen import models


def points_gan():
    """A GAN of points, each network of one layer."""
    points = keras.Input((2,))
    return models.GAN(
        keras.Model(points, keras.layers.Dense(2)(points)),
        keras.Model(points, keras.layers.Dense(1)(points)),
    )
