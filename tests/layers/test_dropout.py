"""Dropout: what it keeps, where its draws come from, and that a model saves their state."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from keras.src.testing import TestCase

from kgen import GenerativeModel, Player
from kgen.core import SeededNoise, engine
from kgen.layers import Dropout, dropout_from
from kgen.testing import check_second_order_gradients

ONES = np.ones((4, 6), "float32")


def network(rate=0.5):
    inputs = keras.Input((6,))
    return keras.Model(inputs, Dropout(rate, seed=2)(Dropout(rate, seed=1)(inputs)))


@keras.saving.register_keras_serializable("test_dropout")
class Denoiser(GenerativeModel):
    """One player whose network drops."""

    def __init__(self, network, **kwargs):
        super().__init__([Player("denoiser", (network,), self.error)], **kwargs)
        self.network = network

    def error(self, images, training):
        return ops.mean(ops.square(self.network(images, training=training) - images))


@pytest.mark.filterwarnings("ignore:.shuffle=True", "ignore:The model does not have")
def test_keras_layer_test():
    TestCase().run_layer_test(
        Dropout,
        init_kwargs={"rate": 0.3, "seed": 3},
        input_shape=(4, 5, 2),
        expected_output_shape=(4, 5, 2),
        expected_num_trainable_weights=0,
        expected_num_seed_generators=1,
        supports_masking=True,
    )


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_share_and_scale(rate):
    x = np.random.default_rng(0).normal(2.0, 1.0, (100, 1000)).astype("float32")
    y = Dropout(rate, seed=0)(x, training=True).numpy()
    kept = y != 0.0
    np.testing.assert_allclose(y[kept], x[kept] / (1.0 - rate), rtol=1e-6)
    # Four standard errors of a share of 100,000.
    assert abs(np.mean(kept) - (1.0 - rate)) < 4.0 * np.sqrt(rate * (1.0 - rate) / 1e5)
    # Each place for itself: no row, column or neighbour is dropped together.
    shares = np.concatenate([kept.mean(0), kept.mean(1)])
    assert shares.min() > 0.0 and shares.max() < 1.0
    assert abs(np.corrcoef(kept[:, 1:].ravel(), kept[:, :-1].ravel())[0, 1]) < 0.02


def test_identity_outside_of_training_and_at_rate_0():
    layer, none = Dropout(0.5, seed=0), Dropout(0.0, seed=0)
    before = [one.noise.seed_generator.state.numpy() for one in (layer, none)]
    np.testing.assert_array_equal(layer(ONES), ONES)
    np.testing.assert_array_equal(none(ONES, training=True), ONES)
    with dropout_from(SeededNoise(0)):
        np.testing.assert_array_equal(none(ONES), ONES)
    after = [one.noise.seed_generator.state.numpy() for one in (layer, none)]
    np.testing.assert_array_equal(before, after)


def test_draws_move_and_a_seed_repeats_them():
    first, again = Dropout(0.5, seed=5), Dropout(0.5, seed=5)
    draws = [first(ONES, training=True).numpy() for _ in range(2)]
    assert np.any(draws[0] != draws[1])
    np.testing.assert_array_equal(draws, [again(ONES, training=True) for _ in range(2)])


def test_gradient_is_the_mask():
    x = tf.constant(ONES) * 3.0
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = Dropout(0.5, seed=0)(x, training=True)
    np.testing.assert_array_equal(tape.gradient(y, x) * 3.0, y)


def test_second_order_gradients():
    inputs = keras.Input((6,))
    x = keras.layers.Dense(5, activation="tanh")(inputs)
    critic = keras.Model(inputs, keras.layers.Dense(1)(Dropout(0.4, name="dropout")(x)))
    assert max(check_second_order_gradients(critic).values()) < 1e-5


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mixed_precision(dtype):
    layer = Dropout(0.5, seed=0, dtype=f"mixed_{dtype}")
    y = layer(ONES, training=True)
    assert y.dtype == dtype
    plain = Dropout(0.5, seed=0)(ONES, training=True)
    np.testing.assert_array_equal(tf.cast(y, "float32"), plain)


@pytest.mark.parametrize("lent", [False, True])
def test_xla_and_graphs_of_any_batch_draw_the_same(lent):
    def run(layer, **kwargs):
        def step(x):
            with dropout_from(SeededNoise(3) if lent else None):
                return layer(x, training=not lent)

        return tf.function(step, **kwargs)(ONES).numpy()

    plain, xla, dynamic = (
        run(Dropout(0.5, seed=7)),
        run(Dropout(0.5, seed=7), jit_compile=True),
        run(Dropout(0.5, seed=7), input_signature=[tf.TensorSpec((None, 6))]),
    )
    assert np.any(plain == 0.0) and np.any(plain != 0.0)
    np.testing.assert_array_equal(plain, xla)
    np.testing.assert_array_equal(plain, dynamic)


@pytest.mark.parametrize("lent", [False, True])
def test_replicas_drop_as_one_device_does(lent):
    x = tf.ones((8, 6))
    outputs = []
    for replicas in (1, 2):
        strategy = engine.mirrored(replicas)
        with strategy.scope():
            layer = Dropout(0.5, seed=7)

        @tf.function
        def step(x, layer=layer):
            with dropout_from(SeededNoise(3) if lent else None):
                return layer(x, training=not lent)

        rows = 8 // replicas
        parts = strategy.experimental_distribute_values_from_function(
            lambda context, rows=rows: x[:rows]
        )
        parts = strategy.experimental_local_results(strategy.run(step, (parts,)))
        outputs.append(np.concatenate([part.numpy() for part in parts]))
    np.testing.assert_array_equal(*outputs)
    assert np.any(outputs[1][:4] != outputs[1][4:])


# ---------------------------------------------------------------- dropout_from


def test_dropout_from_drops_whatever_training_is():
    layers = network()
    for training in (False, True, None):
        with dropout_from(SeededNoise(4)):
            y = layers(ONES, training=training).numpy()
        noise = SeededNoise(4)
        masks = [noise.uniform(ONES.shape).numpy() >= 0.5 for _ in range(2)]
        np.testing.assert_array_equal(y, 4.0 * masks[0] * masks[1])  # In the order of the calls.
    np.testing.assert_array_equal(layers(ONES, training=False), ONES)


def test_dropout_from_leaves_the_states_alone():
    layers = network()
    before = [variable.numpy() for variable in layers.variables]
    assert len(before) == 2 and not layers.weights
    with dropout_from(SeededNoise(4)):
        layers(ONES, training=True)
    np.testing.assert_array_equal(before, [variable.numpy() for variable in layers.variables])
    layers(ONES, training=True)
    assert np.any(before[0] != layers.variables[0].numpy())


def test_dropout_from_nests_and_ends_with_an_error():
    layer = Dropout(0.5)

    def drops():
        return bool(np.any(layer(ONES).numpy() != ONES))

    with dropout_from(SeededNoise(0)):
        with dropout_from(None):
            assert not drops()
        assert drops()
        with pytest.raises(RuntimeError), dropout_from(SeededNoise(1)):
            raise RuntimeError
        assert drops()
    assert not drops()


def test_dropout_from_is_of_its_thread():
    layer, seen = Dropout(0.5), []
    with dropout_from(SeededNoise(0)):
        thread = threading.Thread(target=lambda: seen.append(layer(ONES).numpy()))
        thread.start()
        thread.join()
    np.testing.assert_array_equal(seen[0], ONES)


def test_an_export_takes_its_seed_and_holds_no_state(tmp_path):
    module, layers = tf.Module(), network()

    @tf.function(input_signature=[tf.TensorSpec((None, 6)), tf.TensorSpec((), "int64")])
    def translate(x, seed):
        with dropout_from(SeededNoise(seed)):
            return layers(x)

    module.translate = translate
    assert not translate.get_concrete_function().graph.variables
    tf.saved_model.save(module, str(tmp_path))
    served = tf.saved_model.load(str(tmp_path))
    for seed in (3, 4):
        with dropout_from(SeededNoise(seed)):
            expected = layers(ONES).numpy()
        found = served.translate(tf.constant(ONES), tf.constant(seed, "int64"))
        np.testing.assert_array_equal(found, expected)
    assert np.any(expected != translate(ONES, tf.constant(3, "int64")))


# ---------------------------------------------------------------- saving


def test_a_model_saves_the_state(tmp_path):
    model = Denoiser(network())
    assert len(model.random_states) == 3  # The model's own and the two layers'.
    model.network(ONES, training=True)
    model.save(tmp_path / "model.keras")
    expected = model.network(ONES, training=True)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.network(ONES, training=True), expected)
    fresh = network()(ONES, training=True)
    assert np.any(fresh.numpy() != expected.numpy())


def test_refusals():
    for rate in (-0.1, 1.0, 2, "half", None):
        with pytest.raises(ValueError, match=rf"`rate` should be in \[0, 1\).*rate={rate!r}"):
            Dropout(rate)
    with pytest.raises(ValueError, match="`seed` should be None or an integer.*'a'"):
        Dropout(0.5, seed="a")
