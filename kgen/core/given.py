"""What `fit`, `evaluate` and `predict` are given: refused before anything is computed."""

import contextlib
import types

import keras
import numpy as np

from kgen.core import engine
from kgen.core.arrays import fits
from kgen.core.batches import by_name, check_contents, targets_of
from kgen.core.numbers import is_count
from kgen.core.ranges import check_image_range


def refuse_weights(where, arguments):
    """Raises a ValueError if a method was given weights of images or of classes."""
    for name in ("sample_weight", "class_weight"):
        if arguments.get(name) is not None:
            raise ValueError(
                f"{where} takes no `{name}`: the losses of generative models weigh all images "
                f"alike. Received a {type(arguments[name]).__name__}."
            )


def named(x, y, uses_targets, where, takes_batches=True):
    """Returns x and y, of a dictionary or a dataset of dictionaries its image and its label.

    Args:
        x, y: As given to the method.
        uses_targets: Whether the model takes labels.
        where: The method, for the messages.
        takes_batches: Whether x may also be data in batches.

    Raises:
        ValueError: If they are no arrays, or not of as many rows, and no data in batches either.
    """
    x, y = _by_name(x, y, uses_targets, where)
    _check_kinds(x, y, where, takes_batches)
    return x, y


def _by_name(x, y, uses_targets, where):
    spec = getattr(x, "element_spec", x)
    if not isinstance(spec, dict):
        return x, y
    by_name(spec, uses_targets, where)
    if spec is not x:
        return x.map(lambda batch: by_name(batch, uses_targets, where)), y
    if y is not None:
        raise ValueError(f"{where}: `y` must be None, as the dictionary `x` holds the labels.")
    found = by_name(x, uses_targets, where)
    return found if uses_targets else (found, None)


def _check_kinds(x, y, where, takes_batches):
    """Raises a ValueError if x is neither arrays nor data in batches, or y does not suit it."""
    _check_ranks(x, where)
    if x is None:
        raise ValueError(f"{where}: `x` must hold images, received None.")
    if takes_batches and comes_in_batches(x):
        if y is not None:
            raise ValueError(
                f"{where}: `y` must be None where `x` comes in batches, which then hold the labels "
                f"or targets, received {_kind(y)}."
            )
        return
    for name, part in (("x", x), ("y", y)):
        if part is not None and not _is_of_arrays(part):
            may_be_more = name == "x" and takes_batches
            batches = ", a tf.data.Dataset, a PyDataset or a generator" if may_be_more else ""
            advice = f" np.asarray({name}) makes one." if isinstance(part, list | tuple) else ""
            raise ValueError(
                f"{where}: `{name}` must be an array{batches}, received {_kind(part)}.{advice}"
            )
    rows, rows_of_y = (
        {len(leaf) for leaf in keras.tree.flatten(part) if len(getattr(leaf, "shape", ()))}
        for part in (x, y)
    )
    if len(rows) == len(rows_of_y) == 1 and rows != rows_of_y:
        raise ValueError(
            f"{where}: `y` must have as many rows as `x`, {rows.pop()}, received {rows_of_y.pop()}."
        )


def _check_ranks(x, where):
    """Raises a ValueError if it is not known how many axes the arrays of a dataset have."""
    for spec in keras.tree.flatten(getattr(x, "element_spec", ())):
        if getattr(getattr(spec, "shape", None), "rank", 0) is None:
            raise ValueError(
                f"{where}: the batches of the dataset `x` must be of a known shape, received "
                f"{spec}. `from_generator` takes the shape as `output_signature=`."
            )


def comes_in_batches(x):
    """Whether x is what Keras takes batch by batch."""
    if isinstance(x, keras.utils.PyDataset | types.GeneratorType) or hasattr(x, "element_spec"):
        return True
    is_loader = type(x).__module__.partition(".")[0] in ("torch", "grain")
    return engine.is_shared(x) or (is_loader and not hasattr(x, "shape"))


