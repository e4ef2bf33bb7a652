"""Diversity: which pairs are drawn, and the mean over them."""

import itertools

import numpy as np
import pytest

from kgen.metrics.diversity import _groups, _pairs, diversity
from kgen.metrics.structural_similarity import multi_scale_ssim


def noise(count, seed=0, side=24):
    return np.random.default_rng(seed).uniform(-1, 1, (count, side, side, 1))


def test_copies_have_1_and_noise_next_to_nothing():
    assert float(diversity(np.repeat(noise(1), 6, axis=0), pairs=10)) == pytest.approx(1.0)
    assert float(diversity(noise(20), pairs=30)) < 0.1


def test_of_all_pairs_it_is_their_mean():
    images = np.concatenate([noise(2), 0.5 * noise(2) + 0.4 * noise(2, 1)])
    every = [
        multi_scale_ssim(images[[i]], images[[j]])[0]
        for i, j in itertools.combinations(range(4), 2)
    ]
    score = diversity(images, pairs=3000)
    assert float(score) == pytest.approx(np.mean(every), rel=0.05)


def test_pairs_are_of_distinct_samples_and_share_none_while_others_are_left():
    first, second = _pairs([np.arange(11)], 5, np.random.default_rng(0))
    assert len(set(first) | set(second)) == 10
    first, second = _pairs([np.arange(11)], 203, np.random.default_rng(0))
    assert len(first) == len(second) == 203 and (first != second).all()
    uses = np.bincount([*first, *second], minlength=11)
    assert uses.min() > 25 and uses.max() < 45


def test_pairs_within_classes():
    labels = np.array([3, 3, 3, 9, 9, 1, 1, 1, 1])
    first, second = _pairs(_groups(labels, 9), 10, np.random.default_rng(0))
    assert (labels[first] == labels[second]).all() and (first != second).all()
    assert np.bincount(labels[first])[[1, 3, 9]].tolist() == [4, 3, 3]


def test_with_labels_only_samples_of_a_class_are_held_against_each_other():
    images = np.repeat(noise(2), 5, axis=0)
    labels = np.repeat([0, 1], 5)
    assert float(diversity(images, pairs=20, labels=labels)) == pytest.approx(1.0)
    score = diversity(images, pairs=20)
    assert float(score) < 0.9
    assert score.card.settings == {"pairs": 20, "scales": 2}
    settings = diversity(images, pairs=20, labels=labels).card.settings
    assert settings == {"pairs": 20, "scales": 2, "classes": 2}


def test_of_itself_it_takes_as_many_pairs_as_share_no_sample():
    assert diversity(noise(13)).card.settings["pairs"] == 6
    assert diversity(noise(3)).interval is None  # Of one pair.
    # The smallest class has 3: one pair of each.
    labels = np.repeat([0, 1], [3, 10])
    assert diversity(noise(13), labels=labels).card.settings["pairs"] == 2
    assert diversity(noise(2005, side=11)).card.settings["pairs"] == 1000


def test_seed_interval_and_card():
    images = noise(12) * np.linspace(0.1, 1.0, 12)[:, None, None, None]
    score = diversity(images, pairs=50, seed=4)
    again = diversity(images, pairs=50, seed=4)
    assert (score, score.interval) == (again, again.interval)
    assert float(diversity(images, pairs=50, seed=5)) != float(score)
    assert score.interval[0] < score < score.interval[1]
    assert score.card.metric == "diversity" and score.card.samples == 12
    assert score.card.seeds == {"pairs": 4, "bootstrap": 4}


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(images=noise(1)), "`images` must have at least 2 images; received 1"),
        (dict(images=noise(4, side=10)), "at least 11 x 11"),
        (dict(images=np.zeros((4, 24, 24, 1), int)), "`images` must be floats"),
        (dict(pairs=1), "`pairs`.*at least 2; received 1"),
        (dict(labels=[0, 0, 1, 2]), "at least 2 samples of every class; received 1 of class 1"),
        (dict(labels=[0, 0]), r"`labels` must be integers of shape \(4,\)"),
        (dict(labels=[0.0] * 4), "`labels` must be integers"),
        (dict(seed=-1), "`seed`"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        diversity(**{**dict(images=noise(4), pairs=4), **arguments})
