"""Inversion: the latents of images, found by optimisation, of generators without an encoder."""

import dataclasses

import numpy as np
from keras import ops

from kgen.core import engine
from kgen.core.arrays import float_images, in_batches
from kgen.core.precision import full_precision
from kgen.latent.descent import Descent
from kgen.latent.noise_maps import correlation
from kgen.latent.spaces import space_of
from kgen.latent.starts import starting_rows
from kgen.metrics import extractor as extractor_of
from kgen.metrics import psnr
from kgen.metrics.arrays import checked_images, checked_integer, checked_number


@dataclasses.dataclass(frozen=True)
class Inversion:
    """What `invert` found.

    Attributes:
        latents: float32 array `(count, ...)`: what the model makes `images` of, by `decode`, or of
            styles by `synthesise`.
        images: Those images, float32 `(count, height, width, channels)` in [-1, 1].
        psnr: Peak signal-to-noise ratio of each image to the one asked for, in decibels,
            `(count,)`.
        history: Loss of each image before each step and after the last, from the start that was
            kept, `(count, steps + 1)`.
        noise: Where noise maps were looked for, too, these, a list of float32 arrays `(count,
            height, width, 1)`: the `noise` of `synthesise`. Else `None`.
    """

    latents: np.ndarray
    images: np.ndarray
    psnr: np.ndarray
    history: np.ndarray
    noise: list | None = None


