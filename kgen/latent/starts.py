"""Where inversions start: at drawn latents, given ones, or those that an encoder gives."""

import itertools

import keras
import numpy as np

from kgen.core import engine
from kgen.core.arrays import in_batches


def starting_rows(model, space, images, starts, start, labels, seed):
    """Returns the rows that images are looked for from, `(count, tries, ...)`.

    Args:
        model: `kgen.GenerativeModel`.
        space: Its `kgen.latent.spaces.Space`.
        images: Array `(count, height, width, channels)`.
        starts: How many of each choice of labels.
        start: As of `invert`: the first of them.
        labels: As of `invert`.
        seed: Integer that decides those drawn, the same for all images.

    Raises:
        ValueError: If `start` or `labels` is not as said.
    """
    given = None if start is None else _given(start, images, space)
    own_labels = given is not None and given.shape[1:] == space.free.shape
    has_labels = not space.free.all()
    if labels is not None and not (has_labels and not own_labels):
        reason = "`start` has labels" if has_labels else "the latents of this space have none"
        raise ValueError(f"`labels` must be None: {reason}. Received {labels!r}.")
    rows = space.draw(starts, seed)[None, None]  # (images, choices of labels, starts, ...)
    if not has_labels or own_labels:
        rows = np.repeat(rows, len(images), axis=0)
    else:
        chosen = _label_choices(model, labels, len(images))  # (images, choices, numbers)
        rows = np.broadcast_to(rows, (*chosen.shape[:2], *rows.shape[2:])).copy()
        rows[..., ~space.free] = chosen[:, :, None]
    if given is not None:
        if own_labels:
            rows[..., ~space.free] = given[:, None, None][..., ~space.free]
            given = given[..., space.free]
        rows[:, :, 0][..., space.free] = given.reshape(len(given), 1, -1)
    return rows.reshape(len(images), -1, *rows.shape[3:])


def _given(start, images, space):
    """The rows that were given: whole ones, or without labels `(count, numbers)`."""
    if isinstance(start, keras.Model):
        network = start
        try:
            found = network(images[:1], training=False)
            is_tensor = len(found.shape) in (2, 3)
        except (ValueError, TypeError, AttributeError):
            is_tensor = False
        if not is_tensor:
            raise ValueError(
                "`start` must be a network from images to one tensor, their latents, received "
                f"{network!r}, which is none of images {images.shape[1:]}."
            )
        step = engine.function(lambda images: network(images, training=False))
        start = in_batches(step, images, batch_size=64)
    try:
        array = np.asarray(start, "float32")
    except (ValueError, TypeError) as error:
        raise ValueError(f"`start` must be latents or a network, received {start!r}.") from error
    if len(array.shape) == 2 and array.shape[1] == space.free.sum() < space.free.size:
        rows = array
    else:
        rows = space.rows(array, "start")
    if len(rows) != len(images):
        raise ValueError(
            f"`start` must have a row for each of the {len(images)} images, received {len(rows)}."
        )
    if not np.isfinite(rows).all():
        raise ValueError("`start` must be finite, received NaN or Inf.")
    return rows


def _label_choices(model, labels, count):
    """The labels that are tried for each image, `(count, choices, numbers)`."""
    sizes = getattr(model, "categories", None) or [model.classes]
    all_of_them = list(itertools.product(*map(range, sizes)))
    groups = [all_of_them] * count
    if labels is not None:  # Of an InfoGAN its first code, of which the others are tried.
        labels = _checked_labels(labels, count, sizes[0])
        groups = [[choice for choice in all_of_them if choice[0] == label] for label in labels]
    ones = [np.eye(size, dtype="float32") for size in sizes]

    def rows(choice):
        return np.concatenate([one[c] for one, c in zip(ones, choice, strict=True)])

    return np.stack([[rows(choice) for choice in group] for group in groups])


def _checked_labels(labels, count, classes):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.shape not in ((), (count,)):
        fits = False
    else:
        fits = labels.min() >= 0 and labels.max() < classes
    if not fits:
        raise ValueError(
            f"`labels` must be an integer from 0 to {classes - 1}, or {count} of them, received "
            f"{labels!r}."
        )
    return np.broadcast_to(labels, (count,)).tolist()
