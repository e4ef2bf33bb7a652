"""Translations scored on held-out pairs: by the functions they name, with their cards, in fit."""

import copy

import keras
import numpy as np
import pytest
from keras import layers, ops

from kgen import GenerativeModel, Player
from kgen.callbacks import Evaluate
from kgen.metrics import (
    TranslationEvaluation,
    frechet_distance,
    kernel_distance,
    read_scores,
    similarity_scores,
)
from kgen.metrics.extractors.extractor import Extractor
from kgen.metrics.samples import NotFiniteError
from kgen.metrics.table import better
from tests.systems import SYSTEMS

SHAPE = (12, 14, 2)  # Inputs have a mask.


def pairs(count=40):
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (count, *SHAPE)).astype("float32")
    return inputs, np.clip(inputs[..., :1] + rng.normal(0, 0.2, (count, 12, 14, 1)), -1, 1)


def extractor():
    images = keras.Input((12, 14, 1))
    kernel = keras.initializers.GlorotUniform(seed=0)
    features = layers.Dense(4, kernel_initializer=kernel)(layers.Flatten()(images))
    return Extractor(keras.Model(images, features), "small")


@keras.saving.register_keras_serializable("kgen_tests")
class Scaling(GenerativeModel):
    """Multiplies the first channel by a number that it learns, and the other direction by -1."""

    uses_targets = True

    def __init__(self, directions=("forward",), **kwargs):
        images = keras.Input(SHAPE)
        start = keras.initializers.Constant([[[[1.5], [0.0]]]])
        network = keras.Model(images, layers.Conv2D(1, 1, kernel_initializer=start)(images))
        super().__init__([Player("scaling", network, self.error)], **kwargs)
        self.network = network
        self.directions = list(directions)

    def error(self, data, training):
        inputs, targets = data
        noise = 0.01 * self.noise.normal(ops.shape(targets))
        return ops.mean(ops.square(self.network(inputs) + noise - targets))

    def translate_step(self, images, direction, noise):
        assert noise is None
        return self.network(images, training=False) * (-1.0 if direction == "back" else 1.0)

    @property
    def image_shape(self):
        return (None, None, 2)


def outputs_of(model, direction=None):
    return np.clip(model.translate(pairs()[0], direction), -1, 1)


def test_scores_are_those_of_the_functions():
    model, features = Scaling(seed=3), extractor()
    metrics = ("frechet", "l1", "kernel", "psnr", "ssim", "multi_scale_ssim", "recall")
    evaluation = TranslationEvaluation(*pairs(), metrics, features, resamples=7, seed=2)
    scores = evaluation(model)
    assert list(scores) == list(metrics)
    outputs, targets = outputs_of(model), pairs()[1].astype("float32")
    draws = {"resamples": 7, "seed": 2}
    expected = similarity_scores(outputs, targets, **draws)
    made, real = features(outputs), features(targets)
    expected["kernel"] = kernel_distance(made, real, **draws)
    for name, score in expected.items():
        assert float(scores[name]) == pytest.approx(float(score), rel=1e-6), name
        assert scores[name].interval == pytest.approx(score.interval, rel=1e-5), name
    # The targets' moments are kept, so only the outputs are resampled.
    assert float(scores["frechet"]) == pytest.approx(float(frechet_distance(made, real)), rel=1e-5)
    assert all(better(name) in ("min", "max") for name in metrics)
    assert better("l1") == "min"


def test_cards():
    model = Scaling(seed=3)
    scores = TranslationEvaluation(*pairs(), ("l1", "frechet"), extractor(), resamples=5)(model)
    for card in (scores["l1"].card, scores["frechet"].card):
        assert card.reference.startswith("pairs (") and card.weights == "raw"
        assert (card.samples, card.reference_samples, card.split) == (40, 40, None)
        assert card.seeds == {"model": 3, "bootstrap": 0} and card.settings == {}
    assert scores["l1"].card.extractor is None
    assert scores["frechet"].card.extractor == "small"
    assert scores["frechet"].card.resizer == "none"


def test_every_protocol_that_differs_is_told_apart():
    inputs, targets = pairs()
    model = Scaling(directions=("there", "back"))
    score = TranslationEvaluation(inputs, targets, "l1")(model)["l1"]
    assert score.card.settings == {"direction": "there"}
    assert score == TranslationEvaluation(inputs, targets, ["l1"], seed=5)(model)["l1"]
    others = [
        TranslationEvaluation(-inputs, targets, "l1"),
        TranslationEvaluation(inputs, -targets, "l1"),
        TranslationEvaluation(inputs[:30], targets[:30], "l1"),
        TranslationEvaluation(inputs, targets, "l1", direction="back"),
    ]
    for other in others:
        with pytest.raises(ValueError, match="unlike cards"):
            score < other(model)["l1"]  # noqa: B015
    back = np.clip(model.translate(inputs, "back"), -1, 1)
    assert float(others[-1](model)["l1"]) == pytest.approx(np.abs(back - targets).mean(), rel=1e-6)


def test_images_that_something_else_made():
    inputs, targets = pairs()
    evaluation = TranslationEvaluation(inputs, targets, ("l1", "psnr"))
    assert float(evaluation.of(targets.astype("float32"))["l1"]) == 0.0
    assert float(evaluation.of(targets + 5.0)["l1"]) == pytest.approx(1.0 - targets.mean())
    found = evaluation.of(outputs_of(Scaling()))["l1"]
    score = evaluation(Scaling())["l1"]
    assert score.difference(found, but_for=["weights"]) == 0.0
    with pytest.raises(ValueError, match="`targets` must have the shape of the outputs"):
        evaluation.of(inputs)


