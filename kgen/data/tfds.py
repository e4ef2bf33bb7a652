"""Sets of TensorFlow Datasets: found where they are prepared, else downloaded."""

import importlib.util
import io
import math
import os
import re
import urllib.error
import urllib.request

import numpy as np

from kgen.data import examples, files
from kgen.data.arguments import checked_labels
from kgen.data.decoding import in_threads, open_image
from kgen.data.rows import Rows
from kgen.data.skipping import UnreadableFileError
from kgen.data.splitting import is_for_training, parts_of, places_of_rows, rows_of_split

PATIENCE = 10  # seconds that a server may take to answer before it counts as out of reach


def tfds(name, request):
    """Read a set of images of TensorFlow Datasets.

    The set is looked for in its data directory (`TFDS_DATA_DIR` in the environment, or
    `~/tensorflow_datasets`), and downloaded and prepared there if it is not. kgen prepares sets as
    `array_record` files where that package is installed, because they can be read at any row;
    a set in other files has to fit into memory.

    The splits are `train`, `validation` and `test`; one of the last two that the set does not have
    is cut out of `train`: of ten images in a row one is for it, by the hash of its number. Images
    come from the feature `image` and labels from `label`.

    Args:
        name: `<set>`, `<set>/<configuration>`, and either with `:<version>` or `/<version>` after.
        request: `Request`; `split`, `image_size` and `channels` count. The size is needed where
            the set does not state one for all images.

    Returns:
        `Rows` of uint8 images `(height, width, channels)`, with labels if the set has them.

    Raises:
        ValueError: there is no such set, it cannot be downloaded, or it holds no images.
    """
    # What it imports takes seconds, so it waits until it is needed.
    import tensorflow_datasets as library

    builder = _prepared_builder(library, name)
    feature = _image_feature(library, builder, name)
    shape = _shape(feature, request, name)
    split, rows = _split_rows(builder, request.split, name)
    has_labels = _has_labels(builder)
    undecoded = {"image": library.decode.SkipDecoding()}

    def decode(record, row):
        try:
            image = open_image(io.BytesIO(record["image"]), shape[2], shape[:2])
        except UnreadableFileError as error:
            raise ValueError(f"tfds:{name}: image {row} of {split!r} cannot be read.") from error
        return np.asarray(image).reshape(shape)

    size = len(rows) * math.prod(shape)
    if not _has_random_access(builder):
        if size > examples.MEMORY_LIMIT:
            raise ValueError(
                f"name_or_path: tfds:{name} takes {size / 2**30:.1f} GiB at {shape}, more than is "
                f"held in memory, and its {builder.info.file_format.value} files cannot be read at "
                "any row; expected a smaller image_size, or the set prepared anew by "
                f"tensorflow_datasets.builder({_builder_name(name)!r}, "
                "file_format='array_record').download_and_prepare() in another data directory."
            )
        # One file after the other, so that the order is that of the rows.
        config = library.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        dataset = builder.as_dataset(split=split, decoders=undecoded, read_config=config)
        places = {row: place for place, row in enumerate(rows.tolist())}
        images = np.empty((len(rows), *shape), np.uint8)
        labels = np.empty(len(rows), np.int64)
        for row, record in enumerate(dataset.as_numpy_iterator()):
            if row in places:
                images[places[row]] = decode(record, row)
                labels[places[row]] = record["label"] if has_labels else 0
        return Rows(images, checked_labels(labels, f"tfds:{name}") if has_labels else None)

    source = builder.as_data_source(split=split, decoders=undecoded)

    def read_images(numbers):
        chosen = rows[numbers].tolist()
        records = source.__getitems__(chosen)
        return np.stack([decode(*pair) for pair in zip(records, chosen, strict=True)])

    def read_labels(numbers):
        records = source.__getitems__(rows[numbers].tolist())
        labels = np.array([record["label"] for record in records], np.int64)
        return checked_labels(labels, f"tfds:{name}")

    if len(rows) > files.HELD_FILES or size > examples.MEMORY_LIMIT:
        return Rows(read_images, read_labels if has_labels else None, len(rows), shape)
    everything = np.arange(len(rows))
    blocks = np.array_split(everything, -(-len(rows) // 256))
    images = np.concatenate(in_threads(read_images, blocks))
    return Rows(images, read_labels(everything) if has_labels else None)


def count_classes(name):
    """Return the number of classes of a set of TensorFlow Datasets, or None if it has no labels.

    Args:
        name: as of `tfds`.

    Raises:
        ValueError: there is no such set, or it cannot be downloaded.
    """
    import tensorflow_datasets as library

    builder = _prepared_builder(library, name)
    label = builder.info.features["label"] if _has_labels(builder) else None
    if label is None or isinstance(label, library.features.ClassLabel):
        return label and label.num_classes
    undecoded = {"image": library.decode.SkipDecoding()}
    largest = 0
    for split in builder.info.splits:
        if _has_random_access(builder):
            records = builder.as_data_source(split=split, decoders=undecoded)
        else:
            records = builder.as_dataset(split=split, decoders=undecoded).as_numpy_iterator()
        largest = max(largest, *(int(record["label"]) for record in records))
    return largest + 1


def class_names(name):
    """Return the names of the classes of a set of TensorFlow Datasets, or None if they have none.

    Args, Raises: as of `count_classes`.
    """
    import tensorflow_datasets as library

    builder = _prepared_builder(library, name)
    label = builder.info.features["label"] if _has_labels(builder) else None
    return list(label.names) if isinstance(label, library.features.ClassLabel) else None


def _has_labels(builder):
    features = builder.info.features
    return "label" in features and features["label"].shape == ()


def _prepared_builder(library, name):
    """Return the builder of a set that is prepared on this machine, downloading it if need be."""
    # The library itself looks at the variable when it is imported.
    place = {"data_dir": os.environ.get("TFDS_DATA_DIR")}
    try:
        builder = library.builder(_builder_name(name), **place)
    except Exception as error:  # Of several kinds; their texts go on for pages.
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"name_or_path: tfds:{name} is no set that TensorFlow Datasets knows ({reason})"
        ) from error
    if builder.is_prepared():
        return builder
    try:
        _check_network(builder)
        if importlib.util.find_spec("array_record") is not None:
            builder = library.builder(_builder_name(name), file_format="array_record", **place)
        builder.download_and_prepare()
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).split("\n")[0][:200]
        raise ValueError(
            f"name_or_path: tfds:{name} is not in the data directory (looked for "
            f"{builder.data_path}) and could not be downloaded ({reason})."
        ) from error
    return builder


