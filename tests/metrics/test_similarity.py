"""PSNR and SSIM against scikit-image, multi-scale SSIM against TensorFlow and by hand."""

import math

import numpy as np
import pytest

import kgen.data
from kgen.metrics.similarity import l1, named_similarity_scores, psnr, similarity_scores
from kgen.metrics.structural_similarity import multi_scale_ssim, scale_weights, ssim


def smooth(count, height, width, channels, seed=0):
    """Images in [-1, 1] of a few waves each, unlike one another."""
    draws = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    waves = draws.uniform(0, 12, (count, 2, channels, 3))
    phases = np.einsum("nkcd,dhw->nkhwc", waves[..., :2], np.stack([rows, columns]))
    return np.sin(phases + waves[..., 2][:, :, None, None]).mean(axis=1)


def as_bytes(images):
    return np.round((images + 1.0) * 127.5).astype("uint8")


def noisy(images, amount, seed=1):
    noise = np.random.default_rng(seed).uniform(-amount, amount, images.shape)
    return np.clip(images + noise, -1.0, 1.0)


def test_l1_by_hand():
    images = np.zeros((3, 4, 5, 2))
    others = np.stack([images[0] + 0.25, images[0] - 1.0, images[0]])
    others[0, 0, 0, 0] = -0.75  # One of 40.
    assert l1(images, others).tolist() == pytest.approx([0.25 + 0.5 / 40, 1.0, 0.0])
    assert l1(images + 1.0, images - 1.0).tolist() == [2.0] * 3


def test_only_what_is_named_is_computed():
    tiny = smooth(4, 8, 8, 1)  # Too small for SSIM.
    scores = named_similarity_scores(["psnr", "l1"], tiny, noisy(tiny, 0.1))
    assert list(scores) == ["psnr", "l1"]
    larger = smooth(4, 24, 24, 1)
    all_of_them = similarity_scores(larger, noisy(larger, 0.1))
    for name, score in named_similarity_scores(["ssim"], larger, noisy(larger, 0.1)).items():
        assert score == all_of_them[name] and score.interval == all_of_them[name].interval


def test_psnr_by_hand():
    images = np.zeros((3, 4, 5, 2))
    others = np.stack([images[0] + 0.2, images[0] + 1.0, images[0]])
    # 10 log10(4 / 0.04), 10 log10(4 / 1), and no error.
    assert psnr(images, others).tolist() == pytest.approx([20.0, 10 * math.log10(4), math.inf])


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_and_ssim_are_scikit_images_of_the_same_images_in_0_to_255(channels):
    metrics = pytest.importorskip("skimage.metrics")
    images = as_bytes(smooth(4, 23, 31, channels))
    for others in (
        as_bytes(noisy(smooth(4, 23, 31, channels), 0.3)),
        255 - images,
        (0.5 * images).astype("uint8") + 90,
        images[::-1],
        np.zeros_like(images),
    ):
        sides = [side / 127.5 - 1.0 for side in (images, others)]
        for pair, ratio, similarity in zip(
            zip(images, others, strict=True), psnr(*sides), ssim(*sides), strict=True
        ):
            assert ratio == pytest.approx(metrics.peak_signal_noise_ratio(*pair), rel=1e-9)
            expected = metrics.structural_similarity(
                *pair, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                channel_axis=-1,
            )  # fmt: skip
            assert similarity == pytest.approx(expected, abs=1e-9)


def test_ssim_of_flat_images_is_the_luminance_of_their_intensities():
    images = np.stack([np.full((11, 12, 1), value) for value in (-0.1, 0.5, -1.0)])
    others = np.stack([np.full((11, 12, 1), value) for value in (0.1, -0.5, 1.0)])
    expected = []
    for x, y in ((0.9, 1.1), (1.5, 0.5), (0.0, 2.0)):  # Of a range of 2, black being 0.
        c = (0.01 * 2) ** 2
        expected.append((2 * x * y + c) / (x**2 + y**2 + c))
    assert expected[0] == pytest.approx(0.98, abs=1e-3) and expected[2] < 1e-3
    assert ssim(images, others) == pytest.approx(expected, rel=1e-9)
    assert multi_scale_ssim(images, others) == pytest.approx(np.power(expected, 1.0001))


def test_an_image_and_its_negative_are_unlike():
    """The luminance of values in [-1, 1] turns its sign with the contrast's, to a high score."""
    images = kgen.data.in_order("digits", image_size=28, split="test")
    images = np.asarray(next(iter(images)))[:8]
    assert (ssim(images, -images) < -0.3).all()
    assert multi_scale_ssim(images, -images).tolist() == [0.0] * 8


@pytest.mark.parametrize("function", [ssim, multi_scale_ssim])
def test_equal_images_have_1_and_order_does_not_count(function):
    images = smooth(3, 24, 30, 2)
    others = noisy(images, 0.5)
    assert function(images, images) == pytest.approx(1.0, rel=1e-12)
    assert function(images, others) == pytest.approx(function(others, images), rel=1e-12)
    assert (function(images, others) < 0.99).all()
    less = noisy(images, 0.1)
    assert (function(images, less) > function(images, others)).all()


