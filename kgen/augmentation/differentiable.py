"""Differentiable augmentation: what a discriminator is shown is moved, and gradients flow back."""

import math

import keras
import numpy as np
from keras import ops


def differentiable_augmentation(images, noise, policies=("color", "translation", "cutout")):
    """Augments every image in its own random way; real and fake images alike.

    Zhao, Liu, Lin, Zhu and Han 2020, "Differentiable Augmentation for Data-Efficient GAN Training",
    section 3.2, arXiv 2006.10738, and two more policies. Each is linear in the images, but for what
    brightness adds, and thickness in pieces, so gradients of any order flow through.

    Args:
        images: Tensor `(batch, height, width, channels)` in [-1, 1], height and width known.
        noise: Random draws, `kgen.core.Noise` or `SeededNoise`.
        policies: Names of `POLICIES`, applied in the order given.

    Returns:
        Tensor of the same shape, float32 (float64 for float64); not clipped to [-1, 1].

    Raises:
        ValueError: If `policies` holds anything but names of `POLICIES`.

    Example:
        augmented = differentiable_augmentation(images, Noise(seed=0), ["translation"])
    """
    check_policies(policies)
    images = ops.cast(images, keras.backend.result_type(images.dtype, "float32"))
    for policy in policies:
        images = POLICIES[policy](images, noise)
    return images


def check_policies(augmentation):
    """Raises a `ValueError` if `augmentation` is no tuple or list of names of `POLICIES`."""
    is_sequence = isinstance(augmentation, tuple | list)
    if not is_sequence or any(name not in list(POLICIES) for name in augmentation):
        raise ValueError(
            f"`augmentation` must be a tuple of names out of {list(POLICIES)}, received "
            f"{augmentation!r}."
        )


def color(images, noise):
    """Brightness, saturation and contrast, each by a random amount, in this order.

    Adds U[-0.5, 0.5]; scales what a pixel differs from the mean of its channels by U[0, 2]; scales
    what it differs from the mean of the image, over pixels and channels, by U[0.5, 1.5].
    """
    images = images + (_draw(images, noise) - 0.5)
    images = _scale_about_mean(images, 2.0 * _draw(images, noise), axis=3)
    return _scale_about_mean(images, _draw(images, noise) + 0.5, axis=(1, 2, 3))


def translation(images, noise):
    """Moves images by whole pixels, up to 1/8 of the side each way; what comes in is 0, grey."""
    _, height, width, channels = images.shape
    most_down, most_right = (height + 4) // 8, (width + 4) // 8  # rounded, halves upwards
    rows = _moved(height, most_down, _draw(images, noise))[:, :, None]
    columns = _moved(width, most_right, _draw(images, noise))[:, None, :]
    padding = ((0, 0), (most_down, most_down), (most_right, most_right), (0, 0))
    padded = ops.pad(images, padding)
    _, height, width, _ = padded.shape
    # One gather of pixels: exact, which a product with a one-hot matrix is not on a GPU that rounds
    # factors, and as fast, with XLA and without.
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None, None] * (height * width)
    return ops.take(
        ops.reshape(padded, (-1, channels)), first + rows * width + columns, axis=0
    )  # (batch, height, width, channels)


def cutout(images, noise):
    """Sets a square to 0, grey, whose sides are half those of the image.

    Its place is uniform, over all that leave its centre in the image: what of it lies outside is
    lost, as in the authors' experiments. At least a quarter of the square is cut.
    """
    _, height, width, _ = images.shape
    rows = _cut(height, _draw(images, noise))[:, :, None, None]
    columns = _cut(width, _draw(images, noise))[:, None, :, None]
    hole = ops.logical_and(rows, columns)  # (batch, height, width, 1)
    return images * (1.0 - ops.cast(hole, images.dtype))


