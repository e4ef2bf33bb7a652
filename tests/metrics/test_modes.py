"""Mode counts, share of high quality and reverse KL, against numbers by hand and limits."""

import math

import numpy as np
import pytest
from scipy import stats

from kgen.data.mixtures import GRID_CENTRES, GRID_STD, RING_CENTRES, RING_STD
from kgen.metrics.modes import label_scores, mixture_scores

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def values(scores):
    return [float(score) for score in scores.values()]


def test_numbers_by_hand():
    # Mode 0 has two near samples and one far, mode 1 one near, mode 2 one far, mode 3 none.
    points = [[0.0, 0.0], [2.0, 2.0], [2.5, 2.5], [10.0, 2.9], [0.0, 14.0]]
    scores = mixture_scores(np.array(points), CENTRES, std=1.0)
    shares = np.array([3, 1, 1]) / 5
    assert list(scores) == ["modes", "high_quality", "reverse_kl"]
    expected = [2.0, 3 / 5, np.sum(shares * np.log(4 * shares))]
    assert values(scores) == pytest.approx(expected, abs=1e-12)


def test_the_radius_is_euclidean_and_held_against_within_standard_deviations():
    def near(x, y, std, within):
        return mixture_scores([[x, y]], CENTRES, std, within)["high_quality"] == 1.0

    assert near(3.0, 4.0, std=2.5, within=2.0)  # The distance is 5, the edge belongs to it.
    assert not near(3.0, 4.0, std=2.5, within=1.999)
    assert not near(3.0, 4.0, std=2.49, within=2.0)


def test_a_sample_counts_for_its_nearest_mode_only():
    # Within 3 standard deviations of both centres.
    scores = mixture_scores([[0.9]], [[0.0], [2.0]], std=1.0)
    assert values(scores) == pytest.approx([1.0, 1.0, math.log(2)])


def test_samples_on_the_centres_are_perfect():
    scores = mixture_scores(np.tile(CENTRES, (5, 1)), CENTRES, std=0.1)
    assert values(scores) == [4.0, 1.0, 0.0]


def test_a_collapsed_generator():
    scores = mixture_scores(np.zeros((100, 2)), CENTRES, std=0.1)
    assert values(scores) == pytest.approx([1.0, 1.0, math.log(4)])


def test_far_samples_reach_no_mode_and_still_count_in_the_divergence():
    scores = mixture_scores(CENTRES + 1.0, CENTRES, std=0.1)
    assert values(scores) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("centres, std", [(RING_CENTRES, RING_STD), (GRID_CENTRES, GRID_STD)])
def test_the_published_mixtures_themselves(centres, std):
    """Of a Gaussian of two dimensions 1 - exp(-9 / 2) = 98.9 % lie within 3 deviations."""
    draws = np.random.default_rng(0)
    points = centres[draws.integers(len(centres), size=20_000)]
    scores = mixture_scores(points + std * draws.normal(size=points.shape), centres, std)
    assert scores["modes"] == len(centres)
    assert float(scores["high_quality"]) == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    assert float(scores["reverse_kl"]) < 0.002


def test_intervals_are_those_of_the_binomial_distribution():
    points = np.repeat([[0.0, 0.0], [4.0, 4.0]], [900, 100], axis=0)
    score = mixture_scores(points, CENTRES, std=0.1, resamples=5000)["high_quality"]
    expected = stats.binom(1000, 0.9).ppf([0.025, 0.975]) / 1000
    assert score.interval == pytest.approx(expected, abs=0.002)
    assert mixture_scores(points, CENTRES, 0.1)["modes"].interval is None
    bare = mixture_scores(points, CENTRES, std=0.1, resamples=0)
    assert all(score.interval is None for score in bare.values())


@pytest.mark.parametrize(
    "shares",
    [np.full(25, 1 / 25), 0.97 ** np.arange(25), np.repeat([1.0, 0.0], [20, 5]), [0.9, 0.05, 0.05]],
    ids=["even", "nearly even", "five missed", "uneven"],
)
def test_intervals_of_the_divergence_are_as_wide_as_it_spreads(shares):
    """Of even samples, too: there a resample is more uneven than the samples are."""
    rng = np.random.default_rng(0)
    modes, scores = len(shares), []
    for seed in range(200):
        labels = np.repeat(np.arange(modes), rng.multinomial(2500, shares / np.sum(shares)))
        scores.append(label_scores(labels, modes, seed=seed)["reverse_kl"])
    expected = np.mean([float(score) for score in scores])
    held = np.mean([score.interval[0] <= expected <= score.interval[1] for score in scores])
    assert held >= 0.9
    width = np.mean([np.ptp(score.interval) for score in scores]) / (2 * 1.96)
    assert width == pytest.approx(np.std([float(score) for score in scores]), rel=0.25)


