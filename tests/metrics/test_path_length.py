"""Perceptual path length: against paths whose length is known by hand."""

import keras
import numpy as np
import pytest

from kgen import models
from kgen.metrics.path_length import perceptual_path_length
from tests.systems import SYSTEMS, dense_generator, smooth_critic


class Pixels:
    """The extractor whose features are the pixels."""

    name, hash = "pixels", "0"

    def __call__(self, images):
        return np.reshape(images, (len(images), -1))

    def resizer(self, image_shape):
        return "none"


class Linear:
    """Latents of length 1 in the plane, or `rows`; `image_of` them is the image, `style_of` w."""

    def __init__(self, rows=None, image_of=lambda rows: 3.0 * rows, classes=None):
        self.rows, self.image_of, self.classes = rows, image_of, classes
        self.decoded = []

    def latents(self, count, seed):
        if self.rows is not None:
            return np.resize(self.rows, (count, *self.rows.shape[1:])).astype("float32")
        rows = np.random.default_rng(seed).normal(size=(count, 2))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("float32")

    def decode(self, rows, batch_size):
        assert rows.dtype == np.float32 and len(rows) <= batch_size
        self.decoded.append(rows)
        return self.image_of(rows)[:, None, None, :]

    def map(self, rows):
        return np.stack([rows, 2.0 * rows], axis=1)

    def synthesise(self, styles, batch_size):
        assert styles.dtype == np.float32 and styles.shape[1] == 2
        return self.decode(styles[:, 0] + styles[:, 1], batch_size)


def length(model, **arguments):
    return perceptual_path_length(
        model, **{**dict(epsilon=1e-2, extractor=Pixels(), trim=0.0, samples=50), **arguments}
    )


def paths(samples=50, seed=0):
    """The starts and ends of the paths of `Linear`."""
    rows = np.float64(Linear().latents(2 * samples, seed))
    return rows[::2], rows[1::2]


@pytest.mark.parametrize("end", [False, True])
def test_in_z_an_arc_is_as_long_as_its_angle(end):
    starts, ends = paths()
    angles = np.arccos(np.clip(np.sum(starts * ends, axis=1), -1.0, 1.0))
    chords = 2.0 * np.sin(angles * 1e-2 / 2.0) / 1e-2  # Of the step along the circle.
    assert float(length(Linear(), end=end)) == pytest.approx(np.mean((3.0 * chords) ** 2), rel=1e-4)


@pytest.mark.parametrize("end", [False, True])
def test_in_w_a_line_is_as_long_as_the_distance_of_its_ends(end):
    starts, ends = paths()
    squares = np.sum((3.0 * 3.0 * (ends - starts)) ** 2, axis=1)
    score = length(Linear(), space="w", end=end)
    assert float(score) == pytest.approx(np.mean(squares), rel=1e-4)


def test_the_papers_epsilon_is_within_what_float32_can_tell():
    assert float(length(Linear(), epsilon=1e-4)) == pytest.approx(float(length(Linear())), rel=1e-3)


def test_where_on_the_path():
    """The style w^2 on the path from 0 to 1 changes by 2 t: from 0 at its end, 4 / 3 on average."""
    square = Linear(np.float32([[0.0], [1.0]]), lambda rows: np.square(rows / 3.0))
    assert float(length(square, space="w", end=True)) == pytest.approx(1e-4, rel=1e-3)
    mean = float(length(square, space="w", samples=4000, resamples=0, batch_size=4000))
    assert mean == pytest.approx(4.0 / 3.0 + 0.02, rel=0.05)
    assert length(square, space="w").card.settings["end"] is False


def test_trim_leaves_out_the_same_share_at_both_ends():
    """Of the squared lengths 1, 4, .. 100^2, among them some that an average would be made of."""
    lengths = np.random.default_rng(0).permutation(np.arange(1.0, 101.0))
    rows = np.stack([np.zeros(100), lengths / 9.0], axis=1).reshape(200, 1)
    squares = np.sort(lengths**2)
    for trim, kept in ((0.0, squares), (0.1, squares[9:91]), (0.01, squares)):
        score = length(Linear(rows), space="w", samples=100, trim=trim)
        assert float(score) == pytest.approx(kept.mean(), rel=1e-4)
    rows[-1] = 1e4
    with_outlier = length(Linear(rows), space="w", samples=100, trim=0.1)
    assert float(with_outlier) < 1e4 < float(length(Linear(rows), space="w", samples=100))


