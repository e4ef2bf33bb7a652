"""Agreement with labels, distances within classes, clusters as classes."""

import itertools

import numpy as np
import pytest

from kgen.metrics import (
    class_frechet_distances,
    class_label_agreements,
    cluster_agreement,
    frechet_distance,
    label_agreement,
    matched_classes,
)


def probabilities(classes, width):
    """Rows whose largest entry is that of the class."""
    rows = np.random.default_rng(0).uniform(0, 0.4, (len(classes), width))
    rows[np.arange(len(classes)), classes] = 0.5
    return rows


def test_agreement_by_hand():
    predicted, labels = np.array([0, 1, 1, 2, 2, 0, 2, 2]), np.array([0, 1, 2, 2, 2, 1, 2, 0])
    score = label_agreement(predicted, labels, resamples=500, seed=3)
    assert float(score) == 5 / 8
    assert score.card.metric == "label_agreement" and score.card.samples == 8
    assert score.card.seeds == {"bootstrap": 3} and 0.0 <= score.interval[0] < 5 / 8
    assert score.interval[1] <= 1.0
    same = label_agreement(probabilities(predicted, 3), labels, resamples=500, seed=3)
    assert same == score and same.interval == score.interval
    assert label_agreement(labels, labels).interval == (1.0, 1.0)
    each = class_label_agreements(predicted, labels)
    assert {name: float(share) for name, share in each.items()} == {
        "label_agreement_0": 1 / 2,
        "label_agreement_1": 1 / 2,
        "label_agreement_2": 3 / 4,
    }
    assert [share.card.samples for share in each.values()] == [2, 2, 4]


def test_the_interval_is_that_of_a_share():
    correct = np.random.default_rng(0).uniform(size=1000) < 0.9
    score = label_agreement(correct.astype(int), np.ones(1000, int), resamples=2000)
    half = 1.96 * np.sqrt(float(score) * (1 - float(score)) / 1000)
    low, high = score.interval
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)


