"""Disentanglement: codes made by hand, perfect, entangled and of chance, and formulas."""

import numpy as np
import pytest
import sklearn.metrics

from kgen.metrics import (
    KnownFactors,
    beta_vae_score,
    disentanglement_scores,
    factor_vae_score,
    known_factors,
    mutual_information_gap,
)
from kgen.metrics.information_gap import entropy, information_gap
from tests.systems import SYSTEMS

SIZES = {"a": 5, "b": 8, "c": 4}
SCORES = [beta_vae_score, factor_vae_score, mutual_information_gap]
# Factors themselves as images of one pixel a factor, in [-1, 1].
SOURCE = KnownFactors(
    "made", SIZES, lambda factors: (factors / 10.0)[:, None, :, None].astype("float32")
)


def factors_of(images):
    return 10.0 * images[:, 0, :, 0]


def perfect(images):
    """Each factor alone, scaled to the variance 1; in another order, with a constant."""
    a, b, c = (factors_of(images) / np.sqrt((np.array([25, 64, 16]) - 1.0) / 12.0)).T
    return np.stack([c, np.zeros_like(a), -a, b], axis=1)


def entangled(images):
    """The same turned so that each dimension knows all factors alike: a Hadamard matrix."""
    signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    return perfect(images) @ signs / 2.0


def noise(images):
    return np.random.default_rng(len(images)).normal(size=(len(images), 4))


@pytest.mark.parametrize("score", SCORES)
def test_perfect_codes_get_1(score):
    found = score(perfect, SOURCE)
    assert float(found) == pytest.approx(1.0, abs=0.005)
    assert found.interval[1] == pytest.approx(1.0, abs=0.01)


def test_codes_that_know_nothing_are_at_chance():
    scores = disentanglement_scores(noise, SOURCE)
    assert float(scores["beta_vae_score"]) == pytest.approx(1 / 3, abs=0.08)
    assert float(scores["factor_vae_score"]) == pytest.approx(1 / 3, abs=0.08)
    assert scores["mutual_information_gap"] < 0.005
    with pytest.warns(UserWarning, match="All dimensions .* unused=0.05"):
        constant = disentanglement_scores(
            lambda images: np.zeros((len(images), 2)), SOURCE, resamples=0
        )
    assert float(constant["beta_vae_score"]) == pytest.approx(1 / 3, abs=0.08)
    assert float(constant["factor_vae_score"]) == pytest.approx(1 / 3, abs=0.08)
    assert float(constant["mutual_information_gap"]) == pytest.approx(0.0, abs=1e-9)


def test_entangled_codes_get_less():
    scores = disentanglement_scores(entangled, SOURCE)
    assert scores["mutual_information_gap"] < 0.05
    assert scores["factor_vae_score"] < 0.6
    # Of many pairs it can tell how the codes' distributions differ: what this score forgives.
    few, many = (beta_vae_score(entangled, SOURCE, pairs=pairs) for pairs in (2, 64))
    assert float(few) < 0.6 < 0.9 < beta_vae_score(perfect, SOURCE, pairs=2)
    assert float(few) < float(many)


def test_dimensions_that_are_not_used_are_left_out():
    def with_traces(images):  # Of a collapsed latent the mean knows a little, far below the noise.
        return np.concatenate([perfect(images), 1e-3 * perfect(images)], axis=1)

    for score in SCORES[1:]:
        assert float(score(with_traces, SOURCE, resamples=0)) == pytest.approx(1.0, abs=0.005)
    assert mutual_information_gap(with_traces, SOURCE, unused=0.0, resamples=0) < 0.01


def test_codes_of_another_scale_need_another_variance_of_unused_ones():
    def small(images):
        return 0.1 * perfect(images)

    with pytest.warns(UserWarning, match="All dimensions"):
        assert factor_vae_score(small, SOURCE, resamples=0) < 0.5
    scores = disentanglement_scores(small, SOURCE, unused=1e-6, resamples=0)
    assert float(scores["factor_vae_score"]) == pytest.approx(1.0, abs=0.005)
    assert float(scores["mutual_information_gap"]) == pytest.approx(1.0, abs=0.005)


