"""What makes runs of recipes quick where something else is tested."""

import functools
import pathlib

import keras
import numpy as np
import pytest
from tensorflow.python.eager.polymorphic_function import eager_function_run

import kgen
import kgen.metrics
import kgen.plotting
import kgen.serving
from recipes import conditional
from tests.garbage import garbage_is_left  # noqa: F401


@pytest.fixture(autouse=True, scope="module")
def two_resamples():
    """Of a score's interval two resamples are enough, where it is not what is tested."""
    with pytest.MonkeyPatch.context() as patched:
        for kind in (kgen.metrics.Evaluation, kgen.metrics.TranslationEvaluation):
            patched.setattr(kind, "__init__", functools.partialmethod(kind.__init__, resamples=2))
        yield


@pytest.fixture
def untraced(monkeypatch):
    """Runs all as the code is written: of a few rounds, and few samples, tracing is most."""
    run_untraced(monkeypatch)


# What TensorFlow says of data, which `run_untraced` has no say in.
DATA_ARE_TRACED = pytest.mark.filterwarnings(
    "ignore:Even though the `tf.config.experimental_run_functions_eagerly`"
)


def run_untraced(monkeypatch):
    """All of TensorFlow's functions, those that sample among them; for short runs as a whole."""
    train_untraced(monkeypatch)
    monkeypatch.setattr(eager_function_run, "RUN_FUNCTIONS_EAGERLY", True)


def train_untraced(monkeypatch):
    compile = kgen.GenerativeModel.compile

    def eagerly(self, *arguments, **settings):
        compile(self, *arguments, **{**settings, "run_eagerly": True, "jit_compile": False})

    monkeypatch.setattr(kgen.GenerativeModel, "compile", eagerly)


@pytest.fixture
def bare(monkeypatch):
    """Leaves out what ends every run alike: film, curves, and of exports all but their folders."""
    leave_out_exports(monkeypatch)
    leave_out_pictures(monkeypatch)


def leave_out_pictures(monkeypatch):
    """The film and the curves."""
    monkeypatch.setattr(kgen.plotting, "save_gif", lambda *arguments: None)
    monkeypatch.setattr(kgen.plotting, "curves", lambda *arguments: None)


def leave_out_exports(monkeypatch):
    """All of them but their folders."""

    def export(model, folder, config, scores, new_architecture):
        versions = [int(path.name) for path in pathlib.Path(folder).glob("[0-9]*")]
        path = pathlib.Path(folder, str(1 + max(versions, default=0)))
        path.mkdir(parents=True)
        return str(path)

    monkeypatch.setattr(kgen.serving, "export", export)


class NearestNeighbour:
    """Takes an image for what the nearest that it knows is: a classifier without training."""

    def __init__(self, images, labels, seed=0):
        self.rows, self.labels = images.reshape(len(images), -1), np.asarray(labels)

    def predict(self, images, verbose=0):
        rows = images.reshape(len(images), -1)
        squares = np.square(self.rows).sum(axis=1) - 2.0 * rows @ self.rows.T
        return keras.utils.to_categorical(
            self.labels[squares.argmin(axis=1)], self.labels.max() + 1
        )


@pytest.fixture
def by_neighbours(monkeypatch):
    """Has images classified by `NearestNeighbour`."""
    monkeypatch.setattr(conditional, "classifier", NearestNeighbour)