def classes_of(count, shifts=(0.0, 0.0), seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    rows = rng.normal(size=(count, 3)) * (1.0 + labels[:, None])
    return rows + np.asarray(shifts)[labels][:, None], labels


def test_distances_within_classes():
    features, labels = classes_of(120, (0.5, 2.0))
    reference, reference_labels = classes_of(160, seed=1)
    scores = class_frechet_distances(features, labels, reference, reference_labels, resamples=50)
    assert list(scores) == ["class_frechet", "class_frechet_0", "class_frechet_1"]
    each = [
        frechet_distance(features[labels == i], reference[reference_labels == i], resamples=50)
        for i in (0, 1)
    ]
    for label, expected in enumerate(each):
        found = scores[f"class_frechet_{label}"]
        assert float(found) == float(expected) and found.interval == expected.interval
        assert found.card.metric == f"class_frechet_{label}" and found.card.samples == 60
    mean = scores["class_frechet"]
    assert float(mean) == pytest.approx(np.mean([float(one) for one in each]))
    assert (mean.card.samples, mean.card.reference_samples) == (120, 160)
    assert mean.card.settings == {"classes": 2}
    # Two independent spreads make one of the mean that is the root of their squares, halved.
    below = [float(one) - one.interval[0] for one in each]
    assert float(mean) - mean.interval[0] == pytest.approx(np.hypot(*below) / 2)
    assert class_frechet_distances(
        features, labels, reference, reference_labels, shrinkage=0.1, resamples=0
    )["class_frechet"].card.settings == {"classes": 2, "shrinkage": 0.1}


def test_variety_that_only_the_classes_show():
    """Classes that change places leave the whole as it is."""
    reference, labels = classes_of(200, (0.0, 4.0))
    scores = class_frechet_distances(reference, 1 - labels, reference, labels, resamples=0)
    assert float(frechet_distance(reference, reference, resamples=0)) == 0.0
    assert float(scores["class_frechet"]) > 10.0


def test_the_mean_s_interval_spreads_as_the_mean_does():
    """Against many draws of samples, on the side of the samples alone."""
    reference, reference_labels = classes_of(4000, seed=9)
    means, halves = [], []
    for seed in range(40):
        features, labels = classes_of(400, (0.3, 0.3), seed=seed)
        score = class_frechet_distances(
            features, labels, reference, reference_labels, resamples=30 if seed < 5 else 0
        )["class_frechet"]
        means.append(float(score))
        if score.interval:
            halves.append((score.interval[1] - score.interval[0]) / 2)
    assert 0.6 < np.mean(halves) / (1.96 * np.std(means)) < 2.0


def best_by_hand(codes, labels, clusters, classes):
    side = max(clusters, classes)
    return max(
        np.mean(np.array(order)[codes] == labels) for order in itertools.permutations(range(side))
    )


@pytest.mark.parametrize(("clusters", "classes"), [(4, 4), (5, 3), (3, 5)])
def test_the_best_matching(clusters, classes):
    rng = np.random.default_rng(0)
    for _ in range(5):
        codes, labels = rng.integers(clusters, size=30), rng.integers(classes, size=30)
        codes[:clusters], labels[:classes] = np.arange(clusters), np.arange(classes)
        score = cluster_agreement(codes, labels, resamples=20)
        assert float(score) == pytest.approx(best_by_hand(codes, labels, clusters, classes))
        assert score.card.settings == {"clusters": clusters, "classes": classes}
        assert score.card.seeds == {"bootstrap": 0} and score.interval[0] <= score
        matched = matched_classes(codes, labels)
        assert np.mean(matched[codes] == labels) == pytest.approx(float(score))
        taken = matched[matched >= 0]
        assert len(matched) == clusters and len(set(taken)) == len(taken) == min(clusters, classes)


@pytest.mark.parametrize("known", [0.0, 0.3, 0.8])
def test_the_interval_of_a_best_matching_is_as_wide_as_it_spreads(known):
    """Of codes that say nothing, too: the best of all matchings hardly moves there."""
    rng = np.random.default_rng(0)
    scores = []
    for seed in range(150):
        labels = rng.integers(10, size=1000)
        codes = np.where(rng.random(1000) < known, labels, rng.integers(10, size=1000))
        scores.append(cluster_agreement(codes, labels, seed=seed))
    expected = np.mean([float(score) for score in scores])
    held = np.mean([score.interval[0] <= expected <= score.interval[1] for score in scores])
    assert held >= 0.9
    width = np.mean([np.ptp(score.interval) for score in scores]) / (2 * 1.96)
    assert width == pytest.approx(np.std([float(score) for score in scores]), rel=0.2)


def test_the_interval_of_clusters_that_know_the_classes():
    """Where no sample is elsewhere there is nothing to resample."""
    labels = np.arange(100) % 10
    score = cluster_agreement((labels + 3) % 10, labels)
    assert score.interval == (1.0, 1.0)
    rng = np.random.default_rng(0)
    scores = []
    for seed in range(100):
        labels = rng.integers(10, size=200)
        codes = np.where(rng.random(200) < 0.97, labels, rng.integers(10, size=200))
        scores.append(cluster_agreement(codes, labels, seed=seed))
    width = np.mean([np.ptp(score.interval) for score in scores]) / (2 * 1.96)
    assert width == pytest.approx(np.std([float(score) for score in scores]), rel=0.2)


def test_clusters_by_other_names():
    labels = np.arange(100) % 10
    score = cluster_agreement(np.random.default_rng(0).permutation(10)[labels], labels)
    assert float(score) == 1.0
    # A cluster that takes in two classes is right of one of them.
    assert float(cluster_agreement(labels // 2, labels, resamples=0)) == 0.5
    # Clusters that nothing fell into are clusters all the same.
    score = cluster_agreement(probabilities(labels, 12), labels, resamples=0)
    assert float(score) == 1.0 and score.card.settings == {"clusters": 12, "classes": 10}
    assert matched_classes(probabilities(labels, 12), labels).tolist() == [*range(10), -1, -1]


@pytest.mark.parametrize("function", [label_agreement, class_label_agreements, cluster_agreement])
def test_refused(function):
    labels = np.array([0, 1, 2])
    for wrong, message in (
        (np.array([0.5, 1.0, 2.0]), "must be integers from 0"),
        (np.array([-1, 1, 2]), "must be integers from 0"),
        (np.full((3, 2), np.nan), "must be finite"),
        (np.zeros((3, 2, 2)), "must be integers from 0"),
    ):
        with pytest.raises(ValueError, match=f"`(predictions|codes)` {message}"):
            function(wrong, labels)
    with pytest.raises(ValueError, match="`labels` must be 4, one a sample; received 3"):
        function(np.array([0, 1, 2, 3]), labels)


def test_refused_distances():
    features, labels = classes_of(40)
    for arguments, message in (
        ((features, labels[:-1], features, labels), "`labels` must be 40, one a sample"),
        ((features, labels, features[:, :2], labels), "must have rows of one length"),
        ((features, labels, features, labels + 1), r"same classes; received \[0, 1\] and \[1, 2\]"),
        ((features[:6], labels[:6], features, labels), "Class 0: `features`"),
    ):
        with pytest.raises(ValueError, match=message):
            class_frechet_distances(*arguments)
