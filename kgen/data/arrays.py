"""Images in NumPy's own files, `.npy` and `.npz`."""

import numbers

import numpy as np

from kgen.data.arguments import checked_labels
from kgen.data.splitting import is_for_training, parts_of, places_of_rows, rows_of_split

IMAGE_KEYS = ("images", "x", "x_train", "arr_0")  # the first that is there
LABEL_KEYS = ("labels", "y")
# The parts of a set by what stands behind x_ and y_ in their keys.
_PARTS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
_KEYS_OF_PARTS = [f"{letter}_{suffix}" for suffix in _PARTS for letter in "xy"]


def read_arrays(path, split, value_range=None):
    """Read one split of the images in a `.npy` or `.npz` file.

    A `.npy` file holds images `(n, height, width)`, or with 1 or 3 channels at the end. In a
    `.npz` file they are under `images`, `x` or `arr_0` and their labels, integers `(n,)`, under
    `labels` or `y`. With `x_train` and `x_test` (and `y_train` and `y_test`), as in the file of
    `keras.datasets.mnist`, or `x_val`, `x_valid` or `x_validation`, these are the splits, in their
    own order. A test or validation split that is not there is cut out of the others: of ten images
    in a row one is for test and one for validation, by the hash of its number, so that images
    which are added at the end change no other's split.

    Args:
        path: `pathlib.Path` of the file.
        split: one of `kgen.data.splitting.SPLITS`.
        value_range: `(low, high)` of the values, which become -1 and 1. None for 0..255 of
            integers, 0..1 of booleans, and for floats [0, 1] if all are in it, else [-1, 1].

    Returns:
        Images `(n, height, width, channels)`, uint8 in 0..255 or float32 in [-1, 1], and int32
        labels `(n,)` or None.

    Raises:
        ValueError: the file cannot be read, holds Python objects, or has another shape, type or
            range than said above. The message names the file.
    """
    stored = _read(path)
    keys = _keys_of_parts(stored, path)
    # All parts are read whichever is asked for: they share one range of values.
    images = {part: _with_channels(stored[x], path) for part, (x, _) in keys.items()}
    labels = {
        part: _checked_labels(stored.get(y), len(images[part]), path)
        for part, (_, y) in keys.items()
    }
    low, high = _range_of([*images.values()], value_range, path)
    found = []
    for part, rows in _rows_of_parts({part: len(x) for part, x in images.items()}, split, path):
        found.append((images[part][rows], None if labels[part] is None else labels[part][rows]))
    pixels = np.concatenate([x for x, _ in found])
    has_labels = all(y is not None for _, y in found)
    return _scale(pixels, low, high), np.concatenate([y for _, y in found]) if has_labels else None


def count_classes(path):
    """Return the largest label of a file and 1, or None if it has none; no image is read.

    Raises:
        ValueError: the file cannot be read, or its labels are no integers of at least 0.
    """
    stored = _read(path, (*LABEL_KEYS, *(f"y_{suffix}" for suffix in _PARTS)))
    keys = [y for _, y in _keys_of_parts(stored, path).values()]
    parts = [np.atleast_1d(stored[key]) for key in keys if key is not None]
    if not parts:
        return None
    labels = np.concatenate([_checked_labels(part, len(part), path) for part in parts])
    if labels.min() < 0:
        raise ValueError(f"{path}: expected labels of at least 0, found {labels.min()}.")
    return int(labels.max()) + 1


def _keys_of_parts(stored, path):
    """Return a dict from each part of a file to the keys of its images and of its labels or None.

    Raises:
        ValueError: there are no training images, or two validation splits.
    """
    key = next((key for key in IMAGE_KEYS if key in stored), None)
    parts = {part: suffix for suffix, part in _PARTS.items() if f"x_{suffix}" in stored}
    if key is None:
        raise ValueError(
            f"{path}: expected images under one of {list(IMAGE_KEYS)}, found {sorted(stored)}."
        )
    if parts and "train" not in parts:
        raise ValueError(
            f"{path}: expected the training images of its splits under 'x_train', found "
            f"{sorted(stored)}."
        )
    if len(parts) < sum(f"x_{suffix}" in stored for suffix in _PARTS):
        raise ValueError(f"{path}: expected one validation split, found {sorted(stored)}.")
    if len(parts) > 1 or key == "x_train":
        keys = {part: (f"x_{suffix}", f"y_{suffix}") for part, suffix in parts.items()}
    else:
        keys = {"train": (key, next((name for name in LABEL_KEYS if name in stored), None))}
    return {part: (x, y if y in stored else None) for part, (x, y) in keys.items()}