# Each size with one number of channels; the others are slow.
@pytest.mark.parametrize(
    ("height", "width", "channels"),
    [
        (176, 176, 1),
        (161, 190, 3),
        (177, 163, 1),
        pytest.param(176, 176, 3, marks=pytest.mark.slow),
        pytest.param(161, 190, 1, marks=pytest.mark.slow),
        pytest.param(177, 163, 3, marks=pytest.mark.slow),
    ],
)
def test_five_scales_against_tensorflow(height, width, channels):
    import tensorflow as tf

    images = smooth(2, height, width, channels)
    others = noisy(images, 0.4)
    expected = tf.image.ssim_multiscale(
        (images + 1.0).astype("float32"), (others + 1.0).astype("float32"), max_val=2.0
    ).numpy()
    assert multi_scale_ssim(images, others) == pytest.approx(expected, abs=4e-6)


def test_small_images_have_as_many_scales_as_fit():
    import tensorflow as tf

    images = smooth(3, 32, 32, 3)
    others = noisy(images, 0.4)
    weights = np.array([0.0448, 0.2856]) * 1.0001 / (0.0448 + 0.2856)
    expected = tf.image.ssim_multiscale(
        (images + 1.0).astype("float32"),
        (others + 1.0).astype("float32"),
        max_val=2.0,
        power_factors=weights,
    ).numpy()
    assert multi_scale_ssim(images, others) == pytest.approx(expected, abs=4e-6)
    one = smooth(3, 20, 64, 1)
    assert multi_scale_ssim(one, noisy(one, 0.4)) == pytest.approx(
        ssim(one, noisy(one, 0.4)) ** 1.0001
    )


def test_scales_by_size():
    sides = {11: 1, 20: 1, 21: 2, 40: 2, 41: 3, 80: 3, 81: 4, 160: 4, 161: 5, 1000: 5}
    for side, scales in sides.items():
        weights = scale_weights(side, side + 7)
        assert len(weights) == len(scale_weights(side + 7, side)) == scales
        assert weights.sum() == pytest.approx(1.0001)
    published = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    assert scale_weights(200, 200) == pytest.approx(published, rel=1e-12)


def test_contrast_turned_round_is_below_0_and_its_power_0_and_not_nan():
    images = 0.5 + 0.2 * noisy(np.zeros((3, 64, 64, 3)), 1.0)
    turned = 1.0 - images  # About the same mean, so that the luminance stays.
    assert (ssim(images, turned) < -0.5).all()
    assert multi_scale_ssim(images, turned).tolist() == [0.0] * 3


def test_chunks_do_not_show(monkeypatch):
    images = smooth(7, 24, 24, 1)
    others = noisy(images, 0.3)
    whole = ssim(images, others), multi_scale_ssim(images, others)
    monkeypatch.setattr("kgen.metrics.structural_similarity._CHUNK", 3 * 24 * 24)
    assert np.array_equal(ssim(images, others), whole[0])
    assert np.array_equal(multi_scale_ssim(images, others), whole[1])


def test_float32_is_computed_in_float64():
    images, others = smooth(2, 24, 24, 1).astype("float32"), smooth(2, 24, 24, 1, 5)
    for function in (l1, psnr, ssim, multi_scale_ssim):
        found = function(images, others.astype("float32"))
        assert found.dtype == "float64" and found.shape == (2,)
        assert found == pytest.approx(function(images.astype("float64"), others), abs=1e-5)


def test_mean_scores_carry_their_cards():
    images = smooth(20, 24, 24, 1)
    others = noisy(images, 0.3)
    scores = similarity_scores(images, others, seed=2)
    assert list(scores) == ["l1", "psnr", "ssim", "multi_scale_ssim"]
    for function in (l1, psnr, ssim, multi_scale_ssim):
        score = scores[function.__name__]
        assert float(score) == pytest.approx(function(images, others).mean())
        assert score.interval[0] < score < score.interval[1]
        assert score.card.metric == function.__name__
        assert (score.card.samples, score.card.seeds) == (20, {"bootstrap": 2})
    assert scores["ssim"].card.settings == {}
    assert scores["multi_scale_ssim"].card.settings == {"scales": 2}


def test_a_pair_of_equal_images_makes_the_mean_psnr_infinite_without_interval():
    images = smooth(4, 24, 24, 1)
    score = similarity_scores(images, np.concatenate([images[:1], -images[1:]]))["psnr"]
    assert float(score) == math.inf
    assert score.interval is None and score.card.seeds == {}


@pytest.mark.parametrize("function", [l1, psnr, ssim, multi_scale_ssim])
def test_errors(function):
    images = smooth(2, 24, 24, 1)
    with pytest.raises(ValueError, match=r"`others` must be floats in \[-1, 1\]; received uint8"):
        function(images, np.zeros(images.shape, "uint8"))
    with pytest.raises(ValueError, match=r"`images` must be in \[-1, 1\]; .* to 255"):
        function(images * 0 + 255.0, images)
    with pytest.raises(ValueError, match=r"`images` must have shape \(n, height, width, channels"):
        function(images[0], images[0])
    with pytest.raises(ValueError, match="`images` and `others` must have one shape"):
        function(images, images[:1])
    with pytest.raises(ValueError, match="`others` must be finite; received 1"):
        broken = images.copy()
        broken[0, 0, 0, 0] = np.nan
        function(images, broken)
    with pytest.raises(ValueError, match="`images` must have at least 1 image"):
        function(images[:0], images[:0])


@pytest.mark.parametrize("function", [ssim, multi_scale_ssim])
def test_images_smaller_than_the_window(function):
    images = np.zeros((2, 10, 24, 1))
    with pytest.raises(ValueError, match="at least 11 x 11 pixels.*received 10 x 24"):
        function(images, images)