def _is_of_arrays(x):
    """Whether x is an array or a nest of arrays; one of images, in a list, is none."""
    leaves = keras.tree.flatten(x)
    is_listed = isinstance(x, list | tuple) and len({np.shape(leaf) for leaf in leaves}) == 1
    return bool(leaves) and all(hasattr(a, "shape") for a in leaves) and not is_listed


def _kind(value):
    """What a value is, in few words."""
    if hasattr(value, "shape"):
        return f"an array of {tuple(value.shape)}"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    return (
        repr(value) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
    )


def check_batch(model, batch, where):
    """Raises a ValueError if a batch that a generator yields does not suit the model."""
    if not isinstance(batch, tuple | list | dict):
        raise ValueError(
            f"{where}: the generator `x` must yield tuples, (images,) or (images, labels or "
            f"targets), received {_kind(batch)}."
        )
    batch = (batch,) if isinstance(batch, dict) else tuple(batch)
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    refuse_weights(where, {"sample_weight": weights})
    x, y = named(x, y, model.uses_targets, where, takes_batches=False)
    check(model, x, y, None, 1, where)


def check(model, x, y, batch_size, multiple, where):
    """Raises if what a method was given does not suit the model.

    Arrays and `tf.data` datasets are seen through; of a generator nothing is known beforehand.

    Args:
        model: The model.
        x, y, batch_size: As given to the method.
        multiple: What a batch must be a multiple of.
        where: The method, such as `"fit()"`, for the messages.

    Raises:
        ValueError: If there are no images, they are integers, of another shape or not in [-1, 1],
            labels or targets are missing or of no use, weights came with them, or a batch, the last
            one included, cannot be divided.
    """
    spec = getattr(x, "element_spec", None)
    if isinstance(spec, tuple | list) and len(spec) > 2:
        raise ValueError(
            f"{where}: a batch must be images, or images and labels or targets, received one of "
            f"{len(spec)} parts. A `sample_weight` is not taken: images weigh alike."
        )
    images = keras.tree.flatten(x if spec is None else spec)[0]
    has_targets = targets_of(x, y) is not None
    is_seen_through = spec is not None or hasattr(x, "shape")
    uses_targets = model.uses_targets
    check_contents(
        images, has_targets or (uses_targets and not is_seen_through), uses_targets, where
    )
    if spec is None and hasattr(images, "shape") and not images.shape[0]:
        raise ValueError(f"{where}: `x` must hold images, received an array of {images.shape}.")
    _check_size(images, spec, batch_size, multiple, where)
    _check_shape(images, spec, model.image_shape, where)
    _check_targets(model, targets_of(x, y), where)
    if spec is None:
        check_ranges((x, y), where)


def holds_arrays(x):
    """Whether all of x, as given to a method, can be looked at beforehand."""
    return not hasattr(x, "element_spec") and all(
        hasattr(leaf, "shape") for leaf in keras.tree.flatten(x)
    )


def check_ranges(batch, where, margin=0.0):
    """Raises a ValueError if images in a batch are not in [-1, 1]; see `check_image_range`.

    Of points and codes, which are rows, and of labels nothing is asked.
    """
    for name, part in zip(
        "xy", batch if isinstance(batch, tuple | list) else [batch], strict=False
    ):
        for leaf in keras.tree.flatten(part):
            if len(getattr(leaf, "shape", None) or ()) >= 4:
                check_image_range(np.asarray(leaf), f"{name}` of `{where}", margin)


@contextlib.contextmanager
def first_batch_checked(x, where, check=None, margin=0.0):
    """Context that yields `x`, which is neither slower nor another for its first batch's check.

    Sets of `kgen.data`, which are in [-1, 1] by what makes them, and sets that are shared out among
    replicas already are left alone. `check` is a function of a generator's first batch, `margin`
    how far out of [-1, 1] images may be.
    """

    def look(batch):
        check_ranges(batch, where, margin)

    if isinstance(x, keras.utils.PyDataset):
        look(x[0])
    elif isinstance(x, types.GeneratorType):
        x = _looked_at(x, check or look)
    elif not hasattr(x, "starting_at") and not engine.is_shared(x):
        with engine.first_batch_shown(x, look) as x:
            yield x
        return
    yield x


