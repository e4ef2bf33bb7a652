"""Precision, recall, density and coverage against their definitions, row by row."""

import math
import tracemalloc

import numpy as np
import pytest

from kgen.metrics import neighbours
from kgen.metrics.bootstrap import centred_interval, half_samples
from kgen.metrics.precision_recall import coverage, density, manifold_scores, precision, recall


def by_definition(features, reference, k):
    """The four as the papers define them, in Python's own loops."""

    def radii(rows):
        found = []
        for i, row in enumerate(rows):
            others = [math.dist(row, other) for j, other in enumerate(rows) if j != i]
            found.append(sorted(others)[k - 1])
        return found

    of_features, of_reference = radii(features), radii(reference)
    n, m = len(features), len(reference)
    inside = [[math.dist(y, x) <= r for x, r in zip(reference, of_reference, strict=True)]
              for y in features]  # fmt: skip
    recalled = [[math.dist(y, x) <= r for y, r in zip(features, of_features, strict=True)]
                for x in reference]  # fmt: skip
    return {
        "precision": sum(any(row) for row in inside) / n,
        "recall": sum(any(row) for row in recalled) / m,
        "density": sum(sum(row) for row in inside) / (k * n),
        "coverage": sum(any(row[j] for row in inside) for j in range(m)) / m,
    }


def normal(count, dimensions, seed, mean=0.0):
    return mean + np.random.default_rng(seed).normal(size=(count, dimensions))


def lattice(count, seed):
    """Points of a small lattice: duplicates and equal distances everywhere."""
    return np.random.default_rng(seed).integers(0, 4, (count, 2)).astype("float64")


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(
    "features, reference",
    [
        (normal(40, 3, 0), normal(60, 3, 1)),
        (normal(60, 5, 0, mean=1.0), normal(30, 5, 1)),
        (lattice(30, 2), lattice(25, 3)),
    ],
    ids=["normal", "apart", "lattice"],
)
def test_as_defined(features, reference, k):
    expected = by_definition(features, reference, k)
    scores = manifold_scores(features, reference, neighbours=k)
    assert list(scores) == ["precision", "recall", "density", "coverage"]
    found = {name: float(score) for name, score in scores.items()}
    if len(features) != len(reference):  # Coverage is of equal counts.
        del found["coverage"], expected["coverage"]
        count = min(len(features), len(reference))
        even = coverage(features[:count], reference[:count], neighbours=k)
        of_even = by_definition(features[:count], reference[:count], k)["coverage"]
        assert float(even) == pytest.approx(of_even)
    assert found == pytest.approx(expected)
    for function in (precision, recall, density, coverage):
        alone = function(features, reference, neighbours=k)
        shared = scores[function.__name__]
        assert (alone, alone.interval, alone.card) == (shared, shared.interval, shared.card)


def test_equal_distances_are_equal_in_spite_of_rounding():
    features, reference = lattice(30, 2), lattice(25, 3)
    exact = manifold_scores(features, reference, neighbours=3)
    # In tenths, the lattice's equal distances differ in the last digits of float64.
    assert manifold_scores(0.1 * features + 7.3, 0.1 * reference + 7.3, neighbours=3) == exact


def test_numbers_by_hand():
    # Radii of the reference 1, 1, 3 and of the samples 1, 1 with one neighbour each.
    reference, features = np.array([[0.0], [1.0], [4.0]]), np.array([[-1.5], [-0.5]])
    scores = manifold_scores(features, reference, neighbours=1)
    assert {name: float(score) for name, score in scores.items()} == {
        "precision": 1 / 2,  # -0.5 is inside the ball around 0.
        "recall": 1 / 3,  # 0 is inside the ball around -0.5.
        "density": 1 / 2,
        # Of any two of the three rows, as many as samples, one ball of two.
        "coverage": 1 / 2,
    }


