"""A sequence of pictures as an animated GIF."""

import math
import os
import pathlib

import numpy as np

from kgen.core.ranges import check_image_range
from kgen.core.whole_file import replacing
from kgen.plotting.pixels import to_uint8

LAST_FRAME_FACTOR = 5
# All frames are in memory when a GIF is written: at most 300 MB, a byte a pixel.
MOST_FRAMES = 300
MOST_PIXELS = 1024  # of the longer side


def save_gif(frames_or_paths, path, milliseconds=200, rest=True, clip=False):
    """Write frames as an animated GIF that loops for ever.

    Of more than 300 frames it shows 300, evenly spaced, the first and the last among them. Frames
    with a side of more than 1,024 pixels are scaled down to half, a third and so on.

    Args:
        frames_or_paths: sequence of frames of one size, each a uint8 array `(height, width, 3)`
            or `(height, width, 1)` in 0..255, a float array or tensor of such a shape in [-1, 1],
            or the path of a PNG file.
        path: the file, ending in .gif; its folder is made if need be.
        milliseconds: how long a frame is shown. GIF counts in hundredths of a second.
        rest: whether the last frame, a result, stays 5 times as long.
        clip: whether values of float frames beyond [-1, 1] are cut; see `image_grid`.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: no frames, a frame of another shape, size or range, a file that is missing or no
            image, or a `path` or `milliseconds` that is not as described.

    Example:
        >>> import numpy as np, tempfile
        >>> from kgen.plotting import save_gif
        >>> frames = [np.full((32, 32, 3), level) for level in (-1.0, 0.0, 1.0)]
        >>> save_gif(frames, tempfile.mkdtemp() + "/fade.gif").name
        'fade.gif'
    """
    path = pathlib.Path(path).expanduser()
    if path.suffix.lower() != ".gif":
        raise ValueError(f"path: expected a file name that ends in .gif, got {path}.")
    if not isinstance(milliseconds, int | float) or not 10 <= milliseconds <= 60_000:
        raise ValueError(f"milliseconds: expected a number from 10 to 60000, got {milliseconds!r}.")
    is_one_path = isinstance(frames_or_paths, str | os.PathLike)
    frames = [] if is_one_path else list(frames_or_paths)
    if not frames:
        raise ValueError(
            f"frames_or_paths: expected a sequence of at least one frame, got {frames_or_paths!r}."
        )
    shown = np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).round().astype(int)
    durations = [milliseconds] * len(shown)
    if rest:
        durations[-1] *= LAST_FRAME_FACTOR
    if not clip:
        _check_range([frames[index] for index in shown])
    pictures = _pictures(frames, shown)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        next(pictures).save(
            partial,
            format="GIF",
            save_all=True,
            append_images=pictures,
            duration=durations,
            loop=0,
        )
    return path


def _check_range(frames):
    """Refuse float frames that are not in [-1, 1], and warn where all of them seem to be in [0, 1].

    Frames that are none, such as integers, are dealt with as they are turned into pixels.
    """
    frames = [frame for frame in frames if not isinstance(frame, str | os.PathLike)]
    ends = []
    for frame in map(np.asarray, frames):
        if frame.dtype.kind not in "biucOSUMm" and frame.size:
            ends += [float(frame.min()), float(frame.max())]
    check_image_range(ends, "frames_or_paths")


def _pictures(frames, indices):
    """Yield frames as Pillow images, none read before the one before it is dealt with."""
    size = None
    for index in indices:
        picture = _picture(frames[index], index)
        size = size or picture.size
        if picture.size != size:
            raise ValueError(
                f"frames_or_paths: expected frames of one size, got {picture.size} (width, height) "
                f"at {index} and {size} at 0."
            )
        yield picture.reduce(math.ceil(max(size) / MOST_PIXELS))


def _picture(frame, index):
    """Return one frame as a Pillow image of mode RGB."""
    from PIL import Image

    if isinstance(frame, str | os.PathLike):
        try:
            path = os.path.expanduser(frame)
            with Image.open(path, formats=("PNG", "JPEG", "WEBP", "BMP")) as opened:
                return opened.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise ValueError(f"{frame}: cannot be read as an image ({error}).") from error
    frame = np.asarray(frame)
    if frame.ndim != 3 or frame.shape[-1] not in (1, 3) or 0 in frame.shape:
        raise ValueError(
            "frames_or_paths: expected frames of the shape (height, width, channels) with 1 or 3 "
            f"channels, got {frame.shape} at {index}."
        )
    frame = frame if frame.dtype == np.uint8 else to_uint8(frame)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(frame, (*frame.shape[:2], 3))))
