"""What a finished training leaves: the model first, whatever becomes of the rest."""

import errno
import json
import os

import keras
import PIL.Image
import pytest

import kgen.metrics
import kgen.plotting
import kgen.serving
from kgen.callbacks import checkpoint_file
from recipes import finish, run_folder, training
from tests.callbacks.tiny import tiny_gan
from tests.recycling import recycled


@pytest.fixture
def model():
    def make():
        model = tiny_gan()
        model.compile(keras.optimizers.SGD())
        return model

    return recycled("finish", make)


@pytest.fixture
def paths(tmp_path):
    paths = run_folder.paths(tmp_path / "run")
    run_folder.claim(paths, training.Config())
    paths.samples.mkdir()
    paths.checkpoints.mkdir()
    PIL.Image.new("RGB", (8, 8)).save(paths.samples / "step-000000.png")
    paths.history.write_text("epoch,loss\n0,1.0\n")
    return paths


def full(*arguments, **settings):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_cannot_be_made_does_not_cost_the_model(model, paths):
    whole = (paths.samples / "step-000000.png").read_bytes()
    (paths.samples / "step-000001.png").write_bytes(whole[: len(whole) // 2])
    paths.history.write_text("")

    def report(config, model, folder):
        (folder / "half.txt").write_text("half")
        raise KeyError("a mistake of the report's own")

    family = training.Family(report=report)
    with pytest.warns(UserWarning) as caught:
        found = finish.finish(training.Config(export="none"), model, paths, family, "recipes.gan")
    said = [text for w in caught if "could not be written" in (text := str(w.message))]
    assert len(said) == 3
    for name, text in zip(("samples.gif", "curves.png", "report"), said, strict=True):
        assert name in text and "The model is written" in text
    assert keras.models.load_model(paths.model).rounds_played == 0
    assert found.export is None
    assert (
        json.loads((paths.config.parent / "finished.json").read_text())["recipe"] == "recipes.gan"
    )


def test_a_damaged_log_of_scores_costs_no_export(model, paths, monkeypatch):
    """Only its scores are left out of the model card; those of the report stay."""
    given = []
    monkeypatch.setattr(kgen.serving, "export", lambda *arguments: given.append(arguments) or "1")
    paths.scores.write_text('{"name": "frech\n{"x":1}\n')
    paths.report.mkdir()
    score = kgen.metrics.Score(1.5, kgen.metrics.Card("frechet_distance"))
    kgen.metrics.append_scores(paths.report / "scores.jsonl", {"frechet": score})
    with pytest.warns(UserWarning, match="scores.jsonl are left out: .*line 1: expected a score"):
        finish.finish(training.Config(), model, paths, training.Family(), "recipes.gan")
    [(_, _, _, scores, _)] = given
    assert [(facts["name"], value) for facts, value in scores] == [("frechet", 1.5)]
    assert (paths.config.parent / "finished.json").exists()


def test_the_film_is_in_the_order_of_rounds(model, paths, monkeypatch):
    shown = []
    monkeypatch.setattr(kgen.plotting, "save_gif", lambda files, path: shown.extend(files))
    numbers = [0, 999_750, 1_000_000, 1_000_250]
    for number in reversed(numbers):
        PIL.Image.new("RGB", (8, 8)).save(paths.samples / f"step-{number:06d}.png")
    finish.finish(training.Config(export="none"), model, paths, training.Family(), None)
    assert [path.stem for path in shown] == [f"step-{number:06d}" for number in numbers]


def test_the_model_comes_before_all_else(model, paths, monkeypatch):
    order = []
    monkeypatch.setattr(kgen.serving, "export", lambda *given: order.append("export") or "1")
    monkeypatch.setattr(kgen.plotting, "save_gif", lambda *given: order.append("gif"))
    monkeypatch.setattr(kgen.plotting, "curves", lambda *given: order.append("curves"))
    save = type(model).save
    monkeypatch.setattr(
        type(model), "save", lambda self, *given: order.append("model") or save(self, *given)
    )
    finish.finish(training.Config(), model, paths, training.Family(), None)
    assert order == ["model", "gif", "curves", "export"]


def test_a_model_that_cannot_be_written_leaves_the_one_before(model, paths, monkeypatch):
    finish.save(model, paths)
    before = paths.model.read_bytes()

    def half(self, path):
        path.write_text("half")
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as patched:
        patched.setattr(type(model), "save", half)
        with pytest.raises(OSError, match="the disk is broken"):
            finish.save(model, paths)
    assert paths.model.read_bytes() == before
    assert not [path for path in paths.model.parent.iterdir() if "partial" in path.name]


def test_on_a_full_disk_old_checkpoints_make_room_for_the_model(model, paths, monkeypatch):
    for rounds in (1, 2, 3):
        checkpoint_file.write(checkpoint_file.path_of(paths.checkpoints, rounds), {}, {})
    save = type(model).save

    def save_where_there_is_room(self, path):
        if len(checkpoint_file.newest_first(paths.checkpoints)) > 1:
            full()
        save(self, path)

    monkeypatch.setattr(type(model), "save", save_where_there_is_room)
    finish.save(model, paths)
    keras.models.load_model(paths.model)
    left = checkpoint_file.newest_first(paths.checkpoints)
    assert [checkpoint_file.rounds_of(path) for path in left] == [3]
