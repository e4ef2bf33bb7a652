"""Random changes of training images: functions of the seed, the step and the place in a batch."""

import numbers

import tensorflow as tf

from kgen.data.order import derived_seed

DEFAULTS = {"flip": 0.5, "crop": 0.125, "shift": 0.125}


def augmenter(augmentations, shape, seed):
    """Return the function that applies augmentations to a batch, one after the other.

    * `"flip"`: mirrors left and right with this probability, 0.5 by default.
    * `"crop"`: cuts away up to this share of each side, 0.125 by default, the same of both and at
      a random place, and scales the rest back by bilinear interpolation.
    * `"shift"`: moves up or down and left or right by whole pixels, at most this share of the
      side, 0.125 by default; what comes in is the image reflected at its border.

    Every image of a batch has a draw of its own; the frames of a clip share theirs, as do the two
    images of a pair.

    Args:
        augmentations: None, a sequence of the names above, or a dictionary from names to amounts;
            applied in that order.
        shape: shape of one example, `(..., height, width, channels)`.
        seed: integer of 64 bits.

    Returns:
        Function from float32 images `(batch, *shape)` in [-1, 1] and the number of the batch, an
        int64 scalar tensor, to images of the same shape and range. Of a part of a batch it takes
        the places in it, too, a `range`.

    Raises:
        ValueError: there is no such augmentation, an amount is out of range, or the examples are
            no images.

    Example:
        >>> import tensorflow as tf
        >>> from kgen.data.augmentation import augmenter
        >>> mirror = augmenter({"flip": 1.0}, (1, 3, 1), seed=0)
        >>> mirror(tf.reshape([-1.0, 0.0, 1.0], (1, 1, 3, 1)), step=0).numpy().ravel().tolist()
        [1.0, 0.0, -1.0]
    """
    amounts = _checked_amounts(augmentations)
    if amounts and len(shape) < 3:
        raise ValueError(
            f"augmentations: expected None for examples of the shape {tuple(shape)}, which are no "
            f"images, got {augmentations!r}."
        )
    seeds = {name: derived_seed(seed, f"augmentation/{name}") for name in amounts}

    def augment(images, step, places=None):
        places = range(images.shape[0]) if places is None else places
        for name, amount in amounts.items():
            draws = _draws(places, seeds[name], step)
            images = _FUNCTIONS[name](images, amount, draws)
        return images

    return augment


def flip(images, probability, draws):
    """Mirror images left and right where the first draw is below a probability."""
    chosen = tf.reshape(draws[:, 0] < probability, (-1, *[1] * (images.shape.rank - 1)))
    return tf.where(chosen, tf.reverse(images, [images.shape.rank - 2]), images)


def crop(images, amount, draws):
    """Cut away up to a share of each side and scale the rest back."""
    share = 1.0 - amount * draws[:, :1]  # (batch, 1), of each side that stays
    for number, axis in enumerate((images.shape.rank - 3, images.shape.rank - 2)):
        side = images.shape[axis]
        first = draws[:, 1 + number, None] * (1.0 - share) * side  # where the rest begins
        # Pixel i has its centre at i + 1/2, there and here.
        centres = (tf.range(side, dtype=tf.float32) + 0.5) * share + first - 0.5  # (batch, side)
        centres = tf.clip_by_value(centres, 0.0, side - 1.0)
        below = tf.floor(centres)
        weight = _along(centres - below, images.shape.rank, axis)
        below = tf.cast(below, tf.int32)
        above = tf.minimum(below + 1, side - 1)
        low, high = (tf.gather(images, rows, axis=axis, batch_dims=1) for rows in (below, above))
        images = low * (1.0 - weight) + high * weight
    return images


def shift(images, amount, draws):
    """Move images by whole pixels, at most a share of the side, reflected at their border."""
    for number, axis in enumerate((images.shape.rank - 3, images.shape.rank - 2)):
        side = images.shape[axis]
        most = int(amount * side)
        way = tf.cast(tf.floor(draws[:, number, None] * (2 * most + 1)), tf.int32) - most
        rows = tf.abs(tf.range(side) - way)  # (batch, side)
        rows = side - 1 - tf.abs(side - 1 - rows)
        images = tf.gather(images, rows, axis=axis, batch_dims=1)
    return images


_FUNCTIONS = {"flip": flip, "crop": crop, "shift": shift}


def _draws(places, seed, step):
    """Return uniform numbers in [0, 1), float32 `(len(places), 3)`, of places in a batch."""
    key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    draws = tf.random.stateless_uniform([places.stop, 3], key, alg="philox")
    return draws[places.start :]


def _along(values, rank, axis):
    """Give values `(batch, side)` the rank of the images, the side along an axis."""
    return tf.reshape(values, (-1, *(values.shape[1] if i == axis else 1 for i in range(1, rank))))


def _checked_amounts(augmentations):
    """Return the amounts by their names."""
    if augmentations is None:
        return {}
    if isinstance(augmentations, dict):
        amounts = dict(augmentations)
    elif isinstance(augmentations, list | tuple):
        amounts = {name: DEFAULTS.get(name) if isinstance(name, str) else None
                   for name in augmentations}  # fmt: skip
    else:
        raise ValueError(
            f"augmentations: expected None, a list of names of {sorted(DEFAULTS)} or a dictionary "
            f"from names to amounts, got {augmentations!r}."
        )
    for name, amount in amounts.items():
        if name not in DEFAULTS:
            raise ValueError(f"augmentations: expected names of {sorted(DEFAULTS)}, got {name!r}.")
        is_number = isinstance(amount, numbers.Real) and not isinstance(amount, bool)
        if not is_number or not (0 <= amount < 1 or (name == "flip" and amount == 1)):
            span = "[0, 1]" if name == "flip" else "[0, 1)"
            raise ValueError(
                f"augmentations[{name!r}]: expected a number in {span}, got {amount!r}."
            )
    return amounts
