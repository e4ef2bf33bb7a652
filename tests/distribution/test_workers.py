"""Two processes train as one device does, the chief writes, and what befalls one stops both."""

import csv
import json
import re
import signal

import numpy as np
import pytest

from kgen.metrics import read_scores
from tests.distribution import worker
from tests.distribution.cluster import run_workers

pytestmark = pytest.mark.forks


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a training by two processes that nothing befell."""
    folder = tmp_path_factory.mktemp("workers") / "run"
    for code, output in run_workers(folder):
        assert code == 0, output
    return folder


def left_by(folder, rank=0):
    """The weights, and the facts, that a process has left."""
    with np.load(f"{folder}-{rank}.npz") as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(str(arrays.pop("facts")))


def assert_close(folder, other, tolerance):
    (weights, facts), (expected, expected_facts) = left_by(folder), left_by(other)
    for name, array in expected.items():
        np.testing.assert_allclose(weights[name], array, tolerance, tolerance, err_msg=name)
    for name, values in expected_facts["history"].items():
        if "images_per_second" not in name:
            np.testing.assert_allclose(facts["history"][name], values, 1e-5, 1e-6, err_msg=name)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """The folder, and the exit codes and outputs of two processes, of `worker.several`."""
    folder = tmp_path_factory.mktemp("several") / "run"
    return folder, run_workers(folder, several=True)


@pytest.fixture(scope="module")
def one_device(tmp_path_factory):
    """The folder of a training by one device."""
    folder = tmp_path_factory.mktemp("one") / "run"
    worker.run(worker.Config(out=str(folder)))
    return folder


def score_of(folder):
    [(_, score)] = read_scores(folder / "scores.jsonl")
    return score


def test_two_processes_end_where_one_device_does_though_interrupted(several, one_device):
    """Ctrl-C came to one of them, which is not the chief, and the same command went on."""
    folder, (chief, other) = several
    for _, output in (chief, other):
        assert output.count("Interrupted.") == output.count("Ended.") == 1, output
    assert "The same command goes on after round 9 of 12" in chief[1]
    assert "goes on after round 9." in chief[1]
    assert_close(folder, one_device, 1e-6)
    assert {"val_generator_loss", "val_kernel"} < set(left_by(folder)[1]["history"])
    assert score_of(folder) == pytest.approx(score_of(one_device), rel=1e-3)


def test_both_processes_end_the_same_and_the_chief_alone_writes(several):
    assert_both_are_the_same(several[0], starts=2)


def test_processes_with_batch_norms_of_their_own_are_where_devices_are(several, tmp_path):
    """As long as both live."""
    apart = several[0].with_name("run-apart")
    fields = {**worker.APART, "steps": worker.EARLY}
    worker.run(worker.Config(out=str(tmp_path / "run"), strategy="mirrored", **fields))
    with np.load(f"{tmp_path}/run-early-0.npz") as expected:
        for rank in range(2):
            with np.load(f"{apart}-early-{rank}.npz") as weights:
                for name in expected.files:
                    np.testing.assert_allclose(
                        weights[name], expected[name], 1e-6, 1e-6, err_msg=name
                    )
    assert score_of(apart) == pytest.approx(score_of(tmp_path / "run"), rel=1e-3)
    found, expected = (
        next(csv.DictReader((folder / "history.csv").read_text().splitlines()))
        for folder in (apart, tmp_path / "run")
    )
    assert "val_generator_loss" in found
    for name in set(expected) - {"images_per_second"}:
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=1e-5, abs=1e-6)


def test_a_killed_process_stops_the_other_with_one_sentence(several):
    chief, other = several[1]
    assert [chief[0], other[0]] == [3, -signal.SIGKILL], several[1]
    assert chief[1].count("error: Another worker has stopped or cannot be reached") == 1
    assert "Traceback" not in chief[1]


# ---------------------------------------------------------------- each in processes of its own


@pytest.mark.slow
def test_two_processes_and_two_devices_end_where_one_device_does(undisturbed, one_device, tmp_path):
    worker.run(worker.Config(out=str(tmp_path / "mirrored"), strategy="mirrored"))
    assert_close(tmp_path / "mirrored", one_device, 1e-6)
    assert_close(undisturbed, one_device, 1e-6)
    names = set(left_by(undisturbed)[1]["history"])
    assert {"val_generator_loss", "val_kernel"} < names
    assert score_of(undisturbed) == pytest.approx(score_of(one_device), rel=1e-3)


@pytest.mark.slow
def test_both_end_the_same_and_the_chief_alone_writes(undisturbed):
    assert_both_are_the_same(undisturbed)


def assert_both_are_the_same(folder, starts=1):
    (one, facts), (other, others_facts) = left_by(folder, 0), left_by(folder, 1)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    for name, values in facts["history"].items():
        if "images_per_second" not in name:
            assert others_facts["history"][name] == values
    assert others_facts["written"] == []
    first = [path.split("/")[0] for path in facts["written"]]
    written = {re.sub(r"^\.partial-\w+-\d+-\w+-", "", name) for name in first}
    assert {"config.json", "checkpoints", "history.csv", "samples", "scores.jsonl"} <= written
    assert len(list((folder / "tensorboard" / "train").iterdir())) == starts


@pytest.mark.slow
def test_processes_without_synchronized_batch_norm_end_where_devices_do(tmp_path):
    fields = {"steps": 4, "sync_batch_norm": False, "doctor": "rollback", "evaluate": ()}
    arguments = ["--steps", "4", "--no-sync-batch-norm", "--doctor", "rollback", "--evaluate"]
    for code, output in run_workers(tmp_path / "workers", *arguments):
        assert code == 0, output
    worker.run(worker.Config(out=str(tmp_path / "mirrored"), strategy="mirrored", **fields))
    for rank in range(2):
        weights, expected = (
            left_by(tmp_path / "workers", rank)[0],
            left_by(tmp_path / "mirrored")[0],
        )
        for name, array in expected.items():
            np.testing.assert_allclose(weights[name], array, 1e-6, 1e-6, err_msg=name)


@pytest.mark.slow
def test_a_killed_worker_and_a_signal_stop_both_and_the_command_goes_on(undisturbed, tmp_path):
    folder = tmp_path / "run"
    killed = run_workers(folder, sabotage=(1, 6, signal.SIGKILL))
    assert [code for code, _ in killed] == [3, -signal.SIGKILL], killed
    assert killed[0][1].count("error: Another worker has stopped or cannot be reached") == 1
    assert "Traceback" not in killed[0][1]
    # From round 4; Ctrl-C to one of them, which is not the chief.
    stopped = run_workers(folder, sabotage=(1, 9, signal.SIGINT))
    assert [code for code, _ in stopped] == [130, 130], stopped
    assert "goes on after round 4" in stopped[0][1]
    assert "The same command goes on after round 9 of 12" in stopped[0][1]
    for code, output in run_workers(folder):
        assert code == 0, output
    for rank in range(2):
        weights, expected = left_by(folder, rank)[0], left_by(undisturbed, rank)[0]
        for name, array in expected.items():
            np.testing.assert_array_equal(weights[name], array, err_msg=name)
