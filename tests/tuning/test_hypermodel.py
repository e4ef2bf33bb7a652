"""A recipe as a HyperModel: how a trial trains, what it scores, and what ends it."""

import dataclasses
import math
import types

import keras
import keras_tuner
import numpy as np
import pytest

import kgen.data
import kgen.tuning
from kgen import models, networks
from kgen.tuning import WORST, Float, RefusedError, execution
from kgen.tuning import recipe as recipes
from tests.tuning import tiny

SPACE = {"learning_rate": Float(1e-4, 1e-2, log=True), "units": [4, 8]}


def hyperparameters(**values):
    hp = keras_tuner.HyperParameters()
    hp.values.update(values)
    return hp


def trained(hypermodel, **values):
    hp = hyperparameters(**values)
    return hypermodel.fit(hp, hypermodel.build(hp))


def test_values_become_fields_of_the_config():
    config = tiny.Config(beta=2.0, seed=5)
    hypermodel = kgen.tuning.hypermodel(tiny, SPACE, config, seeds=2)
    assert isinstance(hypermodel, keras_tuner.HyperModel)
    hp = hyperparameters(learning_rate=0.003, units=4)
    found = hypermodel.config_of(hp, execution=1)
    assert found == dataclasses.replace(config, learning_rate=0.003, units=4, seed=6)
    model = hypermodel.build(hp)
    assert float(model.optimizer.by_player["vae"].learning_rate.numpy()) == pytest.approx(0.003)
    assert model.beta == 2.0


def test_a_trial_trains_as_the_recipe_does_and_scores_its_end(tmp_path):
    config = tiny.QuickConfig(units=4)
    hypermodel = kgen.tuning.hypermodel(tiny.quick, SPACE, config, "val_nll", epochs=2)
    hp = hyperparameters(learning_rate=1e-3, units=4)
    model = hypermodel.build(hp)
    found = hypermodel.fit(hp, model)

    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    expected = tiny.build(config, (8, 8, 1))
    images = kgen.data.load("digits", batch_size=32, seed=0)
    expected.fit(images.repeat(), epochs=1, steps_per_epoch=6, verbose=0)
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    score = tiny.evaluation(dataclasses.replace(config, evaluate=["nll"]))(expected)["nll"]
    assert found["val_nll"] == float(score)
    assert found["failed"] == 0.0 and found["deviation"] == 0.0 and found["seconds"] > 0.0


def fake_executions(monkeypatch, scores):
    """Has trainings come out as told, by a number or the words of a failure. Returns the calls."""
    called, left = [], iter(scores)

    def execute(recipe, config, model, metric, epochs, rounds, callbacks, folder):
        called.append((config, metric, epochs, rounds))
        score = next(left)
        failed = score if isinstance(score, str) else None
        return execution.Execution(config.seed, None if failed else score, failed, 2.0)

    monkeypatch.setattr("kgen.tuning.execution.execute", execute)
    monkeypatch.setattr(recipes, "build", lambda recipe, config, stream: config)
    return called


def test_seeds_are_repeated_and_their_mean_is_the_score(monkeypatch):
    called = fake_executions(monkeypatch, [1.0, 2.0, 6.0])
    config = tiny.Config(seed=3)
    hypermodel = kgen.tuning.hypermodel(tiny, SPACE, config, "val_nll", seeds=3)
    found = trained(hypermodel)
    assert [config.seed for config, *_ in called] == [3, 4, 5]
    assert found["val_nll"] == 3.0 and found["seconds"] == 6.0
    assert found["deviation"] == pytest.approx(math.sqrt(7.0))


@pytest.mark.parametrize(("objective", "worst"), [("val_nll", WORST), ("modes", -WORST)])
def test_one_seed_that_fails_fails_the_trial_and_ends_it(monkeypatch, objective, worst):
    called = fake_executions(monkeypatch, [1.0, "diverged", 6.0])
    hypermodel = kgen.tuning.hypermodel(tiny, SPACE, objective=objective, seeds=3)
    found = trained(hypermodel)
    assert len(called) == 2
    assert found[objective] == worst and found["failed"] == 1.0
    assert np.float32(worst) == worst and math.isfinite(worst)


def test_steps_are_divided_into_epochs(monkeypatch):
    called = fake_executions(monkeypatch, [1.0])
    hypermodel = kgen.tuning.hypermodel(tiny, SPACE, tiny.Config(steps=10), epochs=3)
    hp = hyperparameters()
    hypermodel.fit(hp, None, epochs=2)
    assert called[0][1:] == ("frechet", 2, 4)


