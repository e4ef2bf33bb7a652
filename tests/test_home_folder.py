"""`~` is the home folder wherever a path is written, where no shell sees to it."""

import json
import pathlib

import numpy as np
import pytest

import kgen.callbacks
import kgen.metrics
import kgen.plotting
import kgen.serving
import kgen.tuning
from kgen.anomaly import AnomalyDetector
from kgen.metrics.card import Card
from kgen.metrics.score import Score
from recipes import config_file, gan, run_folder
from recipes.command_line.saved import load, load_model
from tests.systems import SYSTEMS
from tests.tuning import tiny

IMAGES = np.zeros((4, 4, 4, 1), "float32")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not (tmp_path / "~").exists()


def test_pictures(home):
    kgen.plotting.save_grid(IMAGES, "~/a/grid.png")
    kgen.plotting.before_after(IMAGES, IMAGES, path="~/a/pairs.png", count=2)
    kgen.plotting.image_map(IMAGES, np.eye(4)[:, :2], "~/a/map.png")
    kgen.plotting.save_gif([IMAGES[0], IMAGES[1]], "~/a/film.gif")
    kgen.plotting.save_gif(["~/a/grid.png"], "~/a/still.gif")
    kgen.plotting.curves({"loss": [1.0, 2.0]}, "~/a/curves.png")
    kgen.plotting.search([1.0, 2.0], {"x": [1, 2]}, "~/a/search.png")
    kgen.plotting.roc({"a": ([0.0, 1.0], [0, 1])}, "~/a/roc.png")
    names = "curves.png film.gif grid.png map.png pairs.png roc.png search.png still.gif"
    assert sorted(path.name for path in (home / "a").iterdir()) == names.split()


def test_what_a_training_leaves(home):
    folder = home / "run"
    assert kgen.callbacks.Checkpoint("~/run").directory == folder
    assert kgen.callbacks.SampleGrid("~/run").directory == folder
    evaluation = kgen.metrics.Evaluation("digits", "kernel", "random", split="validation")
    found = kgen.callbacks.Evaluate(evaluation, log="~/run/log", best="~/run/best.keras")
    assert (found.log, found.best) == (folder / "log", folder / "best.keras")
    kgen.metrics.append_scores("~/run/scores", {"a": Score(0.5, Card("a"))})
    assert len(kgen.metrics.read_scores("~/run/scores")) == 1 and (folder / "scores").exists()
    SYSTEMS["first_gan"].make().save("~/run/model.keras")
    model = SYSTEMS["autoencoder"].make()
    AnomalyDetector(model, threshold=1.0).save("~/run/detector.keras")
    assert load("~/run/detector.keras").threshold == 1.0
    model.save_weights("~/run/a.weights.h5")
    model.load_weights("~/run/a.weights.h5")
    assert load_model("~/run").image_shape == load_model("~/run/model.keras").image_shape
    hypermodel = kgen.tuning.hypermodel(tiny, {"units": [4, 8]}, objective="val_nll")
    tuner = kgen.tuning.tuner(hypermodel, "~/search")
    assert pathlib.Path(tuner.project_dir) == home / "search"


def test_what_is_served(home):
    model = SYSTEMS["first_gan"].make()
    path = kgen.serving.export(model, "~/served")
    assert path == str(home / "served" / "1") and "sample" in kgen.serving.load("~/served/1")
    with pytest.raises(ValueError, match="another architecture"):
        kgen.serving.check_architecture(SYSTEMS["vae"].make(), "~/served")
    assert kgen.serving.write_config("~/served") == str(home / "served" / "models.config")
    with pytest.raises(ValueError, match=f"end with '.onnx', received '{home}"):
        kgen.serving.export_onnx(model, "~/wrong.txt")


def test_what_stands_in_a_file_of_fields(home):
    (home / "fields.json").write_text(json.dumps({"out": "~/run", "export": "~/served/mine"}))
    config = config_file.settings(gan.Config, ["--config", "~/fields.json"])["default"]
    assert run_folder.paths(config.out).model == home / "run" / "model.keras"
    assert run_folder.export_folder(config) == home / "served" / "mine"
