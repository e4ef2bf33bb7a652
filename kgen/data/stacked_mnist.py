"""Three digits as the red, green and blue of one image: 1,000 modes that can be counted."""

import numpy as np

from kgen.data.hashing import uniforms
from kgen.data.mnist5k import mnist5k
from kgen.data.resizing import fit_array
from kgen.data.rows import Rows

LENGTHS = {"train": 128_000, "validation": 26_000, "test": 26_000}


def stacked_mnist(request):
    """Stack three random digits of `mnist5k` along the channels.

    Metz et al. (2017), "Unrolled generative adversarial networks", arXiv 1611.02163; the number of
    images is that of Lin et al. (2018), "PacGAN", arXiv 1712.04086.

    Differs from the paper: the digits come from the images of `mnist5k` in the same split, and
    not from the 60,000 of MNIST.

    Args:
        request: `Request`; `split`, `seed`, `image_size` (28x28) and `length` (128,000 for train,
            26,000 for the others) count.

    Returns:
        `Rows` of uint8 images `(height, width, 3)`, and of the label 100 r + 10 g + b, in 0..999,
        of the digits r in red, g in green and b in blue.

    Raises:
        ValueError: `channels` is 1.

    Example:
        >>> from kgen.data.rows import Request
        >>> from kgen.data.stacked_mnist import stacked_mnist
        >>> stacked_mnist(Request(split="test")).examples([0, 5]).shape
        (2, 28, 28, 3)
    """
    if request.channels not in (None, 3):
        raise ValueError(
            "channels: expected 3 or None, as 'stacked_mnist' holds one digit a channel, got "
            f"{request.channels!r}."
        )
    digits, classes = mnist5k(request.split)
    digits = fit_array(digits, request.image_size)[..., 0]  # (n, height, width)

    def choices(rows):
        places = uniforms(request.seed, f"stacked_mnist/{request.material}", rows, 3)
        return (places * len(digits)).astype(np.int64)  # (k, 3)

    def images(rows):
        return np.stack([digits[chosen] for chosen in choices(rows).T], axis=-1)

    def labels(rows):
        return classes[choices(rows)] @ np.array([100, 10, 1], np.int32)

    count = LENGTHS[request.material] if request.length is None else request.length
    return Rows(images, labels, count, shape=(*digits.shape[1:], 3))
