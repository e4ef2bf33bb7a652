"""The learned constant: one tensor, whatever the input."""

import keras
import numpy as np
import pytest

from kgen.layers import LearnedConstant


def test_every_row_is_the_constant():
    layer = LearnedConstant((2, 3, 1))
    np.testing.assert_array_equal(layer(np.zeros((4, 7))), np.ones((4, 2, 3, 1)))
    constant = np.arange(6.0).reshape(2, 3, 1)
    layer.constant.assign(constant)
    for inputs in (np.ones((5, 7)), np.zeros((5, 2, 2, 8)), np.arange(5)):
        np.testing.assert_array_equal(layer(inputs), np.stack(5 * [constant]))


def test_tuple_and_initializer_in_the_config():
    layer = LearnedConstant((2, 3, 1), initializer=keras.initializers.Constant(2.0))
    config = layer.get_config()
    assert config["shape"] == [2, 3, 1] and type(config["shape"]) is list
    again = LearnedConstant.from_config(config)
    np.testing.assert_array_equal(again(np.zeros((1, 7))), np.full((1, 2, 3, 1), 2.0))


def test_refusals():
    for shape in (4, (4, 4), (4, 4, 0), (4, 4, 1.5), None, (None, 4, 8), "448"):
        with pytest.raises(ValueError, match="`shape` should be three positive integers"):
            LearnedConstant(shape)
