"""Images unlike those that a model was trained on, found by how badly it explains them."""

import math
import numbers
import os
import warnings

import keras
import numpy as np

from kgen.core.arrays import float_images, is_one_of
from kgen.core.numbers import plain
from kgen.core.whole_file import replacing

# What a model must be able to do for each score.
_SCORES = {
    "reconstruction_ratio": "reconstruct",
    "reconstruction": "reconstruct",
    "log_prob": "log_prob",
}

# Squared step of 8 bits: no image is guessed better than it was written.
_STEP = (2.0 / 255.0) ** 2


@keras.saving.register_keras_serializable("kgen")
class AnomalyDetector(keras.Layer):
    """Says which images are anomalies: those whose score is above a threshold.

    A model of normal images alone reconstructs others worse: the autoencoder as a one-class
    classifier, Hawkins et al. 2002; "DCAE" in Ruff et al. 2018. But it also reconstructs simple
    images better than complex ones, and gives them a greater likelihood, normal or not (Nalisnick
    et al. 2019, arXiv 1810.09136; Serra et al. 2020, arXiv 1909.11480): of a VAE of all digits but
    1 the likelihood calls 1 the most normal of all, with an AUROC of 0.09, and the error of the
    reconstruction with one of 0.35. So the default holds that error against another of the same
    image, that of guessing each pixel by its neighbour, and has 0.89 there. For two Gaussians, each
    of its best variance, that is a likelihood ratio against a model of any image, as in Ren et al.
    2019, arXiv 1906.02845.

    It is saved as Keras' objects are, with the model's weights and the threshold.

    Example:
        model.fit(normal_images)
        detector = kgen.anomaly.AnomalyDetector(model)
        detector.calibrate(held_out_normal_images, false_positive_rate=0.01)
        detector.save("detector.keras")
        detector = keras.saving.load_model("detector.keras")
        detector.detect(new_images)  # (count,) booleans.

    Args:
        model: Model trained on normal images.
        score: `"reconstruction_ratio"`, the mean squared error of `model.reconstruct` over that of
            guessing each pixel by the one above or beside it, of images `(count, ..., height,
            width, channels)`, from 0 and about 1 where the model says no more than neighbours do;
            `"reconstruction"`, the mean squared error alone, in units of [-1, 1]; `"log_prob"`,
            -log p(image) in nats, of which is warned; or a function from images to numbers
            `(count,)`, higher for anomalies.
        threshold: Largest score of what counts as normal; `None` before `calibrate`.
        false_positive_rate: What the threshold was calibrated for, or `None`.

    Attributes:
        threshold: May be set, to a number.

    Raises:
        ValueError: If `score` is neither, or the model cannot do what it needs.
    """

    def __init__(
        self,
        model,
        score="reconstruction_ratio",
        threshold=None,
        false_positive_rate=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not callable(score) and not is_one_of(score, _SCORES):
            raise ValueError(
                f"`score` must be one of {list(_SCORES)} or a function, received {score!r}."
            )
        if not callable(score):
            _check_model(model, score)
        if score == "log_prob":
            warnings.warn(
                "score='log_prob' calls simple images normal, whatever they show, and complex ones "
                "anomalies: hold it against known anomalies, or take 'reconstruction_ratio'.",
                stacklevel=2,
            )
        self.model = model
        self.kind = score
        self.threshold = threshold
        self.false_positive_rate = false_positive_rate
        self.built = True

    def get_config(self):
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self.model),
            "score": keras.saving.serialize_keras_object(self.kind),
            "threshold": self.threshold,
            "false_positive_rate": self.false_positive_rate,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("model", "score"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        with warnings.catch_warnings():
            # Who made the detector was warned.
            warnings.filterwarnings("ignore", "score='log_prob'", UserWarning)
            return cls(**config)

    def save(self, path):
        """Writes the detector, its model and threshold with it, to a `.keras` file.

        `keras.saving.load_model` reads it, a `score` that is a function where it is registered by
        `keras.saving.register_keras_serializable`.

        Raises:
            ValueError: If the file's name does not end in .keras.

        Warns:
            UserWarning: If there is no threshold yet.
        """
        if not str(path).endswith(".keras"):
            raise ValueError(f"`path` must end in .keras, received {str(path)!r}.")
        if self.threshold is None:
            warnings.warn(
                f"{path} holds a detector without a threshold, as `calibrate` was not called: what "
                "is loaded from it can score, and detects once it is calibrated.",
                stacklevel=2,
            )
        with replacing(os.path.expanduser(path)) as partial:
            keras.saving.save_model(self, partial)

    @property
    def threshold(self):
        return self._threshold

    @threshold.setter
    def threshold(self, value):
        value = plain(value)
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if value is not None and (not is_number or math.isnan(value)):
            raise ValueError(f"`threshold` must be None or a number, received {value!r}.")
        self._threshold = None if value is None else float(value)

    def score(self, images):
        """Returns how anomalous images `(count, ...)` in [-1, 1] are, float64 `(count,)`.

        Raises:
            ValueError: If they are not of the model's form, or a score is not a number each.
        """
        if callable(self.kind):
            margin = getattr(self.model, "image_margin", 0.0)
            images = float_images(images, None, margin=margin)
            scores = np.asarray(self.kind(images), "float64")
        elif self.kind == "log_prob":
            scores = -np.asarray(self.model.log_prob(images), "float64")
        else:
            reconstructed = np.asarray(self.model.reconstruct(images), "float64")
            images = np.asarray(images)  # Of the model's form, or they were refused.
            errors = np.square(reconstructed - images)
            scores = errors.reshape(len(images), -1).mean(axis=1)
            if self.kind == "reconstruction_ratio":
                scores = scores / _errors_of_neighbours(images)
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
        false_positive_rate = _as_written(false_positive_rate)
        fewest = fewest_images(false_positive_rate)
        scores = np.sort(self.score(images))
        # Rounded, as 0.05 and its like are no binary fractions.
        rank = math.ceil(round((len(scores) + 1) * (1.0 - false_positive_rate), 9))
        if rank > len(scores):
            raise ValueError(
                f"`images` must be at least {fewest} for "
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


def fewest_images(false_positive_rate):
    """Returns how many normal images `AnomalyDetector.calibrate` takes at least for a rate.

    Raises:
        ValueError: If the rate is not in (0, 1).
    """
    if not isinstance(false_positive_rate, float) or not 0.0 < false_positive_rate < 1.0:
        raise ValueError(
            "`false_positive_rate` must be a number between 0 and 1, received "
            f"{false_positive_rate!r}."
        )
    return math.ceil(round(1 / false_positive_rate, 9)) - 1


def _as_written(number):
    """Returns NumPy's number as Python's own of the same digits: 0.01 of 32 bits as 0.01."""
    number = number[()] if isinstance(number, np.ndarray) else number
    return float(str(number)) if isinstance(number, np.floating) else number


def _errors_of_neighbours(images):
    """Mean squared errors `(count,)` of guessing each pixel by the one above it or beside it."""
    if images.ndim < 4 or min(images.shape[-3:-1]) < 2:
        raise ValueError(
            "`images` must have shape (count, ..., height, width, channels) for "
            f"score='reconstruction_ratio', received {images.shape}; 'reconstruction' takes any."
        )
    errors = [
        np.square(np.diff(images.astype("float64"), axis=axis))
        .reshape(len(images), -1)
        .mean(axis=1)
        for axis in (-3, -2)
    ]
    return np.mean(errors, axis=0) + _STEP


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
