"""`python -m recipes.tune`: what it prints and writes, and `--config` of every recipe."""

import dataclasses
import json
import os
import socket
import sys
import types

import keras
import keras_tuner
import numpy as np
import PIL.Image
import pytest

import kgen.metrics
import kgen.tuning
from kgen.core.owner import FolderInUseError, owned
from kgen.tuning import execution, fields
from kgen.tuning import recipe as of_recipe
from kgen.tuning.hypermodel import RecipeHyperModel
from kgen.tuning.objectives import metric_of
from recipes import config_file, cyclegan, dcgan, gan, training, tune, vae
from recipes.tune import __main__ as command_line
from recipes.tune import report
from tests.recipes.conftest import DATA_ARE_TRACED
from tests.recipes.test_recipes import TINY, name, tiny

pytestmark = DATA_ARE_TRACED

NOWHERE = ["--fixed.data", "nowhere"]  # What is not refused before ends there.


class Model(keras.Model):
    def save_weights(self, path):
        pass


@pytest.fixture
def arithmetic(monkeypatch):
    """Has trainings cost nothing: the score is the learning rate, and the hinge loss fails."""

    def execute(recipe, config, model, metric, epochs, rounds, callbacks, folder):
        failed = "collapsed (mode collapse) in round 9" if config.loss == "hinge" else None
        score = None if failed else 1e4 * config.learning_rate + config.seed
        return execution.Execution(config.seed, score, failed, 2.0)

    def build(recipe, config, stream):
        model = Model()
        model.built = True
        return model

    monkeypatch.setattr(execution, "execute", execute)
    monkeypatch.setattr(of_recipe, "build", build)
    monkeypatch.setattr(of_recipe, "load", lambda recipe, config: None)
    monkeypatch.setattr(kgen.metrics.Evaluation, "check", lambda self, model: None)


