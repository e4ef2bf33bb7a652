"""The range of images that users give: [-1, 1], and no other by mistake."""

import warnings

import numpy as np

TOLERANCE = 1e-3  # How far rounding, of half precision too, may lead out of [-1, 1].
CONVERSION = (
    "Images of 0..255 become so by `images / 127.5 - 1`, images of 0..1 by `images * 2 - 1`."
)


def check_image_range(images, name="images", margin=0.0):
    """Raises if images are not in [-1, 1], and warns if they seem to be in [0, 1].

    Of points and codes, which have ranges of their own, nothing can be said: this is for images.

    Args:
        images: Array of floats, of any shape.
        name: The argument's name, for the messages.
        margin: How far out of [-1, 1] values may be, as those of images with noise are.

    Raises:
        ValueError: If a value is NaN, or farther than `TOLERANCE` and the margin from [-1, 1].

    Warns:
        UserWarning: If all values are at least 0, and not all are the same.
    """
    images = np.asarray(images)
    if not images.size:
        return
    least, most = float(images.min()), float(images.max())  # NaN anywhere shows in both.
    if np.isnan(least) or np.isnan(most):
        raise ValueError(f"`{name}` must be numbers in [-1, 1], received NaN.")
    largest = 1.0 + margin
    if max(-least, most) > largest + TOLERANCE:
        raise ValueError(
            f"`{name}` must be in [{-largest:g}, {largest:g}], received values in [{least:g}, "
            f"{most:g}]. {CONVERSION}"
        )
    if 0.0 <= least < most:
        warnings.warn(
            f"`{name}` should be in [-1, 1], where -1 is black, but all values received are in "
            f"[{least:g}, {most:g}]. If they stand for 0..1, `images * 2 - 1` brings them there.",
            stacklevel=3,
        )