def _rows_of_parts(counts, split, path):
    """Return pairs of a part of a file and those of its rows that are of the split."""
    missing = {"validation", "test"} - set(counts)
    found = []
    if is_for_training(split) or split in missing:
        places = places_of_rows(counts["train"])
        found.append(("train", rows_of_split(places, split, missing, path)))
    for part in ("validation", "test"):
        if part in counts and part in parts_of(split):
            found.append((part, np.arange(counts[part])))
    return found


def _read(path, wanted=(*IMAGE_KEYS, *LABEL_KEYS, *_KEYS_OF_PARTS)):
    """Return the arrays of a file by their keys; the one of a `.npy` file is `arr_0`.

    Entries that are not wanted are None: they may be large, or objects.
    """
    try:
        with path.open("rb") as file:  # given a path, np.load leaves a broken archive open
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {"arr_0": content}
            with content:
                return {key: content[key] if key in wanted else None for key in content.files}
    except Exception as error:  # NumPy, zipfile and zlib each raise errors of their own
        raise ValueError(
            f"{path}: cannot be read as an array of numbers ({error}). Python objects and "
            "pickled data are refused because reading them can run any code."
        ) from error


def _with_channels(images, path):
    """Return images as `(n, height, width, channels)`, or refuse their shape."""
    shaped = images[..., None] if images.ndim == 3 else images
    if shaped.ndim != 4 or shaped.shape[-1] not in (1, 3) or 0 in shaped.shape:
        hint = ""
        if shaped.ndim == 4 and shaped.shape[1] in (1, 3):
            hint = " The channels seem to come first: images.transpose(0, 2, 3, 1) moves them."
        raise ValueError(
            f"{path}: expected images (n, height, width), (n, height, width, 1) or "
            f"(n, height, width, 3) with at least one image, got {images.shape}.{hint}"
        )
    return shaped


def _checked_labels(labels, count, path):
    """Return labels as int32 `(n,)`, or None if there are none."""
    if labels is None:
        return None
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels  # CIFAR's (n, 1)
    # Whole numbers; np.zeros gives floats. Beyond 2^62 they are none that a label could be.
    if flat.dtype.kind == "f" and np.array_equal(flat, np.clip(np.round(flat), -(2**62), 2**62)):
        flat = flat.astype(np.int64)
    if flat.shape != (count,) or flat.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: expected integer labels of the shape ({count},), one an image, got "
            f"{labels.dtype} of the shape {labels.shape}."
        )
    return checked_labels(flat, path)


def _range_of(parts, value_range, path):
    """Return the `(low, high)` that becomes [-1, 1], after a look at every value."""
    for part in parts:
        if part.dtype.kind not in "biuf":
            raise ValueError(f"{path}: expected real numbers, got {part.dtype}.")
    dtype = np.result_type(*parts)
    least, most = min(part.min() for part in parts), max(part.max() for part in parts)
    # A NaN or an infinity anywhere shows in the least or the most.
    if not (np.isfinite(least) and np.isfinite(most)):
        raise ValueError(f"{path}: expected finite values, found NaN or infinity.")
    least, most = float(least), float(most)
    if value_range is not None:
        candidates, asked = [_checked_range(value_range)], f"value_range={value_range}"
    elif dtype.kind == "b":
        candidates, asked = [(0.0, 1.0)], "booleans"
    elif dtype.kind in "iu":
        candidates, asked = [(0.0, 255.0)], "integers in 0..255"
    else:
        candidates, asked = [(0.0, 1.0), (-1.0, 1.0)], "floats in [0, 1] or in [-1, 1]"
    for low, high in candidates:
        if low <= least and most <= high:
            return low, high
    advice = "" if value_range is not None else " State another range as value_range=(low, high)."
    raise ValueError(f"{path}: expected {asked}, found values in [{least}, {most}].{advice}")


def _checked_range(value_range):
    """Return `value_range` as two floats, low below high."""
    is_pair = isinstance(value_range, tuple | list) and len(value_range) == 2
    if is_pair and all(isinstance(end, numbers.Real) for end in value_range):
        low, high = map(float, value_range)
        if np.isfinite([low, high]).all() and low < high:
            return low, high
    raise ValueError(
        f"value_range: expected (low, high), two finite numbers with low < high, "
        f"got {value_range!r}."
    )


def _scale(images, low, high):
    """Return bytes where the values are whole bytes, else float32 in [-1, 1]."""
    if images.dtype.kind in "iu" and (low, high) == (0.0, 255.0):
        return images.astype(np.uint8)
    # Bounds of any size are exact in float64, a chunk at a time to spare the memory.
    scaled = np.empty(images.shape, np.float32)
    for start in range(0, len(images), 1024):
        chunk = images[start : start + 1024].astype(np.float64)
        scaled[start : start + 1024] = (chunk - low) / (high - low) * 2.0 - 1.0
    return scaled
