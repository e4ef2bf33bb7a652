"""Runs that are trained longer, and where their exports go."""

import dataclasses
import json
import pathlib

import keras
import numpy as np
import pytest

import kgen.serving
from kgen.callbacks import Checkpoint
from recipes import gan, run_folder
from recipes.command_line import export
from recipes.gan import Config
from tests.recipes.conftest import DATA_ARE_TRACED, leave_out_exports, leave_out_pictures
from tests.recipes.conftest import run_untraced as untraced_run

pytestmark = DATA_ARE_TRACED


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    untraced_run(monkeypatch)
    leave_out_pictures(monkeypatch)
    monkeypatch.chdir(tmp_path)


def config_of(folder, steps, **fields):
    settings = dict(
        data="digits", batch_size=32, generator_units=8, discriminator_units=8, latent_dim=2,
        log_every=2, checkpoint_every=100, sample_every=100, doctor="off", export="none",
    )  # fmt: skip
    return Config(steps=steps, out=str(folder), **{**settings, **fields})


@pytest.fixture
def straight(tmp_path):
    """The weights of a run of seven rounds that nobody disturbed."""
    return gan.run(config_of(tmp_path / "straight", 7)).model.get_weights()


def assert_same(model, expected):
    for found, weights in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, weights)


def test_a_finished_run_is_trained_longer(straight, tmp_path, monkeypatch, capsys):
    leave_out_exports(monkeypatch)
    folder = tmp_path / "runs" / "mine"
    # Lengths that end an epoch of two rounds, and that cut one short.
    for steps, version in ((2, "1"), (3, "2"), (6, "3"), (7, "4")):
        result = gan.run(config_of(folder, steps, export="auto"))
        assert result.model.rounds_played == steps
        assert result.paths.export == pathlib.Path("saved_models", "mine", version)
    assert_same(result.model, straight)
    assert_same(keras.models.load_model(folder / "model.keras"), straight)
    assert json.loads((folder / "config.json").read_text())["steps"] == 7
    capsys.readouterr()
    again = gan.run(config_of(folder, 7, export="auto"))
    assert "has finished its 7 rounds" in capsys.readouterr().out
    assert again.paths.export == result.paths.export
    with pytest.raises(ValueError, match="steps was 7 and is now 6"):
        gan.run(config_of(folder, 6, export="auto"))


def test_so_is_one_that_was_stopped_on_its_way(straight, tmp_path, monkeypatch):
    folder = tmp_path / "stopped"
    gan.run(config_of(folder, 3))
    with monkeypatch.context() as patched:  # Killed in the middle of an epoch.
        write = Checkpoint.on_round_end

        def killed(self, previous, logs):
            write(self, previous, logs)
            if self.round == 5:
                raise KeyboardInterrupt

        patched.setattr(Checkpoint, "on_round_end", killed)
        with pytest.raises(KeyboardInterrupt):
            gan.run(config_of(folder, 6, checkpoint_every=100))
    assert run_folder.finished(run_folder.paths(folder)) is None
    assert_same(gan.run(config_of(folder, 7)).model, straight)


def test_a_run_without_checkpoints_is_not_begun_anew_in_silence(tmp_path):
    config = config_of(tmp_path / "run", 2)
    gan.run(config)
    for file in (tmp_path / "run" / "checkpoints").glob("[!.]*"):  # As `rm checkpoints/*`.
        file.unlink()
    with pytest.raises(ValueError, match="steps: .*finished its 2 rounds and holds no checkpoint"):
        gan.run(dataclasses.replace(config, steps=4))
    assert run_folder.finished(run_folder.paths(config.out)) is not None


def test_a_run_that_cannot_go_on_stays_finished(tmp_path):
    config = config_of(tmp_path / "run", 2)
    gan.run(config)
    for file in (tmp_path / "run" / "checkpoints").glob("*.checkpoint"):
        file.write_bytes(file.read_bytes()[:100])
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(ValueError, match="damaged checkpoints only"),
    ):
        gan.run(dataclasses.replace(config, steps=4))
    assert json.loads((tmp_path / "run" / "config.json").read_text())["steps"] == 2
    assert run_folder.finished(run_folder.paths(config.out)) is not None
    assert gan.run(config).model.rounds_played == 2


