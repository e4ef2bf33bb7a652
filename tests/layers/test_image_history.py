"""The history of generated images against a loop over images in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen.core import Noise, engine
from kgen.layers import ImageHistory

SHAPE = (2, 3, 1)


def numbered(first, count):
    """Images filled with their number."""
    return np.broadcast_to(
        np.arange(first, first + count, dtype="float32")[:, None, None, None], (count, *SHAPE)
    ).copy()


def numbers(images):
    return ops.convert_to_numpy(images)[:, 0, 0, 0].astype(int).tolist()


def by_hand(batches, size, seed):
    """Yields the numbers of what comes back, and of what is stored, after each batch."""
    noise, stored = Noise(seed), []
    for batch in batches:
        order = np.argsort(noise.uniform((size,)), kind="stable")
        exchanges = noise.uniform((len(batch),)).numpy() < 0.5
        returned, was_full = list(batch), len(stored) == size
        for row, image in enumerate(batch):
            if not was_full:
                if len(stored) < size:
                    stored.append(image)
            elif row < size and exchanges[row]:
                returned[row], stored[order[row]] = stored[order[row]], image
        yield returned, list(stored)


@pytest.mark.parametrize(
    ("mode", "counts"),
    [
        ("eager", (3, 2, 4, 1, 5, 7, 10, 5)),  # Full within the third; the seventh is larger.
        ("graph", (4, 4, 4, 10, 10)),
        ("xla", (10, 10, 10)),  # Each size is compiled.
    ],
)
def test_batches_of_any_size_are_exchanged_as_by_hand(mode, counts):
    layer = ImageHistory(7, seed=3)
    layer(numbered(0, 1))
    call = layer if mode == "eager" else tf.function(layer, jit_compile=mode == "xla")
    first, batches = 0, []
    for count in counts:
        batches.append(list(range(first, first + count)))
        first += count
    for batch, (returned, stored) in zip(batches, by_hand(batches, 7, seed=3), strict=True):
        found = call(numbered(batch[0], len(batch)), training=True)
        assert numbers(found) == returned
        assert numbers(layer.images)[: len(stored)] == stored
        assert int(layer.count) == len(stored)
    assert len(set(stored)) == 7, "an image is stored twice"


def test_a_batch_of_unknown_size():
    layer = ImageHistory(4, seed=1)
    layer(numbered(0, 1))
    call = tf.function(
        lambda images: layer(images, training=True), input_signature=[tf.TensorSpec((None, *SHAPE))]
    )
    for (returned, _), first in zip(
        by_hand([[0, 1, 2, 3], [4, 5, 6, 7]], 4, seed=1), (0, 4), strict=True
    ):
        assert numbers(call(numbered(first, 4))) == returned


def test_half_of_the_images_are_exchanged_for_any_of_the_stored():
    layer = ImageHistory(10, seed=0)
    layer(numbered(0, 10), training=True)
    exchanged, slots = 0, np.zeros(10)
    call = tf.function(lambda images: layer(images, training=True))
    for turn in range(1, 301):
        before = numbers(layer.images)
        returned = numbers(call(numbered(4 * turn + 10, 4)))
        for row, number in enumerate(returned):
            if number != 4 * turn + 10 + row:
                exchanged += 1
                slots[before.index(number)] += 1
    # 1200 coins: a standard deviation of 17; 600 exchanges over 10 slots: one of 7.
    assert abs(exchanged - 600) < 70
    assert np.abs(slots - exchanged / 10).max() < 35


def test_outside_training_nothing_moves():
    layer = ImageHistory(2, seed=0)
    layer(numbered(1, 2), training=True)
    before = [v.numpy() for v in layer.variables]
    assert numbers(layer(numbered(5, 3))) == numbers(layer(numbered(5, 3), training=False))
    assert numbers(layer(numbered(5, 3))) == [5, 6, 7]
    for old, variable in zip(before, layer.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


def test_gradients_pass_where_images_do():
    layer = ImageHistory(4, seed=0)
    layer(numbered(0, 4), training=True)
    images = tf.constant(numbered(10, 4))
    with tf.GradientTape() as tape:
        tape.watch(images)
        returned = layer(images, training=True)
    is_new = np.array(numbers(returned)) >= 10
    assert 0 < is_new.sum() < 4
    assert numbers(tape.gradient(returned, images)) == is_new.astype(int).tolist()


def test_half_precision_is_stored_in_full():
    layer = ImageHistory(2, seed=0, dtype="mixed_float16")
    images = np.full((2, *SHAPE), 0.1, "float32")
    assert layer(images, training=True).dtype == "float32"
    np.testing.assert_array_equal(layer.images, images)
    assert layer(images.astype("float16"), training=True).dtype == "float16"


def test_replicas_share_the_images_of_all():
    strategy = engine.mirrored(2)
    alone = ImageHistory(3, seed=0)
    alone(numbered(0, 1))
    with strategy.scope():
        layer = ImageHistory(3, seed=0)
        layer(numbered(0, 1))

    @tf.function
    def step(first):
        def replica():
            replica_id = tf.distribute.get_replica_context().replica_id_in_sync_group
            number = tf.cast(first + 100 * replica_id, "float32")
            return layer(tf.fill((2, *SHAPE), number), training=True)

        return strategy.run(replica)

    for first in range(1, 6):
        returned = step(tf.constant(first))
        whole = np.concatenate([np.full((2, *SHAPE), first + 100 * i, "float32") for i in (0, 1)])
        expected = numbers(alone(whole, training=True))
        assert [*numbers(returned.values[0]), *numbers(returned.values[1])] == expected
    copies = [numbers(copy) for copy in layer.images.value.values]
    assert copies[0] == copies[1] == numbers(alone.images)
    counts = [int(copy) for copy in layer.count.value.values]
    assert counts == [3, 3]
    assert returned.values[0].shape == returned.values[1].shape == (2, *SHAPE)


def test_config():
    layer = ImageHistory(3, seed=4)
    assert ImageHistory.from_config(layer.get_config()).get_config() == layer.get_config()
    assert keras.saving.get_registered_name(ImageHistory) == "kgen>ImageHistory"
    assert layer.compute_output_shape((None, *SHAPE)) == (None, *SHAPE)


def test_a_file_keeps_the_images_and_their_count(tmp_path):
    """What a loaded one gives back is what the saved one would have."""
    images = keras.Input(SHAPE)
    model = keras.Model(images, ImageHistory(4, seed=0)(images))
    for first in (0, 3):
        model(numbered(first, 3), training=True)
    model.save(tmp_path / "history.keras")
    loaded = keras.models.load_model(tmp_path / "history.keras")
    history = loaded.layers[-1]
    assert int(history.count) == 4 and numbers(history.images) == [0, 1, 2, 3]
    state = model.layers[-1].noise.seed_generator.state
    history.noise.seed_generator.state.assign(state.numpy())  # A GenerativeModel saves it.
    for first in (10, 20, 30):
        given = numbered(first, 4)
        assert numbers(loaded(given, training=True)) == numbers(model(given, training=True))


def test_refusals():
    for wrong in (0, 2.5):
        with pytest.raises(ValueError, match=f"`size`.*size={wrong}"):
            ImageHistory(wrong)
    with pytest.raises(ValueError, match="fixed size.*None"):
        ImageHistory(2).build((None, None, 3, 1))
