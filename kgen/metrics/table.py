"""The table of metrics that an evaluation can be asked for by name."""

import dataclasses
import inspect
from collections.abc import Callable

import numpy as np

from kgen.core.interface import GenerativeInterface
from kgen.data import mixtures
from kgen.metrics.bootstrap import bootstrap_seeds, mean_interval
from kgen.metrics.card import Card
from kgen.metrics.diversity import diversity
from kgen.metrics.frechet import frechet_distance
from kgen.metrics.inception_score import inception_score
from kgen.metrics.kernel import kernel_distance
from kgen.metrics.modes import label_scores, mixture_scores
from kgen.metrics.precision_recall import manifold_scores
from kgen.metrics.reference import Reference, Statistics
from kgen.metrics.samples import Samples
from kgen.metrics.score import Score
from kgen.metrics.similarity import similarity_scores
from kgen.suggestion import did_you_mean


@dataclasses.dataclass(frozen=True)
class Material:
    """What metrics are computed from.

    Attributes:
        samples: `Samples`, with what the metric needs of them.
        reference: `Reference`.
        statistics: The reference's `Statistics`.
        model: The `kgen.GenerativeModel`, `None` where samples came without one.
        draws: Dict of `resamples` and `seed`, for the intervals.
        units: Of the samples, what intervals draw in place of them, integers `(n,)`, or `None`.
    """

    samples: Samples
    reference: Reference
    statistics: Statistics
    model: object
    draws: dict
    units: np.ndarray | None = None

    @property
    def draws_of_rows(self):
        """`draws` of what can only draw rows: without intervals where rows are parts of units."""
        few = self.units is not None or self.reference.is_of_few_pictures
        return {**self.draws, "resamples": 0} if few else self.draws


@dataclasses.dataclass(frozen=True)
class Group:
    """Metrics that are computed together.

    Attributes:
        better: Dict from each metric's name to `"min"`, `"max"`, or `None` where neither end is.
        compute: Function from `Material` and the options of the group to a dict of `Score`.
        needs: Attributes of `Samples` that it reads.
        takes: Function whose arguments the options are.
        against_features: Whether it takes the reference's features.
        ability: What the model must be able to do with the reference's examples, or `None`.
    """

    better: dict
    compute: Callable
    takes: Callable
    needs: tuple = ()
    against_features: bool = False
    ability: str | None = None


def _frechet(material, **options):
    samples, reference = material.samples.all_features, material.statistics.moments
    draws = {**material.draws, "units": material.units}
    return {"frechet": frechet_distance(samples, reference, **{**draws, **options})}


def _kernel(material, **options):
    samples, reference = material.samples.features, material.statistics.features
    return {"kernel": kernel_distance(samples, reference, **{**material.draws_of_rows, **options})}


def _manifold(material, **options):
    samples, reference = material.samples.features, material.statistics.features
    return manifold_scores(samples, reference, **{**material.draws_of_rows, **options})


def _inception(material, **options):
    return {
        "inception": inception_score(
            material.samples.probabilities, **{**material.draws, **options}
        )
    }


def _diversity(material, **options):
    return {"diversity": diversity(material.samples.images, **{**material.draws, **options})}


def _mixture(material, **options):
    centres, std = MIXTURES[material.reference.name]
    return mixture_scores(material.samples.images, centres, std, **{**material.draws, **options})


def _stacked(material, **options):
    return label_scores(material.samples.labels, 1000, **{**material.draws, **options})


def _likelihood(material, examples=1000, **options):
    images, given = _to_encode(material, examples)
    nats = -material.model.log_prob(images, **{"seed": material.draws["seed"], **given, **options})
    # Under another likelihood it is another kind of number, and so it is given the label.
    likelihood = getattr(material.model, "likelihood", None)
    settings = {"samples": options.get("samples", 128), "likelihood": likelihood}
    if given:
        settings["given"] = "labels"
    units = material.reference.units(examples)
    if units is not None:
        settings["units"] = len(np.unique(units))
    card = Card(
        "nll",
        samples=len(nats),
        reference_samples=len(images),
        settings=settings,
        seeds=bootstrap_seeds(**material.draws),
    )
    return {
        "nll": Score(
            np.mean(nats, dtype="float64"),
            card,
            mean_interval(nats, **material.draws, units=units),
        )
    }