@pytest.mark.parametrize(
    "path, name",
    [
        ("runs/dcgan", "dcgan"),
        ("runs/dcgan/model.keras", "dcgan"),
        ("runs/dcgan/best.keras", "best"),
        ("mine.keras", "mine"),
        (".", "here"),
        ("~/faces", "faces"),
    ],
)
def test_a_model_is_called_as_its_run(path, name, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_folder.model_name(path) == name
    if not path.endswith(".keras"):
        config = Config(out=path)
        assert run_folder.export_folder(config) == pathlib.Path("saved_models", name)


def test_the_default_export_is_of_one_run(tmp_path, monkeypatch):
    """Runs in folders of one name would be versions of one model."""
    leave_out_exports(monkeypatch)
    folder = tmp_path / "saved_models" / "run" / "1" / "assets.extra"
    folder.mkdir(parents=True)
    card = {"system": "GAN", "config": {"out": str(tmp_path / "other" / "run")}}
    (folder / "model_card.json").write_text(json.dumps(card))
    config = config_of(tmp_path / "runs" / "run", 1, export="auto")
    with pytest.raises(
        ValueError, match="export: saved_models/run holds versions of the run in .*other"
    ):
        gan.run(config)
    assert not (tmp_path / "runs" / "run").exists()
    card["config"]["out"] = str(tmp_path / "runs" / "run")
    (folder / "model_card.json").write_text(json.dumps(card))
    assert gan.run(config).paths.export == pathlib.Path("saved_models", "run", "2")


def test_a_file_has_a_default_export_of_its_own_too(tmp_path, monkeypatch):
    """Of a file's name, or of its run's; told by the path, wherever the command is run."""
    written = []

    def written_export(model, folder, config, scores, new_architecture, **limits):
        extra = pathlib.Path(folder, str(1 + len(written)), "assets.extra")
        extra.mkdir(parents=True)
        (extra / "model_card.json").write_text(json.dumps({"config": config}))
        written.append(str(folder))
        return str(extra.parent)

    monkeypatch.setattr(kgen.serving, "export", written_export)
    monkeypatch.setattr("recipes.command_line.saved.load_model", lambda path: None)
    for name in ("a", "b"):
        (tmp_path / name / "run").mkdir(parents=True)
        config = {"out": str(tmp_path / name / "run")}
        (tmp_path / name / "run" / "config.json").write_text(json.dumps(config))
    for path in ("a/run/model.keras", "a/run", "a/run/best.keras", "a/m.keras", "a/../a/m.keras"):
        export.main([path])
    assert written == [f"saved_models/{name}" for name in ("run", "run", "best", "m", "m")]
    for path, before in (
        ("b/run/model.keras", "the run in .*a/run"),
        ("b/run", "the run in .*a/run"),
        ("b/run/best.keras", "the model in .*a/run/best.keras"),
        ("b/m.keras", "the model in .*a/m.keras"),
    ):
        with pytest.raises(ValueError, match=f"holds versions of {before}, and this is {path}"):
            export.main([path])
    export.main(["b/m.keras", "--out", "elsewhere"])
    export.main(["a/run"])
    unknown = tmp_path / "saved_models" / "mine" / "1"
    unknown.mkdir(parents=True)
    with pytest.raises(ValueError, match="versions of a model of which its card does not tell"):
        export.main(["a/mine.keras"])


def test_another_architecture_is_refused_before_it_is_trained(tmp_path, monkeypatch):
    leave_out_exports(monkeypatch)
    folder = tmp_path / "saved_models" / "run" / "1" / "assets.extra"
    folder.mkdir(parents=True)
    (folder / "model_card.json").write_text('{"system": "GAN", "architecture": "another"}')
    config = config_of(tmp_path / "runs" / "run", 1, export="auto")
    with pytest.raises(ValueError, match="saved_models/run/1 is a GAN, of another architecture"):
        gan.run(config)
    assert not (tmp_path / "runs" / "run").exists()
    result = gan.run(dataclasses.replace(config, new_architecture=True))
    assert result.paths.export == pathlib.Path("saved_models", "run", "2")
