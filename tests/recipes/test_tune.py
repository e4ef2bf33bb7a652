"""`python -m recipes.tune`: what it prints and writes, and `--config` of every recipe."""

import dataclasses
import json
import runpy
import sys
import types

import PIL.Image
import pytest

import kgen.tuning
from kgen.tuning import execution
from kgen.tuning import recipe as tuning_recipe
from recipes import config_file, cyclegan, dcgan, gan, training, tune, vae
from recipes.tune import __main__ as command_line
from recipes.tune import report
from tests.recipes.test_recipes import TINY, name, tiny

# KerasTuner's, on Python 3.10 and later.
pytestmark = pytest.mark.filterwarnings("ignore:.*[cC]urrentThread|getName:DeprecationWarning")


@pytest.fixture
def arithmetic(monkeypatch):
    """Has trainings cost nothing: their score is a learning rate, and hinge losses fail."""

    def run_trial(self, trial):
        config = self.hypermodel.config_of(trial.hyperparameters)
        folder = self.get_trial_dir(trial.trial_id)
        record = kgen.tuning.record.Record(
            folder, self.hypermodel.values(trial.hyperparameters), self.hypermodel.epochs
        )
        failed = "collapsed (mode collapse) in round 9" if config.loss == "hinge" else None
        score = None if failed else 1e4 * config.learning_rate
        for seed in range(self.hypermodel.seeds - len(record.executions)):
            record.add(execution.Execution(seed, failed or score + seed, failed, 2.0))
        return kgen.tuning.hypermodel_summary(record.executions, self.oracle.objective)

    return run_trial
