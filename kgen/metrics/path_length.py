"""Perceptual path length: how far images move while their latents move a little."""

import keras
import numpy as np

from kgen.core.arcs import on_arc
from kgen.core.keras_private import flatten_layers
from kgen.metrics.arrays import checked_integer, checked_number, checked_rows
from kgen.metrics.bootstrap import bootstrap_interval, bootstrap_seeds
from kgen.metrics.card import Card
from kgen.metrics.extractors import extractor as extractor_of
from kgen.metrics.extractors.extractor import extractor_facts
from kgen.metrics.score import Score

# What a model must have to walk in each space.
_NEEDS = {"z": ("latents", "decode"), "w": ("latents", "map", "synthesise")}


def perceptual_path_length(
    model,
    space="z",
    end=False,
    epsilon=1e-4,
    extractor="random",
    trim=0.01,
    samples=1000,
    batch_size=64,
    resamples=100,
    seed=0,
):
    """E[d(g(interpolated at t), g(interpolated at t + epsilon)) / epsilon^2] on random paths.

    Karras et al. 2019, section 4.1, eq. 2 and 3, arXiv 1812.04948. A path runs between two latents,
    on an arc in z or straight in w; where images change abruptly on the way it is long. From 0,
    lower is smoother; in squared units of the features. A generator that makes one image has 0: it
    says nothing without a metric of quality.

    Both ends of a conditional model's path are of the first one's class.

    Args:
        model: `kgen.GenerativeModel`, or what has the same methods: `latents(count, seed)`, rows
            whose last `classes` numbers are a one-hot label if `classes` is an integer; for z
            `decode(rows, batch_size)`; for w `map(rows)` to styles, `(count, layers, dimensions)`,
            and `synthesise(styles, batch_size=...)`. A row must make the same image each time, and
            in float32: half precision cannot tell so small a step.
        space: `"z"`, of the latents, or `"w"`, of the styles that a mapping network makes of them.
        end: Whether t is 0, the paths' ends; else it is drawn evenly from [0, 1).
        epsilon: Step along the path, of which 1 is all; the paper's 1e-4.
        extractor: Whose features: as `kgen.metrics.extractor` takes it.
        trim: Distances below this quantile and above 1 minus it are left out, in [0, 0.5); the
            authors' code has 0.01. 0 for none.
        samples: Number of paths, at least 2; the paper's 100,000.
        batch_size: Images computed at once.
        resamples: Number of resamples of the bootstrap over paths; 0 for no interval.
        seed: Integer that fixes the paths and the resamples.

    Returns:
        `Score`.

    Raises:
        ValueError: If an argument is not as said, the model lacks a method that the space needs or
            computes in half precision, or its images are not finite.

    Example:
        score = kgen.metrics.perceptual_path_length(model, extractor="inception", samples=10_000)
        print(score)
    """
    # Differs from the paper: its d is a learned distance on VGG16's features, whose weights are not
    # at hand; here it is the squared Euclidean distance of the extractor's features as they are.
    if space not in _NEEDS:
        raise ValueError(f"`space` must be one of {list(_NEEDS)}, received {space!r}.")
    missing = [name for name in _NEEDS[space] if not callable(getattr(model, name, None))]
    if missing:
        raise ValueError(
            f"space={space!r} needs a model with the methods {', '.join(_NEEDS[space])}; received "
            f"{type(model).__name__}, which lacks {', '.join(missing)}."
        )
    layers = flatten_layers(model) if isinstance(model, keras.Model) else []
    half = [layer.name for layer in layers if layer.compute_dtype in ("float16", "bfloat16")]
    if half:
        raise ValueError(
            f"`model` must compute in float32, received one whose {half[0]!r} computes in half "
            "precision. Expected its weights in a model made under the dtype policy 'float32'."
        )
    if not isinstance(end, bool):
        raise ValueError(f"`end` must be True or False, received {end!r}.")
    epsilon = checked_number("epsilon", epsilon, above=0.0, at_most=1.0)
    trim = checked_number("trim", trim, at_least=0.0)
    if trim >= 0.5:
        raise ValueError(f"`trim` must lie in [0, 0.5); received {trim}.")
    samples = checked_integer("samples", samples, 2)
    batch_size = checked_integer("batch_size", batch_size, 1)
    seed = checked_integer("seed", seed, 0)
    extractor = extractor_of(extractor)

    # Neighbouring rows make a path: more samples then keep the first paths.
    rows = np.asarray(model.latents(2 * samples, seed=seed), "float64")
    starts, ends = rows[::2], _with_labels_of(rows[::2], rows[1::2], model)
    places = np.random.default_rng([seed, 0]).uniform(size=samples)
    if end:
        places = np.zeros(samples)
    distances = np.empty(samples)
    for start in range(0, samples, batch_size):
        part = slice(start, start + batch_size)
        path = _path(model, space, starts[part], ends[part])
        # In two calls of one form, so that noise which goes by a row's place is the same in both.
        images = [path(places[part] + step, batch_size) for step in (0.0, epsilon)]
        here, ahead = (checked_rows("features", extractor(x), minimum=1) for x in images)
        distances[part] = np.sum((ahead - here) ** 2, axis=1) / epsilon**2
    value = _trimmed_mean(distances, trim)
    interval = bootstrap_interval(
        lambda chosen: _trimmed_mean(distances[chosen], trim),
        (samples,),
        value,
        resamples,
        seed,
        lowest=0.0,
    )
    of_model = getattr(model, "seed", None)
    card = Card(
        "perceptual_path_length",
        samples=samples,
        weights=getattr(model, "sampling_weights", None),
        settings={"space": space, "end": end, "epsilon": epsilon, "trim": trim},
        seeds={
            **({} if of_model is None else {"model": of_model}),
            "samples": seed,
            **bootstrap_seeds(resamples, seed),
        },
        **extractor_facts(extractor, images[0].shape[1:]),
    )
    return Score(value, card, interval)


