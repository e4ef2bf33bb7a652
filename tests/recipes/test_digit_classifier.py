"""The weights of the classifier of digits that the tests lend: what they are, and how good."""

import hashlib
import importlib

import numpy as np
import pytest

from kgen.metrics import extractor
from recipes import conditional
from tests import digit_classifier

# The package's attribute of that name is the function.
module = importlib.import_module("kgen.metrics.extractors.digits")


def accuracy(found):
    images, labels = conditional.arrays("mnist5k", "test")
    return np.mean(found.probabilities(images).argmax(axis=1) == labels)


def test_the_weights_are_those_that_were_stored():
    content = digit_classifier.WEIGHTS.read_bytes()
    assert hashlib.sha256(content).hexdigest() == digit_classifier.SHA256
    assert digit_classifier.WEIGHTS.name == f"digits-{module._REVISION}.npz", "make it anew"


def test_they_are_the_network_s_and_know_digits():
    found = extractor("digits")
    with np.load(digit_classifier.WEIGHTS) as stored:
        for index, weight in enumerate(found.network.get_weights()):
            np.testing.assert_array_equal(weight, stored[f"weight_{index}"].astype("float32"))
    assert accuracy(found) > 0.98


@pytest.mark.slow
def test_training_anew_is_as_good(tmp_path, monkeypatch):
    lent = accuracy(extractor("digits"))
    monkeypatch.setenv("KGEN_CACHE", str(tmp_path))
    module.digits.cache_clear()
    try:
        trained = accuracy(extractor("digits"))
    finally:
        module.digits.cache_clear()
    assert abs(trained - lent) < 0.008 and trained > 0.98