def test_the_default_extractor_and_few_pairs():
    with pytest.raises(ValueError, match="`targets` .* the 224 dimensions .* received 40"):
        TranslationEvaluation(*pairs())
    score = TranslationEvaluation(*pairs(240), "frechet", resamples=0)(Scaling())["frechet"]
    assert score.card.extractor.startswith("random") and np.isfinite(score)


def test_in_a_training_which_does_not_notice(tmp_path):
    evaluation = TranslationEvaluation(*pairs(), ("l1", "frechet"), extractor(), resamples=5)
    assert copy.deepcopy(evaluation) is evaluation

    def fit(callbacks):
        keras.utils.set_random_seed(0)
        model = Scaling(seed=0)
        model.compile({"class_name": "SGD", "config": {"learning_rate": 0.1}})
        return model, model.fit(
            *pairs(), batch_size=20, epochs=3, verbose=0, callbacks=callbacks
        ).history

    scoring = Evaluate(evaluation, log=tmp_path / "scores.jsonl", best=tmp_path / "best.keras")
    model, logs = fit([scoring])
    unscored, others = fit([])
    assert set(logs) - set(others) == {"val_l1", "val_frechet"}
    assert all(logs[name] == others[name] for name in others)
    for one, other in zip(model.variables, unscored.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert logs["val_l1"][-1] == float(evaluation(model)["l1"])
    assert len(read_scores(tmp_path / "scores.jsonl")) == 6
    best = keras.models.load_model(tmp_path / "best.keras")
    assert float(evaluation(best)["l1"]) == min(logs["val_l1"])


def test_outputs_that_are_no_numbers():
    evaluation = TranslationEvaluation(*pairs(), "l1")
    model = Scaling()
    model.network.set_weights([np.full_like(w, np.nan) for w in model.network.get_weights()])
    with pytest.raises(NotFiniteError, match="NaN or infinity"):
        evaluation(model)
    model = Scaling()
    model.compile({"class_name": "SGD", "config": {"learning_rate": 1e30}})
    with pytest.warns(UserWarning, match="is scored worst"):
        model.fit(*pairs(), batch_size=20, epochs=1, verbose=0, callbacks=[Evaluate(evaluation)])


def test_models_that_do_not_fit():
    evaluation = TranslationEvaluation(*pairs(), "l1")
    with pytest.raises(NotImplementedError, match="cannot `translate`"):
        evaluation(SYSTEMS["vae"].make())
    with pytest.raises(ValueError, match="`model` must be a kgen.GenerativeModel"):
        evaluation(keras.Sequential())
    with pytest.raises(ValueError, match="`direction` must be one of .*'forward'.*'up'"):
        TranslationEvaluation(*pairs(), "l1", direction="up")(Scaling())
    inputs, targets = pairs()
    with pytest.raises(ValueError, match=r"`inputs` must be images of \(None, None, 2\)"):
        TranslationEvaluation(targets, targets, "l1")(Scaling())
    with pytest.raises(ValueError, match="`targets` must have the shape of the outputs"):
        TranslationEvaluation(inputs, inputs, "l1")(Scaling())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs": np.zeros((40, 12, 14), "float32")}, "`inputs` must have shape"),
        ({"inputs": np.zeros((40, *SHAPE), "uint8")}, "`inputs` must be floats"),
        ({"targets": np.zeros((39, 12, 14, 1))}, "`targets` must be as many as .*40; received 39"),
        ({"targets": np.full((40, 12, 14, 1), 3.0)}, r"`targets` must be in \[-1, 1\]"),
        ({"metrics": ()}, "`metrics` must name at least one"),
        ({"metrics": "nll"}, "`metrics` must be out of .*'l1'.*; received 'nll'"),
        ({"targets": np.zeros((40, 8, 14, 1)), "metrics": "ssim"}, "`targets`: .*11 x 11 pixels"),
        ({"metrics": "frechet", "extractor": "eyes"}, "`extractor` must be one of"),
    ],
)
def test_refused(arguments, message):
    inputs, targets = pairs()
    with pytest.raises(ValueError, match=message):
        TranslationEvaluation(
            **{"inputs": inputs, "targets": targets, "metrics": "l1", **arguments}
        )


def test_intervals_of_pairs_that_are_parts_of_pictures_draw_the_pictures():
    inputs, targets = pairs()
    units = np.arange(len(inputs)) % 3
    metrics = ("l1", "frechet", "kernel", "recall")
    by_pairs, by_units = (
        TranslationEvaluation(inputs, targets, metrics, extractor(), resamples=20, units=given)
        for given in (None, units)
    )
    outputs = targets * (0.2 + 0.3 * units[:, None, None, None])
    one, other = by_pairs.of(outputs), by_units.of(outputs)
    for name in metrics:
        assert float(one[name]) == float(other[name])
    assert np.ptp(other["l1"].interval) > 2.0 * np.ptp(one["l1"].interval)
    assert other["l1"].card.settings["units"] == other["frechet"].card.settings["units"] == 3
    assert other["frechet"].interval != one["frechet"].interval
    assert other["kernel"].interval is None and other["recall"].interval is None
    with pytest.raises(ValueError, match="`units` must be None or integers of shape"):
        TranslationEvaluation(inputs, targets, "l1", units=units[:-1])