def test_the_objective_is_the_tuners_unless_given(monkeypatch):
    called = fake_executions(monkeypatch, [1.0, 1.0])
    tuners = types.SimpleNamespace(objective=kgen.tuning.objective("val_psnr"))
    for objective in (None, "val_nll"):
        hypermodel = kgen.tuning.hypermodel(tiny, SPACE, objective=objective)
        hypermodel.fit(hyperparameters(), None, callbacks=[tuners])
    assert [metric for _, metric, *_ in called] == ["psnr", "nll"]


def test_a_training_that_diverges_is_ended_early_and_not_raised():
    config = tiny.Config(learning_rate=1e18, likelihood="gaussian", steps=500)
    hypermodel = kgen.tuning.hypermodel(tiny, {"units": [4, 8]}, config, "val_nll")
    hp = hyperparameters()
    model = hypermodel.build(hp)
    found = hypermodel.fit(hp, model)
    assert found["val_nll"] == WORST and found["failed"] == 1.0
    assert model.rounds_played < 50


def constant_generator(image_shape):
    latents = keras.Input((2,))
    pixels = keras.layers.Dense(math.prod(image_shape), kernel_initializer="zeros", trainable=False)
    return keras.Model(latents, keras.layers.Reshape(image_shape)(pixels(latents)))


