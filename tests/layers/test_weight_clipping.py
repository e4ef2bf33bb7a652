"""Weight clipping as a Keras constraint."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import WeightClipping


def test_clips_by_hand():
    clipped = WeightClipping(0.5)(np.array([-2.0, -0.5, 0.1, 0.7], "float32"))
    np.testing.assert_allclose(clipped, [-0.5, -0.5, 0.1, 0.5])


@pytest.mark.filterwarnings("ignore:__array__")  # Keras' saving on NumPy 2
@pytest.mark.parametrize("jit_compile", [False, True])
def test_holds_after_training_and_loading(jit_compile, tmp_path):
    clipping = WeightClipping()
    dense = keras.layers.Dense(2, kernel_constraint=clipping, bias_constraint=clipping)
    network = keras.Sequential([keras.Input((3,)), dense])
    network.compile("sgd", "mse", jit_compile=jit_compile)
    assert np.abs(dense.kernel.numpy()).max() > 0.01
    network.fit(tf.ones((4, 3)), 9.0 * tf.ones((4, 2)), verbose=0)
    assert max(np.abs(weight).max() for weight in network.get_weights()) <= np.float32(0.01)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    constraint = loaded.layers[0].kernel_constraint
    assert type(constraint) is WeightClipping and constraint.limit == 0.01


def test_refusals():
    for limit in (0, -1.0):
        with pytest.raises(ValueError, match=f"limit={limit}"):
            WeightClipping(limit)
