"""Clips of two digits that move straight on and bounce off the border."""

import numpy as np

from kgen.data.hashing import uniforms
from kgen.data.mnist5k import mnist5k
from kgen.data.resizing import fit_array
from kgen.data.rows import Rows

LENGTHS = {"train": 10_000, "validation": 1_000, "test": 1_000}
DIGITS = 2  # a clip
SPEEDS = (2.0, 5.0)  # pixels a frame, where the shorter side has 64 pixels
LEAST_SIDE = 8  # pixels; digits then have 4


def moving_mnist(request):
    """Make clips of two digits of `mnist5k` in straight motion, reflected at the border.

    Srivastava, Mansimov and Salakhutdinov (2015), "Unsupervised learning of video representations
    using LSTMs", section 4.1, arXiv 1502.04681: 28x28 digits in frames of 64x64, the place and the
    direction of motion uniform, overlapping digits combined by the maximum. The speed of a digit is
    uniform in 2 to 5 pixels a frame and never changes; the paper leaves the range open. Digits are
    placed at whole pixels.

    A clip of another size is the same scene scaled: digits and speeds go with the shorter side.

    Differs from the paper: the digits come from the images of `mnist5k` in the same split, and
    not from the 60,000 of MNIST.

    Args:
        request: `Request`; `split`, `seed`, `image_size` (64x64), `channels` (1), `frames` (20) and
            `length` (10,000 for train, 1,000 for the others) count.

    Returns:
        `Rows` of uint8 clips `(frames, height, width, channels)`, and of int32 labels `(2,)`: the
        two digits.

    Raises:
        ValueError: a side of `image_size` is smaller than 8 pixels.

    Example:
        >>> from kgen.data.moving_mnist import moving_mnist
        >>> from kgen.data.rows import Request
        >>> moving_mnist(Request(split="test", frames=5)).examples([0, 7]).shape
        (2, 5, 64, 64, 1)
    """
    height, width = size = request.image_size or (64, 64)
    if min(size) < LEAST_SIDE:
        raise ValueError(
            f"image_size: expected sides of at least {LEAST_SIDE} pixels for 'moving_mnist', got "
            f"{size}."
        )
    frames = 20 if request.frames is None else request.frames
    scale = min(size) / 64
    side = round(28 * scale)
    digits, classes = mnist5k(request.split)
    digits = fit_array(digits, (side, side))[..., 0]  # (n, side, side)
    spans = np.array([height - side, width - side])

    def draws(rows):
        """Return, for each digit of each clip `(k, 2)`: its row, place, direction and speed."""
        numbers = uniforms(request.seed, f"moving_mnist/{request.material}", rows, 5 * DIGITS)
        # Five contiguous arrays: NumPy's cosine may round otherwise along strides.
        row, y, x, direction, speed = numbers.reshape(-1, DIGITS, 5).transpose(2, 0, 1).copy()
        speed = scale * (SPEEDS[0] + speed * (SPEEDS[1] - SPEEDS[0]))
        return (
            (row * len(digits)).astype(np.int64),
            np.stack([y, x], axis=-1) * spans,
            2.0 * np.pi * direction,
            speed,
        )

    def clips(rows):
        row, place, direction, speed = draws(rows)
        velocity = speed[..., None] * np.stack([np.sin(direction), np.cos(direction)], axis=-1)
        tops_lefts = np.rint(bounce(place, velocity, frames, spans)).astype(np.int64)
        clips = _paste(digits[row], tops_lefts, size)[..., None]
        return np.repeat(clips, 3, axis=-1) if request.channels == 3 else clips

    count = LENGTHS[request.material] if request.length is None else request.length
    shape = (frames, height, width, request.channels or 1)
    return Rows(clips, lambda rows: classes[draws(rows)[0]], count, shape, label_shape=(DIGITS,))


def bounce(start, velocity, frames, spans):
    """Return the places of points that move straight on and are reflected at 0 and at `spans`.

    Args:
        start: array `(..., axes)` in [0, spans].
        velocity: array `(..., axes)`, way a frame.
        frames: number of frames; the first shows the start.
        spans: array `(axes,)`, positive.

    Returns:
        float64 array `(..., frames, axes)` in [0, spans].

    Example:
        >>> import numpy as np
        >>> from kgen.data.moving_mnist import bounce
        >>> bounce(np.array([1.0]), np.array([2.0]), 4, np.array([4.0]))[:, 0].tolist()
        [1.0, 3.0, 3.0, 1.0]
    """
    times = np.arange(frames)[:, None]
    unfolded = start[..., None, :] + velocity[..., None, :] * times  # as if there were no border
    # Beyond the border the way is mirrored, and beyond twice the span it begins anew.
    return spans - np.abs(spans - unfolded % (2 * spans))


def _paste(sprites, corners, size):
    """Lay sprites on black clips by the maximum.

    Args:
        sprites: uint8 array `(k, sprites, side, side)`.
        corners: int64 array `(k, sprites, frames, 2)`, top and left of each, inside.
        size: `(height, width)` of a frame.

    Returns:
        uint8 array `(k, frames, height, width)`.
    """
    count, sprites_each, frames, _ = corners.shape
    side = sprites.shape[-1]
    clips = np.zeros((count, frames, *size), np.uint8)
    # All places of a sprite in a frame as a view, so that all frames are written in one go.
    windows = np.lib.stride_tricks.sliding_window_view(
        clips, (side, side), axis=(2, 3), writeable=True
    )
    clip, frame = np.ogrid[:count, :frames]
    for number in range(sprites_each):
        top, left = corners[:, number, :, 0], corners[:, number, :, 1]
        place = (clip, frame, top, left)
        windows[place] = np.maximum(windows[place], sprites[:, number, None])
    return clips