def test_a_training_that_collapses_is_ended_early(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Config(tiny.Config):
        steps: int = 1000

    def build(config, image_shape):
        inner = keras.Input((2,))
        outputs = constant_generator(image_shape)(inner)
        # Something for the player to move, which makes no difference between samples.
        outputs = keras.layers.Add()([outputs, Shift()(outputs)])
        model = models.GAN(
            keras.Model(inner, outputs),
            networks.dense_discriminator(image_shape, units=2, pieces=1),
            seed=0,
        )
        model.compile(keras.optimizers.SGD())
        return model

    recipe = types.SimpleNamespace(Config=Config, build=build)
    hypermodel = kgen.tuning.hypermodel(recipe, {"units": [4, 8]}, objective="val_frechet")
    hp = hyperparameters()
    model = hypermodel.build(hp)
    found = execution.execute(recipe, hypermodel.config, model, "frechet", 1, 1000)
    assert found.score is None
    assert found.failed.startswith("collapsed (") and "in round" in found.failed
    assert model.rounds_played < 1000


class Shift(keras.layers.Layer):
    """Adds one learned number to all pixels."""

    def build(self, shape):
        self.shift = self.add_weight((), "zeros")

    def call(self, images):
        return 0.0 * images + self.shift


def test_points_are_scored_by_their_modes():
    """A recipe of one's own, whose examples are no images."""

    @dataclasses.dataclass(frozen=True)
    class Config:
        data: str = "ring"
        units: int = 8
        batch_size: int = 32
        steps: int = 2

    def build(config, shape):
        assert shape == (2,)
        model = models.GAN(
            networks.mixture_generator(units=config.units, normalization=None),
            networks.mixture_discriminator(2, units=config.units),
        )
        model.compile("adam")
        return model

    recipe = types.SimpleNamespace(Config=Config, build=build)
    hypermodel = kgen.tuning.hypermodel(recipe, {"units": [4, 8]}, objective="modes")
    found = trained(hypermodel)
    assert found["failed"] == 0.0 and found["modes"] in range(9)


def test_a_score_that_is_no_number_is_a_failure():
    def scoring(value):
        return lambda model: {"nll": value}

    assert execution._score(scoring(2.0), None, "nll") == (2.0, None)
    for value in (np.nan, np.inf, -np.inf):
        score, failed = execution._score(scoring(value), None, "nll")
        assert score is None and failed == f"diverged (nll is {value})"

    def raising(model):
        raise execution.NotFiniteError

    assert execution._score(raising, None, "nll")[1] == "diverged (samples are not finite)"


def test_values_that_do_not_go_together_are_refused_but_not_the_search():
    hypermodel = kgen.tuning.hypermodel(tiny, {"units": [8, 13]})
    with pytest.raises(RefusedError, match="refused {'units': 13}: `units` must not be 13"):
        hypermodel.build(hyperparameters(units=13))
    # Where the config itself does not work, the mistake is the user's.
    hypermodel = kgen.tuning.hypermodel(tiny, {"beta": [1.0, 2.0]}, tiny.Config(units=13))
    with pytest.raises(keras_tuner.errors.FatalValueError, match="`units` must not be 13"):
        hypermodel.build(hyperparameters())


def test_values_that_the_data_refuses_are_refused_but_not_the_search():
    hypermodel = kgen.tuning.hypermodel(tiny, {"batch_size": [32, 100_000]})
    assert hypermodel.build(hyperparameters(batch_size=32)).built
    with pytest.raises(RefusedError, match="refused {'batch_size': 100000}: .*100000"):
        hypermodel.build(hyperparameters(batch_size=100_000))


@dataclasses.dataclass(frozen=True)
class Seedless:
    data: str = "digits"
    units: int = 8
    steps: int = 6


@dataclasses.dataclass(frozen=True)
class Distributed(tiny.Config):
    strategy: str = "none"
    replicas: int | None = None
    sync_batch_norm: bool = False


@pytest.mark.parametrize(("seed", "seeds"), [(-1, 1), (-1, 3), (True, 1), (None, 3)])
def test_seeds_are_counted_on_from_that_of_the_config(seed, seeds):
    config = Seedless() if seed is None else tiny.Config(seed=seed)
    recipe = types.SimpleNamespace(Config=type(config), build=tiny.build)
    message = f"integer `seed` of at least 0, the first of the `seeds`, received {seed}"
    with pytest.raises(ValueError, match=message):
        kgen.tuning.hypermodel(recipe, {"units": [4, 8]}, config, seeds=seeds)
    assert kgen.tuning.hypermodel(tiny, SPACE, seeds=3)
    recipe = types.SimpleNamespace(Config=Seedless, build=tiny.build)
    assert kgen.tuning.hypermodel(recipe, {"units": [4, 8]})


@pytest.mark.parametrize(
    ("name", "value"), [("strategy", "mirrored"), ("replicas", 2), ("sync_batch_norm", True)]
)
def test_several_devices_are_refused(name, value):
    recipe = types.SimpleNamespace(Config=Distributed, build=tiny.build)
    assert kgen.tuning.hypermodel(recipe, SPACE)
    message = f"the default of `{name}`, as each trial trains on one device; received {value!r}"
    with pytest.raises(ValueError, match=message):
        kgen.tuning.hypermodel(recipe, SPACE, Distributed(**{name: value}))


@pytest.mark.parametrize(
    ("fields", "objective", "message"),
    [
        ({"data": "nowhere"}, "val_nll", "nowhere"),
        ({}, "val_modes", "`metrics` must be out of"),
        ({"data": "photos"}, "val_inception", "'random .seed 0.' has no classes"),
    ],
)
def test_mistakes_are_raised_at_once(fields, objective, message):
    hypermodel = kgen.tuning.hypermodel(tiny, SPACE, tiny.Config(**fields), objective)
    hp = hyperparameters()
    with pytest.raises(keras_tuner.errors.FatalValueError, match=message):
        hypermodel.fit(hp, hypermodel.build(hp))


def test_any_other_exception_leaves_the_search_too(monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(recipes, "load", broken)
    with pytest.raises(keras_tuner.errors.FatalRuntimeError, match="no space left"):
        kgen.tuning.hypermodel(tiny, SPACE).build(hyperparameters())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": math}, "`recipe` must be a recipe's module, or any object with a dataclass"),
        ({"recipe": tiny.Config}, "`recipe` must be"),
        ({"config": SPACE}, "`config` must be a <class.*tiny.Config.*received"),
        ({"config": tiny.Config(steps=2), "epochs": 3}, "`steps` of at least 3"),
        ({"seeds": 0}, "`seeds` must be a positive integer, received 0"),
        ({"epochs": True}, "`epochs` must be a positive integer, received True"),
        ({"objective": "fid"}, "`objective` must be a metric out of"),
        ({"space": {}}, "`space` must be a dict"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        kgen.tuning.hypermodel(**{"recipe": tiny, "space": SPACE, **arguments})


def test_a_tuner_of_kerastuner_takes_it(tmp_path):
    search = keras_tuner.RandomSearch(
        kgen.tuning.hypermodel(tiny.quick, SPACE),
        objective=kgen.tuning.objective("val_nll"),
        max_trials=1,
        directory=tmp_path,
    )
    with pytest.raises(ValueError, match="search\\(\\) takes no data"):
        search.search(np.zeros((4, 8, 8, 1), "float32"))
    search.oracle.ongoing_trials.clear()
    search.oracle.trials.clear()
    search.search(verbose=0)
    (best,) = search.oracle.get_best_trials()
    (model,) = search.get_best_models()
    score = tiny.evaluation(tiny.QuickConfig(evaluate=["nll"]))(model)["nll"]
    assert float(score) == pytest.approx(best.score)
