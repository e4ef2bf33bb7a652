"""Searches: random, Hyperband and Bayesian, failures in them, and what they find."""

import collections
import json
import os
import types

import keras
import keras_tuner
import numpy as np
import pytest
import scipy.optimize

import kgen.tuning
from kgen.tuning import Choice, Float, execution
from kgen.tuning import recipe as recipes
from kgen.tuning.oracles import has_failed
from tests.tuning import tiny

# A Gaussian process of few points.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RATE = Float(1e-4, 1e-2, log=True)
SPACE = {"learning_rate": RATE, "units": [4, 8]}


@pytest.fixture
def arithmetic(monkeypatch):
    """Has trainings cost nothing: their score is a function of the config and the epochs.

    Returns a namespace of `score`, the function, and `calls`, a list of `(config, epochs)`.
    """
    found = types.SimpleNamespace(calls=[], score=lambda config, epochs: config.learning_rate)

    def execute(recipe, config, model, metric, epochs, rounds, callbacks, folder):
        found.calls.append((config, epochs))
        score = found.score(config, epochs)
        if folder is not None:
            folder.mkdir(exist_ok=True)
            (folder / "checkpoint").write_text((_read(folder) + f" {epochs}").strip())
            found.checkpoint = _read(folder)
        failed = score if isinstance(score, str) else None
        return execution.Execution(config.seed, None if failed else score, failed, 1.0)

    minimize = scipy.optimize.minimize

    def nearly(*arguments, **settings):
        return minimize(*arguments, **settings, options={"maxiter": 3})

    monkeypatch.setattr(execution, "execute", execute)
    # Of a Gaussian process, from dozens of starts.
    monkeypatch.setattr(scipy.optimize, "minimize", nearly)
    monkeypatch.setattr(recipes, "load", lambda recipe, config: None)
    monkeypatch.setattr(recipes, "build", _no_model)
    monkeypatch.setattr(recipes, "evaluation", lambda recipe, config, metric: None)
    return found


def _read(folder):
    path = folder / "checkpoint"
    return path.read_text() if path.exists() else ""


class _Model(keras.Model):
    def save_weights(self, path):
        pass


def _no_model(recipe, config, stream):
    if config.units == 13:
        raise ValueError("`units` must not be 13.")
    model = _Model()
    model.built = True
    return model


def tuner(folder, search="random", trials=6, space=SPACE, objective="val_nll", **arguments):
    hypermodel = kgen.tuning.hypermodel(tiny, space, objective=objective, **arguments)
    return kgen.tuning.tuner(hypermodel, folder, search, trials=trials)


@pytest.mark.parametrize("objective", ["val_nll", "modes"])
def test_trials_come_best_first(tmp_path, arithmetic, objective):
    found = tuner(tmp_path / "search", "random", 8, objective=objective, seeds=2)
    found.search()
    trials = kgen.tuning.results(found)
    scores = [trial.score for trial in trials]
    assert scores == sorted(scores, reverse=objective == "modes")
    assert sorted(trial.number for trial in trials) == list(range(8))
    for trial in trials:
        assert trial.score == trial.values["learning_rate"] and len(trial.scores) == 2
        assert trial.ended and trial.failed is None and trial.seconds == 2.0
    assert {config.seed for config, _ in arithmetic.calls} == {0, 1}
    assert len(arithmetic.calls) == 16
    assert kgen.tuning.best_fields(found) == trials[0].values


@pytest.mark.parametrize(
    ("search", "objective"), [("random", "val_nll"), ("hyperband", "modes"), ("random", "modes")]
)
def test_trials_that_fail_are_last_and_the_search_goes_on(tmp_path, arithmetic, search, objective):
    """Also where more fail in a row than KerasTuner allows."""

    def score(config, epochs):
        return "diverged (not finite) in round 3" if config.units == 8 else config.learning_rate

    arithmetic.score = score
    found = tuner(tmp_path / "s", search, 12, {**SPACE, "units": [8, 4]}, objective, epochs=4)
    found.search()
    trials = kgen.tuning.results(found)
    assert len(trials) == 12
    failed = [trial for trial in trials if trial.failed is not None]
    assert 0 < len(failed) < 12 and trials[-len(failed) :] == failed
    for trial in failed:
        assert trial.score is None and trial.values["units"] == 8
        assert trial.failed.startswith(("diverged (not finite) in round 3, seed 0", "failed as"))
    assert kgen.tuning.best_fields(found)["units"] == 4
    sign = 1 if objective == "val_nll" else -1
    oracles = found.oracle.trials.values()
    bad = [sign * trial.score for trial in oracles if has_failed(trial)]
    good = [sign * trial.score for trial in oracles if not has_failed(trial)]
    assert min(bad) > max(good) and np.isfinite(bad).all()


