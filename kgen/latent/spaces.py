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
from kgen.latent.noise_maps import maps_in, normalised

SPACES = ("z", "w", "w+")

# Latents that the mean style is measured on; Karras et al. 2020 take ten times as many.
_STYLES = 1000


@dataclasses.dataclass(frozen=True)
class Space:
    """What is searched.

    Attributes:
        draw: Function `(count, seed)` to the starts of a search, rows `(count, ...)`.
        decode: Function from a tensor of rows to their images, in [-1, 1].
        penalty: Function from a tensor of rows to how unlikely each is, `(rows,)` from 0.
        rows: Function from latents, as the model's methods take them, and the name of what gave
            them to rows.
        latents: Function from rows to latents.
        free: Booleans of the shape of a row: which numbers may move; the others are labels.
        limit: Array of the shape of a row: how large a number may be.
        explored: Booleans of the shape of a row: which numbers get noise added during the search.
        settled: Function from a tensor of rows after each step to what they are set to.
        maps: Function from rows to a StyleGAN's noise maps, a list of arrays, where they are
            searched, too; else `None`.
    """

    draw: Callable
    decode: Callable
    penalty: Callable
    rows: Callable
    latents: Callable
    free: np.ndarray
    limit: np.ndarray
    explored: np.ndarray
    settled: Callable = lambda rows: rows
    maps: Callable | None = None


def space_of(model, name, seed, with_maps=False):
    """Returns the `Space` of a model.

    Args:
        model: `kgen.GenerativeModel`.
        name: `"z"`, `"w"` or `"w+"`; `None` for w where the model has styles, else z.
        seed: Integer seed of the latents that the mean style is measured on.
        with_maps: Whether a StyleGAN's noise maps are searched, too, with its styles.

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
    if name != "z" and not has_styles:
        raise ValueError(f"space={name!r} needs a StyleGAN, received {type(model).__name__}.")
    if with_maps and (name == "z" or not model.generator.noise):
        raise ValueError(
            "`noise_weight` must be None: noise maps are looked for in w and w+ of a StyleGAN "
            f"whose layers add noise, received space={name!r} of a {type(model).__name__}."
        )
    if name == "z":
        return _latent_space(model)
    space = _style_space(model, name == "w+", seed)
    return with_noise_maps(space, model.generator) if with_maps else space


def _latent_space(model):
    layout = layout_of(model)
    model.before_use()
    shape = model.latents(1, seed=0).shape[1:]
    if len(shape) != 1:
        raise ValueError(
            f"`model` must have rows of numbers for latents, received latents of shape {shape}."
        )
    sizes = [layout.noise, layout.labels, layout.codes]
    free = np.repeat([True, False, True], sizes)
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
        free=free,
        explored=free,
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

    def draw(count, seed):
        others = [rows_from(styles(count - 1, seed), "styles")] if count > 1 else []
        return np.concatenate([np.zeros((1, *shape), "float32"), *others])

    def every_layer(rows):
        rows = mean + deviation * rows
        return rows if of_layers else ops.repeat(rows[:, None], layers, axis=1)

    def penalty(rows):
        return 0.5 * ops.mean(ops.square(rows), axis=tuple(range(1, len(rows.shape))))

    return Space(
        draw=draw,
        decode=lambda rows, maps=None: model.synthesise_step(every_layer(rows), maps),
        penalty=penalty,
        rows=rows_from,
        latents=lambda rows: ops.convert_to_numpy(every_layer(rows)),
        free=np.full(shape, True),
        explored=np.full(shape, True),
        limit=np.full(shape, np.inf, "float32"),
    )


def with_noise_maps(space, generator):
    """The space of styles whose rows go on with the numbers of all noise maps of a generator."""
    shape = space.free.shape
    width = int(np.prod(shape))
    map_shapes = [map_shape[1:] for map_shape in generator.noise_shapes(1)]
    fixed = np.concatenate([np.ravel(ops.convert_to_numpy(x)) for x in generator.fixed_noise])

    def with_fixed(rows):
        fixed_rows = np.broadcast_to(fixed, (len(rows), len(fixed)))
        return np.concatenate([rows.reshape(len(rows), width), fixed_rows], axis=1)

    def styles_in(rows):
        return ops.reshape(rows[:, :width], (-1, *shape))

    def maps(rows):
        return maps_in(rows[:, width:], map_shapes)

    def settled(rows):
        flat = [ops.reshape(normalised(x), (ops.shape(rows)[0], -1)) for x in maps(rows)]
        return ops.concatenate([rows[:, :width], *flat], axis=1)

    return Space(
        draw=lambda count, seed: with_fixed(space.draw(count, seed)),
        decode=lambda rows: space.decode(styles_in(rows), maps(rows)),
        penalty=lambda rows: space.penalty(styles_in(rows)),
        rows=lambda latents, name: with_fixed(space.rows(latents, name)),
        latents=lambda rows: space.latents(styles_in(rows)),
        free=np.full(width + len(fixed), True),
        explored=np.arange(width + len(fixed)) < width,
        limit=np.full(width + len(fixed), np.inf, "float32"),
        settled=settled,
        maps=maps,
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