def test_a_ball_holds_its_edge():
    reference = np.array([[0.0], [1.0], [10.0], [12.0]])
    features = np.array([[2.0], [14.0]])  # Both on an edge: of the balls around 1 and 12.
    assert precision(features, reference, neighbours=1) == 1.0
    assert precision(features + 1e-6, reference, neighbours=1) == 0.0
    # Just as far from the origin.
    assert precision(features + 1e5, reference + 1e5, neighbours=1) == 1.0
    assert precision(features + 1e5 + 1e-6, reference + 1e5, neighbours=1) == 0.0


def test_a_duplicate_is_a_neighbour_and_a_row_is_not_its_own():
    reference = np.array([[0.0], [0.0], [5.0], [5.0]])
    # Radius 0 around each: only copies are inside.
    copies = manifold_scores(np.array([[0.0], [5.0]]), reference, neighbours=1)
    assert [float(score) for score in copies.values()] == [1.0, 1.0, 2.0, 1.0]
    near = manifold_scores(np.array([[0.1], [0.3], [5.1], [5.3]]), reference, neighbours=1)
    assert [float(score) for score in near.values()] == [0.0, 1.0, 0.0, 0.0]


def test_far_from_the_origin_duplicates_are_still_found():
    reference = np.repeat(1e4 + normal(20, 16, 0), 2, axis=0)
    scores = manifold_scores(reference[::2], reference, neighbours=1)
    assert scores["precision"] == 1.0 and scores["coverage"] == 1.0
    assert scores["density"] == 2.0


def test_of_the_set_itself_all_is_covered():
    features = normal(50, 4, 0)
    scores = manifold_scores(features, features.copy(), neighbours=3)
    assert scores["precision"] == scores["recall"].described(metric="precision") == 1.0
    assert scores["coverage"] == 1.0
    # Each row is in its own ball and, on average, in those of its 3 neighbours.
    assert float(scores["density"]) == pytest.approx(4 / 3)


def test_sets_far_apart_have_nothing_in_common():
    scores = manifold_scores(normal(30, 4, 0), normal(30, 4, 1, mean=100.0))
    assert [float(score) for score in scores.values()] == [0.0] * 4


def test_of_one_source_density_is_about_1_and_coverage_1_less_2_to_the_minus_k():
    scores = manifold_scores(normal(2000, 8, 0), normal(2000, 8, 1), neighbours=3)
    assert float(scores["density"]) == pytest.approx(1.0, abs=0.05)
    assert float(scores["coverage"]) == pytest.approx(1 - 2**-3, abs=0.03)


def test_a_collapsed_generator_is_precise_and_recalls_nothing():
    reference = normal(300, 2, 0)
    scores = manifold_scores(0.01 * normal(300, 2, 1), reference)
    assert scores["precision"] == 1.0 and scores["recall"] < 0.05
    assert scores["density"] > 1.0 and scores["coverage"] < 0.2


def test_chunks_do_not_show(monkeypatch):
    sides = normal(50, 3, 0), normal(40, 3, 1)
    whole = manifold_scores(*sides)
    monkeypatch.setattr("kgen.metrics.neighbours._CHUNK", 7 * 40)
    assert manifold_scores(*sides) == whole


