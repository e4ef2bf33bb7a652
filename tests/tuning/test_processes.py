"""Searches that are killed, and searches of several processes."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

import kgen.tuning
from kgen.tuning.record import read
from tests.tuning import tiny

ROOT = pathlib.Path(__file__).parents[2]


def started(environment=None, **arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.tuning.tiny", json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_search_that_was_killed_goes_on_in_the_middle_of_a_trial(tmp_path, capsys):
    """And ends as one that was not: the same trials, with the same scores."""
    process = started(folder=str(tmp_path / "killed"), trials=1, die_in=[0, 5])
    output, _ = process.communicate(timeout=900)
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


def test_a_chief_and_two_workers_share_the_trials(tmp_path):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    folder = tmp_path / "search"
    processes, names = {}, ["chief", "worker-0", "worker-1"]
    for name in names:
        environment = {
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(port),
            "TF_NUM_INTRAOP_THREADS": "1",
            "no_proxy": "127.0.0.1",
        }
        processes[name] = started(environment, folder=str(folder), trials=3, processes=names)
    try:
        outputs = {name: p.communicate(timeout=900)[0] for name, p in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
    assert {p.returncode for p in processes.values()} == {0}, outputs
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
