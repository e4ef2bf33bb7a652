"""One call from a name or a path to batches of images."""

from kgen.data.arguments import checked_count, checked_flag, checked_request
from kgen.data.pipeline import check_split_augmented, read_examples, stream_of
from kgen.data.registry import is_named
from kgen.data.skipping import SkippedFiles


def load(
    name_or_path,
    image_size=None,
    batch_size=64,
    split="train",
    seed=0,
    channels=None,
    labels=False,
    value_range=None,
    length=None,
    frames=None,
    on_bad_file="error",
    augmentations=None,
    follow_links=False,
):
    """Load images as a stream of batches in [-1, 1], one pass over it an epoch.

    Sources:

    * `"mnist5k"`: 5,000 MNIST digits, 28x28 grey: 3,600, 400 and 1,000 for train, validation and
      test.
    * `"digits"`: 1,797 digits of scikit-learn, 8x8 grey: 1,197, 240 and 360.
    * `"photos"`: crops of three photographs, of scikit-learn and of matplotlib.
    * Made when asked for: `"shapes"` (one white shape on black, with its factors),
      `"stacked_mnist"` (three digits as red, green and blue), `"moving_mnist"` (clips of two
      digits), `"ring"` and `"grid"` (points of the plane). The file of that name in `kgen/data`
      says more (`mixtures.py` of the last two).
    * `"tfds:<name>"`: a set of TensorFlow Datasets, as `"tfds:cats_vs_dogs/4.0.0"`;
      `kgen.data.tfds` says how it is found.
    * A folder of PNG, JPEG, BMP or WebP files, searched to any depth; hidden files and other
      files are passed over, images of other formats with a warning.
      `kgen.data.folder.list_folder` says how splits and labels are read from the subfolders,
      `kgen.data.decoding.decode_file` how files are.
    * A `.npy` or `.npz` file; `kgen.data.arrays.read_arrays` says which shapes, values and keys.

    No image is in two of the splits train, validation and test. What a folder, file or set has no
    part of its own for is cut out of the training images, a tenth for each of validation and test;
    an image's path or number alone decides, never `seed`, so that images which are added leave the
    others where they are. Choose a model, and stop its training, by the validation split; the
    last of all trainings may be of `"train+validation"`; report on the test split.

    Training images are shuffled anew on every pass, whether one iterator goes through `.repeat()`
    or each pass has an iterator of its own; the passes of one stream are counted together. The
    batch of any number over all passes is a function of `seed` and that number alone, and
    `load(...).starting_at(number)` begins there at no cost.

    Pixels are held in memory as bytes up to `kgen.data.examples.MEMORY_LIMIT` (1 GiB) and, from
    image files, up to `kgen.data.files.HELD_FILES` (50,000) of them; beyond, files are decoded
    while the stream is iterated. Of a large folder give `image_size` and `channels`: then no file
    is opened before its turn.

    Args:
        name_or_path: one of the names above as a string, or a path. A name wins over a folder of
            the same name; pass a `pathlib.Path` for that folder.
        image_size: pixels, an integer or `(height, width)`. Images are scaled to cover it and
            cropped about the centre. None keeps the size, which all images then must share.
        batch_size: images a batch. The remainder that fills no batch is dropped.
        split: `"train"` or `"train+validation"`, shuffled anew each epoch; or `"validation"` or
            `"test"`, always in the same order.
        seed: integer of 64 bits that alone decides the orders of training images over all epochs,
            the augmentations, and the examples of the sets that are made.
        channels: 1 (luminance), 3, or None for those of the source. A folder has 3 unless all its
            images are grey.
        labels: whether to yield `(images, labels)` and not just images.
        value_range: `(low, high)` of the values in an array file, which become -1 and 1. None
            for 0..255 of integers, and for [0, 1] or [-1, 1] of floats, whichever fits.
        length: examples of a set that is made, or None for its own number.
        frames: images of a clip of `"moving_mnist"`, or None for 20.
        on_bad_file: `"error"` to refuse an image file that cannot be read, or `"skip"` to leave it
            out, warn of how many, and list it in the stream's `skipped`. Its place is taken by the
            next file that can be read where files are decoded during the iteration.
        augmentations: None, names such as `["flip", "shift"]` or amounts such as `{"crop": 0.2}`,
            for training images only; `kgen.data.augmentation.augmenter` says what they do.
        follow_links: whether symbolic links are followed out of a folder; those that lead to
            places in it always are.

    Returns:
        `Stream`, a `tf.data.Dataset`, of float32 images `(batch_size, height, width, channels)` in
        [-1, 1] (clips have frames before the height; points are `(batch_size, 2)` in their own
        units), with `labels` of pairs of these and int32 labels `(batch_size, ...)`.

    Raises:
        ValueError: an argument or a file is not as described. The message names it.

    Example:
        >>> import kgen.data
        >>> kgen.data.load("mnist5k", image_size=32, batch_size=16).element_spec.shape
        TensorShape([16, 32, 32, 1])
    """
    request = checked_request(
        split, image_size, channels, seed, length, frames, value_range, on_bad_file, follow_links
    )
    batch_size = checked_count("batch_size", batch_size)
    labels = checked_flag("labels", labels)
    check_split_augmented(split, augmentations)
    skipped = SkippedFiles()
    rows = read_examples(name_or_path, request, skipped)
    if labels and not rows.has_labels:
        raise ValueError(
            f"labels: expected False because split={split!r} of {name_or_path} has no labels (a "
            "folder has them in a subfolder each class, a .npz file under 'y' or 'labels'), got "
            "True."
        )
    skipped.report()
    return stream_of(
        rows if labels else rows.without_labels(),
        batch_size,
        request.seed,
        request.is_for_training,
        augmentations,
        f"split={split!r} of {name_or_path}{_cut(name_or_path, request)}",
        skipped,
    )


def _cut(name_or_path, request):
    """Return what to say of a split from which others may have been cut."""
    if is_named(name_or_path) or not request.is_for_training:
        return ""
    others = "test" if "validation" in request.split else "validation and test"
    return f" (without parts of its own for {others}, a tenth of the images is cut out for each)"
