"""What `fit`, `evaluate` and `predict` refuse of their data, and that they leave the rest alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import GenerativeModel, Player, models
from kgen.core import engine
from tests.callbacks.tiny import tiny_gan
from tests.core.test_game import line
from tests.systems import SYSTEMS

IMAGES = SYSTEMS["denoising_autoencoder"].images()
BRIGHT = 127.5 * (IMAGES + 1.0)  # Of 0..255.
LABELS = np.arange(len(IMAGES)) % 3
OUT_OF_RANGE = r"must be in \[-1, 1\], received values in"


def compiled(name):
    model = SYSTEMS[name].make()
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def autoencoder():
    return compiled("denoising_autoencoder")


@pytest.fixture(scope="module")
def conditional():
    return compiled("conditional_vae")


def batched(arrays, size=4):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size)


class Batches(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.images


FORMS = {
    "array": lambda images: images,
    "tensor": tf.constant,
    "dataset": batched,
    "PyDataset": Batches,
    "generator": lambda images: ((batch,) for batch in [images[:4], images[4:]]),
}


# Keras' own warning of any generator that ends.
keras_knows_no_end = pytest.mark.filterwarnings("ignore:Your input ran out of data")


# ---------------------------------------------------------------- the range


@pytest.mark.parametrize("form", FORMS)
def test_images_of_another_range_are_refused_before_the_first_round(form, autoencoder):
    before = autoencoder.get_weights()
    with pytest.raises(ValueError, match=rf"`x` of `fit\(\)` {OUT_OF_RANGE} \[.*, 25\d"):
        autoencoder.fit(FORMS[form](BRIGHT), verbose=0)
    with pytest.raises(ValueError, match=rf"`x` of `evaluate\(\)` {OUT_OF_RANGE}"):
        autoencoder.evaluate(FORMS[form](BRIGHT), verbose=0)
    for old, new in zip(before, autoencoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@keras_knows_no_end
@pytest.mark.parametrize("form", FORMS)
def test_images_that_are_never_negative_are_warned_of(form, autoencoder):
    with pytest.warns(UserWarning, match=r"all values received are in"):
        autoencoder.fit(FORMS[form](0.5 * (IMAGES + 1.0)), verbose=0)


@keras_knows_no_end
@pytest.mark.parametrize("form", FORMS)
def test_images_that_are_as_they_should_be_are_taken(form, autoencoder):
    autoencoder.fit(FORMS[form](IMAGES), verbose=0)
    autoencoder.evaluate(FORMS[form](IMAGES), verbose=0)


@pytest.mark.parametrize("name", ["train_on_batch", "test_on_batch"])
def test_a_single_batch_is_looked_at(name, autoencoder):
    getattr(autoencoder, name)(IMAGES)
    with pytest.raises(ValueError, match=rf"`x` of `{name}\(\)` {OUT_OF_RANGE}"):
        getattr(autoencoder, name)(BRIGHT)


def test_targets_are_images_too():
    model = compiled("pix2pix_l1")
    images, targets = SYSTEMS["pix2pix_l1"].batch()
    for pair in ((images, 100.0 * targets), (100.0 * images, targets)):
        name = "y" if pair[0] is images else "x"
        with pytest.raises(ValueError, match=rf"`{name}` of `fit\(\)` {OUT_OF_RANGE}"):
            model.fit(*pair, verbose=0)
        with pytest.raises(ValueError, match=rf"`{name}` of `fit\(\)` {OUT_OF_RANGE}"):
            model.fit(batched(pair, 8), verbose=0)


def test_what_else_is_given_images_asks_for_their_range():
    model = SYSTEMS["vae"].make()
    for method in (model.encode, model.reconstruct, model.log_prob):
        with pytest.raises(ValueError, match=rf"`images` {OUT_OF_RANGE}"):
            method(BRIGHT)
    with pytest.raises(ValueError, match=rf"`x` of `predict\(\)` {OUT_OF_RANGE}"):
        model.predict(BRIGHT, verbose=0)
    with pytest.raises(ValueError, match=rf"`x` of `predict\(\)` {OUT_OF_RANGE}"):
        model.predict(batched(BRIGHT), verbose=0)
    with pytest.raises(ValueError, match=rf"`images` {OUT_OF_RANGE}"):
        SYSTEMS["wgan_gp"].make().score(BRIGHT)
    with pytest.raises(ValueError, match=rf"`images` {OUT_OF_RANGE}"):
        SYSTEMS["cyclegan"].make().translate(BRIGHT, "b_to_a")


def test_points_and_codes_keep_their_ranges():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model = models.Autoencoder(network, keras.models.clone_model(network))
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    points = np.float32([[-7.0, 3.0], [40.0, 9.0]])
    model.fit(points, verbose=0)
    model.fit(batched(points, 2), verbose=0)
    model.predict(points, verbose=0)
    model.encode(points)
    tiny_gan().predict(50.0 * np.ones((2, 4)), verbose=0)


def test_a_look_at_the_first_batch_changes_nothing_of_the_dataset():
    calls, shown = [], []

    def numbers():
        calls.append(len(calls))
        yield from np.arange(4.0, dtype="float32")

    def made():
        shuffled = tf.data.Dataset.range(40).shuffle(40, seed=3).batch(4)
        pairs = tf.data.Dataset.zip(shuffled, shuffled.map(lambda x: -x))
        once = tf.data.Dataset.from_generator(
            numbers, output_signature=tf.TensorSpec((), tf.float32)
        )
        return shuffled, pairs, once, shuffled.repeat(), shuffled.map(lambda x: {"a": x, "b": -x})

    def passes(dataset):
        return [
            keras.tree.map_structure(np.array, batch)
            for _ in range(2)
            for batch in dataset.take(12)
        ]

    for plain, other in zip(made(), made(), strict=True):
        expected = passes(plain)
        shown.clear()
        calls.clear()
        with engine.first_batch_shown(other, shown.append) as watched:
            assert watched.element_spec == plain.element_spec
            assert watched.cardinality() == plain.cardinality()
            assert watched.__class__.__name__ != "Stream"
            found = passes(watched)
        assert len(calls) in (0, 2)  # Of the generator: once a pass.
        assert len(shown) == 2
        for a, b in zip(expected, found, strict=True):
            keras.tree.map_structure(np.testing.assert_array_equal, a, b)
        keras.tree.map_structure(np.testing.assert_array_equal, shown[0], expected[0])


# ---------------------------------------------------------------- dictionaries, weights


def test_of_a_dictionary_the_image_and_the_label_are_taken(autoencoder, conditional):
    given = {"image": IMAGES, "label": LABELS, "id": np.array([b"a"] * len(IMAGES))}
    for model, same in ((autoencoder, (IMAGES,)), (conditional, (IMAGES, LABELS))):
        expected = model.evaluate(*same, batch_size=4, verbose=0)
        found = model.evaluate(batched(given), verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        model.fit(batched(given), validation_data=batched(given), verbose=0)
        model.fit({name: given[name] for name in ("image", "label")}, batch_size=4, verbose=0)
        model.train_on_batch(next(iter(batched(given))))


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_a_dictionary_of_other_names_is_told_what_a_batch_must_be(method, autoencoder, conditional):
    message = rf"{method}\(\): a batch must be images or a dictionary with `image`, .*\['x'\]"
    with pytest.raises(ValueError, match=message):
        getattr(autoencoder, method)(batched({"x": IMAGES}), verbose=0)
    with pytest.raises(ValueError, match=r"\(images, labels.*`image` and `label`.*\['image'\]"):
        getattr(conditional, method)(batched({"image": IMAGES}), verbose=0)


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_weights_are_refused_by_name(name, autoencoder):
    given = {name: {0: 1.0} if name == "class_weight" else np.ones(3)}
    methods = ["fit", "train_on_batch"]
    methods += ["evaluate", "test_on_batch"] if name == "sample_weight" else []
    for method in methods:
        with pytest.raises(ValueError, match=rf"{method}\(\) takes no `{name}`: the losses of"):
            getattr(autoencoder, method)(IMAGES, **given)
    weighted = (IMAGES, IMAGES, np.ones(len(IMAGES)))
    with pytest.raises(ValueError, match=r"received one of 3 parts. A `sample_weight` is not"):
        autoencoder.fit(batched(weighted), verbose=0)
    with pytest.raises(ValueError, match=r"validation_data of fit\(\) takes no `sample_w"):
        autoencoder.fit(IMAGES, validation_data=weighted, verbose=0)


# ---------------------------------------------------------------- what is validated with


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        (IMAGES[:, :4], r"`x` must be images of the shape \(8, 8, 1\), received an array of"),
        (batched(IMAGES[:, :4]), r"`x` must be images of .* received batches of"),
        ((IMAGES, LABELS), "this model is trained on images alone"),
        (IMAGES.astype("uint8"), "images must be floats"),
        (IMAGES[:0], "`x` must hold images"),
        (BRIGHT, OUT_OF_RANGE),
        (batched({"x": IMAGES}), "a batch must be images or a dictionary"),
    ],
)
def test_what_cannot_be_validated_with_is_refused_before_the_first_round(
    held_out, message, autoencoder
):
    before = autoencoder.rounds_played
    with pytest.raises(ValueError, match=r"validation_data of fit\(\).*" + message):
        autoencoder.fit(IMAGES, validation_data=held_out, verbose=0)
    assert autoencoder.rounds_played == before


def test_labels_to_validate_with_are_checked_before_the_first_round(conditional):
    before = conditional.rounds_played
    for held_out, message in (
        ((IMAGES, LABELS + 3), "Labels must be integers from 0 to 2"),
        (IMAGES, "images came alone"),
    ):
        with pytest.raises(ValueError, match=r"validation_data of fit\(\): .*" + message):
            conditional.fit(IMAGES, LABELS, validation_data=held_out, verbose=0)
    assert conditional.rounds_played == before
    conditional.fit(IMAGES, LABELS, validation_data=(IMAGES, LABELS), verbose=0)


def test_a_split_is_checked_as_the_two_parts_that_it_is():
    """8 images in batches of 4, of which a quarter is held out, leave a batch of 2."""
    model = SYSTEMS["wasserstein_gan"].make()  # Two updates a round.
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    with pytest.raises(ValueError, match=r"last batch of 7 images .* multiple of 2, received 3"):
        model.fit(IMAGES, batch_size=4, validation_split=0.125, verbose=0)
    logs = model.fit(IMAGES, batch_size=4, validation_split=0.25, verbose=0).history
    assert {"generator_loss", "val_generator_loss"} <= set(logs)


# ---------------------------------------------------------------- predict


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("vae", IMAGES[:, :4], r"images \(count, 8, 8, 1\).* this VAE takes, received \(8, 4, 8"),
        ("vae", IMAGES[0], r"images \(count, 8, 8, 1\)"),
        ("vae", [IMAGES, LABELS], r"images .* received \[\(8, 8, 8, 1\), \(8,\)\]"),
        ("vae", batched(IMAGES[:, :4]), r"images \(count, 8, 8, 1\)"),
        ("conditional_vae", IMAGES, r"a list of images \(count, 8, 8, 1\), labels \(count,\)"),
        ("conditional_vae", [IMAGES, LABELS + 1], "Labels must be integers"),
        ("wgan_gp", np.zeros((2, 5)), r"latents \(count, 4\).* received \(2, 5\)"),
        ("projection_gan", np.zeros((2, 4)), r"end with the one-hot label, \(count, 7\)"),
        ("projection_gan", [np.zeros((2, 4)), np.zeros((2, 3))], r"latents, which end with"),
        ("pix2pix", IMAGES[:, :, :, [0, 0]], r"images \(count, 8, 8, 1\)"),
    ],
)
def test_what_a_model_cannot_be_called_with_is_refused(name, given, message):
    with pytest.raises(ValueError, match=r"predict\(\): .*" + message):
        SYSTEMS[name].make().predict(given, verbose=0)


def test_a_model_that_does_not_say_what_it_is_called_with():
    class Silent(GenerativeModel):
        def __init__(self, network):
            super().__init__([Player("only", network, None)])
            self.network = network

        def call(self, x):
            return self.network(x)

    assert Silent(line(2.0)).predict(np.ones((3, 1)), verbose=0).tolist() == [[2.0]] * 3


ON_BATCHES = ("train_on_batch", "test_on_batch", "predict_on_batch")


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", *ON_BATCHES])
@pytest.mark.parametrize(
    ("x", "received"),
    [
        (IMAGES.tolist(), f"a list of {len(IMAGES)}"),
        (list(IMAGES), f"a list of {len(IMAGES)}"),
        ("images", "'images'"),
        (iter([IMAGES]), "a list_iterator"),
        (None, "None"),
    ],
)
def test_what_is_no_array_is_refused_in_one_sentence(autoencoder, method, x, received):
    with pytest.raises(ValueError, match=rf"^{method}\(\): `x` must ") as refused:
        getattr(autoencoder, method)(x)
    assert f"received {received}" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("method", ["fit", "evaluate", *ON_BATCHES[:2]])
def test_labels_of_another_length_or_in_a_list_are_refused(conditional, method):
    ask = getattr(conditional, method)
    rows = len(IMAGES)
    with pytest.raises(ValueError, match=rf"`y` must have as many rows as `x`, {rows}, received 3"):
        ask(IMAGES, LABELS[:3])
    with pytest.raises(ValueError, match=rf"`y` must be an array, received a list of {rows}\. np"):
        ask(IMAGES, LABELS.tolist())
    with pytest.raises(ValueError, match=r"fit\(\): `y` must have as many rows as `x`"):
        conditional.fit(IMAGES, LABELS, validation_data=(IMAGES, LABELS[:3]))
    with pytest.raises(ValueError, match=r"^predict\(\): .* of equally many rows"):
        conditional.predict([IMAGES, LABELS[:3]])


def endlessly(batch):
    while True:
        yield batch


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_what_a_generator_may_yield(autoencoder, method):
    def ask(batch):
        steps = "steps_per_epoch" if method == "fit" else "steps"
        return getattr(autoencoder, method)(endlessly(batch), verbose=0, **{steps: 1})

    with pytest.raises(ValueError, match=rf"^{method}\(\): the generator `x` must yield tuples"):
        ask(IMAGES)
    with pytest.raises(ValueError, match=rf"^{method}\(\): `x` must .*received a list of"):
        ask((IMAGES.tolist(),))
    ask((IMAGES,))


def test_counts_are_no_booleans(autoencoder):
    for name in ("batch_size", "epochs", "steps_per_epoch", "validation_steps"):
        with pytest.raises(ValueError, match=rf"^fit\(\): `{name}` must be .*received True"):
            autoencoder.fit(IMAGES, **{name: True})
    with pytest.raises(ValueError, match=r"^evaluate\(\): `batch_size` must be .*received 1.5"):
        autoencoder.evaluate(IMAGES, batch_size=1.5)
    with pytest.raises(ValueError, match=r"^predict\(\): `batch_size` must be .*received True"):
        autoencoder.predict(IMAGES, batch_size=True)
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer, received True"):
        autoencoder.encode(IMAGES, batch_size=True)


def test_batches_of_unknown_shape_are_refused(autoencoder):
    dataset = tf.data.Dataset.from_generator(lambda: iter([IMAGES]), output_types=tf.float32)
    for method in (autoencoder.fit, autoencoder.evaluate, autoencoder.predict):
        with pytest.raises(
            ValueError, match=r"\(\): the batches of the dataset `x` must be of a kn"
        ):
            method(dataset, verbose=0)
    with pytest.raises(ValueError, match=r"validation_data of fit\(\): the batches of the dataset"):
        autoencoder.fit(IMAGES, validation_data=dataset, verbose=0)
