"""Pairs of an input and a target, for image-to-image translation."""

import dataclasses
import os
import pathlib
from collections.abc import Callable

from kgen.data import pair_files
from kgen.data.arguments import check_batch_fits, checked_count, checked_request
from kgen.data.augmentation import augmenter
from kgen.data.degradation import degrader
from kgen.data.examples import Examples
from kgen.data.fingerprint import joined
from kgen.data.order import rows_at
from kgen.data.pipeline import check_split_augmented, read_examples
from kgen.data.skipping import SkippedFiles
from kgen.data.stream import Stream, as_written


def pairs(
    source,
    targets=None,
    degradation=None,
    side_by_side=None,
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
    """Return a stream of pairs of images. One of three arguments says how they are made:

    * `targets`: a folder whose images have the same names, but for the suffix, as those of the
      folder `source`.
    * `side_by_side`: every file of the folder `source` holds both halves.
    * `degradation`: inputs are made from the images of any source of `load`, and these are the
      targets; `kgen.data.degradation.degrader` says how. Where it is not for training an image is
      degraded in the same way on every pass, which depends on `batch_size`.

    Isola, Zhu, Zhou and Efros (2017), "Image-to-image translation with conditional adversarial
    networks", arXiv 1611.07004.

    Args:
        source: a folder, or with `degradation` whatever `load` takes.
        targets: the folder of targets, or None.
        degradation: `"edges"`, `"grey"`, `"masked"`, `"downsampled"`, `"noise"`, `"clutter"`,
            `"hole_centre"`, `"hole_square"`, `"hole_blocks"`, `"hole_region"` or
            `"low_resolution"`, a dictionary of one of them and its amount, a function of images,
            or None.
        side_by_side: `"input_left"`, `"input_right"` or None.
        image_size: as of `load`; of one half where files hold both.
        batch_size: pairs a batch. The remainder that fills no batch is dropped.
        split: as of `load`; a pair is always in one split.
        seed: integer of 64 bits from which orders, augmentations and degradations come.
        channels: 1, 3, or None as of `load`, the same for inputs and targets.
        value_range: as of `load`, for `degradation`.
        length: as of `load`, for `degradation`.
        on_bad_file: as of `load`; with `"skip"` files without a partner are left out too, and a
            pair whose one image cannot be read.
        augmentations: as of `load`. Both images of a pair are changed in the same way, before a
            degradation.
        follow_links: as of `load`.

    Returns:
        `Stream` of `(inputs, targets)`, both float32 `(batch_size, height, width, channels)` in
        [-1, 1]. Inputs with a hole have one channel more, the mask; those of `"low_resolution"` are
        smaller.

    Raises:
        ValueError: an argument or a file is not as described. The message names it.

    Example:
        >>> import kgen.data
        >>> stream = kgen.data.pairs("mnist5k", degradation="masked", batch_size=16)
        >>> [spec.shape for spec in stream.element_spec]
        [TensorShape([16, 28, 28, 1]), TensorShape([16, 28, 28, 1])]
    """
    request = checked_request(
        split, image_size, channels, seed, length, None, value_range, on_bad_file, follow_links
    )
    batch_size = checked_count("batch_size", batch_size)
    check_split_augmented(split, augmentations)
    found = read_pairs(source, targets, degradation, side_by_side, request)
    rows = found.rows
    check_batch_fits(batch_size, rows.count, f"split={split!r} of {source}")
    steps_per_pass = rows.count // batch_size
    augment = augmenter(augmentations, rows.shape, request.seed)

    @as_written
    def batch_at(step):
        is_train = request.is_for_training
        numbers = rows_at(step, rows.count, batch_size, request.seed if is_train else None)
        (images,) = rows.fetch(numbers)
        return found.make(augment(images, step), step if is_train else step % steps_per_pass)

    return Stream(batch_at, steps_per_pass, found.skipped.paths, found.fingerprint)


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Numbered pairs.

    Attributes:
        rows: `Examples`: of a target, or of the input and the target `(2, ...)`.
        make: function from such examples, `(batch, ...)`, and the number of the batch to
            `(inputs, targets)`.
        skipped: `SkippedFiles`.
        fingerprint: function to the hash of the pairs.
        labels: function from rows to the labels of the images that were degraded, or None.
    """

    rows: Examples
    make: Callable
    skipped: SkippedFiles
    fingerprint: Callable
    labels: Callable | None = None


def read_pairs(source, targets, degradation, side_by_side, request):
    """Read the pairs of a split; arguments as of `pairs`.

    Args:
        request: `Request`.

    Returns:
        `Pairs`.

    Raises:
        ValueError: an argument or a file is not as `pairs` describes it.
    """
    ways = {"targets": targets, "degradation": degradation, "side_by_side": side_by_side}
    given = {name: way for name, way in ways.items() if way is not None}
    if len(given) != 1:
        raise ValueError(
            f"targets, degradation, side_by_side: expected exactly one of them, got {given}."
        )
    if side_by_side not in (None, *pair_files.SIDES):
        raise ValueError(
            f"side_by_side: expected one of {list(pair_files.SIDES)}, got {side_by_side!r}."
        )
    skipped = SkippedFiles()
    if degradation is not None:
        examples = read_examples(source, request, skipped)
        rows = examples.without_labels()
    else:
        _check_folders_only(request)
        folder = _folder("source", source)
        if targets is not None:
            rows = pair_files.two_folders(folder, _folder("targets", targets), request, skipped)
        else:
            rows = pair_files.halves(folder, side_by_side, request, skipped)
    if len(rows.shape) != (3 if degradation is not None else 4):
        raise ValueError(
            f"source: expected images, got {source}, whose examples have the shape {rows.shape}."
        )
    skipped.report()
    if degradation is None:
        return Pairs(
            rows, lambda images, step: (images[:, 0], images[:, 1]), skipped, rows.fingerprint
        )
    degrade = degrader(degradation, rows.shape, request.seed, request.split)
    way = getattr(degradation, "__qualname__", degradation)  # A function's repr says its address.
    return Pairs(
        rows,
        lambda images, step: (degrade(images, step), images),
        skipped,
        lambda: joined(rows.fingerprint(), way),
        (lambda places: examples.fetch(places)[1]) if examples.has_labels else None,
    )


def _check_folders_only(request):
    """Refuse what only `degradation` has a use for."""
    for argument in ("value_range", "length"):
        value = getattr(request, argument)
        if value is not None:
            raise ValueError(f"{argument}: expected None for folders of images, got {value!r}.")


def _folder(argument, path):
    """Return the path of a folder, or refuse something else under the argument's name."""
    if isinstance(path, str | os.PathLike) and path != "":
        folder = pathlib.Path(path).expanduser()
        if folder.is_dir():
            return folder
    raise ValueError(f"{argument}: expected a folder of images, got {path!r}.")
