"""The spaces that an image is looked for in: latents z, styles w, and w+, a style for each layer.

What is searched are rows of numbers that are about 1 large whatever the model: latents as they are,
styles less their mean and in units of their deviation.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from keras import ops

from kgen.core.arrays import rows_of
from kgen.latent.layout import layout_of

SPACES = ("z", "w", "w+")

# Latents that the mean style is measured on; Karras et al. 2020 take ten times as many.
_STYLES = 1000


@dataclasses.dataclass(frozen=True)
class Space:
    """What is searched.

    Attributes:
        draw: Function `(count, seed, labels)` to the starts of a search, rows `(count, ...)`;
            `labels` is a class, or `None`.
        decode: Function from a tensor of rows to their images, in [-1, 1].
        penalty: Function from a tensor of rows to how unlikely each is, `(rows,)` from 0.
        rows: Function from latents, as the model's methods take them, and the name of what gave
            them to rows.
        latents: Function from rows to latents.
        free: Booleans of the shape of a row: which numbers may move; the others are labels.
        limit: Array of the shape of a row: how large a number may be.
    """

    draw: Callable
    decode: Callable
    penalty: Callable
    rows: Callable
    latents: Callable
    free: np.ndarray
    limit: np.ndarray


def space_of(model, name, seed):
    """Returns the `Space` of a model.

    Args:
        model: `kgen.GenerativeModel`.
        name: `"z"`, `"w"` or `"w+"`; `None` for w where the model has styles, else z.
        seed: Integer seed of the latents that the mean style is measured on.

    Raises:
        ValueError: If the model has no such space.
    """
    has_styles = callable(getattr(model, "map", None))
    if name is None:
        name = "w" if has_styles else "z"
    if name not in SPACES:
        raise ValueError(f"`space` must be None or one of {list(SPACES)}, received {name!r}.")
    missing = {"sample", "decode"} - set(getattr(model, "abilities", ()))
    if missing:
        raise ValueError(
            f"`model` must be able to sample and decode, received {type(model).__name__}, which "
            f"cannot {' and '.join(sorted(missing))}."
        )
    if name == "z":
        return _latent_space(model)
    if not has_styles:
        raise ValueError(f"space={name!r} needs a StyleGAN, received {type(model).__name__}.")
    return _style_space(model, name == "w+", seed)


def _latent_space(model):
    layout = layout_of(model)
    shape = model.latents(1, seed=0).shape[1:]
    if len(shape) != 1:
        raise ValueError(
            f"`model` must have rows of numbers for latents, received latents of shape {shape}."
        )
    sizes = [layout.noise, layout.labels, layout.codes]
    limits = [1.0 if layout.uniform else np.inf, np.inf, 1.0]

    def penalty(rows):
        if layout.uniform:
            return ops.zeros(ops.shape(rows)[:1])
        return shell_penalty(rows[:, : layout.noise])

    def rows_from(latents, name):
        return rows_of(latents, name, shape)

    return Space(
        draw=model.latents,
        decode=model.decode_step,
        penalty=penalty,
        rows=rows_from,
        latents=lambda rows: rows,
        free=np.repeat([True, False, True], sizes),
        limit=np.repeat(np.float32(limits), sizes),
    )


def _style_space(model, of_layers, seed):
    def styles(count, seed):
        return model.map(model.latents(count, seed))  # (count, layers, d), the same for all layers.

    drawn = np.float64(styles(_STYLES, seed))
    layers, width = drawn.shape[1:]
    shape = (layers, width) if of_layers else (width,)
    mean = drawn.mean(axis=(0, 1)).astype("float32")
    deviation = np.float32(max(np.sqrt(np.mean((drawn[:, 0] - mean) ** 2)), 1e-8))

    def rows_from(latents, name):
        latents = np.asarray(latents, "float32")
        if latents.ndim == 2:
            latents = np.repeat(latents[:, None], layers, axis=1)
        rows = (rows_of(latents, name, (layers, width)) - mean) / deviation
        return rows if of_layers else rows.mean(axis=1)

    def draw(count, seed, labels):
        others = [rows_from(styles(count - 1, seed), "styles")] if count > 1 else []
        return np.concatenate([np.zeros((1, *shape), "float32"), *others])

    def every_layer(rows):
        rows = mean + deviation * rows
        return rows if of_layers else ops.repeat(rows[:, None], layers, axis=1)

    def penalty(rows):
        return 0.5 * ops.mean(ops.square(rows), axis=tuple(range(1, len(rows.shape))))

    return Space(
        draw=draw,
        decode=lambda rows: model.synthesise_step(every_layer(rows)),
        penalty=penalty,
        rows=rows_from,
        latents=lambda rows: ops.convert_to_numpy(every_layer(rows)),
        free=np.full(shape, True),
        limit=np.full(shape, np.inf, "float32"),
    )


def shell_penalty(rows):
    """-log density of a row's length, that of draws from N(0, 1), per number and from 0: `(rows,)`.

    r^2 / 2 - (d - 1) log r of a row of d numbers and the length r, which is chi-distributed; Samuel
    et al. 2023, eq. 3, arXiv 2306.08687. 0 on the shell r^2 = d - 1 that draws lie near to.
    """
    width = rows.shape[-1]
    square = ops.sum(ops.square(rows), axis=-1) + 1e-6  # Finite at 0, also its gradient.
    value = 0.5 * (square - (width - 1) * ops.log(square))
    least = 0.5 * (width - 1) * (1.0 - np.log(max(width - 1, 1)))
    return (value - least) / width