def affine(images, noise):
    """Moves, turns, stretches and shears images; beyond the border is the border's nearest pixel.

    In this order: by up to a tenth of the side; by up to 20 degrees each way; height and width each
    by a factor of e^U[-0.25, 0.25]; by up to 0.4 along the rows. A choice of the geometric
    transformations of Karras et al. 2020 (arXiv 2006.06676, section 2.2, appendix B), with bilinear
    interpolation.
    """
    _, height, width, _ = images.shape
    angle = _spread(images, noise, math.radians(20.0))
    shear = _spread(images, noise, 0.4)
    tall, wide = (ops.exp(_spread(images, noise, 0.25)) for _ in range(2))
    down, right = (_spread(images, noise, 0.1 * side) for side in (height, width))
    # From the centre of the outcome to where its pixels are taken from: (batch, height, width).
    y = ops.cast(np.arange(height)[:, None] - (height - 1) / 2, images.dtype)
    x = ops.cast(np.arange(width)[None, :] - (width - 1) / 2, images.dtype)
    y, x = tall * y, wide * (x + shear * y)
    rows = ops.cos(angle) * y + ops.sin(angle) * x + down + (height - 1) / 2
    columns = ops.cos(angle) * x - ops.sin(angle) * y + right + (width - 1) / 2
    return _bilinear(images, rows, columns)


def thickness(images, noise):
    """Has light strokes grow or shrink, by up to about half a pixel at every edge.

    Blends an image with the largest (growing) or the smallest of every 3 x 3 pixels, by U[0, 1/2].
    """
    amount = _draw(images, noise) - 0.5
    largest = ops.max_pool(images, 3, 1, "same")
    smallest = -ops.max_pool(-images, 3, 1, "same")
    return (
        images
        + ops.maximum(amount, 0.0) * (largest - images)
        + ops.maximum(-amount, 0.0) * (smallest - images)
    )


POLICIES = {
    "color": color,
    "translation": translation,
    "cutout": cutout,
    "affine": affine,
    "thickness": thickness,
}


def _draw(images, noise):
    """One number from U[0, 1) an image: (batch, 1, 1, 1)."""
    return ops.cast(noise.uniform((ops.shape(images)[0], 1, 1, 1)), images.dtype)


def _spread(images, noise, limit):
    """One number from U[-limit, limit) an image: (batch, 1, 1)."""
    return limit * (2.0 * _draw(images, noise)[..., 0] - 1.0)


def _bilinear(images, rows, columns):
    """The images' values at places between their pixels, `(batch, height, width)` each."""
    _, height, width, channels = images.shape
    rows, columns = ops.clip(rows, 0.0, height - 1.0), ops.clip(columns, 0.0, width - 1.0)
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    top, left = ops.cast(top, "int32"), ops.cast(left, "int32")
    # On the last row or column the weight of the pixel beyond is 0.
    beside = ops.minimum(left + 1, width - 1)
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None, None] * (height * width)
    pixels = ops.reshape(images, (-1, channels))

    def along(row):
        start = first + row * width
        near, far = (ops.take(pixels, start + column, axis=0) for column in (left, beside))
        return (1.0 - right) * near + right * far

    return (1.0 - down) * along(top) + down * along(ops.minimum(top + 1, height - 1))


def _scale_about_mean(images, factors, axis):
    mean = ops.mean(images, axis=axis, keepdims=True)
    return mean + factors * (images - mean)


def _moved(side, most, draws):
    """Which row of an image padded by `most` each row shows: (batch, 1, 1, 1) -> (batch, side)."""
    # A move by `most - offset`, where the offset is uniform in 0..2 most.
    offsets = ops.cast(ops.floor(draws[:, :, 0, 0] * (2 * most + 1)), "int32")
    return offsets + ops.arange(side, dtype="int32")


def _cut(side, draws):
    """Whether a row lies in the square: (batch, 1, 1, 1) -> boolean (batch, side)."""
    length = (side + 1) // 2
    # As many places as pixels for a square with a centre pixel, and one more for one without.
    places = side + 1 - length % 2
    first = ops.cast(ops.floor(draws[:, :, 0, 0] * places), "int32") - length // 2
    rows = ops.arange(side, dtype="int32")
    return ops.logical_and(rows >= first, rows < first + length)