def test_all_trials_may_fail(tmp_path, arithmetic):
    arithmetic.score = lambda config, epochs: "collapsed (mode collapse) in round 9"
    found = tuner(tmp_path / "search", "bayesian", 4, {"learning_rate": RATE})
    found.search()
    trials = kgen.tuning.results(found)
    assert len(trials) == 4 and all(trial.failed for trial in trials)
    with pytest.raises(ValueError, match="no trial has ended well, of 4"):
        kgen.tuning.best_fields(found)


def test_failures_teach_a_bayesian_search_without_hiding_the_rest(tmp_path, arithmetic):
    """It comes back neither to where trials fail nor to where they are bad."""

    def score(config, epochs):
        if config.learning_rate > 1e-3:
            return "diverged (not finite) in round 1"
        return 10.0 + abs(np.log10(config.learning_rate) + 3.5)

    arithmetic.score = score
    found = tuner(tmp_path / "search", "bayesian", 7, {"learning_rate": RATE})
    found.search()
    drawn = [config.learning_rate for config, _ in arithmetic.calls]
    assert len(set(drawn)) == 7
    assert abs(np.log10(kgen.tuning.results(found)[0].values["learning_rate"]) + 3.5) < 0.1
    # Its process sees failures as far beyond the worst as that is from the best.
    good = [trial.score for trial in found.oracle.trials.values() if not has_failed(trial)]
    with found.oracle._failures_within_reach():
        _, seen = found.oracle._vectorize_trials()
    assert max(seen) == pytest.approx(2 * max(good) - min(good))
    assert set(good) < set(seen) and len(set(seen)) == len(good) + 1


def test_a_running_trial_is_taken_for_no_better_than_its_neighbours(tmp_path, arithmetic):
    """By the first Gaussian process, too, which nothing was fitted before."""
    found = tuner(tmp_path / "search", "bayesian", 6, {"learning_rate": RATE}).oracle
    found.create_trial("worker-0")
    for number in range(3):
        trial = found.create_trial("worker-1")
        found.update_trial(trial.trial_id, {"val_nll": 100.0 + number})
        trial.status = "COMPLETED"
        found.end_trial(trial)
    _, seen = found._vectorize_trials()
    assert list(seen[1:]) == [100.0, 101.0, 102.0]
    assert 100.0 < seen[0] < 104.0
    assert len(found.trials) == 4


@pytest.mark.parametrize("search", ["random", "bayesian", "hyperband"])
def test_neighbouring_seeds_share_no_value(tmp_path, arithmetic, search):
    drawn = []
    for seed in range(4):
        hypermodel = kgen.tuning.hypermodel(tiny, {"learning_rate": RATE}, epochs=3)
        found = kgen.tuning.tuner(hypermodel, tmp_path / str(seed), search, trials=9, seed=seed)
        drawn += [found.oracle._random_values()["learning_rate"] for _ in range(9)]
    assert len(set(drawn)) == 36


def test_hyperband_goes_on_with_the_best_from_their_checkpoints(tmp_path, arithmetic):
    arithmetic.score = lambda config, epochs: config.learning_rate / epochs
    found = tuner(
        tmp_path / "search",
        "hyperband",
        14,
        {"learning_rate": RATE},
        config=tiny.Config(steps=9),
        epochs=9,
        seeds=2,
    )
    continued = []
    before = execution.execute

    def watched(recipe, config, model, metric, epochs, rounds, callbacks, folder):
        had = _read(folder)
        if had:
            continued.append((config, epochs, had))
        return before(recipe, config, model, metric, epochs, rounds, callbacks, folder)

    execution.execute = watched  # The fixture puts it back.
    found.search()
    trials = kgen.tuning.results(found)
    assert [trial.epochs for trial in trials] == sorted((t.epochs for t in trials), reverse=True)
    first = [t for t in trials if t.epochs == 1]
    longer = [t for t in trials if t.epochs > 1 and t.number < 14]
    assert first and longer
    three = {t.values["learning_rate"] for t in trials if t.epochs == 3}
    rates = sorted(t.values["learning_rate"] for t in first)
    assert set(rates[: len(three & set(rates))]) == three & set(rates)
    assert {epochs for _, epochs, _ in continued} >= {3}
    assert all(had.split()[-1] in ("1", "3") for _, _, had in continued)
    assert not list((tmp_path / "search").rglob("execution-*")), "checkpoints are left"