def test_a_search_prints_a_table_and_writes_its_files(tmp_path, capsys, arithmetic, monkeypatch):
    out = tmp_path / "out"
    arguments = ["dcgan", "--trials", "8", "--seeds", "2", "--out", str(out)]
    arguments += ["--fields", "learning_rate", "loss", "--fixed.data", "digits"]
    arguments += ["--fixed.latent-dim", "4"]
    command_line.main(arguments)
    printed = capsys.readouterr().out
    assert "dcgan: 8 trials, " in printed and "val_frechet, lower is better" in printed
    table = [line for line in printed.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert cells[0] == ["trial", "val_frechet", "learning_rate", "loss", "s"]
    scores = [row[1] for row in cells[2:]]
    failed = [score for score in scores if score.startswith("failed")]
    good = [float(score.split(" +- ")[0]) for score in scores[: -len(failed)]]
    assert len(scores) == 8 and failed and scores[-len(failed) :] == failed
    assert good == sorted(good)
    assert set(failed) == {"failed: collapsed (mode collapse) in round 9, seed 0"}
    assert all(score.endswith(" +- 0.71") for score in scores[: -len(failed)])
    assert (out / "table.md").read_text().strip() in printed

    best = json.loads((out / "best.json").read_text())
    assert set(best) == {"data", "latent_dim", "learning_rate", "loss"}
    assert best["data"] == "digits" and f"{best['learning_rate']:.4g}" == cells[2][2]
    results = json.loads((out / "results.json").read_text())
    assert len(results["trials"]) == 8 and results["trials"][0]["values"]["loss"] == best["loss"]
    assert results["objective"] == {"name": "val_frechet", "direction": "min"}
    with PIL.Image.open(out / "search.png") as picture:
        assert min(picture.size) > 300

    # The same command goes on, and with more trials; --fresh starts over.
    monkeypatch.setattr(kgen.plotting, "search", lambda *arguments: None)
    command_line.main(arguments)
    assert "Trial" not in capsys.readouterr().out.replace("Reloading", "")
    before = (out / "search" / "trial_0" / "record.json").stat().st_mtime_ns
    command_line.main([*arguments, "--fresh"])
    assert (out / "search" / "trial_0" / "record.json").stat().st_mtime_ns > before


@pytest.mark.parametrize(("ended", "rounds"), [([1, 3], 30), ([1, 3, 9], 90), ([], 90)])
def test_the_table_tells_the_rounds_of_its_longest_trials(ended, rounds):
    config = gan.Config(steps=90)
    hypermodel = kgen.tuning.hypermodel(gan, {"learning_rate": [0.1, 0.2]}, config, epochs=9)
    objective = kgen.tuning.objective("val_frechet")
    tuner = types.SimpleNamespace(
        hypermodel=hypermodel, oracle=types.SimpleNamespace(objective=objective)
    )
    values = {"learning_rate": 0.1}
    trials = [kgen.tuning.Trial(0, values, 1.0, [1.0], 0.0, None, epochs, 2.0) for epochs in ended]
    trials.append(kgen.tuning.Trial(9, values, None, [], 0.0, None, 9, 0.0, ended=False))
    assert f"lower is better, after {rounds} rounds; one seed." in report.text("gan", tuner, trials)


def test_no_trial_that_ends_well_leaves_no_best(tmp_path, capsys, arithmetic):
    arguments = ["dcgan", "--trials", "2", "--out", str(tmp_path), "--fields", "filters"]
    with pytest.raises(SystemExit) as end:
        command_line.main([*arguments, "--fixed.data", "digits", "--fixed.loss", "hinge"])
    assert end.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: no trial has ended well."
    assert not (tmp_path / "best.json").exists() and (tmp_path / "search.png").exists()


def test_what_is_fixed_is_not_searched():
    space = {"filters": [4, 8], "loss": "all"}
    fixed = set(fields.changed(dcgan.Config(filters=4, steps=3)))
    assert fixed == {"filters", "steps"}
    assert tune._space(space, None, fixed) == {"loss": "all"}
    with pytest.raises(ValueError, match=r"as --fixed gives \['filters', 'loss'\]"):
        tune._space(space, None, {"filters", "loss"})


@pytest.mark.parametrize("flag", ["--fixed.learning-rate=0.001", "--fixed.learning_rate 0.001"])
def test_what_is_fixed_at_its_default_is_not_searched_either(
    tmp_path, arithmetic, flag, monkeypatch
):
    monkeypatch.setattr(kgen.plotting, "search", lambda *arguments: None)
    assert dcgan.Config().learning_rate == 0.001
    arguments = ["dcgan", "--trials", "1", "--out", str(tmp_path), "--fixed.data", "digits"]
    command_line.main([*arguments, *flag.split()])
    found = json.loads((tmp_path / "results.json").read_text())
    searched = set(tune.RECIPES["dcgan"].space) - {"learning_rate"}
    assert set(found["trials"][0]["values"]) == searched
    assert command_line.held(["--fixed.no-noise", "--trials", "3"]) == {"no_noise", "noise"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (NOWHERE, "nowhere"),
        (["--objective", "fid"], "`objective` must be a metric out of"),
        (["--trials", "0"], "`trials` must be an integer of at least 1"),
        (["--fields", "width"], "`fields` must name fields of"),
        (["--fields", "filters", "--fixed.filters", "4"], "as --fixed gives ['filters']"),
        (["--search", "hyperband", "--epochs", "1"], "at least 2 epochs"),
        (["--seeds", "0"], "`seeds` must be a positive integer"),
        (["--epochs", "0", *NOWHERE], "`epochs` must be a positive integer, received 0"),
        (["--fixed.strategy", "mirrored", *NOWHERE], "as each trial trains on one device"),
        (["--fixed.seed", "-1", *NOWHERE], "integer `seed` of at least 0"),
        (["--fields", "filters", "--fixed.filters=64", *NOWHERE], "--fixed gives ['filters']"),
    ],
)
def test_bad_input_ends_in_a_sentence(tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        command_line.main(["dcgan", "--out", str(tmp_path / "out"), *arguments])
    assert end.value.code == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and message in error


@pytest.mark.parametrize(
    "error",
    [OSError("no space left"), keras_tuner.errors.FatalRuntimeError("KeyError: 'units'")],
    ids=repr,
)
def test_what_ends_a_search_is_told_in_a_sentence(monkeypatch, capsys, error):
    def run(*arguments):
        raise error

    monkeypatch.setattr(tune, "run", run)
    with pytest.raises(SystemExit) as end:
        command_line.main(["dcgan"])
    assert end.value.code == 2 and capsys.readouterr().err == f"error: {error}\n"


def test_a_worker_and_a_second_chief_clear_nothing(tmp_path, monkeypatch, capsys):
    """Although both are given --fresh, as the chief that runs."""
    kept = tmp_path / "search" / "oracle.json"
    kept.parent.mkdir()
    kept.write_text("{")
    proved = []

    def tuner(hypermodel, folder, *arguments):
        if folder == kept.parent:
            sys.exit(0)
        assert kept.exists()
        proved.append(folder)
        oracle = types.SimpleNamespace(objective=None, get_space=keras_tuner.HyperParameters)
        return types.SimpleNamespace(oracle=oracle)

    monkeypatch.setattr(kgen.tuning, "tuner", tuner)
    monkeypatch.setattr(RecipeHyperModel, "build", lambda self, space: None)
    monkeypatch.setattr(RecipeHyperModel, "check_scoring", lambda self, objective, model: None)
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    arguments = ["dcgan", "--out", str(tmp_path), "--fixed.data", "digits", "--fresh"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(other.getsockname()[1]))
        for name, code in (("worker-0", 0), ("chief", 2)):
            monkeypatch.setenv("KERASTUNER_TUNER_ID", name)
            with pytest.raises(SystemExit) as end:
                command_line.main(arguments)
            assert end.value.code == code and kept.exists()
    assert not proved
    with pytest.raises(SystemExit):
        command_line.main(arguments)
    assert not kept.exists() and len(proved) == 1


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--trials", "0"], "`trials` must be an integer of at least 1"),
        (["--search", "hyperband", "--epochs", "1"], "must have at least 2 epochs"),
        (["--objective", "val_nll"], "`objective` cannot be 'val_nll': GAN cannot `log_prob`"),
        (NOWHERE, "nowhere"),
    ],
)
def test_a_search_that_cannot_be_removes_none(tmp_path, flags, message, capsys):
    (tmp_path / "search" / "trial_0").mkdir(parents=True)
    kept = [tmp_path / name for name in ("best.json", "search/search.json", "search/trial_0/a")]
    for path in kept:
        path.write_text("{}")
    with pytest.raises(SystemExit) as end:
        command_line.main(
            ["gan", "--fixed.data", "digits", "--out", str(tmp_path), "--fresh", *flags]
        )
    assert end.value.code == 2 and message in capsys.readouterr().err
    assert all(path.read_text() == "{}" for path in kept)