def _reconstruction(material, examples=1000, **options):
    images, given = _to_encode(material, examples)
    decoded = np.clip(material.model.reconstruct(images, **given), -1.0, 1.0)
    draws = {**material.draws, "units": material.reference.units(examples)}
    return similarity_scores(decoded, images, **{**draws, **options})


def _to_encode(material, examples):
    """Some of the reference's examples, and a dict of what the model encodes them together with."""
    encoded_with = getattr(material.model, "encoded_with", None)
    if encoded_with is None:
        return material.reference.some(examples), {}
    images, labels = material.reference.some_labelled(examples)
    return images, {encoded_with: labels}


MIXTURES = {
    "ring": (mixtures.RING_CENTRES, mixtures.RING_STD),
    "grid": (mixtures.GRID_CENTRES, mixtures.GRID_STD),
}

GROUPS = {
    "frechet": Group({"frechet": "min"}, _frechet, frechet_distance, ("features",), True),
    "kernel": Group({"kernel": "min"}, _kernel, kernel_distance, ("features",), True),
    "manifold": Group(
        {"precision": "max", "recall": "max", "density": "max", "coverage": "max"},
        _manifold,
        manifold_scores,
        ("features",),
        True,
    ),
    "inception": Group({"inception": "max"}, _inception, inception_score, ("probabilities",)),
    "diversity": Group({"diversity": None}, _diversity, diversity, ("images",)),
    "mixture": Group(
        {"modes": "max", "high_quality": "max", "reverse_kl": "min"},
        _mixture,
        mixture_scores,
        ("images",),
    ),
    "stacked": Group({"modes": "max", "reverse_kl": "min"}, _stacked, label_scores, ("labels",)),
    "likelihood": Group(
        {"nll": "min"}, _likelihood, GenerativeInterface.log_prob, ability="log_prob"
    ),
    "reconstruction": Group(
        {"l1": "min", "psnr": "max", "ssim": "max", "multi_scale_ssim": "max"},
        _reconstruction,
        similarity_scores,
        ability="reconstruct",
    ),
}


def check_options(options, groups):
    """Raises a ValueError unless options are of these groups and each is an argument there."""
    unknown = sorted(set(options) - set(groups))
    if unknown:
        raise ValueError(f"`options` must be for {groups}, received some for {unknown}.")
    for group, given in options.items():
        taken = [*inspect.signature(GROUPS[group].takes).parameters][1:]
        taken += ["examples"] if GROUPS[group].ability else []
        unknown = sorted(set(given) - set(taken))
        if unknown:
            raise ValueError(f"`options` for {group!r} must be out of {taken}, received {unknown}.")


def groups_of(metrics, reference_name):
    """Returns the names of the groups that hold the metrics asked for.

    `reference_name` is that of a set that kgen knows, or `None`.

    Raises:
        ValueError: If there is no such metric, or none for such a reference.
    """
    offered = {
        name: group
        for name, group in GROUPS.items()
        if (name != "mixture" or reference_name in MIXTURES)
        and (name != "stacked" or reference_name == "stacked_mnist")
    }
    known = {metric: name for name, group in offered.items() for metric in group.better}
    for metric in metrics:
        if metric not in known:
            raise ValueError(
                f"`metrics` must be out of {sorted(known)} for the reference {reference_name!r}; "
                f"received {metric!r}.{did_you_mean(metric, known)}"
            )
    return list(dict.fromkeys(known[metric] for metric in metrics))


def better(metric):
    """Returns `"min"` or `"max"`, which values of a metric are better; `None` where neither are."""
    return next(g.better[metric] for g in GROUPS.values() if metric in g.better)
