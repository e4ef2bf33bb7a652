"""Structural similarity of pairs of images, at one scale and at several.

Its terms are of intensities, from 0 for black: means and variances of 0 .. 255 in the paper. Images
in [-1, 1] are therefore moved to [0, 2], black at 0, before they are compared.
"""

import numpy as np
from scipy import ndimage

from kgen.metrics.arrays import checked_pairs

DATA_RANGE = 2.0  # of images in [-1, 1], and in [0, 2]

# Wang et al. 2004: a Gaussian window, and constants of a stable division.
_WINDOW, _SIGMA = 11, 1.5
_LUMINANCE_CONSTANT, _CONTRAST_CONSTANT = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2

# Wang, Simoncelli and Bovik 2003: the exponents of the scales, the finest first.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

# Numbers of images that are filtered at once: 32 MiB of float64.
_CHUNK = 2**22


def ssim(images, others):
    """Structural similarity of each pair, from -1 to 1; equal images have 1.

    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity",
    eq. 13, with its window (11 pixels, Gaussian of deviation 1.5), K1 = 0.01 and K2 = 0.03. The
    mean is over all places where the whole window fits, and over channels, each on its own. It is
    that of the same images as intensities in 0 .. 255.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1], height and width at least 11.
        others: The same.

    Returns:
        float64 `(n,)`.

    Raises:
        ValueError: If the arrays are not as said, or differ in shape.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import ssim
        >>> images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3))
        >>> ssim(images, images).round(6)
        array([1., 1.])
    """
    return _by_chunks(lambda *pair: np.mean(_ssim_terms(*pair)[0], axis=1), images, others)


def multi_scale_ssim(images, others):
    """Multi-scale structural similarity of each pair, in [0, 1]; equal images have 1.

    Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality
    assessment", eq. 7: the product over scales of the mean contrast and structure, and at the
    coarsest that of SSIM, each to its scale's weight; of intensities, as `ssim`. A scale is half
    the one before, by means over 2 x 2 pixels, the last row and column of an odd side repeated.
    Channels are taken on their own, and their mean in the end. A mean contrast and structure below
    0, as of an image and its negative, counts as 0: its power would be no real number.

    Args:
        images: Floats `(n, height, width, channels)` in [-1, 1], height and width at least 11. The
            5 scales need 161; smaller images have `scale_weights(height, width)`.
        others: The same.

    Returns:
        float64 `(n,)`.

    Raises:
        ValueError: If the arrays are not as said, or differ in shape.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import multi_scale_ssim
        >>> images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3))
        >>> multi_scale_ssim(images, images).round(6)
        array([1., 1.])
    """
    return _by_chunks(_multi_scale, images, others)


def scale_weights(height, width):
    """Returns the weights of the scales that fit images of a size, the finest first.

    A scale fits where the window of 11 pixels does: 1 scale from 11 pixels, 2 from 21, 3 from 41, 4
    from 81, 5 from 161. The weights of those that fit are scaled to the sum of all five, 1.0001.

    Raises:
        ValueError: If not even one fits.
    """
    side = min(height, width)
    if side < _WINDOW:
        raise ValueError(
            f"Images must be at least {_WINDOW} x {_WINDOW} pixels, the size of the window; "
            f"received {height} x {width}."
        )
    weights = []
    for weight in _SCALE_WEIGHTS:
        if side < _WINDOW:
            break
        weights.append(weight)
        side = -(-side // 2)
    return np.array(weights) * (np.sum(_SCALE_WEIGHTS) / np.sum(weights))


def _multi_scale(images, others):
    """Multi-scale SSIM `(n,)` of images that fit in memory at once."""
    weights = scale_weights(*images.shape[1:3])
    product = np.ones((len(images), images.shape[3]))
    for scale, weight in enumerate(weights):
        similarity, contrast = _ssim_terms(images, others)
        coarsest = scale == len(weights) - 1
        product *= np.maximum(similarity if coarsest else contrast, 0.0) ** weight
        if not coarsest:
            images, others = _halved(images), _halved(others)
    return np.mean(product, axis=1)


def _ssim_terms(images, others):
    """SSIM and its contrast and structure alone, eqs. 13 and 6, both `(n, channels)`.

    Of intensities in [0, 2]: the luminance of means about 0 says nothing of what is seen.
    """
    mean, other_mean = _windowed(images), _windowed(others)
    # Moments about the window's mean, which is what E[x^2] - E[x]^2 gives.
    variance = _windowed(images**2) - mean**2
    other_variance = _windowed(others**2) - other_mean**2
    covariance = _windowed(images * others) - mean * other_mean
    contrast = (2.0 * covariance + _CONTRAST_CONSTANT) / (
        variance + other_variance + _CONTRAST_CONSTANT
    )
    luminance = (2.0 * mean * other_mean + _LUMINANCE_CONSTANT) / (
        mean**2 + other_mean**2 + _LUMINANCE_CONSTANT
    )
    return _over_places(luminance * contrast), _over_places(contrast)


def _over_places(maps):
    """Means over height and width, (n, h, w, c) -> (n, c)."""
    # Of rows in one order, which a sum's rounding depends on: so an image's is its own.
    return np.mean(maps.reshape(len(maps), -1, maps.shape[3]), axis=1)


def _windowed(images):
    """Gaussian-weighted means, (n, h, w, c) -> (n, h - 10, w - 10, c)."""
    edge = _WINDOW // 2
    for axis in (1, 2):
        images = ndimage.gaussian_filter1d(images, _SIGMA, axis=axis, radius=edge)
        images = np.delete(images, [*range(edge), *range(-edge, 0)], axis=axis)
    return images


def _halved(images):
    """Means over 2 x 2 pixels, (n, h, w, c) -> (n, ceil(h / 2), ceil(w / 2), c)."""
    count, height, width, channels = images.shape
    images = np.pad(images, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    blocks = (count, -(-height // 2), 2, -(-width // 2), 2, channels)
    return np.mean(images.reshape(blocks), axis=(2, 4))


def _by_chunks(function, images, others):
    images, others = checked_pairs(images, others)
    scale_weights(*images.shape[1:3])  # Refuses what is smaller than the window.
    step = max(1, _CHUNK // images[0].size)
    starts = range(0, len(images), step)
    chunks = [slice(start, start + step) for start in starts]
    # Black is 0, as where the paper's constants are from.
    return np.concatenate([function(images[chunk] + 1.0, others[chunk] + 1.0) for chunk in chunks])