def test_a_search_that_another_process_runs_is_refused(tmp_path, arithmetic):
    """Also with --fresh, and one from Python in the folder of trials; all before the first one."""
    for fresh in (False, True):
        config = tune.Config(trials=1, out=str(tmp_path / "out"), fresh=fresh)
        fixed = dcgan.Config(data="digits")
        with owned(tmp_path / "out"), pytest.raises(FolderInUseError, match="out is in use by"):
            tune.run("dcgan", config, fixed)
        assert not list(tmp_path.iterdir())
    space = {"learning_rate": kgen.tuning.Float(1e-4, 1e-2)}
    found = kgen.tuning.tuner(kgen.tuning.hypermodel(dcgan, space), tmp_path / "mine", trials=1)
    with owned(tmp_path / "mine"), pytest.raises(FolderInUseError, match="mine is in use by"):
        found.search()
    assert not found.oracle.trials
    found.search()
    assert len(found.oracle.trials) == 1


def test_a_search_that_cannot_be_removed_is_refused(tmp_path, arithmetic, monkeypatch):
    out = tmp_path / "out"
    (out / "search").mkdir(parents=True)
    (out / "search" / "oracle.json").write_text("{}")
    unlink = os.unlink

    def refuse(path, *arguments, **settings):
        if str(path).endswith("oracle.json"):
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, *arguments, **settings)

    monkeypatch.setattr(os, "unlink", refuse)
    config = tune.Config(trials=1, out=str(out), fresh=True)
    with pytest.raises(ValueError, match="--fresh: .*oracle.json.* cannot be removed: Permission"):
        tune.run("dcgan", config, dcgan.Config(data="digits"))


@pytest.mark.parametrize("searched", tune.RECIPES.values(), ids=tune.RECIPES)
def test_every_recipe_can_be_searched(searched):
    """Its space fits its config, its data and model come as in a run, its objective exists."""
    recipe = searched.recipe
    fields = {**TINY[recipe], "data": "photos" if name(recipe) == "srgan" else "digits"}
    fields.pop("image_size" if name(recipe) in ("biggan", "progan") else "", None)
    config = recipe.Config(**{**fields, "batch_size": 16, "steps": 5, "extractor": "random"})
    hypermodel = kgen.tuning.hypermodel(recipe, searched.space, config, searched.objective)
    hp = keras_tuner.HyperParameters()
    assert set(hypermodel.values(hp)) == set(searched.space)
    metric = metric_of(searched.objective)
    evaluation = of_recipe.evaluation(recipe, config, metric)
    assert evaluation.metrics == [metric]
    stream = of_recipe.load(recipe, config)
    updates = recipe.FAMILY.updates(config)
    specs = stream.element_spec if isinstance(stream.element_spec, tuple) else [stream.element_spec]
    assert specs[0].shape[0] == 16 * updates


