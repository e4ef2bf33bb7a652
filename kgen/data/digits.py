"""1,797 handwritten digits of 8x8 pixels that come with scikit-learn."""

import functools

import numpy as np

from kgen.data.splitting import stratified_rows


def digits(split):
    """Read the 8x8 grey digits of scikit-learn: 1,197, 240 and 360 for train, validation
    and test.

    Alpaydin and Kaynak (1998), "Optical recognition of handwritten digits", UCI.

    Args:
        split: `"train"`, `"validation"`, `"test"` or `"train+validation"`.

    Returns:
        float32 images `(n, 8, 8, 1)` in [-1, 1] (17 levels) and int32 labels `(n,)` in 0..9.

    Example:
        >>> from kgen.data.digits import digits
        >>> digits("test")[0].shape
        (360, 8, 8, 1)
    """
    images, labels = _all()
    # More for validation than the 224 dimensions of features that a Frechet distance compares.
    rows = stratified_rows(labels, split, test_count=360, validation_count=240)
    return images[rows], labels[rows]


@functools.cache
def _all():
    """The images and labels of both splits: half a MB, which takes longer to parse than a batch."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    # The 17 levels 0..16 do not fall on whole bytes, so they stay floats: exact in float32.
    images = (bunch.images[..., None] / 8.0 - 1.0).astype(np.float32)
    return images, bunch.target.astype(np.int32)