def _path(model, space, starts, ends):
    """Returns a function from places `(n,)` on paths, and a batch size, to images."""
    if space == "z":
        classes = _classes(model)
        labels = starts[:, starts.shape[1] - classes :]
        noise, other = (x[:, : x.shape[1] - classes] for x in (starts, ends))

        def images(places, batch_size):
            moved = np.concatenate([on_arc(noise, other, places), labels], axis=1)
            return model.decode(moved.astype("float32"), batch_size)

        return images
    styles, other = (np.asarray(model.map(x.astype("float32")), "float64") for x in (starts, ends))

    def images(places, batch_size):
        places = places[:, None, None]
        moved = (1.0 - places) * styles + places * other
        return model.synthesise(moved.astype("float32"), batch_size=batch_size)

    return images


def _with_labels_of(starts, ends, model):
    """Rows of latents, with the labels of other ones if the model is conditional."""
    classes = _classes(model)
    if not classes:
        return ends
    width = starts.shape[1] - classes
    labels = starts[:, width:]
    if not (np.isin(labels, (0.0, 1.0)).all() and (labels.sum(axis=1) == 1.0).all()):
        raise ValueError(
            f"`model` has {classes} classes: its latents must end with a one-hot label each, "
            f"received rows that end with {labels[0].tolist()}."
        )
    return np.concatenate([ends[:, :width], labels], axis=1)


def _classes(model):
    """How many numbers at the end of a row are its label."""
    classes = getattr(model, "classes", None)
    return classes if isinstance(classes, int) else 0


def _trimmed_mean(distances, trim):
    """The mean of the distances from quantile `trim` to 1 - `trim`."""
    low = np.quantile(distances, trim, method="lower")
    high = np.quantile(distances, 1.0 - trim, method="higher")
    return distances[(low <= distances) & (distances <= high)].mean()