def rungs(found):
    """Returns a dict from epochs to how many trials there are of so many."""
    return dict(collections.Counter(trial.epochs for trial in kgen.tuning.results(found)))


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (1, {9: 1}),
        (3, {3: 2, 9: 1}),
        (5, {1: 3, 3: 1, 9: 1}),
        (13, {1: 9, 3: 3, 9: 1}),
        (14, {1: 9, 3: 3, 9: 2}),
        (20, {1: 9, 3: 8, 9: 3}),
        (23, {1: 9, 3: 8, 9: 6}),
    ],
)
def test_hyperband_comes_to_full_trainings_whatever_the_trials(
    tmp_path, arithmetic, trials, expected
):
    """Brackets of 9 + 3 + 1, 5 + 2 and 3 trials, by Algorithm 1 of Li et al., and smaller ones."""
    arguments = dict(space={"learning_rate": RATE}, config=tiny.Config(steps=9), epochs=9)
    found = tuner(tmp_path / "search", "hyperband", trials, **arguments)
    found.search()
    assert rungs(found) == expected
    again = tuner(tmp_path / "search", "hyperband", 23, **arguments)
    again.search()
    assert rungs(again) == {1: 9, 3: 8, 9: 6}


def test_hyperband_of_a_small_space_comes_to_full_trainings(tmp_path, arithmetic):
    """And goes on alike where it was killed: the space stays used up."""
    arithmetic.score = lambda config, epochs: float(config.units)
    arguments = dict(config=tiny.Config(steps=9), epochs=9, space={"units": [8, 4, 16, 32]})
    found = tuner(tmp_path / "search", "hyperband", 20, **arguments)
    found.search()
    assert rungs(found) == {1: 4, 3: 2, 9: 1}
    assert [t.score for t in kgen.tuning.results(found)][:3] == [4.0, 4.0, 8.0]
    calls, arithmetic.calls = arithmetic.calls, []

    def killed(config, epochs):
        if len(arithmetic.calls) == 6:
            raise KeyboardInterrupt
        return float(config.units)

    arithmetic.score = killed
    with pytest.raises(KeyboardInterrupt):
        tuner(tmp_path / "killed", "hyperband", 20, **arguments).search()
    again = tuner(tmp_path / "killed", "hyperband", 20, **arguments)
    assert again.oracle._used_up
    again.search()
    assert arithmetic.calls[:5] + arithmetic.calls[6:] == calls


@pytest.mark.parametrize(("units", "expected"), [(range(1, 99), 13), (range(1, 6), 5 + 2 + 1)])
def test_hyperband_keeps_trials_for_those_that_running_ones_decide(
    tmp_path, arithmetic, units, expected
):
    """Of two workers one waits, where all that is left is to go on with the best of a rung."""
    oracle = tuner(
        tmp_path / "search",
        "hyperband",
        13,
        config=tiny.Config(steps=9),
        epochs=9,
        space={"units": list(units)},
    ).oracle
    running, statuses = {}, set()
    for turn in range(60):
        name = f"worker-{turn % 2}"
        if name in running:
            trial = running.pop(name)
            score = float(trial.hyperparameters.values["units"])
            oracle.update_trial(trial.trial_id, {"val_nll": score})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
        if turn % 5 == 3 and running:
            continue  # The other's trial takes longer.
        trial = oracle.create_trial(name)
        statuses.add(trial.status)
        if trial.status == "RUNNING":
            running[name] = trial
    epochs = [t.hyperparameters.values["tuner/epochs"] for t in oracle.trials.values()]
    assert statuses == {"RUNNING", "IDLE", "STOPPED"} and not running
    assert len(epochs) == expected and epochs.count(9) == 1


def test_values_refused_together_are_a_failed_trial(tmp_path, arithmetic):
    found = tuner(tmp_path / "search", trials=6, space={**SPACE, "units": [8, 13]})
    found.search()
    failed = [trial for trial in kgen.tuning.results(found) if trial.failed]
    assert failed and all("`units` must not be 13" in trial.failed for trial in failed)


