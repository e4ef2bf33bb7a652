"""One protocol, fixed once, that any number of models are scored by."""

import numpy as np

from kgen.core.numbers import is_count
from kgen.metrics.extractors import extractor as extractor_of
from kgen.metrics.extractors.extractor import extractor_facts
from kgen.metrics.precision_recall import NEIGHBOURS
from kgen.metrics.reference import Reference
from kgen.metrics.samples import drawn, go_through
from kgen.metrics.table import GROUPS, Material, check_options, groups_of

# Sets of digits, for which the features default to the classifier of digits.
_OF_DIGITS = ("digits", "mnist5k", "stacked_mnist", "tfds:mnist")

# Needs that take an extractor.
_OF_EXTRACTOR = {"features", "probabilities", "labels"}


class Evaluation:
    """Scores models, or samples, by a fixed protocol, which every score carries as its card.

    | metric | what | better |
    |---|---|---|
    | `frechet` | Frechet distance of the features' Gaussians | lower |
    | `kernel` | squared maximum mean discrepancy of the features, polynomial kernel | lower |
    | `precision`, `density` | how many samples look like the reference | higher |
    | `recall`, `coverage` | how much of the reference is reached | higher |
    | `inception` | Inception score, by the extractor's classes | higher |
    | `diversity` | multi-scale SSIM between samples: best that of the reference's images, \
`evaluation.of(images)` | |
    | `modes`, `reverse_kl` | modes reached, evenness: `"ring"`, `"grid"`, `"stacked_mnist"` | |
    | `high_quality` | share of points near a mode: `"ring"`, `"grid"` | higher |
    | `nll` | -log p of 1,000 images of the reference, nats, by `log_prob`; of a conditional \
model given their labels | lower |
    | `l1` | `reconstruct` against such images, mean absolute difference | lower |
    | `psnr`, `ssim`, `multi_scale_ssim` | the same | higher |

    Samples are gone through by batches. The reference is, too, and what is needed of it is kept in
    the cache folder (`kgen.metrics.cache_folder`). Of more than 50,000, moments are of all, and
    metrics that compare rows with rows take the first 50,000 samples and as many rows of the
    reference, drawn once; then the Frechet distance has no interval.

    Example:
        evaluation = kgen.metrics.Evaluation("mnist5k", ("frechet", "precision", "recall"))
        scores = evaluation(model)  # {"frechet": Score, ...}
        print(scores["frechet"])

    Args:
        reference: What samples are held against: a name or path that `kgen.data.load` takes, or an
            array of images in [-1, 1], `(n, height, width, channels)`.
        metrics: Names out of the table.
        extractor: Whose features: as `kgen.metrics.extractor` takes it. `None` takes `"digits"` for
            the sets of digits, and `"random"` for all others, which needs no download and no
            classes. The card says which it was.
        samples: How many a model is to draw; `None` for as many as the reference has, but at most
            10,000. The Frechet distance above all depends on it.
        split: The reference's split: `"validation"` to choose a model by the scores, `"test"` to
            report them.
        image_size: Height and width to scale the reference to; the model's.
        channels: As of `kgen.data.load`.
        on_bad_file: As of `kgen.data.load`.
        seed: Integer seed of the samples and of what metrics draw.
        resamples: Of the bootstrap for the intervals; 0 for none.
        options: Dict from `"frechet"`, `"kernel"`, `"manifold"` (precision and its like),
            `"inception"`, `"diversity"`, `"mixture"`, `"stacked"`, `"likelihood"` or
            `"reconstruction"` to a dict of that function's own arguments, such as
            `{"manifold": {"neighbours": 3}}`.
        batch_size: Samples computed at once.
        follow_links: As of `kgen.data.load`.

    Raises:
        ValueError: If an argument is not of this form.
    """

    def __init__(
        self,
        reference,
        metrics=("frechet",),
        extractor=None,
        samples=None,
        split="test",
        image_size=None,
        channels=None,
        on_bad_file="error",
        seed=0,
        resamples=100,
        options=None,
        batch_size=64,
        follow_links=False,
    ):
        self.reference = Reference(
            reference, split, image_size, channels, on_bad_file, follow_links=follow_links
        )
        metrics = [metrics] if isinstance(metrics, str) else list(metrics)
        if not metrics:
            raise ValueError("`metrics` must name at least one, received none.")
        known = self.reference.name if self.reference.named else None
        self.groups = groups_of(metrics, known)
        self.metrics = metrics
        self.samples = min(self.reference.count, 10_000) if samples is None else samples
        if not is_count(self.samples, 2):
            raise ValueError(f"`samples` must be an integer of at least 2, received {samples!r}.")
        self.seed = seed
        self.resamples = resamples
        self.options = {} if options is None else options
        check_options(self.options, self.groups)
        self.batch_size = batch_size
        self.needs = {need for name in self.groups for need in GROUPS[name].needs}
        self.extractor = self._extractor(extractor)
        self._check_enough()

    def __call__(self, model):
        """Returns a dict from each metric's name to the `Score` of a model.

        The model's own state, random states included, stays as it is.

        Raises:
            ValueError: If the model's images are not of the reference's shape, or its samples hold
                NaN or infinity.
            NotImplementedError: If the model cannot do what a metric asks.
        """
        self.check(model)
        batches = drawn(model, self.samples, self.seed, self.batch_size) if self.needs else None
        facts = {"weights": model.sampling_weights}
        seeds = {} if model.seed is None else {"model": model.seed}
        return self._score(batches, model, facts, {**seeds, "samples": self.seed})

    def of(self, samples):
        """Returns the scores of samples: an array, or an iterable of batches.

        Raises:
            ValueError: If they are not of the reference's shape or not finite, or a metric is of a
                model and not of samples.
        """
        for name in self.groups:
            if GROUPS[name].ability:
                raise ValueError(f"`metrics`: {list(GROUPS[name].better)} need a model.")
        if samples is None or isinstance(samples, str):
            raise ValueError(
                f"`samples` must be an array or an iterable of batches, received {samples!r}."
            )
        batches = [samples] if hasattr(samples, "dtype") else samples
        return self._score(self._checked(batches), None, {}, {})

    def __deepcopy__(self, memo):
        # It changes with no call. KerasTuner copies callbacks for each trial.
        return self

    def check(self, model):
        """Raises what a call would raise of this model, before it costs anything."""
        if not hasattr(model, "sampling_weights"):
            raise ValueError(f"`model` must be a kgen.GenerativeModel, received {model!r}.")
        for name in self.groups:
            if GROUPS[name].ability:
                model._require(GROUPS[name].ability)
        if self.needs:
            model._require("sample")
        self._check_shape(model.image_shape)

    def _score(self, batches, model, facts, seeds):
        against_features = any(GROUPS[name].against_features for name in self.groups)
        extractor = self.extractor if against_features else None
        material = Material(
            go_through(batches, self.extractor, self.needs) if self.needs else None,
            self.reference,
            self.reference.statistics(extractor),
            model,
            {"resamples": self.resamples, "seed": self.seed},
        )
        facts["reference"] = f"{self.reference.name} ({material.statistics.hash})"
        facts["split"] = self.reference.split
        of_extractor = extractor_facts(self.extractor, self.reference.shape)
        scores = {}
        for name in self.groups:
            found = GROUPS[name].compute(material, **self.options.get(name, {}))
            card = {**facts, **of_extractor} if _OF_EXTRACTOR & {*GROUPS[name].needs} else facts
            for metric, score in found.items():
                scores[metric] = score.described(**card, seeds={**seeds, **score.card.seeds})
        return {metric: scores[metric] for metric in self.metrics}

    def _extractor(self, extractor):
        if not _OF_EXTRACTOR & self.needs:
            return None
        is_of_digits = self.reference.named and self.reference.name in _OF_DIGITS
        if extractor is None:
            extractor = "digits" if is_of_digits else "random"
        if len(self.reference.shape) != 3:
            raise ValueError(
                f"`metrics` of features need images; the reference holds examples of the shape "
                f"{self.reference.shape}."
            )
        found = extractor_of(extractor)
        if {"probabilities", "labels"} & self.needs:
            *size, channels = self.reference.shape
            channels = 1 if "labels" in self.needs else channels
            rows = found.probabilities(np.zeros((1, *size, channels), "float32"))
            if np.min(rows) < 0.0 or not np.allclose(np.sum(rows, axis=1), 1.0, atol=1e-3):
                raise ValueError(
                    "`extractor`: its classifier must give probabilities, which are at least 0 and "
                    f"sum to 1; received {np.asarray(rows)[0].tolist()}. Logits need a softmax."
                )
        return found

    def _check_enough(self):
        """Raises if there are too few samples, as every evaluation would at its end."""
        fewest = min(self.samples, self.reference.count)
        told = f"received {self.samples} `samples` and a reference of {self.reference.count}."
        neighbours = self.options.get("manifold", {}).get("neighbours", NEIGHBOURS)
        if "manifold" in self.groups and fewest <= neighbours:
            raise ValueError(f"`samples` must be more than the {neighbours} neighbours; {told}")
        shrunk = self.options.get("frechet", {}).get("shrinkage") is not None
        if "frechet" not in self.groups or shrunk:
            return
        width = self.extractor(self.reference.some(1)).shape[1]
        if fewest <= width:
            raise ValueError(
                f"`samples` must be more than the {width} dimensions of the features; {told} "
                "Expected more, another extractor, options={'frechet': {'shrinkage': ...}}, or the "
                "metric 'kernel', which needs no covariance."
            )

    def _checked(self, batches):
        for batch in batches:
            batch = np.asarray(batch)
            self._check_shape(batch.shape[1:])
            yield batch

    def _check_shape(self, shape):
        if shape is not None and tuple(shape) != self.reference.shape:
            raise ValueError(
                f"`reference` holds examples of the shape {self.reference.shape}, but the samples' "
                f"is {tuple(shape)}; expected `image_size` and `channels` that agree with them."
            )
