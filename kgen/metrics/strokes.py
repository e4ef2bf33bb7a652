"""What can be measured of a drawn stroke: how thick it is, and how slanted."""

import numpy as np
from scipy import ndimage

from kgen.metrics.arrays import checked_images

# Images are enlarged this many times, so that thin strokes are of several pixels.
_FACTOR = 4


def stroke_thickness(images):
    """Mean thickness of the strokes in each image, bright on dark, in pixels; 0 without any.

    Four times the mean distance of a stroke's points to its edge: across a stroke of thickness t
    the distance goes from 0 to t / 2 and back. Images are enlarged four times before they are cut
    at 0, as in Castro et al. 2019, Morpho-MNIST, section 3.1, arXiv 1809.10780.

    Differs from the paper: its thickness is twice the mean distance along the stroke's skeleton,
    which a rough edge gives branches.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1]; of several channels their mean.

    Returns:
        float64 `(n,)`.

    Raises:
        ValueError: If the array is not as said.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import stroke_thickness
        >>> image = np.full((1, 28, 28, 1), -1.0)
        >>> image[:, 4:24, 12:16] = 1.0
        >>> bool(abs(stroke_thickness(image)[0] - 4.0) < 0.5)
        True
    """
    images = checked_images("images", images).mean(axis=-1)
    return np.array([_thickness(image) for image in images])


def stroke_slant(images):
    """Slant of the strokes in each image, bright on dark, in degrees; positive to the right.

    The angle between the upright and the line x = -m11 / m02 y of the image's central moments, y
    downwards: by how much the image is sheared, as it is for deslanting handwriting (LeCun et al.
    1998, "Gradient-based learning applied to document recognition", section III.A). 0 of what is
    mirror-symmetric. Pixels weigh what they are above -1: a background that is not quite black
    draws the slant towards 0.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1]; of several channels their mean.

    Returns:
        float64 `(n,)` in (-90, 90).

    Raises:
        ValueError: If the array is not as said, or an image has no stroke, or one of no height.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import stroke_slant
        >>> stroke_slant(2.0 * np.eye(8)[None, ::-1, :, None] - 1.0).round(6).tolist()
        [45.0]
    """
    images = checked_images("images", images).mean(axis=-1)
    weights = np.maximum(images + 1.0, 0.0)  # (n, height, width)
    total = weights.sum(axis=(1, 2))
    y, x = (np.arange(size, dtype="float64") for size in images.shape[1:])
    safe = np.maximum(total, 1e-12)
    mean_y = np.einsum("nhw,h->n", weights, y) / safe
    mean_x = np.einsum("nhw,w->n", weights, x) / safe
    from_y, from_x = y - mean_y[:, None], x - mean_x[:, None]
    upright = np.einsum("nhw,nh,nh->n", weights, from_y, from_y) / safe
    sheared = np.einsum("nhw,nh,nw->n", weights, from_y, from_x) / safe
    flat = (total <= 1e-6) | (upright <= 1e-9)
    if flat.any():
        raise ValueError(
            "`images` must have a stroke of some height each, received none in image "
            f"{int(np.argmax(flat))}."
        )
    return np.degrees(np.arctan(-sheared / upright))


def _thickness(image):
    # The grey levels of an edge say where it runs between the pixels.
    enlarged = ndimage.zoom(
        image, _FACTOR, order=1, mode="grid-constant", cval=-1.0, grid_mode=True
    )
    distances = ndimage.distance_transform_edt(enlarged > 0.0)
    inside = distances[distances > 0.0]
    # Distances are to the centre of the nearest pixel outside, half a pixel beyond the edge.
    return 4.0 * (np.mean(inside) - 0.5) / _FACTOR if len(inside) else 0.0
