"""Searches that are killed, and searches of several processes."""

import signal
import socket

import keras_tuner
import pytest
from keras_tuner.src.distribute.oracle_chief import exit_chief

import kgen.tuning
from kgen.tuning import processes
from kgen.tuning.processes import VARIABLES
from kgen.tuning.record import read
from tests.forking import Forks
from tests.tuning import tiny

pytestmark = pytest.mark.forks


@pytest.fixture(scope="module")
def forks():
    with Forks("tests.tuning.tiny") as found:
        yield found


def test_a_search_that_was_killed_goes_on_in_the_middle_of_a_trial(tmp_path, capsys, forks):
    """And ends as one that was not: the same trials, with the same scores."""
    process = forks.start(dict(folder=str(tmp_path / "killed"), trials=1, die_in=[0, 5]))
    output = process.wait()
    assert process.returncode == -signal.SIGKILL, output
    assert len(list((tmp_path / "killed").glob("trial_*"))) == 1

    killed = tiny.search(tmp_path / "killed", trials=1)
    printed = capsys.readouterr().out
    assert "execution-0: goes on after round 4" in printed
    assert "Trial 0:" in printed
    whole = tiny.search(tmp_path / "whole", trials=1)
    results = [kgen.tuning.results(tuner) for tuner in (killed, whole)]
    compared = [[(t.number, t.values, t.score) for t in trials] for trials in results]
    assert compared[0] == compared[1] and len(compared[0]) == 1


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def variables(name, port):
    return dict(zip(VARIABLES, (name, "127.0.0.1", str(port)), strict=True))


def test_a_chief_that_comes_after_two_workers_shares_the_trials_among_them(tmp_path, forks):
    port, folder = free_port(), tmp_path / "search"
    begun, workers = {}, ["worker-0", "worker-1"]
    asked = dict(folder=str(folder), trials=3, workers=workers)
    alone = {"TF_NUM_INTRAOP_THREADS": "1", "no_proxy": "127.0.0.1"}
    for name in workers:
        begun[name] = forks.start(asked, **variables(name, port), **alone)
    for process in begun.values():  # They have read and written what they do without the chief.
        assert any("asks for trials" in line for line in process.stdout)
    begun["chief"] = forks.start(asked, **variables("chief", port), **alone)
    outputs = {name: process.wait() for name, process in begun.items()}
    assert {p.returncode for p in begun.values()} == {0}, outputs
    ran = {name: output.count("val_nll") for name, output in outputs.items()}
    assert ran["chief"] == 0 and ran["worker-0"] + ran["worker-1"] == 3
    assert ran["worker-0"] and ran["worker-1"], "one worker has run all"

    # What one process would find, from the files that they have left.
    tuner = tiny.search(folder, trials=3)
    trials = kgen.tuning.results(tuner)
    assert [trial.number for trial in sorted(trials, key=lambda t: t.number)] == [0, 1, 2]
    for trial in trials:
        (execution,) = read(folder / f"trial_{trial.number}")["executions"]
        assert trial.score == pytest.approx(execution["score"])


def in_process(monkeypatch, folder, name, **arguments):
    """Returns the tuner of one of several processes, or without a name of one alone."""
    for variable, value in variables(name, free_port()).items() if name else ():
        monkeypatch.setenv(variable, value)
    space = {"learning_rate": kgen.tuning.Float(1e-4, 1e-2, log=True)}
    hypermodel = kgen.tuning.hypermodel(tiny, space)
    return kgen.tuning.tuner(hypermodel, folder, objective="val_nll", **arguments)


def test_a_worker_that_is_first_leaves_nothing_that_the_chief_would_go_on_with(
    tmp_path, monkeypatch
):
    worker = in_process(monkeypatch, tmp_path / "search", "worker-0")
    monkeypatch.setattr(keras_tuner.Tuner, "search", lambda self, verbose: self.save())
    worker.search()
    left = [path.name for path in (tmp_path / "search").rglob("*") if path.is_file()]
    assert left == ["worker-worker_0.lock"]
    in_process(monkeypatch, tmp_path / "search", "chief")


