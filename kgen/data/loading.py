"""One call from a name or a path to batches of images."""

import numbers

from kgen.data.decoding import common_shape
from kgen.data.pipeline import batches_of_array, batches_of_files
from kgen.data.registry import find_source
from kgen.data.resizing import fit_array


def load(
    name_or_path,
    image_size=None,
    batch_size=64,
    split="train",
    seed=0,
    channels=None,
    labels=False,
    value_range=None,
):
    """Load images as a `tf.data.Dataset` of batches in [-1, 1], one pass over it an epoch.

    Sources:

    * `"mnist5k"`: 5,000 MNIST digits, 28x28 grey, 400 a class for train and 100 for test.
    * `"digits"`: 1,797 digits of scikit-learn, 8x8 grey, 1,437 for train and 360 for test.
    * A folder of PNG, JPEG, BMP or WebP files, searched to any depth; hidden files and other
      files are passed over. `kgen.data.folder.list_folder` says how splits and labels are read
      from the subfolders, `kgen.data.decoding.decode_file` how files are.
    * A `.npy` or `.npz` file; `kgen.data.arrays.read_arrays` says which shapes, values and keys.

    Without splits of its own, a folder or file gives every tenth image of a fixed random order to
    test and the others to train. Splits never depend on `seed`.

    The train split is shuffled anew on every pass, whether one iterator goes through `.repeat()`
    or each pass has an iterator of its own; the passes of one dataset are counted together.

    Pixels are held in memory as bytes up to `kgen.data.pipeline.MEMORY_LIMIT` (1 GiB); beyond
    it, image files are decoded while the dataset is iterated.

    Args:
        name_or_path: one of the names above as a string, or a path. A name wins over a folder of
            the same name; pass a `pathlib.Path` for that folder.
        image_size: pixels, an integer or `(height, width)`. Images are scaled to cover it and
            cropped about the centre. None keeps the size, which all images then must share.
        batch_size: images a batch. The remainder that fills no batch is dropped.
        split: `"train"`, shuffled anew each epoch, or `"test"`, always in the same order.
        seed: integer that alone decides the orders of the train split, over all epochs.
        channels: 1 (luminance), 3, or None for those of the source. A folder has 3 unless all its
            images are grey.
        labels: whether to yield `(images, labels)` and not just images.
        value_range: `(low, high)` of the values in an array file, which become -1 and 1. None
            for 0..255 of integers, and for [0, 1] or [-1, 1] of floats, whichever fits.

    Returns:
        `tf.data.Dataset` of float32 images `(batch_size, height, width, channels)` in [-1, 1],
        with `labels` of pairs of these and int32 labels `(batch_size,)`.

    Raises:
        ValueError: an argument or a file is not as described. The message names it.

    Example:
        >>> import kgen.data
        >>> kgen.data.load("mnist5k", image_size=32, batch_size=16).element_spec.shape
        TensorShape([16, 32, 32, 1])
    """
    if split not in ("train", "test"):
        raise ValueError(f"split: expected 'train' or 'test', got {split!r}.")
    if channels is not None and (isinstance(channels, bool) or channels not in (1, 3)):
        raise ValueError(f"channels: expected 1, 3 or None, got {channels!r}.")
    if not _is_integer(batch_size) or batch_size < 1:
        raise ValueError(f"batch_size: expected an integer of at least 1, got {batch_size!r}.")
    if not _is_integer(seed) or not -(2**63) <= seed < 2**63:
        raise ValueError(f"seed: expected an integer of 64 bits, got {seed!r}.")
    if labels is not True and labels is not False:
        raise ValueError(f"labels: expected True or False, got {labels!r}.")
    size = _height_and_width(image_size)

    images, classes = find_source(name_or_path, value_range)(split)
    if labels and classes is None:
        raise ValueError(
            f"labels: expected False because {name_or_path} has no labels (a folder has them in "
            "one subfolder a class, a .npz file under 'y' or 'labels'), got True."
        )
    if batch_size > len(images):
        raise ValueError(
            f"batch_size: expected at most {len(images)}, the number of images in "
            f"split={split!r} of {name_or_path}, got {batch_size}."
        )
    classes = classes if labels else None
    shuffle_seed = int(seed) if split == "train" else None
    if isinstance(images, list):
        shape = common_shape(images, size, channels)
        return batches_of_files(images, classes, shape, int(batch_size), shuffle_seed)
    images = fit_array(images, size, channels)
    return batches_of_array(images, classes, int(batch_size), shuffle_seed)


def _height_and_width(image_size):
    """Return `(height, width)` as Python integers, or None."""
    if image_size is None:
        return None
    pair = (image_size, image_size) if _is_integer(image_size) else image_size
    is_pair = isinstance(pair, tuple | list) and len(pair) == 2
    if not is_pair or not all(_is_integer(side) and side >= 1 for side in pair):
        raise ValueError(
            "image_size: expected a positive integer, (height, width) of positive integers, "
            f"or None, got {image_size!r}."
        )
    return int(pair[0]), int(pair[1])


def _is_integer(value):
    """Say whether a value is an integer, NumPy's included and booleans not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