def test_all_recipes_have_a_space():
    assert {searched.recipe for searched in tune.RECIPES.values()} == set(TINY)
    assert list(tune.RECIPES) == [name(s.recipe) for s in tune.RECIPES.values()]


def test_a_trial_is_a_run_of_the_recipe(tmp_path, untraced, bare):
    """To the bit, of inputs that only a recipe's own data has."""
    config = tiny(gan, tmp_path, export="none", steps=2, extractor="random")
    expected = gan.run(config).model
    keras.backend.clear_session()
    hypermodel = kgen.tuning.hypermodel(gan, {"learning_rate": [2e-4, 1e-3]}, config, epochs=2)
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    found = hypermodel.fit(hp, model, folder=tmp_path / "trial")
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert found["failed"] == 0.0 and np.isfinite(found["val_frechet"])


def test_cyclegan_is_scored_without_pairs(tmp_path):
    config = cyclegan.Config(**TINY[cyclegan], figures=False, evaluate=["frechet", "recall"])
    evaluation = cyclegan.evaluation(config)
    assert evaluation.metrics == ["frechet", "recall"]
    assert evaluation.inputs.shape == evaluation.targets.shape
    with pytest.raises(ValueError, match="no pairs to score by \\['psnr'\\]"):
        cyclegan.evaluation(dataclasses.replace(config, evaluate=["frechet", "psnr"]))


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


@pytest.mark.parametrize("recipe", TINY, ids=name)
def test_every_recipe_takes_a_config_file(recipe, tmp_path, monkeypatch):
    """Its fields are defaults, and flags win over them."""
    path = written(tmp_path / "best.json", {"learning_rate": 0.25, "steps": 7, "data": "digits"})
    if recipe.__name__.endswith("biggan"):
        path = written(tmp_path / "best.json", {"filters": 3, "steps": 7, "data": "digits"})
    got = []

    def run(config):
        got.append(config)
        raise ValueError("enough")

    for arguments in (["--config", path], [f"--config={path}", "--steps", "9"]):
        monkeypatch.setattr(sys, "argv", [name(recipe), *arguments])
        with pytest.raises(SystemExit):
            training.main(recipe.Config, run, recipe.__doc__)
    expected = recipe.Config(**json.loads((tmp_path / "best.json").read_text()))
    assert got == [expected, dataclasses.replace(expected, steps=9)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"likelihood": "gaussian"}, "recipes.dcgan has no field 'likelihood'; expected names"),
        ({"filters": 1.5}, "'filters' must be an integer, received 1.5"),
        ({"loss": "hing"}, "'loss' must be one of .*'hinge'.*received 'hing'"),
        ({"learning_rate": "0.1"}, "'learning_rate' must be a number, received '0.1'"),
        ({"fresh": 1}, "'fresh' must be True or False, received 1"),
        ([1], "must hold a dict of fields, received"),
        ("{", "cannot be read"),
    ],
)
def test_a_bad_config_file_ends_in_a_sentence(tmp_path, monkeypatch, capsys, content, message):
    path = written(tmp_path / "best.json", content)
    monkeypatch.setattr(sys, "argv", ["dcgan", "--config", path])
    with pytest.raises(SystemExit) as end:
        training.main(dcgan.Config, dcgan.run, "")
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: --config: {path}")
    with pytest.raises(ValueError, match=message):
        config_file.read_fields(dcgan.Config, path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config"], "--config must be followed by a file"),
        (["--config="], "--config must be followed by a file"),
        (["--config", "nowhere.json"], "nowhere.json cannot be read"),
        (["--config", "a", "--config", "b"], "--config must be given once"),
    ],
)
def test_a_config_flag_without_a_file(arguments, message):
    with pytest.raises(ValueError, match=message):
        config_file.settings(vae.Config, arguments)


def test_help_tells_of_the_config_file(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["vae", "--help"])
    with pytest.raises(SystemExit):
        training.main(vae.Config, vae.run, vae.__doc__)
    assert "--config FILE" in capsys.readouterr().out
