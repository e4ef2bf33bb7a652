"""Area under the ROC curve against pairs counted one by one and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kgen.metrics.auroc import auroc


def test_numbers_by_hand():
    # Pairs of a positive (0.4, 0.8) and a negative (0.1, 0.4): three won, one tied.
    assert auroc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]) == 3.5 / 4
    assert auroc([1.0, 2.0, 3.0], [False, True, True]) == 1.0
    assert auroc([3, 2, 1], [0, 1, 1]) == 0.0
    assert auroc([5.0] * 6, [0, 1, 0, 1, 1, 1]) == 0.5


@pytest.mark.parametrize("levels", [3, 20, None])
def test_as_scikit_learn_has_it(levels):
    draws = np.random.default_rng(0)
    labels = draws.random(300) < 0.2
    scores = draws.normal(size=300) + labels
    if levels:
        scores = np.round(scores * levels / 6)  # Many ties.
    assert float(auroc(scores, labels)) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert auroc(scores, labels.astype(float)) == auroc(scores, labels)


def test_it_depends_on_the_order_alone_and_turns_round():
    draws = np.random.default_rng(1)
    labels, scores = draws.integers(0, 2, 100), draws.normal(size=100)
    area = float(auroc(scores, labels))
    assert auroc(np.exp(scores), labels) == area
    assert float(auroc(-scores, labels)) == pytest.approx(1.0 - area)
    assert float(auroc(scores, 1 - labels)) == pytest.approx(1.0 - area)


def test_the_interval_is_as_wide_as_the_theory_says():
    """Hanley and McNeil 1982: of two sources alike, the variance is (m + n + 1) / (12 m n)."""
    draws = np.random.default_rng(2)
    score = auroc(draws.normal(size=700), np.arange(700) < 200, resamples=2000)
    expected = 2 * 1.96 * np.sqrt(701 / (12 * 200 * 500))
    assert np.ptp(score.interval) == pytest.approx(expected, rel=0.08)
    assert score.interval[0] < score < score.interval[1]
    assert score.card.metric == "auroc" and score.card.samples == 700
    assert score.card.settings == {"positives": 200}
    assert score.card.seeds == {"bootstrap": 0}


def test_a_perfect_area_has_an_interval_of_no_width():
    assert auroc([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1]).interval == (1.0, 1.0)
    assert auroc([0.0, 1.0], [0, 1], resamples=0).interval is None


@pytest.mark.parametrize(
    "scores, labels, message",
    [
        ([0.1, 0.2], [0, 0], "both classes; received 0 positive and 2 negative"),
        ([0.1, 0.2], [1, 1], "received 2 positive and 0 negative"),
        ([0.1, 0.2], [0, 2], "`labels` must be booleans, or 0 and 1"),
        ([0.1, 0.2], ["0", "1"], "`labels` must be booleans"),
        ([0.1, np.nan], [0, 1], "`scores` must be finite"),
        ([[0.1], [0.2]], [0, 1], r"must both have shape \(n,\)"),
        ([0.1, 0.2, 0.3], [0, 1], r"\(3,\) and \(2,\)"),
        ([], [], "at least 2 rows"),
    ],
)
def test_errors(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        auroc(scores, labels)
