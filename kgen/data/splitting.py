"""Which example is in which split: it depends on the example's own name or number alone.

So an example that is added changes the split of no other.
"""

import hashlib
import os
import unicodedata

import numpy as np

from kgen.data.hashing import uniforms

PARTS = ("train", "validation", "test")
SPLITS = (*PARTS, "train+validation")
# Examples between two of one part, where parts are cut out of the training part.
_EVERY = 10
# Of rows. By this seed the first eight are all for training: of so few none is held out.
_SEED = 12


def parts_of(split):
    """Return the parts that a split is made of: `["train", "validation"]` of the two together."""
    return split.split("+")


def is_for_training(split):
    """Say whether a split holds the training part: then it is shuffled and may be augmented."""
    return "train" in parts_of(split)


def place_of_name(name):
    """Return the place in [0, 1) of a file, by the hash of its path.

    The suffix plays no part, so that of a pair both are in one split, and a folder that is
    converted keeps its splits; nor does the way in which a system writes accents.

    Args:
        name: path relative to its folder, with `/` between the parts.
    """
    stem = unicodedata.normalize("NFC", os.path.splitext(name)[0])
    content = stem.encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(content, digest_size=8, person=b"kgen").digest()
    return (int.from_bytes(digest, "little") >> 11) * 2.0**-53


def places_of_rows(count):
    """Return the places in [0, 1) of the rows of an array, by the hash of their numbers.

    Of ten rows in a row exactly one lies in each tenth, so that rows sorted by class are split in
    proportion.

    Returns:
        float64 array `(count,)`.
    """
    blocks = -(-count // _EVERY)
    draws = uniforms(_SEED, "split", np.arange(blocks * _EVERY), 1).reshape(blocks, _EVERY)
    ranks = draws.argsort(axis=1).argsort(axis=1)
    return ((ranks + draws) / _EVERY).ravel()[:count]


def rows_of_split(places, split, missing, source):
    """Return the rows of a training part that belong to a split, in the order of their places.

    The first tenth of the places is for test and the second for validation, each if it is missing.

    Args:
        places: float64 array `(n,)` in [0, 1).
        split: one of `SPLITS`.
        missing: those of `"validation"` and `"test"` that have no examples of their own.
        source: the file or folder, for the error message.

    Returns:
        Integer array of row numbers, in an order that never changes.

    Raises:
        ValueError: the split has no rows.
    """
    tenths = np.floor(np.asarray(places) * _EVERY)
    part = np.zeros(len(tenths), int)
    for number, name in ((0, "test"), (1, "validation")):
        if name in missing:
            part[tenths == number] = PARTS.index(name)
    chosen = np.isin(part, [PARTS.index(name) for name in parts_of(split)])
    if not chosen.any():
        raise ValueError(
            f"split={split!r} of {source} is empty: about one image in {_EVERY} is held out for "
            f"it, and there are {len(tenths)}; expected more images, or parts of its own for "
            "train, validation and test."
        )
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(np.asarray(places)[rows], kind="stable")]


def stratified_rows(labels, split, test_count, validation_count):
    """Return the rows of one split, every class in its share, classes mixed.

    Args:
        labels: integer array `(n,)`.
        split: one of `SPLITS`.
        test_count: number of rows in the test split.
        validation_count: number of rows in the validation split, which is cut out of the others.

    Returns:
        Integer array of row numbers, in an order that never changes.

    Example:
        >>> from kgen.data.splitting import stratified_rows
        >>> len(stratified_rows([0, 1] * 10, "train", test_count=4, validation_count=2))
        14
    """
    from sklearn.model_selection import train_test_split

    labels = np.asarray(labels)
    rest, test = train_test_split(
        np.arange(len(labels)), test_size=test_count, stratify=labels, random_state=0
    )
    if split in ("test", "train+validation"):
        return test if split == "test" else rest
    _, validation = train_test_split(
        rest, test_size=validation_count, stratify=labels[rest], random_state=0
    )
    return validation if split == "validation" else rest[~np.isin(rest, validation)]


def shuffled_rows(count, limit):
    """Return which rows stand for all where at most `limit` are taken, and in which order.

    All of them in order if they are no more than that; else drawn by a fixed seed and in the order
    of the draw, so that of rows sorted by class every class has its share, in the first few too.

    Args:
        count: number of rows.
        limit: most rows to take, or None for all.

    Returns:
        int64 array of row numbers.

    Example:
        >>> from kgen.data.splitting import shuffled_rows
        >>> shuffled_rows(3, 5).tolist(), len(shuffled_rows(50, 5))
        ([0, 1, 2], 5)
    """
    if limit is None or count <= limit:
        return np.arange(count)
    # RandomState and not default_rng: NumPy promises that its stream never changes.
    return np.random.RandomState(0).permutation(count)[:limit]
