"""The anomaly detector: its scores, its threshold and the rate that it is calibrated for."""

import numpy as np
import pytest

from kgen.anomaly import AnomalyDetector
from tests.systems import SYSTEMS

IMAGES = SYSTEMS["autoencoder"].images()


def of_numbers():
    """A detector whose score of an image is its first pixel."""
    return AnomalyDetector(None, score=lambda images: images[:, 0])


def test_scores_are_errors_and_likelihoods():
    model = SYSTEMS["autoencoder"].make()
    expected = np.mean((model.reconstruct(IMAGES) - IMAGES) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(AnomalyDetector(model).score(IMAGES), expected, rtol=1e-5)
    model = SYSTEMS["vae"].make()
    found = AnomalyDetector(model, "log_prob").score(IMAGES)
    np.testing.assert_array_equal(found, -model.log_prob(IMAGES))


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_false_alarms_are_as_frequent_as_asked_for(rate):
    rng = np.random.default_rng(0)
    alarms = []
    for _ in range(400):
        detector = of_numbers()
        detector.calibrate(rng.exponential(size=(199, 1)).astype("float32"), rate)
        alarms.append(detector.detect(rng.exponential(size=(200, 1)).astype("float32")).mean())
    # 1 - k / (n + 1), k = ceil((n + 1) (1 - rate)), which is the rate itself for these.
    assert np.mean(alarms) == pytest.approx(rate, abs=4 * np.std(alarms) / 20)


def test_the_threshold_is_a_score_of_a_normal_image_and_no_alarm():
    detector = of_numbers()
    numbers = np.arange(19, dtype="float32")[:, None]
    assert detector.calibrate(numbers, 0.05) == 18.0 == detector.threshold
    assert detector.false_positive_rate == 0.05
    assert detector.calibrate(numbers, 0.5) == 9.0
    np.testing.assert_array_equal(
        detector.detect(np.array([[9.0], [9.5]], "float32")), [False, True]
    )


def test_bad_input():
    detector = of_numbers()
    with pytest.raises(ValueError, match="`threshold` is not set"):
        detector.detect(np.zeros((1, 1), "float32"))
    with pytest.raises(ValueError, match="at least 19 for false_positive_rate=0.05, received 18"):
        detector.calibrate(np.zeros((18, 1), "float32"))
    with pytest.raises(ValueError, match="`threshold` must be None or a number, received nan"):
        detector.threshold = float("nan")
    for rate in (0.0, 1.0, 5, float("nan")):
        with pytest.raises(ValueError, match="`false_positive_rate` must be"):
            detector.calibrate(np.zeros((18, 1), "float32"), rate)
    with pytest.raises(ValueError, match="`score` must be one of"):
        AnomalyDetector(None, "density")
    with pytest.raises(ValueError, match="`model` must be able to `reconstruct`"):
        AnomalyDetector(SYSTEMS["dcgan"].make())
    with pytest.raises(ValueError, match="`model` must score images alone.*together with labels"):
        AnomalyDetector(SYSTEMS["conditional_vae"].make())
    with pytest.raises(ValueError, match=r"one number for each of the 2 images.*\(1,\)"):
        AnomalyDetector(None, lambda images: images[:1, 0]).score(np.zeros((2, 1), "float32"))
    with pytest.raises(ValueError, match="1 NaN"):
        AnomalyDetector(None, lambda images: images[:, 0]).score(np.array([[0.0], [np.nan]]))
    with pytest.raises(ValueError, match="`images` must be floats"):
        detector.score(np.zeros((2, 1), "uint8"))
