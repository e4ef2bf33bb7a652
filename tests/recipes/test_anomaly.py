"""The command `kgen anomaly`: thresholds, verdicts and what it saves."""

import csv
import json
import shlex

import keras
import numpy as np
import PIL.Image
import pytest

from kgen.anomaly import AnomalyDetector
from kgen.data import in_order
from recipes.command_line.__main__ import main
from recipes.command_line.anomaly import files_at, read
from tests.serving.awake import awake
from tests.systems import SHAPE, SYSTEMS


def kgen(line):
    """Runs the command as a shell would."""
    main(shlex.split(line))


def refused(capsys, line):
    """What a command says on its way out with 2."""
    with pytest.raises(SystemExit) as left:
        kgen(line)
    assert left.value.code == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The path of an autoencoder's file."""
    path = tmp_path_factory.mktemp("saved") / "autoencoder.keras"
    awake(SYSTEMS["autoencoder"].make()).save(path)
    return path


@pytest.fixture(scope="module")
def digits_folder(tmp_path_factory):
    """30 digits as PNG files."""
    folder = tmp_path_factory.mktemp("digits")
    digits = next(iter(in_order("digits", image_size=SHAPE[0], batch_size=30))).numpy()
    for number, digit in enumerate(digits):
        pixels = np.round((digit[..., 0] + 1.0) * 127.5).astype("uint8")
        PIL.Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


def test_anomaly_calibrates_judges_and_saves(saved, digits_folder, tmp_path, capsys):
    kgen(
        f"anomaly {saved} {digits_folder} --normal {digits_folder} --false-positive-rate 0.1 "
        f"--score reconstruction --save {tmp_path}/detector.keras --out {tmp_path}/scores.csv"
    )
    *lines, last = capsys.readouterr().out.splitlines()
    scores = [float(line.split()[0]) for line in lines]
    assert len(lines) == 30 and scores == sorted(scores, reverse=True)
    worst, least = lines[0].split()[2], lines[-1].split()[2]
    assert "2 of 30 are anomalies: a reconstruction above" in last  # The 28th of 30 is the most.
    with open(tmp_path / "scores.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [line.split()[2] for line in lines]
    assert [row["anomaly"] for row in rows].count("True") == 2

    detector = keras.saving.load_model(tmp_path / "detector.keras")
    assert detector.false_positive_rate == 0.1
    files = files_at([digits_folder])
    found = detector.detect(read(files, detector.model))
    assert {str(file) for file, is_found in zip(files, found, strict=True) if is_found} == {
        line.split()[2] for line in lines[:2]
    }
    kgen(f"anomaly {tmp_path}/detector.keras {least} {worst}")  # With the threshold it has.
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.split()[1:] == ["anomaly", worst] and second.split()[1:] == ["normal", least]
    assert "1 of 2 are" in last


def test_anomaly_refuses_in_one_sentence(saved, digits_folder, tmp_path, capsys):
    assert "normal: expected with" in refused(capsys, f"anomaly {saved} {digits_folder}")
    normal = f"--normal {digits_folder}"
    said = refused(capsys, f"anomaly {saved} {digits_folder}/none.png {normal}")
    assert "images: " in said and "none.png does not exist" in said
    SYSTEMS["dcgan"].make().save(tmp_path / "dcgan.keras")
    said = refused(capsys, f"anomaly {tmp_path}/dcgan.keras {digits_folder} {normal}")
    assert "must be able to `reconstruct`" in said
    said = refused(capsys, f"anomaly {saved} {digits_folder} {normal} --false-positive-rate 0.001")
    assert "--false-positive-rate 0.001 takes at least 999 normal images" in said
    assert f"received the 30 of the folder {digits_folder}" in said and "--normal" in said
    said = refused(capsys, f"anomaly {tmp_path}/no-run {tmp_path}/nowhere")
    assert said == f"error: images: {tmp_path}/nowhere does not exist.\n"


def test_anomaly_of_a_run_is_calibrated_on_its_held_out_images(tmp_path, digits_folder, capsys):
    model = awake(SYSTEMS["autoencoder"].make())
    model.save(tmp_path / "model.keras")
    (tmp_path / "config.json").write_text(json.dumps({"data": "digits"}))
    kgen(f"anomaly {tmp_path} {digits_folder}/07.png")
    held_out = np.concatenate([*in_order("digits", model.image_shape[:2]).as_numpy_iterator()])
    detector = AnomalyDetector(model)
    threshold = detector.calibrate(held_out)
    assert f"a reconstruction_ratio above {threshold:.5g}." in capsys.readouterr().out
