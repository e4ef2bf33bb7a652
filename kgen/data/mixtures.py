"""Points of the plane from a ring of 8 and a grid of 25 Gaussians: tests of mode collapse."""

import numpy as np

from kgen.data.hashing import normals, uniforms
from kgen.data.rows import Rows

LENGTHS = {"train": 100_000, "validation": 10_000, "test": 10_000}

# Centres `(modes, 2)` and standard deviation of every mode; PacGAN (Lin et al. 2018), section 4.1.
_ANGLES = 2.0 * np.pi * np.arange(8) / 8
RING_CENTRES = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
RING_STD = 0.01
_SIDE = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
GRID_CENTRES = np.stack(np.meshgrid(_SIDE, _SIDE, indexing="ij"), axis=-1).reshape(25, 2)
GRID_STD = 0.05


def ring(request):
    """Draw points from 8 Gaussians on a circle of radius 1, each of standard deviation 0.01.

    Metz et al. (2017), "Unrolled generative adversarial networks", arXiv 1611.02163, as used by
    Lin et al. (2018), "PacGAN", arXiv 1712.04086. Modes are drawn with equal probability.

    Args:
        request: `Request`; `split`, `seed` and `length` (100,000 for train, 10,000 for the others)
            count.

    Returns:
        `Rows` of float32 points `(2,)`, and of the mode's number as label: mode m lies at the angle
        2 pi m / 8.

    Raises:
        ValueError: `image_size` or `channels` is not None.

    Example:
        >>> from kgen.data.mixtures import ring
        >>> from kgen.data.rows import Request
        >>> ring(Request()).examples([0, 5]).shape
        (2, 2)
    """
    return _mixture("ring", RING_CENTRES, RING_STD, request)


def grid(request):
    """Draw points from 25 Gaussians at {-4, -2, 0, 2, 4}^2, each of standard deviation 0.05.

    Lin et al. (2018), "PacGAN", arXiv 1712.04086. Modes are drawn with equal probability.

    Args:
        request: `Request`; `split`, `seed` and `length` (100,000 for train, 10,000 for the others)
            count.

    Returns:
        `Rows` of float32 points `(2,)`, and of the mode's number as label: mode 5 i + j lies at
        (2 i - 4, 2 j - 4).

    Raises:
        ValueError: `image_size` or `channels` is not None.

    Example:
        >>> from kgen.data.mixtures import grid
        >>> from kgen.data.rows import Request
        >>> grid(Request(length=10**9)).count
        1000000000
    """
    return _mixture("grid", GRID_CENTRES, GRID_STD, request)


def _mixture(name, centres, std, request):
    for argument in ("image_size", "channels"):
        value = getattr(request, argument)
        if value is not None:
            raise ValueError(
                f"{argument}: expected None, as {name!r} holds points of the plane and no images, "
                f"got {value!r}."
            )
    stream = f"{name}/{request.material}"

    def modes(rows):
        choices = uniforms(request.seed, f"{stream}/mode", rows, 1)[:, 0]
        return (choices * len(centres)).astype(np.int32)

    def points(rows):
        offsets = std * normals(request.seed, f"{stream}/offset", rows, 2)
        return (centres[modes(rows)] + offsets).astype(np.float32)

    count = LENGTHS[request.material] if request.length is None else request.length
    return Rows(points, modes, count, shape=(2,), dtype="float32")
