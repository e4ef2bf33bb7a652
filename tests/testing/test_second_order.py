"""The checker of second-order gradients, and the refusal built on what it has measured."""

import random

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgen.layers
from kgen.core.second_order import known_wrong, refuse_wrong_second_order
from kgen.testing import second_order
from kgen.testing.second_order import check_second_order_gradients


@pytest.fixture
def one_direction(monkeypatch):
    """Along one direction instead of the median of three: a median is for kinks."""
    monkeypatch.setattr(second_order, "DIRECTIONS", 1)


def _deep(*tried):
    """A critic that holds layers, one after the other, in a nested model in a nested model."""
    inner = keras.Sequential([keras.Input((6, 6, 4)), *tried, layers.LeakyReLU()], name="inner")
    inputs = keras.Input((6, 6, 4))
    outer = keras.Model(inputs, inner(layers.Activation("tanh")(inputs)), name="outer")
    images = keras.Input((6, 6, 3))
    x = outer(layers.Conv2D(4, 3, padding="same")(images))
    logits = layers.Dense(1)(layers.Flatten()(x))
    return keras.Model(images, logits, name="critic")


@keras.saving.register_keras_serializable("test")
class Block(keras.layers.Layer):
    """Holds a layer and computes moments of its own."""

    def __init__(self, right=False, **kwargs):
        super().__init__(**kwargs)
        self.right = right
        self.dense = layers.Dense(4)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        x = self.dense(inputs)
        if self.right:
            return x * ops.rsqrt(ops.var(x, axis=-1, keepdims=True) + 0.1)
        return x * ops.rsqrt(ops.moments(x, axes=[-1], keepdims=True)[1] + 0.1)

    def get_config(self):
        return {**super().get_config(), "right": self.right}


@keras.saving.register_keras_serializable("test")
class Critic(keras.Model):
    """A subclassed model."""

    def __init__(self, right=False, **kwargs):
        super().__init__(**kwargs)
        self.right = right
        self.hidden = layers.Dense(5, activation="tanh")
        self.block = Block(right)
        self.last = layers.Dense(1)

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.block.build((None, 5))
        self.last.build((None, 4))

    def call(self, inputs):
        return self.last(self.block(self.hidden(inputs)))

    def get_config(self):
        return {"right": self.right, "name": self.name}


WRONG = [
    (layers.LayerNormalization, {}, "kgen.layers.LayerNormalization"),
    (layers.LayerNormalization, {"axis": [1, 2, 3]}, "kgen.layers.LayerNormalization"),
    (layers.GroupNormalization, {"groups": -1}, "kgen.layers.InstanceNormalization"),
    (layers.BatchNormalization, {}, "kgen.layers.LayerNormalization"),
    (layers.UpSampling2D, {"interpolation": "bilinear"}, 'interpolation="nearest"'),
    (layers.UpSampling2D, {"interpolation": "bicubic"}, 'interpolation="nearest"'),
    (layers.Resizing, {"height": 4, "width": 4}, "UpSampling2D"),
    (layers.RandomZoom, {"height_factor": 0.2}, "tf.data"),
    (layers.Activation, {"activation": "softsign"}, "tanh"),
]


@pytest.mark.parametrize(
    ("rows", "directions"), [(WRONG[:5], 1), (WRONG[5:], 3)], ids=["first", "last"]
)
def test_wrong_layers_are_found_and_refused_deep_inside(rows, directions, monkeypatch):
    monkeypatch.setattr(second_order, "DIRECTIONS", directions)
    culprits = [kind(**kwargs, name=f"culprit_{i}") for i, (kind, kwargs, _) in enumerate(rows)]
    critic = _deep(*culprits)
    with pytest.raises(AssertionError) as error:
        check_second_order_gradients(critic)
    found = str(error.value).splitlines()[1:]
    assert len(found) == len(rows)  # no other layer is blamed
    with pytest.raises(ValueError) as error:
        refuse_wrong_second_order(critic, "WGANGP: `critic`")
    message, *refused = str(error.value).splitlines()
    assert message.startswith("WGANGP: `critic`") and "'critic'" in message
    assert len(refused) == len(rows)
    for i, (kind, _, replacement) in enumerate(rows):
        (line,) = [line for line in found if f"culprit_{i} ({kind.__name__})" in line]
        assert replacement in line
        (line,) = [line for line in refused if f"'culprit_{i}' ({kind.__name__})" in line]
        assert replacement in line


