"""Images made worse on purpose, as the inputs of image-to-image translation."""

import dataclasses
import numbers
from collections.abc import Callable

import tensorflow as tf

from kgen.data.order import derived_seed


@dataclasses.dataclass(frozen=True)
class _Degradation:
    """A function of images, an amount and a seed of two numbers, and which amounts make sense."""

    apply: Callable
    default: float
    expected: str
    accepts: Callable


def degrader(degradation, shape, seed):
    """Return the function that degrades a batch of images.

    * `"edges"`: dark lines on white where the brightness changes. Darkness is the magnitude of
      Sobel's gradient of the luminance in [0, 1] times the amount, 1 by default: a step of a
      quarter of the range is black.
    * `"grey"`: the luminance (ITU-R 601-2); the amount is the share of the colour that is lost,
      1 by default.
    * `"masked"`: a square of the value 0, a medium grey, at a random place; the amount is its side
      as a share of the shorter side, 0.5 by default.
    * `"downsampled"`: means over blocks of so many pixels a side, 4 by default, in the old size.
    * `"noise"`: Gaussian noise of this standard deviation, 0.2 by default, cut to [-1, 1].

    All keep the size and the number of channels; edges and grey are the same in each.

    Args:
        degradation: one of these names; a dictionary of one name and its amount; or a function of
            TensorFlow from float32 images `(batch, height, width, channels)` in [-1, 1] to float32
            images of the same height and width, with any number of channels.
        shape: `(height, width, channels)` of an image.
        seed: integer of 64 bits.

    Returns:
        Function from images and the number of the batch, an int64 scalar tensor, to images.

    Raises:
        ValueError: there is no such degradation, or its amount does not fit.

    Example:
        >>> import tensorflow as tf
        >>> from kgen.data.degradation import degrader
        >>> degrade = degrader({"downsampled": 2}, (2, 2, 1), seed=0)
        >>> images = tf.reshape([-1.0, 0.0, 0.0, 1.0], (1, 2, 2, 1))
        >>> degrade(images, step=0).numpy().ravel().tolist()
        [0.0, 0.0, 0.0, 0.0]
    """
    if callable(degradation):
        return lambda images, step: _checked_images(degradation(images), images.shape)
    name, amount = _name_and_amount(degradation)
    if name == "downsampled" and (shape[0] % amount or shape[1] % amount):
        raise ValueError(
            f"degradation['downsampled']: expected a number that divides the image's {shape[0]} "
            f"and {shape[1]} pixels, got {amount}."
        )
    own_seed = derived_seed(seed, f"degradation/{name}")

    def degrade(images, step):
        key = tf.stack([tf.constant(own_seed, tf.int64), tf.cast(step, tf.int64)])
        return DEGRADATIONS[name].apply(images, amount, key)

    return degrade


def edges(images, gain, key):
    """Draw dark lines on white where the brightness changes."""
    gradients = tf.image.sobel_edges((luminance(images) + 1.0) / 2.0)  # (b, h, w, 1, 2)
    magnitudes = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=-1))
    return tf.broadcast_to(1.0 - 2.0 * tf.minimum(gain * magnitudes, 1.0), images.shape)


def grey(images, share, key):
    """Take a share of the colour away."""
    return images + share * (luminance(images) - images)


def masked(images, share, key):
    """Put a square of the value 0 somewhere."""
    batch, height, width, _ = images.shape
    side = max(1, round(share * min(height, width)))
    draws = tf.random.stateless_uniform([batch, 2], key, alg="philox")
    inside = []
    for number, length in enumerate((height, width)):
        first = tf.floor(draws[:, number, None] * (length - side + 1))  # (batch, 1)
        places = tf.range(length, dtype=tf.float32)[None]
        inside.append((places >= first) & (places < first + side))  # (batch, length)
    square = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(square, 0.0, images)


def downsampled(images, factor, key):
    """Replace blocks of pixels by their means."""
    means = tf.nn.avg_pool2d(images, factor, factor, "VALID")
    return tf.repeat(tf.repeat(means, factor, axis=1), factor, axis=2)


def noise(images, std, key):
    """Add Gaussian noise."""
    draws = tf.random.stateless_normal(images.shape, key, alg="philox")
    return tf.clip_by_value(images + std * draws, -1.0, 1.0)


def luminance(images):
    """Return the brightness of images, `(..., 1)`, with the weights of ITU-R 601-2."""
    if images.shape[-1] == 1:
        return images
    return tf.reduce_sum(images * [0.299, 0.587, 0.114], axis=-1, keepdims=True)


def _is_positive(amount):
    return 0 < amount < float("inf")


def _is_share(amount):
    return 0 < amount <= 1


def _is_factor(amount):
    return isinstance(amount, numbers.Integral) and amount >= 2


DEGRADATIONS = {
    "edges": _Degradation(edges, 1.0, "a positive number", _is_positive),
    "grey": _Degradation(grey, 1.0, "a number in (0, 1]", _is_share),
    "masked": _Degradation(masked, 0.5, "a number in (0, 1]", _is_share),
    "downsampled": _Degradation(downsampled, 4, "an integer of at least 2", _is_factor),
    "noise": _Degradation(noise, 0.2, "a positive number", _is_positive),
}


def _name_and_amount(degradation):
    """Return the name and the amount that a user's argument means."""
    if isinstance(degradation, str) and degradation in DEGRADATIONS:
        return degradation, DEGRADATIONS[degradation].default
    if isinstance(degradation, dict) and len(degradation) == 1:
        ((name, amount),) = degradation.items()
        if name in DEGRADATIONS:
            kind = DEGRADATIONS[name]
            is_number = isinstance(amount, numbers.Real) and not isinstance(amount, bool)
            if not is_number or not kind.accepts(amount):
                raise ValueError(
                    f"degradation[{name!r}]: expected {kind.expected}, got {amount!r}."
                )
            return name, int(amount) if name == "downsampled" else float(amount)
    raise ValueError(
        f"degradation: expected one of {list(DEGRADATIONS)}, a dictionary of one of them and its "
        f"amount, or a function of images, got {degradation!r}."
    )


def _checked_images(images, shape):
    """Return what a user's function made if it can be an input."""
    fits = (
        isinstance(images, tf.Tensor)
        and images.dtype == tf.float32
        and images.shape.rank == 4
        and images.shape[:3] == shape[:3]
        and images.shape[3] is not None
    )
    if not fits:
        raise ValueError(
            f"degradation: expected a function to float32 images {(*shape[:3], 'channels')}, got "
            f"{images!r}."
        )
    return images
