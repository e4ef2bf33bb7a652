"""Images that are made of known factors: what disentanglement is scored on."""

import dataclasses
import warnings
from collections.abc import Callable

import numpy as np

from kgen.data.shapes import FACTORS, draw_shapes
from kgen.metrics.arrays import checked_integer, checked_rows
from kgen.metrics.bootstrap import bootstrap_seeds
from kgen.metrics.card import Card

# Variance of a code over all images below which it counts as unused.
UNUSED = 0.05


@dataclasses.dataclass(frozen=True)
class KnownFactors:
    """A source of images by their factors.

    Attributes:
        name: Of the source, for cards.
        sizes: Dict from each factor's name to how many classes it has.
        images: Function from integers `(n, factors)`, the classes of `sizes` in their order, to
            float32 images in [-1, 1].
        settings: Dict of what else decides the images, for cards.

    Raises:
        ValueError: If a factor has fewer than 2 classes, or there is none.
    """

    name: str
    sizes: dict
    images: Callable
    settings: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        sizes = list(self.sizes.values())
        if not sizes or not all(isinstance(size, int) and size >= 2 for size in sizes):
            raise ValueError(
                "`sizes` must be a dict from names of factors to how many classes they have, at "
                f"least 2; received {self.sizes!r}."
            )

    def draw(self, count, generator):
        """Draws factors evenly, each on its own: integers `(count, factors)`.

        `generator` is NumPy's.
        """
        return generator.integers(tuple(self.sizes.values()), size=(count, len(self.sizes)))


def known_factors(source, image_size=None):
    """Returns the `KnownFactors` of a source.

    Args:
        source: `"shapes"`, the set of `kgen.data` in the layout of dSprites; or a `KnownFactors`.
        image_size: Pixels of the shapes, an integer or `(height, width)`; `None` for 64.

    Raises:
        ValueError: If there is no such source, or an image size is given with a `KnownFactors`.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import known_factors
        >>> source = known_factors("shapes", image_size=32)
        >>> list(source.sizes)
        ['shape', 'scale', 'rotation', 'x', 'y']
        >>> source.images(source.draw(3, np.random.default_rng(0))).shape
        (3, 32, 32, 1)
    """
    if isinstance(source, KnownFactors):
        if image_size is not None:
            raise ValueError(
                f'`image_size` must be None but for "shapes", received {image_size!r}.'
            )
        return source
    if source != "shapes":
        raise ValueError(f'`source` must be "shapes" or a KnownFactors, received {source!r}.')
    height, width = _height_and_width(64 if image_size is None else image_size)
    size = height if height == width else (height, width)

    def images(factors):
        masks = draw_shapes(factors, (height, width))
        return (2.0 * masks[..., None] - 1.0).astype("float32")

    return KnownFactors("shapes", dict(FACTORS), images, {"image_size": size})


def _height_and_width(image_size):
    """Returns the two as integers; one alone stands for both."""
    sides = image_size if isinstance(image_size, tuple | list) else (image_size, image_size)
    if len(sides) != 2:
        raise ValueError(
            f"`image_size` must be an integer or (height, width), received {image_size!r}."
        )
    return [checked_integer("image_size", side, 1) for side in sides]


def codes_of(encode, source, factors, batch_size=2048):
    """Returns the codes of the images of factors, float64 `(n, d)`.

    Args:
        encode: Function from images to codes, or a model with such a method.
        source: The `KnownFactors`.
        factors: Integers `(n, factors)`.
        batch_size: Images drawn and encoded at once.

    Raises:
        ValueError: If `encode` is no such function, or its codes are not finite rows.
    """
    if getattr(encode, "encoded_with", None) is not None:
        raise ValueError(
            f"`encode` must encode images alone, received a {type(encode).__name__} that encodes "
            f"them together with {encode.encoded_with}; pass a function."
        )
    encode = getattr(encode, "encode", encode)
    if not callable(encode):
        raise ValueError(
            "`encode` must be a function from images to codes or a model that can encode, received "
            f"{encode!r}."
        )
    found = []
    for start in range(0, len(factors), batch_size):
        part = factors[start : start + batch_size]
        codes = checked_rows("codes", encode(source.images(part)), minimum=1)
        if len(codes) != len(part):
            raise ValueError(
                f"`encode` must return a row of codes for each of {len(part)} images, received "
                f"{codes.shape}."
            )
        found.append(codes)
    return np.concatenate(found)


def used_dimensions(codes, unused):
    """Which dimensions of codes `(n, d)` vary, booleans `(d,)`."""
    variances = codes.var(axis=0)
    used = (variances >= unused) & (codes.max(axis=0) > codes.min(axis=0))
    if not used.any():
        warnings.warn(
            f"All dimensions of the codes count as unused: their variances are at most "
            f"{variances.max():.3g}, less than unused={unused:g}. Pass a smaller `unused` for "
            "codes that are not about 1 large.",
            stacklevel=3,
        )
    return used


def card_of(metric, source, samples, settings, resamples, seed):
    """Returns the `Card` of a score of codes of `samples` images of a source."""
    return Card(
        metric,
        samples=samples,
        reference=source.name,
        settings={**source.settings, **settings},
        seeds={"images": seed, **bootstrap_seeds(resamples, seed)},
    )