RIGHT = {
    "norms": [
        kgen.layers.LayerNormalization,
        lambda: kgen.layers.LayerNormalization(axis=-1),
        kgen.layers.InstanceNormalization,
        kgen.layers.PixelNormalization,
        layers.RMSNormalization,
    ],
    "statistics": [
        kgen.layers.MinibatchStandardDeviation,
        lambda: kgen.layers.MinibatchStandardDeviation(3),
        lambda: layers.Dropout(0.3),
        layers.MaxPooling2D,
        lambda: layers.UpSampling2D(2, interpolation="nearest"),
    ],
    "weights": [
        lambda: kgen.layers.EqualizedConv2D(3, 3),
        lambda: kgen.layers.EqualizedDense(3),
        lambda: kgen.layers.Maxout(3),
        layers.PReLU,
    ],
    "spectral": [
        lambda: kgen.layers.SpectralNormalization(layers.Conv2D(3, 3)),
        lambda: kgen.layers.SpectralNormalization(layers.Conv2DTranspose(3, 3, strides=2)),
        lambda: kgen.layers.SpectralNormalization(layers.DepthwiseConv2D(3), power_iterations=2),
    ],
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_layers_pass(name, one_direction):
    tried = [make() for make in RIGHT[name]]
    critic = _deep(*tried)
    errors = check_second_order_gradients(critic)
    assert {layer.name for layer in tried} <= set(errors) and list(errors)[-1] == "critic"
    assert max(errors.values()) < 1e-5
    refuse_wrong_second_order(critic, "WGANGP: `critic`")


def test_operations_of_a_functional_graph(one_direction):
    images = keras.Input((6, 6, 3))
    x = ops.image.resize(layers.Conv2D(3, 3)(images), (8, 8))
    x = ops.tanh(x) * 2.0
    mean, variance = ops.moments(x, axes=[1, 2])
    critic = keras.Model(images, layers.Dense(1)(mean + variance))
    with pytest.raises(AssertionError) as error:
        check_second_order_gradients(critic)
    lines = str(error.value).splitlines()[1:]
    assert sorted(line.split("(")[1].split(")")[0] for line in lines) == ["Moments", "Resize"]
    with pytest.raises(ValueError, match=r"(?s)Resize.*Moments"):
        refuse_wrong_second_order(critic, "GAN: `penalty`")


def test_custom_layers_and_subclassed_models(one_direction):
    for make in (lambda right: keras.Sequential([keras.Input((4,)), Block(right)]), Critic):
        critic = make(False)
        critic(np.ones((2, 4), "float32"))
        with pytest.raises(AssertionError, match=r"block\w* \(Block\)") as error:
            check_second_order_gradients(critic)
        assert len(str(error.value).splitlines()) == 2
        critic = make(True)
        critic(np.ones((2, 4), "float32"))
        assert "dense" in " ".join(check_second_order_gradients(critic))


def test_refusal_sees_wrappers_and_subclasses():
    class Mine(layers.BatchNormalization):
        pass

    class Other(layers.Layer):
        def __init__(self):
            super().__init__()
            self.norm = Mine()

    for network in (
        keras.Sequential([layers.TimeDistributed(Mine())]),
        keras.Sequential([Other()]),
        Other(),
    ):
        with pytest.raises(ValueError, match=r"Mine\).*kgen.layers.LayerNormalization"):
            refuse_wrong_second_order(network, "GAN: `penalty`")
    wrapped = layers.SpectralNormalization(layers.Dense(2))
    assert known_wrong(wrapped).replacement == "kgen.layers.SpectralNormalization"
    assert known_wrong(layers.LSTM(2, activation="softsign").cell) is not None
    assert known_wrong(kgen.layers.SpectralNormalization(layers.Dense(2))) is None


def test_recurrent_attention_and_several_inputs(one_direction):
    tokens = keras.Input((2, 4), name="tokens")
    labels = keras.Input((), dtype="int32", name="labels")
    x = layers.MultiHeadAttention(2, 3, dropout=0.1)(tokens, tokens)
    x = layers.Bidirectional(layers.SimpleRNN(3))(x)
    x = layers.Concatenate()([x, layers.Embedding(7, 2)(labels)])
    critic = keras.Model({"tokens": tokens, "labels": labels}, layers.Dense(1)(x))
    errors = check_second_order_gradients(critic)
    assert {"multi_head_attention", "bidirectional"} <= {
        name.rstrip("_0123456789") for name in errors
    }


def test_operations_without_float64_are_left_out():
    critic = keras.Sequential(
        [keras.Input((4, 4, 4, 2)), layers.MaxPooling3D(name="pool"), layers.Dense(2, name="dense")]
    )
    with pytest.warns(UserWarning, match="'pool'"):
        assert list(check_second_order_gradients(critic)) == ["dense"]


def test_network_and_global_state_stay_as_they_are(one_direction):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        critic = keras.Sequential(
            [
                keras.Input((4,)),
                kgen.layers.SpectralNormalization(layers.Dense(3)),
                layers.BatchNormalization(trainable=False),
                layers.Dropout(0.5),
                layers.Dense(1, kernel_initializer="zeros"),
            ]
        )
        critic.compile("sgd", "mse")
        before = [variable.numpy() for variable in critic.variables]
        random_state = random.getstate()
        first = check_second_order_gradients(critic, seed=3)
        assert random.getstate() == random_state
        assert first == check_second_order_gradients(critic, seed=3)
        assert keras.config.dtype_policy().name == "mixed_float16"
        assert keras.config.floatx() == "float32"
        assert critic.layers[1].dtype_policy.name == "mixed_float16"
        for variable, value in zip(critic.variables, before, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)
    finally:
        keras.config.set_dtype_policy("float32")


def test_refuses_what_is_no_built_model():
    with pytest.raises(ValueError, match="built"):
        check_second_order_gradients(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(ValueError, match=r"keras\.Model"):
        check_second_order_gradients(layers.Dense(2))