def end(oracle, trial):
    oracle.update_trial(trial.trial_id, {"val_nll": 1.0})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def test_a_chief_that_is_back_knows_whose_trials_run(tmp_path, monkeypatch):
    before = in_process(monkeypatch, tmp_path, "chief", trials=4).oracle
    begun = {name: before.create_trial(name) for name in ("worker-0", "worker-1", "worker-2")}
    end(before, begun["worker-2"])
    found = in_process(monkeypatch, tmp_path, "chief", trials=4).oracle
    # To one that is new, or that has ended its own, a trial that is nobody's.
    assert found.create_trial("worker-3").trial_id == "3"
    assert found.create_trial("worker-2").status == "STOPPED"
    # Of those that were running one has been started again, and one has gone on.
    assert found.create_trial("worker-0").trial_id == begun["worker-0"].trial_id
    for trial in found.trials.values():
        assert not exit_chief(found)
        if trial.status == "RUNNING":
            end(found, trial)
    for name in ("worker-0", "worker-1", "worker-3"):
        assert not exit_chief(found)
        assert found.create_trial(name).status == "STOPPED"
    assert exit_chief(found)
    assert {trial.status for trial in found.trials.values()} == {"COMPLETED"}


@pytest.mark.parametrize("names", [("chief", None), (None, "chief"), (None, None)])
def test_what_ran_before_is_run_again_where_its_worker_cannot_be_back(tmp_path, monkeypatch, names):
    """A search of one process goes on with several, and the other way round."""
    for name in names:
        for variable in VARIABLES:
            monkeypatch.delenv(variable, raising=False)
        found = in_process(monkeypatch, tmp_path, name, trials=4).oracle
        ids = [found.create_trial(worker).trial_id for worker in ("worker-1", "tuner0")]
        assert ids == ["0", "1"]
        assert found.create_trial("worker-0").trial_id == "2"


def test_a_trial_that_ended_as_the_chief_was_killed_is_nobodys(tmp_path, monkeypatch):
    before = in_process(monkeypatch, tmp_path, "chief", trials=3).oracle
    trial = before.create_trial("worker-0")
    monkeypatch.setattr(type(before), "save", killed)  # Its own file is written before.
    with pytest.raises(KeyboardInterrupt):
        end(before, trial)
    monkeypatch.undo()
    found = in_process(monkeypatch, tmp_path, "chief", trials=3).oracle
    assert found.trials["0"].status == "COMPLETED" and found.trials["0"].score == 1.0
    assert found.create_trial("worker-0").trial_id == "1"


def killed(*arguments):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("chief", "127.0.0.1", None), r"\['KERASTUNER_ORACLE_PORT'\] not set"),
        (("worker-0", None, None), "KERASTUNER_ORACLE_IP', 'KERASTUNER_ORACLE_PORT'. not set"),
        (("", "127.0.0.1", "8000"), r"\['KERASTUNER_TUNER_ID'\] not set"),
        (("chief", "127.0.0.1", "http"), "_PORT must be from 1 to 65535, received 'http'"),
        (("worker-0", "127.0.0.1", "65536"), "must be from 1 to 65535, received '65536'"),
        (("chief", "host.invalid", "8000"), "the chief cannot listen at host.invalid:8000: "),
    ],
)
def test_bad_variables(monkeypatch, tmp_path, given, message):
    for name, value in zip(VARIABLES, given, strict=True):
        if value is not None:
            monkeypatch.setenv(name, value)
    hypermodel = kgen.tuning.hypermodel(tiny, {"units": [4, 8]}, objective="val_nll")
    with pytest.raises(ValueError, match=message):
        kgen.tuning.tuner(hypermodel, tmp_path / "search")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_another_chief_has(monkeypatch, host):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # As gRPC does.
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]
        for name, value in variables("chief", port).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", host)
        with pytest.raises(ValueError, match=f"cannot listen at {host}:{port}: Address already"):
            processes.checked_role()
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker-0")
        assert processes.checked_role() == "worker"
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "my-chief")
    assert processes.checked_role() == "chief"
