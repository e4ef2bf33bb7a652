"""Crops of three colour photographs that come with scikit-learn and matplotlib."""

import numpy as np

from kgen.data.hashing import uniforms
from kgen.data.rows import Rows

LENGTHS = {"train": 10_000, "validation": 1_000, "test": 1_000}

# The photographs, in the order of their labels, and the axis along which each is halved: the one
# that leaves something of its subject to both halves.
CUT_AXES = {"china.jpg": 0, "flower.jpg": 1, "grace_hopper.jpg": 1}

# A crop comes from a photograph at one of these scales: at 1 a crop of 64x64 is hardly more than
# texture, at 1/4 it shows most of a part.
SCALES = tuple(2.0 ** (-step / 2) for step in range(5))


def photos(request):
    """Cut crops out of three photographs: a temple, a flower and a portrait.

    `china.jpg` and `flower.jpg` of `sklearn.datasets.load_sample_images` (640x427, CC BY) and
    `grace_hopper.jpg` of matplotlib's sample data (512x600, public domain).

    Test crops lie in the lower half of the temple and in the right halves of the flower and the
    portrait. Of the other halves the last quarter along the longer side is for validation and the
    rest for train; the splits share no pixel. Such a part is first scaled, by itself, by one of
    `SCALES`, each with equal probability among those at which a crop fits, and of all crops of all
    photographs at that scale one is drawn, each with equal probability.

    Args:
        request: `Request`; `split`, `seed`, `image_size` (64x64), `channels` (3; 1 is luminance)
            and `length` (10,000 for train, 1,000 for the others) count.

    Returns:
        `Rows` of uint8 images `(height, width, channels)`, and of the photograph's number as label:
        0 temple, 1 flower, 2 portrait.

    Raises:
        ValueError: `image_size` is larger than all parts of the photographs.

    Example:
        >>> from kgen.data.photos import photos
        >>> from kgen.data.rows import Request
        >>> photos(Request(image_size=(32, 48))).examples([0, 5]).shape
        (2, 32, 48, 3)
    """
    height, width = size = request.image_size or (64, 64)
    channels = request.channels or 3
    parts = [_part(name, request.split, channels) for name in CUT_AXES]
    levels = _levels(parts, size)
    if not levels:
        sizes = ", ".join(f"{part.height}x{part.width}" for part in parts)
        raise ValueError(
            f"image_size: expected a crop (height, width) that fits into a part of a "
            f"photograph in split={request.split!r} of 'photos', of {sizes}, got {size}."
        )
    # For each level, where each photograph's crops end among all crops.
    ends = np.array([np.cumsum([_crops(picture, size) for picture in level]) for level in levels])

    def choices(rows):
        """Return the level, the photograph and the number of the crop in it, each `(k,)`."""
        u = uniforms(request.seed, f"photos/{request.material}", rows, 2)
        level = (u[:, 0] * len(levels)).astype(np.int64)
        crop = (u[:, 1] * ends[level, -1]).astype(np.int64)  # among those of all photographs
        photograph = (crop[:, None] >= ends[level]).sum(axis=1)
        starts = np.pad(ends, ((0, 0), (1, 0)))
        return level, photograph, crop - starts[level, photograph]

    def images(rows):
        crops = np.empty((len(rows), height, width, channels), np.uint8)
        for index, (level, photograph, crop) in enumerate(zip(*choices(rows), strict=True)):
            picture = levels[level][photograph]
            top, left = divmod(crop, picture.shape[1] - width + 1)
            crops[index] = picture[top : top + height, left : left + width]
        return crops

    count = LENGTHS[request.material] if request.length is None else request.length
    return Rows(
        images, lambda rows: choices(rows)[1].astype(np.int32), count, (height, width, channels)
    )


def _part(name, split, channels):
    """Return a split's part of a photograph as a Pillow image."""
    picture = _picture(name).convert("L" if channels == 1 else "RGB")
    end = (picture.height, picture.width)
    cut = [side // 2 if axis == CUT_AXES[name] else side for axis, side in enumerate(end)]
    if split == "test":
        top, left = (part % side for part, side in zip(cut, end, strict=True))
        return picture.crop((left, top, end[1], end[0]))
    half = picture.crop((0, 0, cut[1], cut[0]))
    if split == "train+validation":
        return half
    # The longer side is cut, so that large crops still fit into the smaller part.
    sides = [half.width, half.height]
    axis = int(half.height > half.width)
    start = sides[axis] - sides[axis] // 4
    if split == "train":
        sides[axis] = start
        return half.crop((0, 0, *sides))
    corner = [0, 0]
    corner[axis] = start
    return half.crop((*corner, *sides))


def _picture(name):
    """Read a photograph as a Pillow image."""
    from PIL import Image

    if name == "grace_hopper.jpg":
        from matplotlib.cbook import get_sample_data

        return Image.open(get_sample_data(name, asfileobj=False), formats=["JPEG"])
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(name))


def _levels(parts, size):
    """Return the scales at which a crop fits: of each, the parts as arrays `(h, w, channels)`."""
    from PIL import Image

    levels = []
    for scale in SCALES:
        sides = [(round(part.width * scale), round(part.height * scale)) for part in parts]
        scaled = [
            np.asarray(part.resize(new, Image.Resampling.BICUBIC)).reshape(new[1], new[0], -1)
            for part, new in zip(parts, sides, strict=True)
        ]
        if any(_crops(picture, size) for picture in scaled):
            levels.append(scaled)
    return levels


def _crops(picture, size):
    """Return how many different crops of that size a picture has."""
    height, width, _ = picture.shape
    return max(0, height - size[0] + 1) * max(0, width - size[1] + 1)
