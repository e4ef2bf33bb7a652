"""Random draws, either with a state that is saved with the model or from a given seed."""

import contextlib

import keras
from keras import ops

from kgen.core import engine


class Noise(keras.layers.Layer):
    """Random draws whose state is a variable: saved with the model, moved by every draw.

    A layer, so that a model which holds one lists its state in `model.variables`, from where
    `GenerativeModel` saves it. (Keras saves weights, but no state of any `SeedGenerator`.)

    Args:
        seed: Integer start of the sequence; `None` draws one from Python's `random`, which
            `keras.utils.set_random_seed` fixes.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
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
