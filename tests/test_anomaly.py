"""The anomaly detector: its scores, its threshold and the rate that it is calibrated for."""

import types
import warnings

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

import kgen.data
from kgen.anomaly import AnomalyDetector
from kgen.metrics import auroc
from tests.systems import SYSTEMS

IMAGES = SYSTEMS["autoencoder"].images()


def of_numbers():
    """A detector whose score of an image is its first pixel."""
    return AnomalyDetector(None, score=lambda images: images[:, 0])


def test_scores_are_errors_and_likelihoods():
    model = SYSTEMS["autoencoder"].make()
    expected = np.mean((model.reconstruct(IMAGES) - IMAGES) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(
        AnomalyDetector(model, "reconstruction").score(IMAGES), expected, rtol=1e-5
    )
    model = SYSTEMS["vae"].make()
    with pytest.warns(UserWarning, match="'log_prob' calls simple images normal"):
        found = AnomalyDetector(model, "log_prob").score(IMAGES)
    np.testing.assert_array_equal(found, -model.log_prob(IMAGES))


def test_the_ratio_by_hand():
    """Rows of 2, against a reconstruction that is off by a half everywhere."""
    image = np.array([[-1.0, 1.0], [0.0, 0.5]], "float32")[None, :, :, None]
    model = types.SimpleNamespace(
        abilities=("reconstruct",), encoded_with=None, reconstruct=lambda images: images + 0.5
    )
    step = (2 / 255) ** 2  # Beside each other: 2 and 0.5; one above the other: 1 and -0.5.
    expected = 0.25 / (((4.0 + 0.25) / 2 + (1.0 + 0.25) / 2) / 2 + step)
    assert AnomalyDetector(model).score(image) == pytest.approx([expected])
    flat = np.zeros((1, 3, 4, 1), "float32")
    assert AnomalyDetector(model).score(flat) == pytest.approx([0.25 / step])
    with pytest.raises(ValueError, match="`images` must have shape .*'reconstruction' takes any"):
        AnomalyDetector(model).score(np.zeros((2, 3), "float32"))


def test_simple_images_are_no_less_anomalous():
    """Ones among all other digits: what alone is left of them is little, explained or not.

    The model is one of principal components, whose likelihood is that of a Gaussian.
    """
    images, labels = (
        np.concatenate(parts)
        for parts in zip(
            *kgen.data.in_order("mnist5k", labels=True).as_numpy_iterator(), strict=True
        )
    )
    rows = images.reshape(len(images), -1)
    pca = PCA(30, random_state=0).fit(rows[labels != 1][::2])

    def reconstruct(images):
        codes = pca.transform(images.reshape(len(images), -1))
        return pca.inverse_transform(codes).reshape(images.shape)

    model = types.SimpleNamespace(
        abilities=("reconstruct", "log_prob"),
        encoded_with=None,
        reconstruct=reconstruct,
        log_prob=lambda images: pca.score_samples(images.reshape(len(images), -1)),
    )
    new = np.concatenate([images[labels != 1][1::2], images[labels == 1]])
    is_one = np.arange(len(new)) >= np.sum(labels != 1) // 2
    areas = {}
    for score in ("reconstruction_ratio", "reconstruction", "log_prob"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            detector = AnomalyDetector(model, score)
        areas[score] = float(auroc(detector.score(new), is_one, resamples=0))
    assert areas["log_prob"] < 0.4
    assert areas["reconstruction"] < 0.5
    assert areas["reconstruction_ratio"] > 0.7


@keras.saving.register_keras_serializable("tests")
def first_pixel(images):
    return images.reshape(len(images), -1)[:, 0]


@pytest.mark.parametrize("score", ["reconstruction_ratio", "log_prob", first_pixel])
def test_a_detector_is_saved_with_its_model_and_threshold(tmp_path, score):
    model = SYSTEMS["vae"].make()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "score='log_prob'")
        detector = AnomalyDetector(model, score)
    threshold = detector.calibrate(IMAGES, 0.25)
    detector.save(tmp_path / "detector.keras")
    loaded = keras.saving.load_model(tmp_path / "detector.keras")  # Of which nothing is warned.
    assert type(loaded) is AnomalyDetector and type(loaded.model) is type(model)
    assert (loaded.kind, loaded.threshold, loaded.false_positive_rate) == (score, threshold, 0.25)
    np.testing.assert_array_equal(loaded.score(IMAGES), detector.score(IMAGES))
    again = AnomalyDetector.from_config(detector.get_config())  # Of other weights.
    assert again.threshold == threshold and again.kind == score
    with pytest.raises(ValueError, match=r"`path` must end in \.keras, received .*detector'"):
        detector.save(tmp_path / "detector")


def test_a_trained_and_compiled_model_comes_back_in_a_detector(tmp_path):
    model = SYSTEMS["autoencoder"].make()
    model.compile("adam", run_eagerly=True)
    model.fit(IMAGES, batch_size=len(IMAGES), epochs=2, verbose=0)
    detector = AnomalyDetector(model, threshold=np.float32(0.5))
    detector.save(tmp_path / "detector.keras")
    loaded = keras.saving.load_model(tmp_path / "detector.keras")
    assert loaded.threshold == 0.5
    np.testing.assert_allclose(loaded.score(IMAGES), detector.score(IMAGES), rtol=1e-5)
    for found, expected in zip(loaded.model.weights, model.weights, strict=True):
        np.testing.assert_array_equal(found, expected)


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


def test_a_detector_without_a_threshold_is_saved_with_a_warning(tmp_path):
    detector = AnomalyDetector(SYSTEMS["autoencoder"].make())
    with pytest.warns(UserWarning, match="without a threshold, as `calibrate` was not called"):
        detector.save(tmp_path / "detector.keras")
    assert keras.saving.load_model(tmp_path / "detector.keras").threshold is None


@pytest.mark.parametrize("score", ["reconstruction_ratio", "reconstruction"])
def test_images_that_are_never_negative_are_warned_of_once(score):
    detector = AnomalyDetector(SYSTEMS["autoencoder"].make(), score, threshold=1.0)
    with pytest.warns(UserWarning) as caught:
        detector.detect(np.abs(IMAGES))
    assert len([one for one in caught if "images * 2 - 1" in str(one.message)]) == 1


@pytest.mark.parametrize("rate", [np.float32(0.1), np.float64(0.1), np.array(0.1, "float16")])
def test_a_rate_out_of_numpy_is_the_number_that_it_shows(rate):
    """So nine images are enough for 0.1, whose 32 bits are a little more or less."""
    detector = of_numbers()
    rows = np.arange(9.0, dtype="float32")[:, None]
    assert detector.calibrate(rows, rate) == 8.0
    assert (type(detector.false_positive_rate), detector.false_positive_rate) == (float, 0.1)
    detector.threshold = np.array(2.0, "float32")
    assert detector.detect(rows).sum() == 6 and type(detector.threshold) is float
