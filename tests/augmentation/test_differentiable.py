"""Augmentation against NumPy with the same draws, its distributions, and its gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy import ndimage

from kgen.augmentation import POLICIES, check_policies, differentiable_augmentation
from kgen.core import Noise, SeededNoise, engine
from kgen.testing import check_second_order_gradients

ALL = ("color", "translation", "cutout")
EVERY = (*ALL, "affine", "thickness")
SHAPES = [(16, 8, 8, 3), (16, 12, 28, 1), (16, 7, 9, 4)]


class Draws:
    """Stands in for random draws: given numbers, one row each draw, for all that are asked for."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)

    def uniform(self, shape):
        rows, *rest = (int(side) for side in shape)
        assert rest == [1, 1, 1]
        numbers = np.broadcast_to(np.asarray(next(self.numbers), "float64"), [rows])
        return ops.convert_to_tensor(numbers.reshape(rows, 1, 1, 1))


def images_of(shape, dtype="float32"):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(dtype)


def numpy_color(image, brightness, saturation, contrast):
    image = image + brightness - 0.5
    grey = image.mean(axis=-1, keepdims=True)
    image = grey + 2 * saturation * (image - grey)
    return image.mean() + (contrast + 0.5) * (image - image.mean())


def numpy_translation(image, down, right):
    (height, width, _), moved = image.shape, np.zeros_like(image)
    most = [int(np.floor(side / 8 + 0.5)) for side in (height, width)]
    dy, dx = (n - int(draw * (2 * n + 1)) for n, draw in zip(most, (down, right), strict=True))
    for y in range(height):
        for x in range(width):
            if 0 <= y - dy < height and 0 <= x - dx < width:
                moved[y, x] = image[y - dy, x - dx]
    return moved


def numpy_cutout(image, down, right):
    image = image.copy()
    slices = []
    for side, draw in zip(image.shape, (down, right), strict=False):
        length = int(np.floor(side / 2 + 0.5))
        places = side + 1 if length % 2 == 0 else side
        first = int(draw * places) - length // 2
        slices.append(slice(max(first, 0), first + length))
    image[tuple(slices)] = 0
    return image


def scipy_affine(image, *draws):
    angle, shear, tall, wide, down, right = 2 * np.asarray(draws) - 1
    angle, shear = np.radians(20 * angle), 0.4 * shear
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = turned @ np.diag(np.exp([tall / 4, wide / 4])) @ np.array([[1, 0], [shear, 1]])
    centre, sides = (np.array(image.shape[:2]) - 1) / 2, np.array(image.shape[:2])
    offset = centre + 0.1 * sides * [down, right] - matrix @ centre
    return np.stack(
        [
            ndimage.affine_transform(channel, matrix, offset, order=1, mode="nearest")
            for channel in np.moveaxis(image, -1, 0)
        ],
        axis=-1,
    )


def scipy_thickness(image, amount):
    morphology = ndimage.grey_dilation if amount > 0.5 else ndimage.grey_erosion
    changed = morphology(image, size=(3, 3, 1), mode="nearest")
    return image + abs(amount - 0.5) * (changed - image)


BY_NUMPY = {"color": (numpy_color, 3), "translation": (numpy_translation, 2),
            "cutout": (numpy_cutout, 2), "affine": (scipy_affine, 6),
            "thickness": (scipy_thickness, 1)}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("policies", [*((policy,) for policy in EVERY), EVERY, EVERY[::-1]])
def test_numbers_are_numpys(policies, shape):
    images = images_of(shape, "float64")
    draws = np.random.default_rng(1).uniform(size=(14, shape[0]))
    draws[:, :2] = [0.0, 1.0 - 2.0**-23]  # the ends that a draw can take
    found = differentiable_augmentation(images, Draws(draws), policies)
    expected, rest = images, draws
    for policy in policies:
        function, count = BY_NUMPY[policy]
        expected = np.stack([function(*row) for row in zip(expected, *rest[:count], strict=True)])
        rest = rest[count:]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    "policies", [("color",), ("translation",), ("affine",), ("thickness",), ()]
)
def test_draws_in_the_middle_change_nothing(policies):
    images = images_of((3, 8, 10, 3))
    found = differentiable_augmentation(images, Draws([0.5] * 7), policies)
    np.testing.assert_allclose(found, images, atol=1e-6)


def test_form():
    for dtype in ("float16", "float32", "bfloat16"):
        images = ops.cast(images_of((3, 8, 10, 2)), dtype)
        found = differentiable_augmentation(images, Noise(0))
        assert found.dtype == "float32" and found.shape == (3, 8, 10, 2)


def test_color_by_hand():
    images = np.array([[[[0.2, 0.4]], [[0.0, -0.2]]]])  # two pixels of two channels
    # Brightness + 0.1: 0.3, 0.5, 0.1, -0.1. Saturation x 1.5 about 0.4 and 0: 0.25, 0.55, 0.15,
    # -0.15. Contrast x 0.5 about 0.2: 0.225, 0.375, 0.175, 0.025.
    found = differentiable_augmentation(images, Draws([0.6, 0.75, 0.0]), ["color"])
    np.testing.assert_allclose(np.ravel(found), [0.225, 0.375, 0.175, 0.025])


def test_one_channel_has_no_saturation():
    images = images_of((5, 8, 8, 1))
    few, many = (
        differentiable_augmentation(images, Draws([0.2, saturation, 0.9]), ["color"])
        for saturation in (0.0, 0.99)
    )
    np.testing.assert_allclose(few, many, atol=1e-6)