def test_the_cards_say_what_was_measured():
    scores = mixture_scores(np.zeros((7, 2)), CENTRES, std=0.1, within=2.0, seed=3)
    for name, score in scores.items():
        assert score.card.metric == name
        assert score.card.samples == 7
        assert score.card.settings == {"modes": 4, "std": 0.1, "within": 2.0}
    assert scores["modes"].card.seeds == {}
    assert scores["reverse_kl"].card.seeds == {"bootstrap": 3}


def test_labels_by_hand():
    scores = label_scores([0, 0, 0, 2], modes=4)
    expected = [2.0, 0.75 * math.log(3) + 0.25 * math.log(1)]
    assert values(scores) == pytest.approx(expected)
    against = label_scores([0, 0, 0, 2], modes=4, reference=[0, 0, 1, 1, 1, 2, 2, 2])
    expected = [2.0, 0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.375)]
    assert values(against) == pytest.approx(expected)
    assert against["reverse_kl"].card.reference_samples == 8


def test_labels_as_scipy_has_them():
    draws = np.random.default_rng(1)
    labels, reference = draws.integers(0, 50, 300), draws.integers(0, 50, 5000)
    scores = label_scores(labels, 50, reference)
    shares = [np.bincount(each, minlength=50) for each in (labels, reference)]
    assert float(scores["reverse_kl"]) == pytest.approx(stats.entropy(*shares), rel=1e-12)
    assert scores["modes"] == len(set(labels.tolist()))


def test_the_divergence_of_few_even_samples_is_biased_as_said():
    labels = np.random.default_rng(2).integers(0, 1000, 26_000)
    score = label_scores(labels, 1000)["reverse_kl"]
    assert float(score) == pytest.approx(999 / 52_000, rel=0.1)
    assert score.interval[0] < score < score.interval[1]


def test_a_mode_that_the_reference_lacks_is_an_error_or_smoothed():
    with pytest.raises(ValueError, match="none of 2 of them, the first 2.*smoothing"):
        label_scores([0, 2, 3], modes=4, reference=[0, 1])
    score = label_scores([0, 2], modes=4, reference=[0, 1], smoothing=0.5)["reverse_kl"]
    # Shares (1, 0, 1, 0) / 2 against (1.5, 1.5, 0.5, 0.5) / 4.
    expected = 0.5 * math.log(0.5 / 0.375) + 0.5 * math.log(0.5 / 0.125)
    assert float(score) == pytest.approx(expected)
    assert score.card.settings == {"modes": 4, "smoothing": 0.5}


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(points=np.zeros((0, 2))), "`points` must have at least 1 row"),
        (dict(points=np.zeros(2)), "`points` must have shape"),
        (dict(points=np.zeros((3, 1))), "`points` and `centres`.*rows of 1 and of 2 numbers"),
        (dict(points=np.full((3, 2), np.nan)), "`points` must be finite; received 6"),
        (dict(centres=CENTRES[:1]), "`centres` must have at least 2"),
        (dict(std=0.0), "`std`.*above 0.*received 0.0"),
        (dict(within=math.inf), "`within`.*received inf"),
        (dict(resamples=1), "`resamples`"),
        (dict(seed=-1), "`seed`"),
    ],
)
def test_errors_of_mixtures(arguments, message):
    complete = dict(points=np.zeros((3, 2)), centres=CENTRES, std=1.0)
    with pytest.raises(ValueError, match=message):
        mixture_scores(**{**complete, **arguments})


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(labels=[0.0, 1.0]), "`labels` must be integers.*float64"),
        (dict(labels=[0, 4]), "`labels` must be in 0 .. 3; received 0 to 4"),
        (dict(labels=[-1, 2]), "`labels` must be in 0 .. 3; received -1"),
        (dict(labels=np.zeros(0, int)), "at least one"),
        (dict(modes=1), "`modes`.*received 1"),
        (dict(modes=4.0), "`modes`.*received 4.0"),
        (dict(reference=[[0]]), "`reference` must be integers"),
        (dict(smoothing=-0.5), "`smoothing`"),
    ],
)
def test_errors_of_labels(arguments, message):
    with pytest.raises(ValueError, match=message):
        label_scores(**{**dict(labels=[0, 1], modes=4), **arguments})