def check_call(model, x, where):
    """Raises a ValueError if `x`, as given to `predict`, is not what a call of the model takes."""
    _check_ranks(x, where)
    inputs = model.call_inputs
    expected = [f"{name} {('count', *shape)}".replace("'", "") for name, shape in inputs or ()]
    expected = ", ".join(expected) or "an array"
    expected = f"a list of {expected}" if inputs and len(inputs) > 1 else expected
    of_call = f"{where}: `x` must be {expected}, as a call of this {type(model).__name__} takes"
    leaves = keras.tree.flatten(x)
    if not comes_in_batches(x) and not (leaves and all(hasattr(leaf, "shape") for leaf in leaves)):
        raise ValueError(f"{of_call}, or such data in batches, received {_kind(x)}.")
    if inputs is None:
        return
    spec = getattr(x, "element_spec", None)
    if isinstance(spec, tuple):
        spec = spec[0]  # A call takes no targets.
    parts = x if spec is None else spec
    parts = list(parts) if isinstance(parts, list | tuple) else [parts]
    if not all(hasattr(part, "shape") for part in parts):
        return
    shapes = [tuple(part.shape) for part in parts]
    good = len(parts) == len(inputs) and all(
        shape and fits(shape[1:], wanted) for shape, (_, wanted) in zip(shapes, inputs, strict=True)
    )
    if not good:
        received = shapes[0] if len(shapes) == 1 else shapes
        received = received if len(parts) <= 2 else f"a list of {len(parts)} arrays"
        raise ValueError(f"{of_call}, received {received}.")
    if len({shape[0] for shape in shapes}) > 1:
        raise ValueError(f"{of_call}, of equally many rows, received {shapes}.")
    if len(parts) > 1 and spec is None:
        _check_targets(model, parts[1], where)
    if inputs[0][0] == "images" and spec is None:
        check_ranges(parts[0], where, model.image_margin)


def _check_targets(model, targets, where):
    try:
        model.check_targets(targets)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def check_counts(where, **values):
    """Raises a ValueError unless values are counts, of epochs also 0, or `None`; by their names."""
    for name, value in values.items():
        least = 0 if name in ("epochs", "initial_epoch") else 1
        if value is not None and not is_count(value, least):
            expected = "a positive integer" if least else "an integer of at least 0"
            raise ValueError(f"{where}: `{name}` must be {expected}, received {value!r}.")


def _check_size(images, spec, batch_size, multiple, where):
    if multiple == 1:
        return
    if spec is not None:
        _check_batch(images.shape[0], multiple, f"{where}: the dataset's batch size")
    elif hasattr(images, "shape"):
        batch_size = batch_size or 32  # Keras' default.
        rows = images.shape[0]
        _check_batch(batch_size, multiple, f"{where}: `batch_size`")
        name = f"{where}: the last batch of {rows} images in batches of {batch_size}"
        _check_batch(rows % batch_size or batch_size, multiple, name)


def _check_batch(size, multiple, name):
    if size is None:
        raise ValueError(
            f"{name} is not known, but a round divides it by {multiple}: batch with "
            "`drop_remainder=True`."
        )
    if size % multiple:
        raise ValueError(f"{name} must be a multiple of {multiple}, received {size}.")


def _check_shape(images, spec, shape, where):
    """Raises a ValueError if images are of another shape, of which `None` stands for any size."""
    found = getattr(images, "shape", None)
    if shape is None or found is None or getattr(found, "rank", 0) is None:
        return
    found = tuple(found)
    if not found or not fits(found[1:], shape):
        raise ValueError(
            f"{where}: `x` must be images of the shape {tuple(shape)}, received "
            f"{'an array' if spec is None else 'batches'} of {found}."
        )


def _looked_at(batches, look):
    for number, batch in enumerate(batches):
        if number == 0:
            look(batch)
        yield batch
