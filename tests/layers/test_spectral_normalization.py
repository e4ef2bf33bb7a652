"""Spectral normalisation against singular values, and what the wrapper must leave alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from keras.src.testing import TestCase

from kgen.core import engine
from kgen.layers import SpectralNormalization

IMAGES = np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype("float32")


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    for layer, shape in ((layers.Dense(2), (3, 4)), (layers.Conv2D(2, 3), (2, 5, 5, 3))):
        TestCase().run_layer_test(
            SpectralNormalization,
            init_kwargs={"layer": layer, "power_iterations": 2},
            input_shape=shape,
            expected_num_trainable_weights=2,
            expected_num_non_trainable_weights=1,
            call_kwargs={"training": True},
            run_training_check=False,  # Gradients under XLA are tested below.
        )


def _matrix(layer, kernel):
    """One row an output channel, written independently of the library."""
    if isinstance(layer, layers.Conv2DTranspose):
        return np.moveaxis(kernel, 2, 0).reshape(kernel.shape[2], -1)
    if isinstance(layer, layers.DepthwiseConv2D):
        return kernel.reshape(-1, kernel.shape[2] * kernel.shape[3]).T
    return kernel.reshape(-1, kernel.shape[-1]).T


@pytest.mark.parametrize(
    "layer, inputs",
    [
        (layers.Dense(5, use_bias=False), IMAGES),
        (layers.Conv1D(4, 3, use_bias=False), IMAGES[0]),
        (layers.Conv2D(4, 3, use_bias=False), IMAGES),
        (layers.Conv3D(2, 2, use_bias=False), IMAGES[None]),
        (layers.Conv2DTranspose(4, 3, strides=2, use_bias=False), IMAGES),
        (layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), IMAGES),
        (layers.Embedding(7, 4), np.array([[0, 6, 3]])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_divides_by_the_largest_singular_value(layer, inputs):
    """From the vector on, which iterations come to, as another test shows."""
    normalized = SpectralNormalization(layer)
    normalized.build(inputs.shape)
    weight = layer.embeddings if isinstance(layer, layers.Embedding) else layer.kernel
    left, (sigma, *_), _ = np.linalg.svd(_matrix(layer, weight.numpy()), full_matrices=False)
    normalized.vector_u.assign(left[:, 0])
    outputs = normalized(inputs, training=True)
    # The layers are linear, so a weight divided by sigma divides the output by sigma.
    np.testing.assert_allclose(outputs, layer(inputs) / sigma, rtol=1e-4, atol=1e-5)


def test_one_power_iteration_by_hand():
    layer = SpectralNormalization(layers.Dense(2, use_bias=False))
    layer.build((None, 2))
    layer.layer.kernel.assign([[3.0, 0.0], [0.0, 1.0]])
    layer.vector_u.assign([0.6, 0.8])
    # v = (1.8, 0.8) / |.|, W v = (5.4, 0.8) / |(1.8, 0.8)|, and sigma is the length of W v.
    sigma = np.hypot(5.4, 0.8) / np.hypot(1.8, 0.8)
    outputs = layer(np.array([[1.0, 1.0]], "float32"), training=True)
    np.testing.assert_allclose(outputs, [[3.0 / sigma, 1.0 / sigma]], rtol=1e-6)
    np.testing.assert_allclose(layer.vector_u, np.array([5.4, 0.8]) / np.hypot(5.4, 0.8), rtol=1e-6)


def test_kernel_stays_and_only_training_moves_u():
    layer = SpectralNormalization(layers.Conv2D(4, 3))
    layer(IMAGES)
    kernel, u = layer.layer.kernel.numpy(), layer.vector_u.numpy()
    inference = layer(IMAGES)
    np.testing.assert_array_equal(layer.vector_u, u)
    training = layer(IMAGES, training=True)
    assert np.abs(layer.vector_u.numpy() - u).max() > 1e-4
    np.testing.assert_array_equal(layer.layer.kernel, kernel)
    np.testing.assert_allclose(inference, training, rtol=1e-5, atol=1e-6)


def test_gradient_flows_through_sigma():
    """Equation 12 of the paper: dL/dW = (G - <G, W / sigma> u v^T) / sigma."""
    layer = SpectralNormalization(layers.Dense(3, use_bias=False))
    x = np.random.default_rng(1).standard_normal((5, 4)).astype("float32")
    layer(x)
    layer.converge()
    kernel = layer.layer.kernel.numpy()
    left, singular, right = np.linalg.svd(kernel)
    sigma = singular[0]
    with tf.GradientTape() as tape:
        loss = ops.sum(layer(x))
    gradient = x.T @ np.ones((5, 3), "float32")  # with respect to W / sigma
    outer = np.outer(left[:, 0], right[0])
    expected = (gradient - np.sum(gradient * kernel) / sigma * outer) / sigma
    actual = tape.gradient(loss, layer.layer.kernel.value)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
    # Growing W changes nothing, so the gradient is orthogonal to W.
    assert abs(np.sum(actual * kernel)) < 1e-4


@pytest.mark.parametrize("iterations", [1, 2])
def test_the_vectors_of_the_power_iteration_are_constants_of_the_gradient(iterations):
    """Of the step that moves u, too: d sigma / dW = u v^T, with the u and v of that step.

    Where the iteration has ended a gradient through it would be 0 anyway, and hide.
    """
    rng = np.random.default_rng(4)
    kernel, upstream = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    x, u = rng.normal(size=(5, 4)), np.array([0.6, -0.8, 0.1])
    layer = SpectralNormalization(layers.Dense(3, use_bias=False), power_iterations=iterations)
    layer.build((None, 4))
    layer.layer.kernel.assign(kernel)
    layer.vector_u.assign(u)
    for _ in range(iterations):
        v = kernel @ u / np.linalg.norm(kernel @ u)
        u = v @ kernel / np.linalg.norm(v @ kernel)
    sigma, gradient = v @ kernel @ u, x.T @ upstream
    expected = gradient / sigma - np.sum(gradient * kernel) / sigma**2 * np.outer(v, u)
    with tf.GradientTape() as tape:
        loss = ops.sum(layer(x.astype("float32"), training=True) * upstream.astype("float32"))
    assert float(loss) == pytest.approx(np.sum(gradient * kernel) / sigma, rel=1e-5)
    np.testing.assert_allclose(layer.vector_u, u, rtol=1e-5)
    found = tape.gradient(loss, layer.layer.kernel.value)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_zero_kernel_is_left_alone():
    layer = SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    x = np.ones((2, 4), "float32")
    with tf.GradientTape() as tape:
        outputs = layer(x, training=True)
        loss = ops.sum(outputs)
    np.testing.assert_array_equal(outputs, np.zeros((2, 3)))
    np.testing.assert_array_equal(
        tape.gradient(loss, layer.layer.kernel.value), np.full((4, 3), 2.0)
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_sigma_in_float32_under_mixed_precision(policy):
    layer = SpectralNormalization(layers.Dense(3, dtype=policy), dtype=policy)
    network = keras.Sequential([keras.Input((4,)), layer, layers.Dense(1, dtype=policy)])
    x = np.ones((2, 4), "float32")
    network(x, training=True)
    assert layer(x).dtype == layer.layer.compute_dtype
    normalized, vector_u = layer.normalized_weight()
    assert normalized.dtype == vector_u.dtype == "float32"
    layer.converge()
    layer.layer.kernel.assign(layer.layer.kernel.numpy() * 1e-6)  # its squares are no float16
    singular = np.linalg.svd(layer.normalized_weight()[0], compute_uv=False)
    np.testing.assert_allclose(singular[0], 1.0, rtol=1e-5)


def test_what_the_wrapped_layer_updates_and_adds_survives():
    @keras.saving.register_keras_serializable("test")
    class Noisy(layers.Dense):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.dropout = layers.Dropout(0.5, seed=0)

        def call(self, inputs, training=None):
            return self.dropout(super().call(inputs))

    layer = SpectralNormalization(Noisy(50, activity_regularizer="l2"))
    x = np.ones((2, 4), "float32")
    first, second = layer(x, training=True), layer(x, training=True)
    assert np.any((first.numpy() == 0) != (second.numpy() == 0))  # the random state moves
    np.testing.assert_allclose(layer.losses, [0.01 * np.sum(np.square(second)) / 2], rtol=1e-4)


def test_nests_in_a_stateless_scope():
    layer = SpectralNormalization(layers.Dense(3))
    x = np.random.default_rng(2).standard_normal((2, 4)).astype("float32")
    layer(x)
    bias, u = layer.layer.bias, layer.vector_u.numpy()
    before = layer(x)
    with keras.StatelessScope([(bias, ops.ones(3)), (layer.layer.kernel, ops.ones((4, 3)))]) as sc:
        inside = layer(x, training=True)
    np.testing.assert_allclose(sc.get_current_value(layer.vector_u), np.full(3, 3**-0.5), rtol=1e-5)
    expected = x @ np.full((4, 3), 12**-0.5) + 1.0
    np.testing.assert_allclose(inside, expected, rtol=1e-5)
    np.testing.assert_array_equal(layer.vector_u, u)
    np.testing.assert_array_equal(layer(x), before)


def test_xla_agrees_with_eager():
    layer = SpectralNormalization(layers.Conv2D(4, 3))
    layer(IMAGES)
    u = layer.vector_u.numpy()

    def step(x):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                tape.watch(x)
                score = ops.sum(ops.tanh(layer(x, training=True)))
            penalty = ops.sum(ops.square(tape.gradient(score, x)))
        return penalty, outer.gradient(penalty, layer.layer.kernel.value)

    results = []
    for function in (step, tf.function(step, jit_compile=True)):
        layer.vector_u.assign(u)
        results.append([*function(tf.constant(IMAGES)), layer.vector_u.numpy()])
    for eager, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(eager, compiled, rtol=1e-3, atol=1e-4)


def test_two_replicas_are_one():
    x = np.random.default_rng(3).standard_normal((8, 4)).astype("float32")
    results = []
    for replicas in (1, 2):
        keras.utils.set_random_seed(0)
        with engine.mirrored(replicas).scope():
            network = keras.Sequential([keras.Input((4,)), SpectralNormalization(layers.Dense(2))])
            network.compile("sgd", "mse", run_eagerly=True)  # Tracing replicas takes longer.
        network.fit(x, x[:, :2], batch_size=8, shuffle=False, verbose=0)
        results.append(network.get_weights())
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__")  # Keras' saving on NumPy 2
def test_save_and_load(tmp_path):
    network = keras.Sequential([keras.Input((6, 6, 3)), SpectralNormalization(layers.Conv2D(4, 3))])
    network(IMAGES, training=True)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(IMAGES), network(IMAGES))
    np.testing.assert_array_equal(loaded.layers[0].vector_u, network.layers[0].vector_u)


def test_refusals():
    with pytest.raises(ValueError, match="power_iterations=0"):
        SpectralNormalization(layers.Dense(3), power_iterations=0)
    with pytest.raises(ValueError, match="normalised already"):
        SpectralNormalization(SpectralNormalization(layers.Dense(3)))
    with pytest.raises(ValueError, match="normalised already"):
        SpectralNormalization(layers.SpectralNormalization(layers.Dense(3)))
    with pytest.raises(ValueError, match=r"`kernel` or `embeddings`.*ReLU"):
        SpectralNormalization(layers.ReLU())
    with pytest.raises(ValueError, match=r"`kernel` or `embeddings`.*SeparableConv2D"):
        SpectralNormalization(layers.SeparableConv2D(3, 3))(IMAGES)
    adapted = layers.Dense(3)
    adapted.build((None, 4))
    adapted.enable_lora(2)
    with pytest.raises(ValueError, match="LoRA"):
        SpectralNormalization(adapted)
