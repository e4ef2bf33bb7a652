"""Images made smaller by averaging, in one way wherever it is done: in the data or in the model."""

from keras import ops


def averaged(images, factor):
    """Returns images whose pixels are the means of squares of `factor` * `factor` pixels.

    Args:
        images: Floats `(batch, height, width, channels)`.
        factor: Positive integer that divides height and width.
    """
    if factor == 1:
        return images
    return ops.average_pool(images, factor, data_format="channels_last")
