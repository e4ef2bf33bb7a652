"""Inception scores of known class distributions."""

import numpy as np
import pytest
from scipy import stats

from kgen.metrics.inception_score import inception_score


def random_rows(count, classes, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(classes), size=count)


@pytest.mark.parametrize("classes", [2, 7])
def test_sure_and_even_over_k_classes_is_k(classes):
    score = inception_score(np.tile(np.eye(10)[:classes], (5, 1)), splits=1)
    assert float(score) == pytest.approx(classes, rel=1e-12)


def test_rows_that_sum_to_1_by_rounding_are_made_to():
    assert float(inception_score(1.005 * np.eye(4), splits=1)) == pytest.approx(4.0, rel=1e-12)


@pytest.mark.parametrize("row", [[0.1, 0.2, 0.7], [1.0, 0.0, 0.0], [1 / 3] * 3])
def test_rows_that_are_alike_have_1(row):
    score = inception_score(np.tile(row, (40, 1)))
    assert float(score) == pytest.approx(1.0, rel=1e-12)
    assert score.deviation == pytest.approx(0.0, abs=1e-12)


def test_a_mix_by_hand():
    # p(y) = (0.6, 0.4): KL of (0.9, 0.1) and (0.3, 0.7) against it, their mean and its exponential.
    rows = [[0.9, 0.1], [0.3, 0.7]]
    first = 0.9 * np.log(0.9 / 0.6) + 0.1 * np.log(0.1 / 0.4)
    second = 0.3 * np.log(0.3 / 0.6) + 0.7 * np.log(0.7 / 0.4)
    score = inception_score(rows, splits=1)
    assert float(score) == pytest.approx(np.exp((first + second) / 2), rel=1e-12)


def test_uneven_classes_have_the_exponential_of_their_entropy():
    rows = np.eye(3)[[0] * 5 + [1] * 3 + [2] * 2]
    expected = np.exp(stats.entropy([0.5, 0.3, 0.2]))
    assert float(inception_score(rows, splits=1)) == pytest.approx(expected, rel=1e-12)


def test_the_score_is_the_mean_and_the_deviation_that_of_random_splits():
    rows = random_rows(103, 5)
    score = inception_score(rows, splits=4, seed=3)
    order = np.random.default_rng([3, 0]).permutation(103)
    each = []
    for part in np.array_split(rows[order], 4):
        divergences = [stats.entropy(row, part.mean(axis=0)) for row in part]
        each.append(np.exp(np.mean(divergences)))
    assert float(score) == pytest.approx(np.mean(each), rel=1e-10)
    assert score.deviation == pytest.approx(np.std(each), rel=1e-9)
    assert score.card.metric == "inception_score"
    assert score.card.settings == {"splits": 4, "classes": 5}
    assert score.card.seeds == {"splits": 3, "bootstrap": 3}
    assert score.card.samples == 103


def test_samples_sorted_by_class_do_no_harm():
    rows = np.repeat(np.eye(4), 100, axis=0)
    # Splits in order would each be of one class and score 1.
    assert float(inception_score(rows, splits=4)) > 3.9


def test_the_interval_holds_the_score_and_shrinks_with_the_samples():
    few, many = (inception_score(random_rows(n, 5), splits=2) for n in (100, 2500))
    for score in (few, many):
        assert score.interval[0] < score < score.interval[1]
    width, narrow = (np.ptp(score.interval) for score in (few, many))
    assert width / narrow == pytest.approx(5.0, rel=0.3)
    assert inception_score(random_rows(100, 5), resamples=0).interval is None


def test_the_interval_stays_between_1_and_the_classes():
    score = inception_score(np.tile(np.eye(4), (6, 1)), splits=1)
    assert score.interval[1] == 4.0
    noise = inception_score(random_rows(20, 3) * 1e-3 + [0.999, 0, 0], splits=2)
    assert noise.interval[0] >= 1.0


def test_probabilities_in_float16_are_taken():
    rows = random_rows(50, 100)
    coarse = inception_score(rows.astype("float16"))
    assert float(coarse) == pytest.approx(float(inception_score(rows)), rel=1e-3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(probabilities=np.full((30, 3), 0.5)), "sum to 1.*sums from 1.5"),
        (dict(probabilities=np.tile([1.5, -0.5], (30, 1))), "from 0 on.*least value of -0.5"),
        (dict(probabilities=np.full((30, 3), np.nan)), "finite"),
        (dict(probabilities=np.zeros(30)), "must have shape"),
        (dict(splits=0), "`splits`.*received 0"),
        (dict(splits=16), "`splits` must be at most 15.*30 samples; received 16"),
        (dict(resamples=1), "`resamples`"),
        (dict(seed=-1), "`seed`"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        inception_score(**{**dict(probabilities=random_rows(30, 3)), **arguments})
