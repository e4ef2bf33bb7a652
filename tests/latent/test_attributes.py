"""Analogies and attribute vectors: by hand, and on codes whose direction is known."""

import numpy as np
import pytest

from kgen.latent import AttributeVector, analogy, attribute_vector, move
from kgen.latent.attributes import METHODS


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def labelled(count=400, shape=(6,), shift=3.0):
    """Codes of N(0, 1), half of them moved along a known direction, and that."""
    direction = normal(*shape, seed=1)
    direction /= np.linalg.norm(direction)
    present = np.arange(count) % 2 == 0
    codes = normal(count, *shape)
    codes[present] += shift * direction
    return codes, present, direction


def test_an_analogy_is_made_of_means():
    a, b, c = normal(3, 5), normal(2, 5, seed=1), normal(4, 5, seed=2)
    found = analogy(a, b, c)
    assert found.shape == (5,) and found.dtype == np.float32
    np.testing.assert_allclose(found, a.mean(0) - b.mean(0) + c.mean(0), atol=1e-6)
    np.testing.assert_allclose(analogy(a, a, c), c.mean(0), atol=1e-6)
    styles = normal(3, 4, 5)
    assert analogy(styles, styles, styles).shape == (4, 5)


def test_labels_of_an_analogy():
    three, seven = np.eye(4)[[1, 3]]
    np.testing.assert_allclose(analogy([three], [three], [seven]), seven)
    np.testing.assert_allclose(analogy([three], [seven], [seven]), three)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"a": normal(5)}, r"`a` must be an array of numbers of the shape \(n, ..., d\)"),
        ({"b": normal(2, 4)}, r"`b` must have rows of the shape .* \(5,\), received \(4,\)"),
        ({"c": [[np.nan] * 5]}, "`c` must be finite"),
    ],
)
def test_refused_analogies(arguments, message):
    with pytest.raises(ValueError, match=message):
        analogy(**{"a": normal(2, 5), "b": normal(1, 5), "c": normal(1, 5), **arguments})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_a_known_direction_is_found(method, shape):
    codes, present, direction = labelled(shape=shape)
    found = attribute_vector(codes, present, method)
    assert found.vector.shape == shape and found.vector.dtype == np.float32
    assert np.linalg.norm(found.vector) == pytest.approx(1.0, abs=1e-6)
    assert np.sum(found.vector * direction) > 0.97
    along = codes.reshape(400, -1) @ np.float64(found.vector.ravel())
    assert found.deviation == pytest.approx(along.std(), rel=1e-5)
    assert 0.9 < found.accuracy <= 1.0
    opposite = attribute_vector(codes, ~present, method)
    np.testing.assert_allclose(opposite.vector, -found.vector, atol=1e-4)


def test_a_classifier_leaves_out_what_goes_along():
    """The third number has the attribute's noise in it, of which a plane makes use."""
    noise = normal(2000)
    present = np.arange(2000) % 2 == 0
    codes = np.stack([2.0 * present + noise, noise, normal(2000, seed=1)], axis=1)
    codes[:, 2] += present
    mean = attribute_vector(codes, present)
    np.testing.assert_allclose(mean.vector, np.array([2.0, 0.0, 1.0]) / 5**0.5, atol=0.06)
    for method in ("logistic", "svm"):
        found = attribute_vector(codes, present, method)
        assert found.accuracy > 0.99 > mean.accuracy
        assert found.vector[0] > 0.5 and found.vector[1] < -0.5


@pytest.mark.parametrize("method", METHODS)
def test_numbers_that_hardly_vary_count_for_little(method):
    """Such as the latents of a VAE that say nothing, and ones that are constant."""
    codes, present, direction = labelled(count=1000)
    unused = 0.02 * normal(1000, 24, seed=7)
    constant = np.full((1000, 1), 0.1)
    found = attribute_vector(np.concatenate([codes, unused, constant], axis=1), present, method)
    assert found.vector[:6] @ direction > 0.95 and np.linalg.norm(found.vector[6:]) < 0.1
    assert found.vector[-1] == pytest.approx(0.0, abs=1e-6)


def test_accuracy_is_that_of_the_best_threshold():
    assert attribute_vector([[0.0], [1.0], [2.0], [5.0]], [0, 1, 0, 1]).accuracy == 0.75
    assert attribute_vector([[0.0], [1.0], [1.0], [5.0]], [0, 0, 1, 1]).accuracy == 0.75
    assert attribute_vector([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).accuracy == 1.0
    codes, _, _ = labelled(count=2000)
    by_chance = attribute_vector(codes, np.random.default_rng(3).random(2000) < 0.5)
    assert 0.5 <= by_chance.accuracy < 0.6


def test_labels_are_left_alone():
    codes, present, direction = labelled()
    rows = np.concatenate([codes, np.eye(2)[present.astype(int)]], axis=1)
    for method in METHODS:
        found = attribute_vector(rows, present, method, labels=2)
        assert found.vector[6:].tolist() == [0.0, 0.0] and found.vector[:6] @ direction > 0.97


def test_moving_is_in_deviations():
    codes, present, _ = labelled(shape=(2, 3))
    attribute = attribute_vector(codes, present)
    moved = move(codes, attribute, [-1.0, 0.0, 2.5])
    assert moved.shape == (3, 400, 2, 3) and moved.dtype == np.float32
    np.testing.assert_allclose(moved[1], codes, atol=1e-6)
    along = np.sum((moved - codes) * attribute.vector, axis=(2, 3))
    expected = np.array([[-1.0], [0.0], [2.5]]) * attribute.deviation
    np.testing.assert_allclose(along, np.broadcast_to(expected, along.shape), atol=1e-5)
    np.testing.assert_allclose(move(codes[0], attribute, [2.5])[0], moved[2, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"codes": normal(6)}, r"`codes` must be an array of numbers of the shape \(n, ..., d\)"),
        ({"present": [0, 1]}, "`present` must be a boolean for each of the 4 codes"),
        ({"present": [1, 1, 1, 1]}, r"`present` must be true .* received the values \[1\]"),
        ({"present": [0, 1, 2, 1]}, r"`present` must be true .* received the values \[0, 1, 2\]"),
        ({"method": "tree"}, "`method` must be one of .*mean_difference"),
        ({"labels": 6}, "`labels` must be an integer from 0 to 5"),
        ({"codes": np.ones((4, 6))}, "`codes` must differ between examples"),
        ({"codes": np.ones((4, 6)), "method": "svm"}, "`codes` must differ between examples"),
    ],
)
def test_refused_examples(arguments, message):
    with pytest.raises(ValueError, match=message):
        attribute_vector(**{"codes": normal(4, 6), "present": [0, 1, 0, 1], **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"attribute": [1.0, 0.0]}, r"`attribute` must be an AttributeVector, received \[1.0"),
        ({"latents": normal(3)}, r"`latents` must be rows of the .* shape \(2,\), received \(3,\)"),
        ({"amounts": 1.0}, "`amounts` must be a list of finite numbers"),
    ],
)
def test_refused_moves(arguments, message):
    attribute = AttributeVector(np.float32([1.0, 0.0]), 1.0, 1.0)
    given = {"latents": normal(2), "attribute": attribute, "amounts": [1.0], **arguments}
    with pytest.raises(ValueError, match=message):
        move(**given)
