"""Random draws, either with a state that is saved with the model or from a given seed."""

import contextlib
import math

import keras
from keras import ops

from kgen.core import engine
from kgen.core.arrays import seed_of
from kgen.core.numbers import plain_arguments


class Noise(keras.layers.Layer):
    """Random draws whose state is a variable: saved with the model, moved by every draw.

    A layer, so that a model which holds one lists its state in `model.variables`, from where
    `GenerativeModel` saves it. (Keras saves weights, but no state of any `SeedGenerator`.)

    Args:
        seed: Integer start of the sequence; `None` draws one from Python's `random`, which
            `keras.utils.set_random_seed` fixes.

    Raises:
        ValueError: If `seed` is no integer of 64 bits.
    """

    @plain_arguments
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = None if seed is None else seed_of(seed)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def normal(self, shape):
        """Draws float32 of `shape` from N(0, 1)."""
        return engine.normal(shape, self.seed_generator.next())

    def uniform(self, shape, common=False):
        """Draws float32 of `shape` from U[0, 1); with `common` the same ones on all replicas."""
        return engine.uniform(shape, self.seed_generator.next(), common)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


class SeededNoise:
    """The same draws as `Noise`, but from a seed that may be a tensor, and without any state.

    Used where a seed decides everything: `sample(count, seed)`, also inside a SavedModel.

    Args:
        seed: Integer, or scalar integer tensor.
        part: Integer, or scalar integer tensor, that tells apart parts of the same work, each of
            which makes less than 2^32 draws.
    """

    def __init__(self, seed, part=0):
        self.seed = ops.cast(seed, "int64")
        self.first = ops.cast(part, "int64") * 2**32
        self.draws = 0

    def normal(self, shape):
        """Draws float32 of `shape` from N(0, 1)."""
        return engine.normal(shape, self._next())

    def uniform(self, shape):
        """Draws float32 of `shape` from U[0, 1)."""
        return engine.uniform(shape, self._next())

    def _next(self):
        self.draws += 1
        # Counted downwards: a model's own draws, from the same seed, are counted upwards.
        return ops.stack([self.seed, -self.first - self.draws])


class ImageNoise(SeededNoise):
    """Draws that are an image's own: decided by a seed and the image, not by its place in a batch.

    One sequence of draws is shared, and mixed for each image with a number that its pixels hash to,
    by the finaliser of MurmurHash3 (Appleby 2011), so that images have nothing in common. An image
    is hashed in 256 levels, so that a rounding on its way does not change the draws.

    Args:
        seed: As of `SeededNoise`.
        images: `(batch, ...)` in [-1, 1].
    """

    def __init__(self, seed, images):
        super().__init__(seed)
        levels = ops.cast(ops.round((ops.cast(images, "float32") + 1.0) * 127.5), "int64")
        levels = ops.reshape(levels, (-1, math.prod(images.shape[1:])))  # (batch, pixels)
        places = ops.cast(ops.arange(levels.shape[1]), "int64")
        # Whole numbers, whose sum does not depend on its order.
        self.keys = _mixed(ops.sum(_mixed(levels + 1000 * places), axis=1))  # (batch,)

    def normal(self, shape):
        """Draws float32 of `shape`, whose first entry is that of the images, from N(0, 1)."""
        # Of the midpoints of (0, 1), so never 0 or 1.
        return math.sqrt(2.0) * ops.erfinv(2.0 * self.uniform(shape) + (2.0**-23 - 1.0))

    def uniform(self, shape):
        """Draws float32 of `shape`, whose first entry is that of the images, from U[0, 1)."""
        shared = ops.cast(super().uniform((1, *shape[1:])) * 2.0**23, "int64")
        keys = ops.reshape(self.keys, (-1, *(1 for _ in shape[1:])))
        return ops.cast(ops.right_shift(_mixed(_mixed(shared) + keys), 9), "float32") * 2.0**-23


def _mixed(numbers):
    """Whole numbers -> such of 32 bits that look random, each bit of all bits."""
    for bits, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        numbers = ops.bitwise_and(numbers, 2**32 - 1)
        numbers = ops.bitwise_xor(numbers, ops.right_shift(numbers, bits)) * factor
    return ops.bitwise_and(numbers, 2**32 - 1)


@contextlib.contextmanager
def borrowed(states, offset):
    """Context in which the random `states` are `offset` draws further on, and restored after.

    An evaluation draws in it: other noise for each batch, and no trace in the training's noise.

    Args:
        states: Variables of `keras.random.SeedGenerator`s.
        offset: Integer scalar, by how many draws to move on.
    """
    before = [ops.copy(state) for state in states]
    for state in states:
        draws = ops.cast(offset, state.dtype)
        state.assign(state + ops.stack([ops.zeros_like(draws), draws]))
    try:
        yield
    finally:
        for state, value in zip(states, before, strict=True):
            state.assign(value)
