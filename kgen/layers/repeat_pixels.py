"""Enlargement by repetition, with gradients of any order and under XLA."""

from keras import ops


def repeat_pixels(images, factor):
    """Returns images `factor` times larger, every pixel a square of `factor * factor` equal ones.

    The enlargement "nearest" of Karras et al., "Progressive Growing of GANs", 2018, section 2
    (arXiv:1710.10196). `ops.image.resize` has no second-order gradient, and does not run under XLA.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        factor: Positive integer.

    Returns:
        A tensor `(batch, factor * height, factor * width, channels)`.

    Example:
    >>> kgen.layers.repeat_pixels(keras.ops.array([[[[1.0], [2.0]]]]), 2).numpy()[0, :, :, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]], dtype=float32)
    """
    if factor == 1:
        return images
    return ops.repeat(ops.repeat(images, factor, axis=2), factor, axis=1)