def _check_network(builder):
    """Ask for the first file of a set, because the library itself tries for minutes."""
    url = next(iter(builder.url_infos or {}), None)
    if url is None:
        return
    try:
        request = urllib.request.Request(url, method="HEAD")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError as error:
        error.close()  # A server that refuses such a request is a server all the same.


def _builder_name(name):
    """Return a name as the library takes it: the version after a colon."""
    return re.sub(r"/(\d+\.\d+\.\d+)$", r":\1", name)


def _image_feature(library, builder, name):
    """Return the feature of the images, or refuse the set."""
    features = builder.info.features
    feature = features["image"] if hasattr(features, "keys") and "image" in features else None
    if not isinstance(feature, library.features.Image) or np.dtype(feature.np_dtype).kind != "u":
        raise ValueError(
            f"name_or_path: expected a set with images under 'image', got tfds:{name} with "
            f"{features}."
        )
    return feature


def _shape(feature, request, name):
    """Return the `(height, width, channels)` that every image gets."""
    size, channels = request.image_size or feature.shape[:2], feature.shape[2]
    if None in size:
        raise ValueError(
            f"image_size: expected a size because the images of tfds:{name} differ in theirs, "
            "got None."
        )
    return (*size, request.channels or (1 if channels == 1 else 3))


def _split_rows(builder, split, name):
    """Return the library's split, `+` between two, and which of its rows are those asked for."""
    splits = builder.info.splits
    missing = {"validation", "test"} - set(splits)
    own = [key for key in parts_of(split) if key not in missing and key != "train"]
    if not (is_for_training(split) or split in missing):
        return split, np.arange(splits[split].num_examples)
    if "train" not in splits:
        raise ValueError(
            f"split: expected a set with a split 'train', got tfds:{name} with {sorted(splits)}."
        )
    count = splits["train"].num_examples
    rows = rows_of_split(places_of_rows(count), split, missing, f"tfds:{name}")
    for key in own:  # Its rows come after those of `train`.
        rows = np.concatenate([rows, count + np.arange(splits[key].num_examples)])
    return "+".join(["train", *own]), rows


def _has_random_access(builder):
    return builder.info.file_format.value in ("array_record", "parquet")