def test_a_mistake_leaves_the_search_at_once(tmp_path, arithmetic, monkeypatch):
    found = tuner(tmp_path / "search")

    def broken(config, epochs):
        raise FileNotFoundError("the disk is gone")

    arithmetic.score = broken
    with pytest.raises(keras_tuner.errors.FatalRuntimeError, match="the disk is gone"):
        found.search()
    assert len(arithmetic.calls) == 1


def test_a_bad_path_is_raised_as_the_tuner_is_made(tmp_path):
    hypermodel = kgen.tuning.hypermodel(tiny, SPACE, tiny.Config(data="nowhere"))
    with pytest.raises(ValueError, match="nowhere"):
        kgen.tuning.tuner(hypermodel, tmp_path / "search")


def test_a_space_that_is_used_up_ends_the_search(tmp_path, arithmetic):
    found = tuner(tmp_path / "search", trials=20, space={"units": Choice([4, 8, 16])})
    arithmetic.score = lambda config, epochs: float(config.units)
    found.search()
    assert [trial.score for trial in kgen.tuning.results(found)] == [4.0, 8.0, 16.0]


def test_a_search_goes_on_with_more_trials_and_proposes_the_same(tmp_path, arithmetic):
    for folder, numbers in (("at_once", [4]), ("in_parts", [2, 4])):
        arithmetic.calls.clear()
        for trials in numbers:
            found = tuner(tmp_path / folder, "bayesian", trials, {"learning_rate": RATE})
            found.search()
        if folder == "at_once":
            expected = list(arithmetic.calls)
    assert arithmetic.calls == expected and len(expected) == 4


@pytest.mark.parametrize("search", ["random", "hyperband"])
def test_the_trial_that_was_running_is_run_again(tmp_path, arithmetic, search):
    """With the seeds that it had left, and counted once."""
    arguments = dict(search=search, trials=5, space={"learning_rate": RATE}, seeds=2, epochs=3)
    whole = tuner(tmp_path / "whole", **arguments)
    whole.search()
    calls, arithmetic.calls = arithmetic.calls, []

    def killed(config, epochs):
        if len(arithmetic.calls) == 4:
            raise KeyboardInterrupt
        return config.learning_rate

    arithmetic.score = killed
    with pytest.raises(KeyboardInterrupt):
        tuner(tmp_path / "killed", **arguments).search()
    arithmetic.score = lambda config, epochs: config.learning_rate
    found = tuner(tmp_path / "killed", **arguments)
    assert len(found.oracle._retry_queue) == 1
    found.search()
    assert arithmetic.calls[:3] + arithmetic.calls[4:] == calls
    assert [t.values for t in kgen.tuning.results(found)] == [
        t.values for t in kgen.tuning.results(whole)
    ]
    assert all(len(trial.scores) == 2 for trial in kgen.tuning.results(found))


@pytest.mark.parametrize(
    ("search", "number"),
    [("random", 0), ("random", 2), ("hyperband", 2), ("hyperband", 9)],
)
def test_a_trial_that_only_its_own_file_knows_of_is_drawn_again(
    tmp_path, arithmetic, monkeypatch, search, number
):
    """As KerasTuner writes that before the oracle's; of Hyperband, also one that was promoted."""
    arguments = dict(search=search, space={"learning_rate": RATE}, epochs=9)
    arguments["config"] = tiny.Config(steps=9)
    arguments["trials"] = 11 if search == "hyperband" else 4
    whole = tuner(tmp_path / "whole", **arguments)
    whole.search()
    calls, arithmetic.calls = arithmetic.calls, []
    found = tuner(tmp_path / "killed", **arguments)
    before = found.oracle._save_trial

    def killed(trial):
        before(trial)
        if int(trial.trial_id) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(found.oracle, "_save_trial", killed)
    with pytest.raises(KeyboardInterrupt):
        found.search()
    found = tuner(tmp_path / "killed", **arguments)
    found.search()
    assert arithmetic.calls == calls
    assert kgen.tuning.results(found) == kgen.tuning.results(whole)


def test_files_cut_off_or_behind_do_not_lose_a_trial(tmp_path, arithmetic):
    found = tuner(tmp_path / "search", trials=3)
    found.search()
    folder = tmp_path / "search"
    assert not list(folder.rglob(".partial-*"))
    state = json.loads((folder / "oracle.json").read_text())
    assert state["ongoing_trials"] == {}
    # Killed after the trial's file and before the oracle's.
    path = folder / "trial_1" / "trial.json"
    trial = json.loads(path.read_text())
    path.write_text(json.dumps({**trial, "status": "RUNNING", "score": None}))
    (folder / "trial_1" / "record.json").write_text('{"values": {"learn')
    arithmetic.calls.clear()
    again = tuner(folder, trials=3)
    again.search()
    assert len(arithmetic.calls) == 1 and len(kgen.tuning.results(again)) == 3


