"""A recipe whose trainings take a moment, and a search of it that other processes run."""

import dataclasses
import os
import pathlib
import time
import types
from typing import Literal

import keras

import kgen.callbacks
import kgen.metrics
import kgen.tuning
from kgen import models, networks


@dataclasses.dataclass(frozen=True)
class Config:
    """A variational autoencoder of small digits."""

    data: str = "digits"
    units: int = 8
    learning_rate: float = 1e-3
    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    beta: float = 1.0
    norm: bool = False
    note: str | None = None
    batch_size: int = 32
    steps: int = 6
    seed: int = 0
    checkpoint_every: int = 2


def build(config, image_shape):
    if config.units == 13:
        raise ValueError("`units` must not be 13.")
    model = models.VAE(
        networks.dense_encoder(image_shape, 2, config.units),
        networks.dense_decoder(image_shape, 2, config.units, likelihood=config.likelihood),
        likelihood=config.likelihood,
        beta=config.beta,
        seed=config.seed,
    )
    # A few rounds are played before they would be traced.
    model.compile(keras.optimizers.Adam(config.learning_rate), run_eagerly=True)
    return model


@dataclasses.dataclass(frozen=True)
class QuickConfig(Config):
    """The same, and what scores it."""

    evaluate: list = dataclasses.field(default_factory=list)


def evaluation(config):
    """Scores by a likelihood of 4 draws, of which exact ones take 128."""
    options = {"likelihood": {"samples": 4}}
    return kgen.metrics.Evaluation(config.data, config.evaluate, options=options)


# The same recipe where the score itself does not matter.
quick = types.SimpleNamespace(
    Config=QuickConfig, build=build, FAMILY=types.SimpleNamespace(evaluation=evaluation)
)


def search(folder, trials=3, steps=6, die_in=None, workers=()):
    """Searches, and dies of a signal that nothing can catch in one trial's round.

    Of several `workers` none trains before each has a trial: on a machine with much else to do one
    would be done with all of them before the other has started.
    """
    if die_in is not None:
        number, round = die_in
        on_round_end = kgen.callbacks.Doctor.on_round_end

        def die(self, previous, logs):
            on_round_end(self, previous, logs)
            begun = sum(path.startswith("trial_") for path in os.listdir(folder))
            if begun == number + 1 and self.round == round:
                os.kill(os.getpid(), 9)

        kgen.callbacks.Doctor.on_round_end = die
    space = {"learning_rate": kgen.tuning.Float(1e-4, 1e-2, log=True), "units": [4, 8]}
    hypermodel = kgen.tuning.hypermodel(quick, space, QuickConfig(steps=steps))
    tuner = kgen.tuning.tuner(hypermodel, folder, objective="val_nll", trials=trials)
    if tuner.is_worker:
        tuner.on_trial_begin = lambda trial: _wait_for_all(folder, tuner.tuner_id, workers)
        print("asks for trials", flush=True)
    tuner.search()
    return tuner


def _wait_for_all(folder, name, names):
    pathlib.Path(folder, f"{name}.begun").touch()
    while not all(pathlib.Path(folder, f"{name}.begun").exists() for name in names):
        time.sleep(0.1)


def main(arguments):
    search(**arguments)
