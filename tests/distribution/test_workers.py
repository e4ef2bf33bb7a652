"""Two processes train as one device does, the chief writes, and what befalls one stops both."""

import json
import signal

import numpy as np
import pytest

from kgen.metrics import read_scores
from tests.distribution import worker
from tests.distribution.cluster import run_workers


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


def test_two_processes_and_two_devices_end_where_one_device_does(undisturbed, tmp_path):
    for strategy in ("none", "mirrored"):
        worker.run(worker.Config(out=str(tmp_path / strategy), strategy=strategy))
    assert_close(tmp_path / "mirrored", tmp_path / "none", 1e-6)
    assert_close(undisturbed, tmp_path / "none", 1e-6)
    names = set(left_by(undisturbed)[1]["history"])
    assert {"val_generator_loss", "val_frechet"} < names
    [(_, expected)], [(_, found)] = (
        read_scores(folder / "scores.jsonl") for folder in (tmp_path / "none", undisturbed)
    )
    assert found == pytest.approx(expected, rel=1e-3)


def test_both_end_the_same_and_the_chief_alone_writes(undisturbed):
    (one, facts), (other, others_facts) = left_by(undisturbed, 0), left_by(undisturbed, 1)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    for name, values in facts["history"].items():
        if "images_per_second" not in name:
            assert others_facts["history"][name] == values
    assert others_facts["written"] == []
    written = {path.split("/")[0].removesuffix(".partial") for path in facts["written"]}
    assert {"config.json", "checkpoints", "history.csv", "samples", "scores.jsonl"} <= written
    assert len(list((undisturbed / "tensorboard" / "train").iterdir())) == 1


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
