"""Pictures of translations while a model trains."""

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from kgen import GenerativeModel, Player
from kgen.callbacks import TranslationGrid
from kgen.plotting import before_after
from tests.recycling import recycled, state_of
from tests.systems import SHAPE


@keras.saving.register_keras_serializable("kgen_tests")
class Translator(GenerativeModel):
    """One convolution each way, and noise in training."""

    uses_targets = True
    directions = ("there", "back")

    def __init__(self, **kwargs):
        images = keras.Input(SHAPE)
        there, back = (
            keras.Model(images, keras.layers.Conv2D(1, 3, padding="same")(images)) for _ in range(2)
        )
        super().__init__([Player("translator", (there, back), self.error)], **kwargs)
        self.there, self.back = there, back

    def error(self, data, training):
        inputs, targets = data
        outputs = self.there(inputs) + 0.1 * self.noise.normal(ops.shape(inputs))
        returned = self.back(outputs)
        return ops.mean(ops.square(outputs - targets)) + ops.mean(ops.square(returned - inputs))

    def translate_step(self, images, direction, noise):
        network = self.there if direction == "there" else self.back
        return ops.clip(network(images, training=False), -1.0, 1.0)


def pairs(count=16):
    inputs = np.random.default_rng(0).uniform(-1, 1, (count, *SHAPE)).astype("float32")
    return inputs, inputs[:, ::-1]


def trained(callbacks):
    def make():
        model = Translator(seed=0)
        model.compile("adam")
        return model

    model = recycled("translator", make)
    history = model.fit(*pairs(), batch_size=4, epochs=2, verbose=0, callbacks=callbacks)
    return model, history.history


def read(path):
    with Image.open(path) as file:
        return np.asarray(file)


def test_writes_first_every_and_last(tmp_path):
    model, _ = trained([TranslationGrid(tmp_path / "new", *pairs(), every=3)])
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == [f"step-{n:06d}.png" for n in (0, 3, 6, 8)]
    inputs, targets = pairs()
    before_after(inputs, model.translate(inputs), targets, tmp_path / "last.png")
    last = read(tmp_path / "last.png")
    assert np.array_equal(read(tmp_path / "new" / names[-1]), last)
    assert not np.array_equal(read(tmp_path / "new" / names[0]), last)


def test_a_direction_a_count_and_no_targets(tmp_path):
    inputs, _ = pairs()
    model, _ = trained([TranslationGrid(tmp_path, inputs, direction="back", count=2)])
    expected = before_after(inputs, model.translate(inputs, "back"), count=2)
    picture = read(tmp_path / "step-000008.png")
    scale = len(picture) // len(expected)
    assert np.array_equal(picture[::scale, ::scale], expected)
    with pytest.raises(ValueError, match="`direction` must be one of .*'there', 'back'"):
        trained([TranslationGrid(tmp_path, inputs, direction="up")])


def test_does_not_touch_the_training(tmp_path):
    model, history = trained([])
    state = state_of(model)
    model, same = trained([TranslationGrid(tmp_path, *pairs(), every=1)])
    assert history == same
    for one, other in zip(state, state_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "`every`.*received 0"),
        ({"inputs": np.zeros((3, 8, 8))}, "inputs: expected the shape"),
        ({"targets": np.zeros((3, *SHAPE))}, "targets: expected 16 images"),
        ({"count": 0}, "count: "),
    ],
)
def test_refused(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        TranslationGrid(tmp_path, **{"inputs": pairs()[0], **arguments})
