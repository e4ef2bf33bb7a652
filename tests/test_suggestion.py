"""What a message says was meant, wherever names are asked for."""

import pytest

import kgen.data
import kgen.metrics
import kgen.tuning
from kgen.suggestion import did_you_mean
from recipes import config_file, dcgan, tune


def test_only_a_name_that_is_alike_is_suggested():
    assert did_you_mean("minst5k", ["digits", "mnist5k"]) == " Did you mean 'mnist5k'?"
    assert did_you_mean("faces", ["digits", "mnist5k"]) == ""
    assert did_you_mean(None, ["none"]) == ""


def field_of_a_file(folder):
    (folder / "best.json").write_text('{"learning_rat": 1.0}')
    config_file.settings(dcgan.Config, ["--config", str(folder / "best.json")])


@pytest.mark.parametrize(
    "ask, meant",
    [
        (lambda folder: kgen.data.load("minst5k"), "mnist5k"),
        (lambda folder: kgen.data.load("tfsd:mnist"), "tfds:mnist"),
        (lambda folder: kgen.metrics.Evaluation("digits", "frechett"), "frechet"),
        (lambda folder: kgen.metrics.extractor("digit"), "digits"),
        (lambda folder: kgen.tuning.objective("val_precison"), "precision"),
        (lambda folder: kgen.tuning.hypermodel(dcgan, {"filter": [1, 2]}), "filters"),
        (lambda folder: tune.run("dcgan", tune.Config(fields=["betas_1"])), "beta_1"),
        (field_of_a_file, "learning_rate"),
    ],
)
def test_what_was_meant_is_told(ask, meant, tmp_path):
    with pytest.raises(ValueError, match=f"Did you mean '{meant}'"):
        ask(tmp_path)