def test_translations_are_uniform_up_to_an_eighth():
    images = np.zeros((5000, 16, 24, 1), "float32")
    images[:, 8, 12] = 1
    moved = np.asarray(differentiable_augmentation(images, Noise(0), ["translation"]))[..., 0]
    assert np.all(moved.sum(axis=(1, 2)) == 1)
    counts = moved.sum(axis=0)
    assert counts[6:11, 9:16].sum() == 5000  # 2 pixels down and 3 across at most
    assert counts[6:11, 9:16].min() > 5000 / 35 * 0.7


def test_cutouts_are_uniform():
    images = np.ones((5000, 8, 8, 3), "float32")
    cut = np.asarray(differentiable_augmentation(images, Noise(0), ["cutout"]))
    assert np.array_equal(cut.min(-1), cut.max(-1))
    areas = 64 - cut[..., 0].sum(axis=(1, 2))
    assert set(areas) == {height * width for height in (2, 3, 4) for width in (2, 3, 4)}
    # Sides of 2, 3 and 4 with 2, 2 and 5 of the 9 places each.
    assert np.mean(areas == 16) == pytest.approx(25 / 81, abs=0.03)


def test_images_draw_for_themselves():
    images = np.repeat(images_of((1, 8, 8, 3)), 20, axis=0)
    for policy in EVERY:
        found = np.asarray(differentiable_augmentation(images, Noise(0), [policy]))
        assert len({image.tobytes() for image in found}) >= 7  # of 9 translations


def test_fewer_images_are_the_first_of_more():
    images = images_of((6, 8, 8, 3))
    many, few = (
        differentiable_augmentation(x, SeededNoise(1), EVERY) for x in (images, images[:2])
    )
    np.testing.assert_allclose(many[:2], few, atol=1e-6)


def test_two_replicas_augment_as_one():
    images = images_of((6, 8, 8, 3))
    alone = differentiable_augmentation(images, SeededNoise(1), EVERY)
    strategy = engine.mirrored(2)
    parts = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(images, 2)[context.replica_id_in_sync_group])
    )
    found = strategy.run(lambda x: differentiable_augmentation(x, SeededNoise(1), EVERY), (parts,))
    found = np.concatenate(strategy.experimental_local_results(found))
    np.testing.assert_allclose(found, alone, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "batch"),
    [
        (SHAPES[2], "unknown"),
        # Without a graph, as most tests are, all sizes are known.
        pytest.param(SHAPES[1], "known", marks=pytest.mark.slow),
    ],
)
def test_xla_is_the_same(shape, batch):
    images = tf.constant(images_of(shape))

    def augment(x):
        return ops.tanh(differentiable_augmentation(x, SeededNoise(1), EVERY))

    def value_and_gradient(images):
        return augment(images), engine.input_gradient(augment, images)

    signature = [tf.TensorSpec([None, *shape[1:]])] if batch == "unknown" else None
    plain, xla = (
        tf.function(value_and_gradient, input_signature=signature, jit_compile=compiled)(images)
        for compiled in (False, True)
    )
    for first, second in zip(plain, xla, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


class Augment(keras.layers.Layer):
    """The augmentation as a layer, with the same draws at every call."""

    def __init__(self, policies, **kwargs):
        super().__init__(**kwargs)
        self.policies = policies

    def call(self, images):
        return differentiable_augmentation(images, SeededNoise(2), self.policies)

    def get_config(self):
        return {**super().get_config(), "policies": self.policies}


# All together are the chain rule's.
@pytest.mark.parametrize(
    "policies",
    [*([policy] for policy in EVERY), pytest.param(list(EVERY), marks=pytest.mark.slow)],
)
def test_gradients_of_the_first_and_second_order(policies):
    """A penalty's derivative is the central difference's, in float64, through the augmentation."""
    images = keras.Input((8, 8, 2))
    x = Augment(policies, name="augment")(images)
    x = keras.layers.Conv2D(3, 3, activation="tanh")(x)
    critic = keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(x)))
    errors = check_second_order_gradients(critic)
    assert errors["augment"] < 1e-6 and max(errors.values()) < 1e-5


@pytest.mark.parametrize("policy", EVERY)
def test_gradient_is_the_central_difference(policy):
    images, rng = images_of((4, 8, 9, 3), "float64"), np.random.default_rng(3)
    mix, way = rng.normal(size=(2, *images.shape))
    draws = rng.uniform(size=(6, 4))

    def score(images):
        return ops.sum(mix * ops.tanh(differentiable_augmentation(images, Draws(draws), [policy])))

    analytic = np.sum(engine.input_gradient(score, ops.convert_to_tensor(images)) * way)
    numeric = (score(images + 1e-6 * way) - score(images - 1e-6 * way)) / 2e-6
    assert analytic == pytest.approx(float(numeric), rel=1e-7)


@pytest.mark.parametrize("wrong", ["color", None, 3, ("colour",), (["color"],), {"color"}])
def test_refusals(wrong):
    with pytest.raises(ValueError, match="`augmentation` must be a tuple of names out of.*color"):
        check_policies(wrong)
    with pytest.raises(ValueError, match="`augmentation`"):
        differentiable_augmentation(images_of((2, 8, 8, 3)), Noise(0), wrong)
    assert list(POLICIES) == list(EVERY)
    for right in ((), ALL, list(EVERY)):
        check_policies(right)
