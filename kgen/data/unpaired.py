"""Two sets of images without correspondence, for translation between their domains."""

import dataclasses

from kgen.data import examples
from kgen.data.arguments import check_batch_fits, checked_count, checked_request
from kgen.data.fingerprint import joined, of_data
from kgen.data.from_arrays import checked_images
from kgen.data.order import derived_seed
from kgen.data.pipeline import batches_of, check_split_augmented, read_examples
from kgen.data.resizing import fit_array
from kgen.data.skipping import SkippedFiles
from kgen.data.stream import Stream


def unpaired(
    first,
    second,
    image_size=None,
    batch_size=64,
    split="train",
    seed=0,
    channels=None,
    value_range=None,
    length=None,
    on_bad_file="error",
    augmentations=None,
    follow_links=False,
):
    """Return a stream of batches of two sets, each in an order of its own.

    A pass is as long as the one over the larger set; the smaller set goes round.

    Zhu, Park, Isola and Efros (2017), "Unpaired image-to-image translation using cycle-consistent
    adversarial networks", arXiv 1703.10593.

    Args:
        first: a source of images, as of `load`, or an array of images, as of `from_arrays`.
        second: another, or the same; their images must get the same shape.
        image_size: as of `load`, for both.
        batch_size: images a batch of each set.
        split: as of `load`.
        seed: integer of 64 bits from which both orders and the augmentations come.
        channels: as of `load`, for both.
        value_range: as of `load`, for both.
        length: as of `load`, for both.
        on_bad_file: as of `load`.
        augmentations: as of `load`; every image of either set has its own draw.
        follow_links: as of `load`.

    Returns:
        `Stream` of `(images_a, images_b)`, both float32 `(batch_size, height, width, channels)` in
        [-1, 1].

    Raises:
        ValueError: an argument or a file is not as described. The message names it.

    Example:
        >>> import kgen.data
        >>> stream = kgen.data.unpaired("digits", "mnist5k", image_size=16, batch_size=100)
        >>> len(stream), stream.element_spec[0].shape
        (40, TensorShape([100, 16, 16, 1]))
    """
    request = checked_request(
        split, image_size, channels, seed, length, None, value_range, on_bad_file, follow_links
    )
    batch_size = checked_count("batch_size", batch_size)
    check_split_augmented(split, augmentations)
    skipped = SkippedFiles()
    sides = []
    for argument, source in (("first", first), ("second", second)):
        rows, name = _rows(source, argument, request, skipped)
        if len(rows.shape) != 3:
            raise ValueError(
                f"{argument}: expected images, got {name}, whose examples have the shape "
                f"{rows.shape}."
            )
        check_batch_fits(batch_size, rows.count, name)
        sides.append((rows, name))
    (rows_a, name_a), (rows_b, name_b) = sides
    if rows_a.shape != rows_b.shape:
        raise ValueError(
            f"image_size, channels: expected values for both because {name_a} has images of "
            f"{rows_a.shape} and {name_b} of {rows_b.shape}, got {image_size!r} and {channels!r}."
        )
    skipped.report()
    both = [
        batches_of(
            rows,
            batch_size,
            derived_seed(request.seed, side),
            request.is_for_training,
            augmentations,
        )
        for side, rows in (("first", rows_a), ("second", rows_b))
    ]
    steps_per_pass = max(rows_a.count, rows_b.count) // batch_size
    return Stream(
        lambda step: tuple(batch_at(step) for batch_at in both),
        steps_per_pass,
        skipped.paths,
        lambda: joined(rows_a.fingerprint(), rows_b.fingerprint()),
    )


def _rows(source, argument, request, skipped):
    """Return the `Examples` of a source or an array, and its name for messages."""
    if not hasattr(source, "dtype"):
        rows = read_examples(source, request, skipped).without_labels()
        return rows, f"split={request.split!r} of {source}"
    images = checked_images(source)
    if images.ndim == 4:
        images = fit_array(images, request.image_size, request.channels)
    rows = examples.of_array(images, None)
    rows = dataclasses.replace(rows, fingerprint=lambda: of_data(images))
    return rows, f"the array `{argument}`"
