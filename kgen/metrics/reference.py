"""What samples are held against: a split of a set, read batch by batch and summed up once."""

import dataclasses
import functools
import hashlib
import os
import pathlib

import numpy as np

import kgen.data
from kgen.data.fingerprint import fingerprint
from kgen.data.registry import OF_FEW_PICTURES, is_named
from kgen.data.splitting import shuffled_rows
from kgen.metrics import cache
from kgen.metrics.moments import Moments
from kgen.version import __version__

# Of a larger set so many rows of features are kept, drawn from a fixed seed, for the metrics that
# compare rows with rows; moments are of all.
KEPT = 50_000


@dataclasses.dataclass(frozen=True)
class Statistics:
    """What a reference comes down to.

    Attributes:
        count: Examples in all.
        hash: Hash of the examples as they were read, 16 hexadecimal digits.
        moments: `Moments` of all features, `None` without an extractor.
        features: float32 `(min(count, KEPT), d)`, `None` without an extractor.
    """

    count: int
    hash: str
    moments: Moments | None = None
    features: np.ndarray | None = None


class Reference:
    """A split of a set, or an array, by batches.

    Attributes:
        name: The set's name, or that of the folder or file; `"array"`.
        named: Whether it is a set that kgen knows by its name.
        split: As of `kgen.data.load`; `None` of an array.
        shape: Shape of one example.
        count: Number of examples.

    Args:
        source: What `kgen.data.load` takes, or an array of images in [-1, 1], `(n, height, width,
            channels)`.
        split: As of `kgen.data.load`; only for sets.
        image_size: As of `kgen.data.load`; only for sets.
        channels: As of `kgen.data.load`; only for sets.
        on_bad_file: As of `kgen.data.load`; only for sets.
        batch_size: Examples read at once.
        follow_links: As of `kgen.data.load`; only for sets.

    Raises:
        ValueError: If the set cannot be read, or the array is not of this form.
    """

    def __init__(
        self,
        source,
        split="test",
        image_size=None,
        channels=None,
        on_bad_file="error",
        batch_size=256,
        follow_links=False,
    ):
        self.batch_size = batch_size
        self._statistics = {}
        if isinstance(source, str | os.PathLike):
            self.named = isinstance(source, str) and is_named(source)
            self.name = source if self.named else pathlib.Path(source).expanduser().resolve().name
            self.split = split
            self._read = functools.partial(
                kgen.data.in_order,
                source,
                image_size,
                batch_size,
                split,
                channels,
                on_bad_file=on_bad_file,
                follow_links=follow_links,
            )
            self._batches = self._read()
            self.count = self._batches.count
            self.shape = tuple(self._batches.element_spec.shape[1:])
            self._key = (fingerprint(source, split, follow_links=follow_links), self.shape)
            return
        if image_size is not None or channels is not None:
            raise ValueError(
                "`image_size` and `channels` are for a set that is read; expected None with an "
                f"array, received {image_size!r} and {channels!r}."
            )
        array = np.asarray(source)
        if array.dtype.kind != "f" or array.ndim != 4 or len(array) < 2:
            raise ValueError(
                "`reference` must be a name or path for kgen.data.load, or an array of floats in "
                "[-1, 1], (n, height, width, channels) with n at least 2; received "
                f"{array.dtype} of the shape {array.shape}. (Rows of features or points are for "
                "kgen.metrics.frechet_distance and the like.)"
            )
        if not (np.abs(array) <= 1.001).all():  # NaN is not either.
            raise ValueError("`reference` must lie in [-1, 1] and be finite.")
        self.name, self.named, self.split, self._read = "array", False, None, None
        self._batches = [
            array[i : i + batch_size].astype("float32") for i in range(0, len(array), batch_size)
        ]
        self.count, self.shape, self._key = len(array), array.shape[1:], None

    def batches(self):
        """Yields all examples once, in order, as float32 arrays."""
        return (np.asarray(batch) for batch in self._batches)

    def some(self, count):
        """Returns `count` examples, as of `kgen.data.in_order`'s `limit`, or all if fewer."""
        if self._read is not None:
            return np.concatenate(list(self._read(limit=count).as_numpy_iterator()))
        return np.concatenate(self._batches)[shuffled_rows(self.count, count)]

    def some_labelled(self, count):
        """Returns the examples of `some` and their labels.

        Raises:
            ValueError: If the reference has none.
        """
        if self._read is None:
            raise ValueError("`reference` must be a set with labels, received an array.")
        batches = self._read(labels=True, limit=count).as_numpy_iterator()
        return [np.concatenate(side) for side in zip(*batches, strict=True)]

    def units(self, count):
        """Returns what the examples of `some` are parts of, integers `(count,)`, or `None`.

        Crops of few photographs are no draws of their own: intervals draw the photographs.
        """
        return self.some_labelled(count)[1] if self.is_of_few_pictures else None

    @property
    def is_of_few_pictures(self):
        """Whether the examples are parts of pictures that are fewer than they."""
        return self.named and self.name in OF_FEW_PICTURES

    def statistics(self, extractor=None):
        """Returns the `Statistics`, read in one pass the first time and from the cache after it."""
        key = None if extractor is None else extractor.hash
        if key not in self._statistics:
            self._statistics[key] = self._read_statistics(extractor, key)
        return self._statistics[key]

    def _read_statistics(self, extractor, key):
        name = None if self._key is None else repr((*self._key, key, KEPT, __version__))
        path = None if name is None else _cached_at(name)
        arrays = None if path is None else cache.read_arrays(path, name)
        if arrays is None:
            arrays = self._summed_up(extractor)
            if path is not None:
                cache.write_arrays(path, name, arrays)
        features = arrays.pop("features", None)
        count, content = int(arrays.pop("examples")), str(arrays.pop("hash"))
        return Statistics(
            count, content, None if features is None else Moments.from_arrays(arrays), features
        )

    def _summed_up(self, extractor):
        kept = _kept_rows(self.count)
        digest, moments, features, start = hashlib.sha256(), None, [], 0
        for batch in self.batches():
            digest.update(np.ascontiguousarray(batch))
            if extractor is not None:
                found = extractor(batch)
                moments = Moments(found.shape[1]) if moments is None else moments
                moments.update(found)
                features.append(found[kept[start : start + len(batch)]])
            start += len(batch)
        arrays = {"examples": np.array(start), "hash": np.array(digest.hexdigest()[:16])}
        if extractor is None:
            return arrays
        return {**arrays, **moments.as_arrays(), "features": np.concatenate(features)}


def _cached_at(name):
    digest = hashlib.sha256(name.encode()).hexdigest()[:24]
    return cache.cache_folder() / "references" / f"{digest}.npz"


def _kept_rows(count):
    """Returns which rows' features are kept, booleans `(count,)`."""
    kept = np.ones(count, bool)
    if count > KEPT:
        kept[np.random.default_rng(0).permutation(count)[KEPT:]] = False
    return kept