def invert(
    model,
    images,
    space=None,
    steps=500,
    starts=4,
    start=None,
    labels=None,
    learning_rate=0.1,
    pixel_weight=1.0,
    feature_weight=0.0,
    extractor="random",
    prior_weight=0.01,
    noise_weight=None,
    exploration=0.0,
    seed=0,
    batch_size=64,
):
    """Returns the latents whose images come closest to given ones, and how close.

    Of each image the loss is the mean squared error of the pixels, that of an extractor's features
    in units of the features' own mean square, and how unlikely the latents are, each with its
    weight. Adam makes it smaller, from several starts of which the best is kept: in z (Lipton and
    Tripathi 2017, arXiv 1702.04782; latents from U[-1, 1] are held in it, as there), or of a
    StyleGAN in w or w+ from the mean style (Abdal et al. 2019, arXiv 1904.03189; Karras et al.
    2020, appendix D, arXiv 1912.04958, whose schedule of the learning rate and noise this has, and
    with `noise_weight` their search for the noise maps).

    An image's result does not depend on the images that it is inverted with, but for rounding.

    Example:
        found = kgen.latent.invert(model, images, seed=0)
        print(found.psnr.mean())
        closest = found.images  # model.decode(found.latents); of styles model.synthesise.

    Args:
        model: `kgen.GenerativeModel` that can `sample` and `decode`; its weights stay.
        images: Floats `(count, height, width, channels)` in [-1, 1].
        space: `"z"`, the latents; of a StyleGAN also `"w"`, one style for all layers, or `"w+"`,
            one for each, which comes closer and is worth less: its image need not be one that the
            model would make. `None` for w where there is one, else z. Latents are then
            `(count, layers, style_dim)`.
        steps: Adam's steps, at least 1.
        starts: How many starts, the same for all images: latents drawn by `seed`, of styles the
            mean one and then drawn ones.
        start: What to start from first: latents of the space, one row an image; or a built
            `keras.Model` from images to them, such as `LatentRegressor.encoder`, whose rows are
            without labels. `None` for drawn ones alone.
        labels: Of a conditional model the class of all images, an integer, or of each, `(count,)`:
            the latents' label, which does not move; of an InfoGAN its first categorical code.
            `None`: in z all classes, or all an InfoGAN's combinations, are tried, which takes as
            many times as long; styles find their own.
        learning_rate: Adam's largest, in units of the latents' or styles' standard deviation. It
            rises over the first 5 % of the steps and falls over the last 25 %.
        pixel_weight: Weight of the pixels' error.
        feature_weight: Weight of the features' error; 0 for none.
        extractor: Whose features: as `kgen.metrics.extractor` takes it, a network of Keras.
        prior_weight: Weight of how unlikely latents are: of their length alone, which leads to the
            shell near which draws from N(0, 1) lie; of styles the squared distance to the mean.
        noise_weight: Of a StyleGAN's w and w+ the weight of the noise maps' regularisation, whose
            maps are then looked for, too, from the fixed ones on: how far they are from noise,
            `kgen.latent.noise_maps.correlation`; 1e5 in Karras et al. 2020. `None` leaves the maps
            as they are.
        exploration: Deviation of the noise added to rows, in the units of `learning_rate`; it falls
            to none within the first 75 % of the steps. 0 for none: several starts do as well on
            digits. Karras et al. take 0.05 times the length of the styles' deviation, here 0.05
            times the root of a style's numbers.
        seed: Integer of at least 0 that decides starts and noise: the same gives the same result.
        batch_size: Rows optimised at once, an image with one of its starts each.

    Returns:
        `Inversion`.

    Raises:
        ValueError: If an argument is not of this form.
    """
    weights = {
        name: checked_number(name, value, at_least=0.0)
        for name, value in (
            ("pixel_weight", pixel_weight),
            ("feature_weight", feature_weight),
            ("prior_weight", prior_weight),
            ("noise_weight", 0.0 if noise_weight is None else noise_weight),
        )
    }
    if pixel_weight == feature_weight == 0.0:
        raise ValueError("`pixel_weight` or `feature_weight` must be above 0, received 0 for both.")
    descent = Descent(
        steps=checked_integer("steps", steps, 1),
        learning_rate=checked_number("learning_rate", learning_rate, above=0.0),
        exploration=checked_number("exploration", exploration, at_least=0.0),
        seed=checked_integer("seed", seed, 0),
    )
    starts = checked_integer("starts", starts, 1)
    batch_size = checked_integer("batch_size", batch_size, 1)
    space = space_of(model, space, descent.seed, with_maps=noise_weight is not None)
    images = float_images(images, model.image_shape)
    checked_images("images", images)
    features = _features_step(extractor) if feature_weight else None
    rows = starting_rows(model, space, images, starts, start, labels, descent.seed)
    count, tries = rows.shape[:2]
    with full_precision(model):
        found, history = descent.run(
            _losses(space, features, **weights),
            rows.reshape(-1, *rows.shape[2:]),
            images,
            space,
            batch_size,
        )
        found = found.reshape(rows.shape)
        history = history.reshape(count, tries, -1)
        # A start whose loss is no number any more is worse than any.
        last = np.nan_to_num(history[:, :, -1], nan=np.inf)
        if np.isinf(last).all(axis=1).any():
            raise ValueError(
                "`model` gives no finite image of any start: its weights may have diverged, or "
                f"learning_rate={learning_rate} is too large."
            )
        chosen = np.arange(count), np.argmin(last, axis=1)
        decode = engine.function(space.decode)
        made = np.clip(in_batches(decode, found[chosen], batch_size=batch_size), -1.0, 1.0)
    best = found[chosen]
    maps = None if space.maps is None else [ops.convert_to_numpy(x) for x in space.maps(best)]
    return Inversion(space.latents(best), made, psnr(made, images), history[chosen], maps)


def _losses(space, features, pixel_weight, feature_weight, prior_weight, noise_weight):
    """Function from rows and images, tensors, to the loss of each row."""

    def losses(rows, images):
        made = ops.cast(space.decode(rows), "float32")
        loss = prior_weight * space.penalty(rows)
        if space.maps is not None:
            loss = loss + noise_weight * correlation(space.maps(rows))
        if pixel_weight:
            loss = loss + pixel_weight * _mean_square(made - images)
        if feature_weight:
            expected = features(images)
            error = _mean_square(features(made) - expected)
            loss = loss + feature_weight * error / (_mean_square(expected) + 1e-8)
        return loss

    return losses


def _mean_square(values):
    return ops.mean(ops.square(values), axis=tuple(range(1, len(values.shape))))


def _features_step(extractor):
    extractor = extractor_of(extractor)
    if not callable(getattr(extractor, "features_step", None)):
        raise ValueError(
            "`extractor` must be a name or a keras.Model, through which gradients flow, received "
            f"{extractor!r}."
        )
    return extractor.features_step
