"""Images made worse on purpose, as the inputs of image-to-image translation."""

import dataclasses
import functools
import numbers
from collections.abc import Callable

import tensorflow as tf

from kgen.data.clutter import backgrounds, clutter
from kgen.data.holes import hole_blocks, hole_centre, hole_region, hole_square
from kgen.data.order import derived_seed
from kgen.data.pixel_degradations import downsampled, edges, grey, low_resolution, masked, noise
from kgen.data.splitting import is_for_training


@dataclasses.dataclass(frozen=True)
class _Degradation:
    """A function of images, an amount and a seed of two numbers, and which amounts make sense.

    If there is `prepare`, the function also takes what that returns of the shape of an image, the
    integer seed and the split.
    """

    apply: Callable
    default: float
    expected: str
    accepts: Callable
    prepare: Callable | None = None


def degrader(degradation, shape, seed, split="train"):
    """Return the function that degrades a batch of images.

    These keep the size and the number of channels; edges and grey are the same in each:

    * `"edges"`: dark lines on white where the brightness changes. Darkness is the magnitude of
      Sobel's gradient of the luminance in [0, 1] times the amount, 1 by default: a step of a
      quarter of the range is black.
    * `"grey"`: the luminance (ITU-R 601-2); the amount is the share of the colour that is lost,
      1 by default.
    * `"masked"`: a square of the value 0, a medium grey, at a random place; the amount is its side
      as a share of the shorter side, 0.5 by default.
    * `"downsampled"`: means over blocks of so many pixels a side, 4 by default, in the old size.
    * `"noise"`: Gaussian noise of this standard deviation, 0.2 by default, cut to [-1, 1].
    * `"clutter"`: the image, whose brightness is taken for opacity, as a figure of a random grey
      over a random crop of `"photos"`; the amount is the share of the photograph's contrast, 1 by
      default. For white figures on black, as digits are, which are then what is to be found.

    These have one channel more, the mask, which is 1 where a pixel is known and -1 where it is
    missing; missing pixels are 0 in the others. The amount is the missing share of the image's
    area, 0.25 by default as in Pathak et al. (2016), arXiv 1604.07379, section 3.3:

    * `"hole_centre"`: a square in the middle (in an image that is not square a rectangle of its
      proportions).
    * `"hole_square"`: the same at a random place.
    * `"hole_blocks"`: several smaller rectangles at random, of that share together or a little
      less.
    * `"hole_region"`: a region of random shape.

    And one is smaller:

    * `"low_resolution"`: 1 / amount as high and as wide, an integer, 2 by default; bicubic,
      antialiased.

    Args:
        degradation: one of these names; a dictionary of one name and its amount; or a function of
            TensorFlow from float32 images `(batch, height, width, channels)` in [-1, 1] to as many
            float32 images of any one size and number of channels.
        shape: `(height, width, channels)` of an image.
        seed: integer of 64 bits.
        split: one of `kgen.data.splitting.SPLITS`: whose photographs are behind the figures of
            `"clutter"`.

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
    kind = DEGRADATIONS[name]
    if kind.accepts is _is_factor and (shape[0] % amount or shape[1] % amount):
        raise ValueError(
            f"degradation[{name!r}]: expected a number that divides the image's {shape[0]} "
            f"and {shape[1]} pixels, got {amount}."
        )
    # Held-out images get other noise and holes than those of training.
    own = "" if is_for_training(split) else f"/{split}"
    own_seed = derived_seed(seed, f"degradation/{name}{own}")
    apply = kind.apply
    if kind.prepare is not None:
        apply = functools.partial(apply, prepared=kind.prepare(shape, own_seed, split))

    def degrade(images, step):
        key = tf.stack([tf.constant(own_seed, tf.int64), tf.cast(step, tf.int64)])
        return apply(images, amount, key)

    return degrade


def _is_positive(amount):
    return 0 < amount < float("inf")


def _is_share(amount):
    return 0 < amount <= 1


def _is_part(amount):
    return 0 < amount < 1


def _is_factor(amount):
    return isinstance(amount, numbers.Integral) and amount >= 2


_POSITIVE = ("a positive number", _is_positive)
_SHARE = ("a number in (0, 1]", _is_share)
_PART = ("a number in (0, 1), the share of the area", _is_part)
_FACTOR = ("an integer of at least 2", _is_factor)

DEGRADATIONS = {
    "edges": _Degradation(edges, 1.0, *_POSITIVE),
    "grey": _Degradation(grey, 1.0, *_SHARE),
    "masked": _Degradation(masked, 0.5, *_SHARE),
    "downsampled": _Degradation(downsampled, 4, *_FACTOR),
    "noise": _Degradation(noise, 0.2, *_POSITIVE),
    "clutter": _Degradation(clutter, 1.0, *_SHARE, prepare=backgrounds),
    "hole_centre": _Degradation(hole_centre, 0.25, *_PART),
    "hole_square": _Degradation(hole_square, 0.25, *_PART),
    "hole_blocks": _Degradation(hole_blocks, 0.25, *_PART),
    "hole_region": _Degradation(hole_region, 0.25, *_PART),
    "low_resolution": _Degradation(low_resolution, 2, *_FACTOR),
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
            return name, int(amount) if kind.accepts is _is_factor else float(amount)
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
        and images.shape[0] == shape[0]
        and images.shape.is_fully_defined()
    )
    if not fits:
        raise ValueError(
            f"degradation: expected a function to float32 images ({shape[0]}, height, width, "
            f"channels), got {images!r}."
        )
    return images