def test_memory_is_that_of_a_chunk_and_not_of_all_distances(monkeypatch):
    """All in a sixteenth: as 10,000 x 10,000 rows, whose distances would be 800 MB, take 170 MB."""
    monkeypatch.setattr(neighbours, "_CHUNK", neighbours._CHUNK // 16)
    sides = normal(2500, 2, 0), normal(2500, 2, 1)
    tracemalloc.start()
    manifold_scores(*sides, resamples=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 170e6 / 16


def test_intervals_and_cards():
    scores = manifold_scores(normal(400, 3, 0), normal(300, 3, 1, mean=0.5), neighbours=2, seed=7)
    assert scores["coverage"].card.seeds == {"bootstrap": 7, "parts": 7}
    for name, score in scores.items():
        assert score.interval[0] < score < score.interval[1]
        assert score.card.metric == name
        assert (score.card.samples, score.card.reference_samples) == (400, 300)
        assert score.card.settings == {"neighbours": 2}
        assert score.card.seeds["bootstrap"] == 7


@pytest.mark.parametrize(
    "sides",
    [(normal(50, 3, 0), normal(50, 3, 1, mean=0.5)), (lattice(40, 2), lattice(40, 3))],
    ids=["normal", "lattice"],
)
def test_intervals_are_those_of_the_scores_of_halves(sides):
    scores = manifold_scores(*sides, neighbours=2, resamples=30, seed=5)
    generator = np.random.default_rng(5)
    halves = [half_samples(generator, len(side), 30) for side in sides]
    replicates = [
        manifold_scores(sides[0][a], sides[1][b], neighbours=2, resamples=0)
        for a, b in zip(*halves, strict=True)
    ]
    for name, score in scores.items():
        highest = math.inf if name == "density" else 1.0
        numbers = [float(replicate[name]) for replicate in replicates]
        expected = centred_interval(float(score), numbers, 0.0, highest)
        assert score.interval == pytest.approx(expected, abs=1e-12)


def test_the_intervals_are_as_wide_as_the_scores_spread():
    draws = [
        manifold_scores(normal(200, 3, 2 * s), normal(200, 3, 2 * s + 1, mean=0.7))
        for s in range(40)
    ]
    for name in draws[0]:
        spread = np.std([float(scores[name]) for scores in draws])
        width = np.mean([np.ptp(scores[name].interval) for scores in draws])
        assert 0.9 < width / (2 * 1.96 * spread) < 1.7


def test_too_few_rows_for_halves_have_no_interval():
    score = precision(normal(11, 2, 0), normal(30, 2, 1), neighbours=5)
    assert score.interval is None and score.card.seeds == {}
    assert precision(normal(12, 2, 0), normal(30, 2, 1), neighbours=5).interval is not None


def test_all_four_have_one_k():
    sides = normal(20, 2, 0), normal(20, 2, 1)
    scores = manifold_scores(*sides)
    for function in (precision, recall, density, coverage):
        score = function(*sides)
        assert score.card.settings == {"neighbours": 5}
        assert score == scores[function.__name__]  # Which raises for cards of unlike k.


@pytest.mark.parametrize("counts", [(100, 3000), (3000, 100), (1000, 1500)])
def test_coverage_of_one_source_does_not_depend_on_the_counts(counts):
    """About 1 - 2^-5, whatever the order of the rows, which a sorted set has."""
    features, reference = normal(counts[0], 4, 0), normal(counts[1], 4, 1)
    features, reference = features[features[:, 0].argsort()], reference[reference[:, 0].argsort()]
    score = coverage(features, reference)
    assert float(score) == pytest.approx(1 - 2**-5, abs=0.02)
    assert score.interval[0] < score < score.interval[1]
    assert float(coverage(features + 10.0, reference, resamples=0)) == 0.0
    alone = manifold_scores(features, reference)["coverage"]
    assert (alone, alone.interval, alone.card) == (score, score.interval, score.card)


def test_the_interval_of_coverage_of_unequal_counts_is_as_wide_as_it_spreads():
    draws = [coverage(normal(60, 3, 2 * s), normal(300, 3, 2 * s + 1, mean=0.7)) for s in range(40)]
    spread = np.std([float(score) for score in draws])
    width = np.mean([np.ptp(score.interval) for score in draws])
    assert 0.7 < width / (2 * 1.96 * spread) < 1.7


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(features=normal(5, 2, 0)), "`features` must have more rows than the 5 `neigh.*ved 5"),
        (dict(reference=normal(5, 2, 0)), "`reference` must have more rows"),
        (dict(reference=normal(9, 3, 0)), "`features` and `reference`"),
        (dict(features=np.full((9, 2), np.nan)), "`features` must be finite"),
        (dict(neighbours=0), "`neighbours`.*received 0"),
        (dict(resamples=1), "`resamples`"),
    ],
)
def test_errors(arguments, message):
    complete = dict(features=normal(9, 2, 0), reference=normal(9, 2, 1))
    with pytest.raises(ValueError, match=message):
        manifold_scores(**{**complete, **arguments})
