"""Images unlike those that a model was trained on, found by how badly it explains them."""

import math
import numbers

import numpy as np

from kgen.core.arrays import float_images

# What a model must be able to do for each score.
_SCORES = {"reconstruction": "reconstruct", "log_prob": "log_prob"}


class AnomalyDetector:
    """Says which images are anomalies: those whose score is above a threshold.

    A model of normal images alone reconstructs others worse, or gives them a smaller likelihood:
    the autoencoder as a one-class classifier, Hawkins et al. 2002; "DCAE" in Ruff et al. 2018.

    Example:
        model.fit(normal_images)
        detector = kgen.anomaly.AnomalyDetector(model)
        detector.calibrate(held_out_normal_images, false_positive_rate=0.01)
        detector.detect(new_images)  # (count,) booleans.

    Args:
        model: Model trained on normal images.
        score: `"reconstruction"`, the mean squared error over pixels and channels of
            `model.reconstruct`, in units of [-1, 1]; `"log_prob"`, -log p(image) in nats; or a
            function from images to numbers `(count,)`, higher for anomalies.

    Attributes:
        threshold: Largest score of what counts as normal; `None` before `calibrate`. It may be set,
            to a number.
        false_positive_rate: What it was calibrated for, or `None`.

    Raises:
        ValueError: If `score` is neither, or the model cannot do what it needs.
    """

    def __init__(self, model, score="reconstruction"):
        if not callable(score) and score not in list(_SCORES):
            raise ValueError(
                f"`score` must be one of {list(_SCORES)} or a function, received {score!r}."
            )
        if not callable(score):
            _check_model(model, score)
        self.model = model
        self.kind = score
        self.threshold = None
        self.false_positive_rate = None

    @property
    def threshold(self):
        return self._threshold

    @threshold.setter
    def threshold(self, value):
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if value is not None and (not is_number or math.isnan(value)):
            raise ValueError(f"`threshold` must be None or a number, received {value!r}.")
        self._threshold = value

    def score(self, images):
        """Returns how anomalous images `(count, ...)` in [-1, 1] are, float64 `(count,)`.

        Raises:
            ValueError: If they are not of the model's form, or a score is not a number each.
        """
        images = float_images(images, None)
        if callable(self.kind):
            scores = np.asarray(self.kind(images), "float64")
        elif self.kind == "log_prob":
            scores = -np.asarray(self.model.log_prob(images), "float64")
        else:
            errors = np.square(np.asarray(self.model.reconstruct(images), "float64") - images)
            scores = errors.reshape(len(images), -1).mean(axis=1)
        if scores.shape != (len(images),) or np.isnan(scores).any():
            raise ValueError(
                f"`score` must give one number for each of the {len(images)} images, received an "
                f"array of {scores.shape} with {np.isnan(scores).sum()} NaN."
            )
        return scores

    def calibrate(self, images, false_positive_rate=0.05):
        """Sets the threshold so that a new normal image is called an anomaly at most so often.

        The threshold is the k-th smallest score of n normal images, k the least number of at least
        (n + 1) (1 - rate): then the rate of false alarms is at most the one asked for, on average
        over calibrations, whatever the scores' distribution (split conformal prediction,
        Papadopoulos et al. 2002; Vovk et al. 2005).

        Args:
            images: Normal images that the model was not trained on: those of its training are
                reconstructed too well, and the threshold would be too low.
            false_positive_rate: In (0, 1).

        Returns:
            The threshold.

        Raises:
            ValueError: If the rate is not in (0, 1), or so small that it takes more images.
        """
        if not isinstance(false_positive_rate, float) or not 0.0 < false_positive_rate < 1.0:
            raise ValueError(
                "`false_positive_rate` must be a number between 0 and 1, received "
                f"{false_positive_rate!r}."
            )
        scores = np.sort(self.score(images))
        # Rounded, as 0.05 and its like are no binary fractions.
        rank = math.ceil(round((len(scores) + 1) * (1.0 - false_positive_rate), 9))
        if rank > len(scores):
            raise ValueError(
                f"`images` must be at least {math.ceil(round(1 / false_positive_rate, 9)) - 1} for "
                f"false_positive_rate={false_positive_rate}, received {len(scores)}."
            )
        self.threshold = float(scores[rank - 1])
        self.false_positive_rate = false_positive_rate
        return self.threshold

    def detect(self, images):
        """Returns which images are anomalies, booleans `(count,)`.

        Raises:
            ValueError: If there is no threshold yet.
        """
        if self.threshold is None:
            raise ValueError("`threshold` is not set: call `calibrate` first, or set it.")
        return self.score(images) > self.threshold


def _check_model(model, score):
    if _SCORES[score] not in getattr(model, "abilities", ()):
        raise ValueError(
            f"`model` must be able to `{_SCORES[score]}` for score={score!r}, received a "
            f"{type(model).__name__}."
        )
    if model.encoded_with is not None:
        raise ValueError(
            f"`model` must score images alone for score={score!r}, received a "
            f"{type(model).__name__} that encodes them together with {model.encoded_with}; pass a "
            "function as `score`."
        )
