"""A model that translates, and nothing else."""

import keras
from keras import layers, ops

from kgen import GenerativeModel, Player

SHAPE = (8, 12, 3)


@keras.saving.register_keras_serializable("kgen_tests")
class Translator(GenerativeModel):
    """One convolution, which mixes channels and neighbours, for each direction."""

    def __init__(self, shape=SHAPE, channels=3, directions=("forward",), noisy=False, **kwargs):
        images = keras.Input(shape)
        networks = [
            keras.Model(images, layers.Conv2D(channels, 3, padding="same")(images))
            for _ in directions
        ]
        super().__init__([Player("translator", tuple(networks), self.error)], **kwargs)
        self.shape, self.channels, self.noisy = list(shape), channels, noisy
        self.directions = list(directions)
        self.networks = networks

    def error(self, images, training):
        return sum(ops.mean(ops.square(network(images))) for network in self.networks)

    def translate_step(self, images, direction, noise):
        outputs = self.networks[self.directions.index(direction)](images, training=False)
        if noise is not None:
            outputs = outputs + noise.normal(ops.shape(outputs))
        return ops.clip(outputs, -1.0, 1.0)

    @property
    def has_translation_noise(self):
        return self.noisy

    @property
    def image_shape(self):
        return tuple(self.shape)