def test_the_gap_is_that_of_an_independent_formula():
    """scikit-learn's information, and Miller's correction by the cells that are not empty."""
    rng = np.random.default_rng(0)
    factor = rng.integers(5, size=500)
    codes = np.stack(
        [factor, (factor + rng.integers(2, size=500)) // 2, rng.integers(7, size=500)], axis=1
    )

    def cells(*columns):
        return len(set(zip(*columns, strict=True)))

    information = sorted(
        sklearn.metrics.mutual_info_score(code, factor)
        + (cells(code) + cells(factor) - cells(code, factor) - 1) / 1000
        for code in codes.T
    )
    shares = np.bincount(factor) / 500
    entropy = -np.sum(shares * np.log(shares)) + 4 / 1000
    expected = (information[-1] - information[-2]) / entropy
    assert 0.2 < expected < 0.8
    assert information_gap(codes, factor) == pytest.approx(expected, rel=1e-9)


def test_entropy_of_few_counts_is_not_too_small():
    """Means over draws, against the entropy of what they are drawn from."""
    rng = np.random.default_rng(0)
    shares = np.array([0.4, 0.3, 0.2, 0.05, 0.05])
    found = [entropy(rng.multinomial(200, shares)) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(-np.sum(shares * np.log(shares)), abs=0.003)


def test_a_lone_code_has_nothing_beside_it():
    """Of two factors, both of 2 classes, one is known and the other not."""
    factors = np.stack(np.meshgrid([0, 1], [0, 1]), axis=-1).reshape(-1, 2)
    assert information_gap(factors[:, :1], factors[:, 0]) == pytest.approx(1.0)
    assert information_gap(factors[:, :1], factors[:, 1]) == pytest.approx(0.0)


def test_a_perfect_code_of_factors_of_many_classes_gets_1():
    """As many as the factors of the shapes have, and codes of nothing beside them."""
    sizes = {"shape": 3, "scale": 6, "rotation": 40, "x": 32, "y": 32}
    source = KnownFactors(
        "many", sizes, lambda factors: (factors / 100.0)[:, None, :, None].astype("float32")
    )

    def codes(images):
        factors = np.round(100.0 * images[:, 0, :, 0])
        rng = np.random.default_rng(len(images))
        alone = factors / np.sqrt((np.array([*sizes.values()]) ** 2 - 1.0) / 12.0)
        return np.concatenate([-alone, rng.normal(size=(len(images), 2))], axis=1)

    score = mutual_information_gap(codes, source, resamples=20)
    assert float(score) == pytest.approx(1.0, abs=0.005)
    assert score.interval[1] - score.interval[0] < 0.01


def test_groups_share_one_factor_and_votes_are_for_what_varies_least():
    """A code that holds one factor only: right for it, and as good as a guess for the others."""

    def of_a(images):
        return perfect(images)[:, 2:3]

    # The one dimension is the answer to all, and the majority's share is about 1 / 3.
    assert float(factor_vae_score(of_a, SOURCE, resamples=0)) == pytest.approx(1 / 3, abs=0.08)
    # Pairs that share a do not differ, all others do: a third is right and half of the rest.
    assert float(beta_vae_score(of_a, SOURCE, resamples=0)) == pytest.approx(2 / 3, abs=0.08)


def test_the_interval_knows_that_votes_say_what_a_dimension_stands_for():
    """Two codes that each know two factors alike: few votes draw which one they stand for."""

    def shared(images):
        a, b, c = (factors_of(images) / np.sqrt((np.array([25, 64, 16]) - 1.0) / 12.0)).T
        return np.stack([a + b, c + b], axis=1)

    scores = [
        factor_vae_score(shared, SOURCE, votes=100, images=10, seed=seed) for seed in range(60)
    ]
    expected = np.mean([float(score) for score in scores])
    held = np.mean([score.interval[0] <= expected <= score.interval[1] for score in scores])
    assert held >= 0.9
    width = np.mean([np.ptp(score.interval) for score in scores]) / (2 * 1.96)
    assert width == pytest.approx(np.std([float(score) for score in scores]), rel=0.35)


def test_a_seed_decides_a_score_and_the_card_says_how_it_was_made():
    class Model:
        def encode(self, images):
            return entangled(images) + 0.5 * perfect(images)

    first, again, other = (
        factor_vae_score(Model(), SOURCE, votes=50, images=10, test_votes=60, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first == again and first.interval == again.interval
    assert first.interval[0] < float(first) < first.interval[1]
    assert first.card.reference == "made" and first.card.samples == 1100
    assert first.card.settings == {"votes": 50, "images": 10, "test_votes": 60, "unused": 0.05}
    assert first.card.seeds == {"images": 0, "bootstrap": 0} and other.card.seeds["images"] == 1


def test_shapes_by_their_factors():
    assert known_factors("shapes", (16, 16)).settings == {"image_size": 16}
    assert known_factors("shapes", (8, 16)).images(np.zeros((1, 5), int)).shape == (1, 8, 16, 1)
    source = known_factors("shapes", image_size=16)
    factors = source.draw(2000, np.random.default_rng(0))
    assert factors.shape == (2000, 5) and factors.max(axis=0).tolist() == [2, 5, 39, 31, 31]
    images = source.images(factors)
    assert images.shape == (2000, 16, 16, 1) and set(np.unique(images)) == {-1.0, 1.0}
    light = (images > 0).mean(axis=(1, 2, 3))
    assert light[factors[:, 1] == 5].mean() > 2.0 * light[factors[:, 1] == 0].mean()

    def places(images):
        """Centres of mass, which know x and y."""
        light = images[..., 0] + 1.0
        axis = np.linspace(-3.0, 3.0, 16)
        total = light.sum(axis=(1, 2))
        x, y = light.sum(axis=1) @ axis, light.sum(axis=2) @ axis
        return np.stack([x / total, y / total], axis=1)

    score = mutual_information_gap(places, "shapes", 16, samples=3000, resamples=0)
    assert 0.25 < score < 0.4  # Two of five factors.
    assert score.card.settings == {
        "image_size": 16,
        "bins": 20,
        "unused": 0.05,
        "entropy": "Miller-Madow",
    }


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: known_factors("dsprites"), "`source` must be .*'dsprites'"),
        (lambda: known_factors(SOURCE, 32), "`image_size` must be None but"),
        (lambda: known_factors("shapes", (32, 32, 1)), "an integer or .height, width., received"),
        (lambda: KnownFactors("one", {"a": 1}, None), "`sizes`.*'a': 1"),
        (lambda: beta_vae_score(3, SOURCE), "`encode` must be a function.*3"),
        (
            lambda: beta_vae_score(SYSTEMS["conditional_vae"].make(), SOURCE),
            "`encode` must encode images alone.*together with labels",
        ),
        (lambda: beta_vae_score(lambda x: x[:1, 0, :, 0], SOURCE), "a row of codes for each"),
        (lambda: beta_vae_score(lambda x: np.nan * x[:, 0, :, 0], SOURCE), "`codes` must be fin"),
        (lambda: beta_vae_score(noise, SOURCE, pairs=0), "`pairs`.*0"),
        (lambda: beta_vae_score(noise, SOURCE, groups=2, seed=1), "`groups` must be more.*the 2"),
        (
            lambda: beta_vae_score(noise, KnownFactors("one", {"a": 3}, None)),
            "`source` must have at least 2 factors",
        ),
        (lambda: factor_vae_score(noise, SOURCE, images=1), "`images`.*1"),
        (lambda: factor_vae_score(noise, SOURCE, unused=-1.0), "`unused`.*-1.0"),
        (lambda: mutual_information_gap(noise, SOURCE, bins=1), "`bins`.*1"),
        (lambda: mutual_information_gap(noise, SOURCE, seed=0.5), "`seed`.*0.5"),
    ],
)
def test_arguments_that_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
