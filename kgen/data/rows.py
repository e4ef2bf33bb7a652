"""What a source is asked for, and what it gives: numbered examples, each decided by its number."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from kgen.data.splitting import is_for_training


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asked of a source; checked by `kgen.data.load` before a source sees it.

    Attributes:
        split: one of `kgen.data.splitting.SPLITS`.
        image_size: `(height, width)` in pixels, or None for the source's own.
        channels: 1, 3, or None for the source's own.
        seed: integer from which generated examples come.
        length: examples of a generated set, or None for the source's own number.
        frames: images of a clip, or None for the source's own number.
        value_range: `(low, high)` of an array file's values, or None.
        on_bad_file: `"error"` or `"skip"`.
        follow_links: whether symbolic links are followed out of a folder.
    """

    split: str = "train"
    image_size: tuple[int, int] | None = None
    channels: int | None = None
    seed: int = 0
    length: int | None = None
    frames: int | None = None
    value_range: tuple[float, float] | None = None
    on_bad_file: str = "error"
    follow_links: bool = False

    @property
    def is_for_training(self):
        """Whether the split holds the training part: then it is shuffled."""
        return is_for_training(self.split)

    @property
    def material(self):
        """The name of what examples are made from: with validation it is that of training."""
        return "train" if self.is_for_training else self.split


@dataclasses.dataclass(frozen=True)
class Rows:
    """A set of numbered examples.

    Attributes:
        examples: an array `(n, ...)`; a sequence of n image files; or a function from row numbers,
            int64 `(k,)`, to their examples, an array `(k, *shape)`, the same for a row whenever
            it is asked for. Arrays are uint8 in 0..255, or float32 in [-1, 1] (points of the
            plane: in their own units).
        labels: int32 array `(n, ...)`, a function from row numbers to it, or None.
        count: n, if `examples` is a function.
        shape: shape of one example, if `examples` is a function.
        dtype: `"uint8"` or `"float32"`, if `examples` is a function.
        label_shape: shape of one label, if `labels` is a function.
    """

    examples: np.ndarray | Sequence | Callable
    labels: np.ndarray | Callable | None = None
    count: int | None = None
    shape: tuple[int, ...] | None = None
    dtype: str = "uint8"
    label_shape: tuple[int, ...] = ()