def test_another_search_in_the_same_folder_is_refused(tmp_path, arithmetic):
    tuner(tmp_path / "search", trials=1).search()
    with pytest.raises(ValueError, match=r"another search: seeds was 1 and is now 2\."):
        tuner(tmp_path / "search", seeds=2)
    with pytest.raises(ValueError, match="search was 'random' and is now 'bayesian'"):
        tuner(tmp_path / "search", "bayesian")
    with pytest.raises(ValueError, match="space.units was .* and is now 'not set'"):
        tuner(tmp_path / "search", space={"learning_rate": RATE})
    with pytest.raises(ValueError, match="config.beta was 1.0 and is now 2.0"):
        tuner(tmp_path / "search", config=tiny.Config(beta=2.0))
    tuner(tmp_path / "search", trials=2)
    os.rename(tmp_path / "search", tmp_path / "moved")
    tuner(tmp_path / "moved", trials=2).search()
    assert len(arithmetic.calls) == 2


def test_a_search_that_finished_nothing_locks_nothing(tmp_path, arithmetic, monkeypatch, capsys):
    folder, asked = tmp_path / "search", []

    def refused(recipe, config, metric):
        asked.append(metric)
        raise ValueError("`samples` must be more.")

    with monkeypatch.context() as patched:  # Before anything is trained, or written.
        patched.setattr(recipes, "evaluation", refused)
        with pytest.raises(ValueError, match="`samples` must be more"):
            tuner(folder).search()
    assert asked == ["nll"] and not arithmetic.calls and not (folder / "search.json").exists()

    def killed(config, epochs):
        raise KeyboardInterrupt

    score, arithmetic.score = arithmetic.score, killed
    with pytest.raises(KeyboardInterrupt):
        tuner(folder).search()
    assert (folder / "search.json").exists()
    arithmetic.score = score
    capsys.readouterr()
    corrected = tuner(folder, seeds=2, trials=1)
    assert "has not finished a trial, which is begun anew" in capsys.readouterr().out
    corrected.search()
    (trial,) = kgen.tuning.results(corrected)
    assert trial.score is not None and len(trial.scores) == 2
    with pytest.raises(ValueError, match="seeds was 2 and is now 1"):  # Now there is something.
        tuner(folder)


def test_the_best_fields_are_those_searched_and_those_fixed(tmp_path, arithmetic):
    config = tiny.Config(beta=2.0, steps=50, seed=3, checkpoint_every=7, note=None)
    found = tuner(tmp_path / "search", trials=2, config=config)
    found.search()
    best = kgen.tuning.best_fields(found)
    assert set(best) == {"learning_rate", "units", "beta"} and best["beta"] == 2.0
    assert tiny.Config(**json.loads(json.dumps(best))).units in (4, 8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"search": "grid"}, "`search` must be one of .*'hyperband'.*received 'grid'"),
        ({"trials": 0}, "`trials` must be an integer of at least 1, received 0"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"search": "hyperband"}, "at least 2 epochs for search='hyperband'"),
        ({"objective": "val_psnr"}, "`objective` must be the hypermodel's, 'val_nll'"),
        ({"hypermodel": tiny}, "`hypermodel` must be made by kgen.tuning.hypermodel"),
    ],
)
def test_bad_arguments(tmp_path, arguments, message):
    hypermodel = kgen.tuning.hypermodel(tiny, SPACE, objective="val_nll")
    with pytest.raises(ValueError, match=message):
        kgen.tuning.tuner(**{"hypermodel": hypermodel, "folder": tmp_path / "s", **arguments})


@pytest.mark.parametrize("name", ["oracle.json", "trial_1/trial.json"])
@pytest.mark.parametrize("content", ["", '{"trial_id": "1', "[]"])
def test_a_damaged_file_is_named(tmp_path, arithmetic, name, content):
    tuner(tmp_path / "search", trials=2).search()
    (tmp_path / "search" / name).write_text(content)
    with pytest.raises(ValueError, match=f"search/{name} cannot be read: "):
        tuner(tmp_path / "search", trials=3)
