"""One protocol for translations of images: held-out pairs, fixed once, for any number of models."""

import hashlib

import numpy as np

from kgen.metrics.arrays import checked_images, checked_units
from kgen.metrics.extractors import extractor as extractor_of
from kgen.metrics.extractors.extractor import extractor_facts
from kgen.metrics.reference import Reference
from kgen.metrics.samples import NotFiniteError, go_through
from kgen.metrics.similarity import named_similarity_scores
from kgen.metrics.structural_similarity import scale_weights
from kgen.metrics.table import GROUPS, Material

# The groups of the table that have a meaning for pairs; "reconstruction" is of output and target.
_GROUPS = ("reconstruction", "frechet", "kernel", "manifold")
_PAIRWISE = "reconstruction"


class TranslationEvaluation:
    """Scores models that translate images, on held-out pairs that every score's card names.

    | metric | what | better |
    |---|---|---|
    | `l1` | mean absolute difference of output and target, in units of [-1, 1] | lower |
    | `psnr`, `ssim`, `multi_scale_ssim` | similarity of output and target | higher |
    | `frechet` | Frechet distance between the features of outputs and of targets | lower |
    | `kernel` | squared maximum mean discrepancy of the same, polynomial kernel | lower |
    | `precision`, `density` | how many outputs look like the targets | higher |
    | `recall`, `coverage` | how much of the targets is reached | higher |

    The first two rows ask whether an output is its target, the others only whether outputs look
    like targets. Outputs are clipped to [-1, 1], and translated without noise.

    Example:
        inputs, targets = zip(*kgen.data.pairs_in_order("photos", degradation="edges"))
        evaluation = kgen.metrics.TranslationEvaluation(
            np.concatenate(inputs), np.concatenate(targets)
        )
        print(evaluation(model)["l1"])

    Args:
        inputs: Images to translate, floats `(n, height, width, channels)` in [-1, 1], n at least 2.
        targets: What they should become, floats `(n, ...)` in [-1, 1], each at its input's place.
        metrics: Names out of the table.
        extractor: Whose features: as `kgen.metrics.extractor` takes it; `None` for `"random"`.
        direction: As of the model's `translate`.
        resamples: Of the bootstrap for the intervals; 0 for none.
        seed: Integer seed of what metrics draw.
        batch_size: Images translated at once.
        units: What intervals draw: integers `(n,)`, such as the photograph that each pair is a crop
            of; `None` for the pairs themselves. With units `kernel`, `precision` and the like have
            no interval.

    Raises:
        ValueError: If an argument is not of this form.
    """

    def __init__(
        self,
        inputs,
        targets,
        metrics=("l1", "psnr", "ssim", "frechet"),
        extractor=None,
        direction=None,
        resamples=100,
        seed=0,
        batch_size=64,
        units=None,
    ):
        self.inputs = checked_images("inputs", inputs, minimum=2).astype("float32")
        targets = checked_images("targets", targets, minimum=2).astype("float32")
        if len(targets) != len(self.inputs):
            raise ValueError(
                f"`targets` must be as many as `inputs`, {len(self.inputs)}; received "
                f"{len(targets)}."
            )
        self.units = checked_units(units, len(targets))
        self.metrics = [metrics] if isinstance(metrics, str) else list(metrics)
        self.groups = _groups_of(self.metrics)
        self.reference = Reference(targets)
        self.targets = targets
        self.direction = direction
        self.resamples = resamples
        self.seed = seed
        self.batch_size = batch_size
        self.needs = {need for name in self.groups for need in GROUPS[name].needs}
        self.extractor = extractor_of(extractor or "random") if self.needs else None
        self.hash = _hash(self.inputs, targets)
        self._check_enough()

    def __call__(self, model):
        """Returns a dict from each metric's name to the `Score` of a model.

        The model's own state, random states included, stays as it is.

        Raises:
            ValueError: If the model takes or makes images of another shape; a
                `kgen.metrics.samples.NotFiniteError` if its outputs hold NaN or infinity.
            NotImplementedError: If the model cannot translate.
        """
        self.check(model)
        outputs = model.translate(self.inputs, self.direction, batch_size=self.batch_size)
        facts = {"weights": model.sampling_weights}
        settings = {}
        if len(model.directions) > 1:
            settings["direction"] = self.direction or model.directions[0]
        seeds = {} if model.seed is None else {"model": model.seed}
        return self._score(outputs, facts, settings, seeds)

    def of(self, outputs):
        """Returns the scores of images that something else made of the inputs.

        Args:
            outputs: Floats of the shape of the targets.
        """
        return self._score(np.asarray(outputs), {}, {}, {})

    def __deepcopy__(self, memo):
        # It changes with no call. KerasTuner copies callbacks for each trial.
        return self

    def check(self, model):
        """Raises what a call would raise of this model, before it costs anything."""
        if not hasattr(model, "sampling_weights"):
            raise ValueError(f"`model` must be a kgen.GenerativeModel, received {model!r}.")
        model._require("translate")
        direction = model.directions[0] if self.direction is None else self.direction
        if direction not in model.directions:
            raise ValueError(
                f"`direction` must be one of {list(model.directions)}, received {direction!r}."
            )
        shape, found = model.translation_shape(direction), self.inputs.shape[1:]
        fits = shape is None or (
            len(shape) == len(found)
            and all(side in (None, other) for side, other in zip(shape, found, strict=True))
        )
        if not fits:
            raise ValueError(
                f"`inputs` must be images of {tuple(shape)}, as the model takes them, received "
                f"{found}."
            )

    def _score(self, outputs, facts, settings, seeds):
        if outputs.shape != self.targets.shape:
            raise ValueError(
                f"`targets` must have the shape of the outputs, {outputs.shape}; received "
                f"{self.targets.shape}."
            )
        if not np.isfinite(outputs).all():
            raise NotFiniteError("The outputs must be finite, received NaN or infinity among them.")
        outputs = np.clip(outputs, -1.0, 1.0).astype("float32")
        facts = {**facts, "reference": f"pairs ({self.hash})"}
        draws = {"resamples": self.resamples, "seed": self.seed}
        found = {}
        if _PAIRWISE in self.groups:
            names = [name for name in self.metrics if name in GROUPS[_PAIRWISE].better]
            found |= named_similarity_scores(
                names, outputs, self.targets, **draws, units=self.units
            )
        of_features = [name for name in self.groups if name != _PAIRWISE]
        if of_features:
            samples = go_through([outputs], self.extractor, self.needs)
            statistics = self.reference.statistics(self.extractor)
            material = Material(samples, self.reference, statistics, None, draws, self.units)
            for group in of_features:
                found |= GROUPS[group].compute(material)
        of_extractor = extractor_facts(self.extractor, self.reference.shape)
        scores = {}
        for metric in self.metrics:
            score = found[metric]
            card = facts if metric in GROUPS[_PAIRWISE].better else {**facts, **of_extractor}
            scores[metric] = score.described(
                **card,
                settings={**score.card.settings, **settings},
                seeds={**seeds, **score.card.seeds},
            )
        return scores

    def _check_enough(self):
        """Raises if images are too small or too few, as every evaluation would at its end."""
        if {"ssim", "multi_scale_ssim"} & {*self.metrics}:
            try:
                scale_weights(*self.reference.shape[:2])
            except ValueError as error:
                raise ValueError(f"`targets`: {error} Expected `metrics` without SSIM.") from error
        if "frechet" in self.groups:
            width = self.extractor(self.targets[:1]).shape[1]
            if len(self.targets) <= width:
                raise ValueError(
                    f"`targets` must be more than the {width} dimensions of the features, received "
                    f"{len(self.targets)}. Expected more, another extractor, or the metric "
                    "'kernel', which needs no covariance."
                )


def _groups_of(metrics):
    """Returns the names of the groups that hold the metrics asked for."""
    known = {metric: group for group in _GROUPS for metric in GROUPS[group].better}
    if not metrics:
        raise ValueError("`metrics` must name at least one, received none.")
    for metric in metrics:
        if metric not in known:
            raise ValueError(f"`metrics` must be out of {sorted(known)}; received {metric!r}.")
    return list(dict.fromkeys(known[metric] for metric in metrics))


def _hash(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:16]
