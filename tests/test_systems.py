"""Every common check over every row of the table of systems."""

import keras
import pytest

from kgen import models, networks
from kgen.testing.checks import CHECKS
from tests.systems import (
    EXCUSED,
    FEATURES,
    REPRESENTATIVES,
    SHAPE,
    SYSTEMS,
    features_of,
    is_default,
    served_features_of,
)


def cases():
    for system_name, system in SYSTEMS.items():
        for check_name in CHECKS:
            reason = system.known_failures.get(check_name)
            marks = []
            if reason:
                marks.append(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))
            if not is_default(system_name, check_name):
                marks.append(pytest.mark.slow)
            yield pytest.param(
                system,
                CHECKS[check_name],
                id=f"{system_name}-{check_name}",
                marks=marks,
            )


@pytest.mark.parametrize(("system", "check"), list(cases()))
def test_system(system, check):
    check(system.make, system.batch())


def represented(check, models):
    """What representatives of a check need, and what they are excused from."""
    needs = needs_of(check)
    return set(EXCUSED.get(check, ())).union(*(needs(models[n]) for n in REPRESENTATIVES[check]))


def needs_of(check):
    return served_features_of if check == "export_round_trip" else features_of


@pytest.fixture(scope="module")
def made():
    return {name: system.make() for name, system in SYSTEMS.items()}


def test_representatives_have_the_features_of_all(made):
    """A system that needs something else of the engine needs a representative that does, too."""
    assert set(FEATURES) <= set().union(*map(features_of, made.values()))
    for check in REPRESENTATIVES:
        needs, seen = needs_of(check), represented(check, made)
        missing = {name: sorted(needs(model) - seen) for name, model in made.items()}
        missing = {name: features for name, features in missing.items() if features}
        assert not missing, f"{check!r} has no representative in tests/systems.py with {missing}"


class OwnRound(models.VAE):
    def play_round(self, data):
        return super().play_round(data)


class OwnFit(models.VAE):
    def fit(self, *arguments, **settings):
        return super().fit(*arguments, **settings)


class OwnTrainFunction(models.VAE):
    def make_train_function(self, force=False):
        return super().make_train_function(force)


class OwnMultiple(models.VAE):
    @property
    def batch_multiple(self):
        return 2


class Counting(models.VAE):
    def __init__(self, *networks, **arguments):
        super().__init__(*networks, **arguments)
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)


class Remembering(models.VAE):
    def __init__(self, *networks, **arguments):
        super().__init__(*networks, **arguments)
        self.norm = keras.layers.Normalization()
        self.norm.build((None, 2))


def encoder(between):
    images = keras.Input(SHAPE)
    x = between(keras.layers.Flatten()(images))
    return keras.Model(images, [keras.layers.Dense(3)(x), keras.layers.Dense(3)(x)])


@pytest.mark.parametrize(
    ("kind", "between", "feature"),
    [
        # What comes with growth is another system's own.
        (OwnRound, keras.layers.Identity, "its own `play_round`"),
        (OwnFit, keras.layers.Identity, "its own `fit`"),
        (OwnTrainFunction, keras.layers.Identity, "its own `make_train_function`"),
        (OwnMultiple, keras.layers.Identity, "its own `batch_multiple`"),
        (Counting, keras.layers.Identity, "variables of its own"),
        (Remembering, keras.layers.Identity, "a state of keras's Normalization"),
        (models.VAE, lambda: keras.layers.GaussianNoise(0.1), "a state of keras's GaussianNoise"),
        (
            models.VAE,
            lambda: keras.layers.SpectralNormalization(keras.layers.Dense(4)),
            "a state of keras's SpectralNormalization",
        ),
        (
            models.VAE,
            lambda: keras.layers.Dense(4, kernel_regularizer="l2"),
            "losses that layers add",
        ),
    ],
)
def test_a_feature_that_no_representative_has_is_seen(kind, between, feature, made):
    model = kind(encoder(between()), networks.dense_decoder(SHAPE, 3, units=8))
    for check in ("steps_per_execution", "loaded_model_continues_identically"):
        assert features_of(model) - represented(check, made) == {feature}


def test_known_failures_and_representatives_name_checks():
    named = {name for system in SYSTEMS.values() for name in system.known_failures}
    assert {*named, *REPRESENTATIVES} <= set(CHECKS)
