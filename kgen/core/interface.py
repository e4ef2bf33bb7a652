"""What users ask of a trained system: sample, decode, encode, reconstruct, log_prob."""

import functools

import numpy as np
from keras import ops

from kgen.core import engine
from kgen.core.noise import SeededNoise


class GenerativeInterface:
    """The methods common to all systems; a system writes the parts that it can do.

    `sample`, `decode`, `encode`, `reconstruct` and `log_prob` take and return NumPy arrays and work
    through them in batches, as `keras.Model.predict` does. A system writes the tensor functions
    behind them, which are also what an export traces:

    | public | tensor function |
    |---|---|
    | `sample` | `draw_latents(count, noise)` and `decode_step(latents)` |
    | `decode` | `decode_step(latents)` |
    | `encode` | `encode_step(images)` |
    | `reconstruct` | `reconstruct_step(images)` |
    | `log_prob` | `log_prob_step(images, noise, samples)` |

    What it leaves out raises `NotImplementedError` naming what it can do.
    """

    def sample(self, count, seed=None, batch_size=64):
        """Draws new images.

        Args:
            count: How many.
            seed: Integer that decides the images: the same seed gives the same images, whatever the
                batch size, and a smaller count gives the first of them. `None` draws a seed from
                NumPy's global generator.
            batch_size: Images computed at once.

        Returns:
            float32 array `(count, height, width, channels)` in [-1, 1].
        """
        self._require("sample")
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"`count` must be a positive integer, received {count!r}.")
        return self.decode(self.latents(count, seed), batch_size)

    def latents(self, count, seed=None):
        """Draws `count` rows of latents, `(count, ...)` float32; `seed` as in `sample`."""
        self._require("sample")
        return ops.convert_to_numpy(self.draw_latents(int(count), SeededNoise(_seed(seed))))

    def decode(self, latents, batch_size=64):
        """Returns the images of `latents`, `(count, height, width, channels)` in [-1, 1]."""
        self._require("decode")
        return _in_batches(self._compiled["decode"], self._latents(latents), batch_size)

    def encode(self, images, batch_size=64):
        """Returns the latents of `images` in [-1, 1], `(count, latent dimensions)`."""
        self._require("encode")
        return _in_batches(self._compiled["encode"], self._images(images), batch_size)

    def reconstruct(self, images, batch_size=64):
        """Returns `images` in [-1, 1] after encoding and decoding, of the same shape."""
        self._require("reconstruct")
        return _in_batches(self._compiled["reconstruct"], self._images(images), batch_size)

    def log_prob(self, images, samples=128, seed=0, batch_size=64):
        """Returns log p(image) in nats per image, `(count,)`; an estimate where it has to be.

        Args:
            images: Array `(count, height, width, channels)` in [-1, 1].
            samples: Draws per image of the estimate, where it is one.
            seed: Integer seed of the draws, which also depend on `batch_size`.
            batch_size: Images computed at once.
        """
        self._require("log_prob")
        if not isinstance(samples, int | np.integer) or samples < 1:
            raise ValueError(f"`samples` must be a positive integer, received {samples!r}.")
        noise = SeededNoise(_seed(seed))
        return _in_batches(
            lambda x: self.log_prob_step(x, noise, int(samples)), self._images(images), batch_size
        )

    def bits_per_dimension(self, images, **kwargs):
        """Returns -log2 p(image) / number of pixels and channels, `(count,)`; see `log_prob`."""
        dimensions = np.prod(np.shape(images)[1:])
        return -self.log_prob(images, **kwargs) / (dimensions * np.log(2.0))

    @property
    def image_shape(self):
        """Shape of one image, `(height, width, channels)`, or `None` where a system says none."""
        return None

    @property
    def sampling_weights(self):
        """Which weights samples are made with: `"raw"`, or `"averaged"` over the training."""
        return "raw"

    def _images(self, images):
        images = np.asarray(images)
        if images.dtype.kind in "iub":
            raise ValueError(
                f"`images` must be floats in [-1, 1], received an array of {images.dtype}."
            )
        return _checked(images, "images", self.image_shape)

    def _latents(self, latents):
        can_draw = hasattr(self, "draw_latents")
        return _checked(latents, "latents", self.latents(1, 0).shape[1:] if can_draw else None)

    @functools.cached_property
    def _compiled(self):
        """The tensor functions as graphs, by ability."""
        able = [name for name in ("decode", "encode", "reconstruct") if hasattr(self, _STEPS[name])]
        return {name: engine.function(getattr(self, _STEPS[name])) for name in able}

    def _require(self, ability):
        if hasattr(self, _STEPS[ability]):
            return
        able = [name for name, step in _STEPS.items() if hasattr(self, step)]
        raise NotImplementedError(
            f"{type(self).__name__} cannot `{ability}`. It can: {', '.join(able) or 'nothing'}."
        )


_STEPS = {
    "sample": "draw_latents",
    "decode": "decode_step",
    "encode": "encode_step",
    "reconstruct": "reconstruct_step",
    "log_prob": "log_prob_step",
}


def _seed(seed):
    if seed is None:
        return int(np.random.randint(2**31))
    if not isinstance(seed, int | np.integer) or not -(2**63) <= seed < 2**63:
        raise ValueError(f"`seed` must be an integer of 64 bits or None, received {seed!r}.")
    return int(seed)


def _checked(array, name, shape):
    array = np.asarray(array, "float32")
    if not array.ndim or not len(array) or shape not in (None, array.shape[1:]):
        expected = "rows" if shape is None else f"rows of the shape {tuple(shape)}"
        raise ValueError(f"`{name}` must be an array of {expected}, received {array.shape}.")
    return array


def _in_batches(step, array, batch_size):
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be a positive integer, received {batch_size!r}.")
    starts = range(0, len(array), batch_size)
    return np.concatenate(
        [ops.convert_to_numpy(step(array[start : start + batch_size])) for start in starts]
    )