def test_paths_between_parallel_and_opposite_latents_are_finite():
    with np.errstate(all="raise"):
        assert np.isfinite(length(Linear(np.float32([[1.0], [-1.0], [2.0]]))))


def test_both_ends_of_a_path_are_of_the_first_ones_class():
    noise = np.random.default_rng(0).normal(size=(40, 3))
    labels = np.eye(4)[np.arange(40) // 2 % 4]
    labels[1::2] = np.eye(4)[0]
    model = Linear(np.concatenate([noise, labels], axis=1), classes=4)
    of_class = length(model, samples=20)
    here, ahead = model.decoded
    np.testing.assert_array_equal(here[:, 3:], labels[::2])
    np.testing.assert_array_equal(ahead[:, 3:], labels[::2])
    assert float(of_class) == pytest.approx(float(length(Linear(noise), samples=20)), rel=1e-3)
    model.decoded.clear()
    length(model, space="w", samples=20)
    np.testing.assert_allclose(model.decoded[1][:, 3:], 3.0 * labels[::2], rtol=1e-6)
    rows = np.concatenate([noise, 0.5 * labels], axis=1)
    with pytest.raises(ValueError, match=r"4 classes.*one-hot.*\[0.5, 0.0, 0.0, 0.0\]"):
        length(Linear(rows, classes=4), samples=20)


def test_seed_interval_and_card():
    score, again = length(Linear(), seed=3), length(Linear(), seed=3, batch_size=7)
    assert float(score) == pytest.approx(float(again), rel=1e-6)
    assert score.interval == pytest.approx(again.interval, rel=1e-6)
    assert float(length(Linear(), seed=4)) != float(score)
    assert score.interval[0] < score < score.interval[1]
    assert length(Linear(), resamples=0).interval is None
    card = score.card
    assert (card.metric, card.samples) == ("perceptual_path_length", 50)
    assert card.settings == {"space": "z", "end": False, "epsilon": 1e-2, "trim": 0.0}
    assert card.seeds == {"samples": 3, "bootstrap": 3}
    assert (card.extractor, card.extractor_hash, card.resizer) == ("pixels", "0", "none")


def test_more_samples_keep_the_first_paths():
    """Those of 20 samples in the first batch of 40."""
    few, many = Linear(), Linear()
    length(few, samples=20, batch_size=20)
    length(many, samples=40, batch_size=20)
    np.testing.assert_array_equal(few.decoded[0], many.decoded[0])


def test_of_a_model():
    """A conditional one; its images are smooth enough for the step's length not to matter."""
    model = SYSTEMS["conditional_gan"].make()
    before = [variable.numpy() for variable in model.variables]
    score = perceptual_path_length(model, samples=8, batch_size=8)
    longer = perceptual_path_length(model, samples=8, batch_size=8, epsilon=1e-3)
    assert 0.0 < float(score) == pytest.approx(float(longer), rel=0.05)
    assert score.card.weights == "raw" and score.card.extractor == "random (seed 0)"
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    with pytest.raises(ValueError, match="space='w' needs .*map, synthesise; received GAN, which"):
        perceptual_path_length(model, space="w")


def test_a_model_of_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = models.GAN(dense_generator(), smooth_critic())
    with pytest.raises(ValueError, match="must compute in float32.*'gan.*half precision"):
        perceptual_path_length(model)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": Pixels()}, "`?space='z' needs.*latents, decode; received Pixels.*lacks latents"),
        ({"space": "x"}, r"`space` must be one of \['z', 'w'\], received 'x'"),
        ({"end": 1}, "`end`.*received 1"),
        ({"epsilon": 0.0}, "`epsilon`.*0.0"),
        ({"trim": 0.5}, "`trim`.*0.5"),
        ({"trim": -0.1}, "`trim`.*-0.1"),
        ({"samples": 1}, "`samples`.*1"),
        ({"batch_size": 0}, "`batch_size`.*0"),
        ({"resamples": 1}, "`resamples`.*1"),
        ({"seed": -1}, "`seed`.*-1"),
        ({"extractor": "vgg"}, "`extractor`.*'vgg'"),
        ({"model": Linear(image_of=lambda rows: rows * np.nan)}, "`features` must be finite"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        length(**{"model": Linear(), **arguments})
