"""Arrays that users give, worked through in batches."""

import numpy as np
import pytest
import tensorflow as tf

from kgen.core.arrays import in_batches, is_one_of
from tests.systems import SYSTEMS


def test_every_step_is_given_tensors():
    kinds = []

    def step(images, labels):
        kinds.append((tf.is_tensor(images), tf.is_tensor(labels)))
        return images[:, 0] + tf.cast(labels, "float32")

    arrays = np.arange(10, dtype="float32").reshape(5, 2), np.arange(5, dtype="int32")
    found = in_batches(step, *arrays, batch_size=2)
    assert found.tolist() == [0, 3, 6, 9, 12] and kinds == [(True, True)] * 3


# TensorFlow says that tf.data goes on in graphs.
@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`")
@pytest.mark.parametrize("name", ["conditional_vae", "projection_gan"])
def test_labels_are_taken_where_functions_run_eagerly(name):
    model, (images, labels) = SYSTEMS[name].make(), SYSTEMS[name].batch()
    asked = [a for a in ("encode", "reconstruct", "score") if a in model.abilities]
    expected = [getattr(model, ability)(images, labels=labels) for ability in asked]
    eager = SYSTEMS[name].make()
    eager.set_weights(model.get_weights())
    tf.config.run_functions_eagerly(True)
    try:
        found = [getattr(eager, ability)(images, labels=labels) for ability in asked]
        assert eager.sample(2, seed=0, labels=1).shape == (2, *images.shape[1:])
    finally:
        tf.config.run_functions_eagerly(False)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_an_array_is_none_of_the_choices():
    choices = [None, "batch", 2]
    assert all(is_one_of(value, choices) for value in (None, "batch", 2, np.str_("batch")))
    arrays = (np.array([1, 2]), np.array(["batch"]), np.zeros((2, 0)), tf.zeros(2))
    assert not any(is_one_of(value, choices) for value in (*arrays, ["batch"], {}, "other", 1.5))
