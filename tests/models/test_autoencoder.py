"""Autoencoders: their losses against NumPy, what they learn, what they refuse."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import kgen.data
from kgen import models, networks
from kgen.anomaly import AnomalyDetector
from kgen.core import SeededNoise
from kgen.models.corruption import CORRUPTIONS
from tests.systems import SHAPE, SYSTEMS, code_networks

IMAGES = SYSTEMS["autoencoder"].images()


def encoder(dimensions=2, **settings):
    return networks.dense_encoder(SHAPE, dimensions, 8, variational=False, **settings)


def decoder(dimensions=2):
    return networks.dense_decoder(SHAPE, dimensions, 8)


def linear_networks():
    """Of one layer each, but for what the codes go through: few operations."""
    return (
        encoder(6, activation="sigmoid", hidden_layers=0),
        networks.dense_decoder(SHAPE, 6, hidden_layers=0),
    )


def fit(model, rounds):
    """Trains on all images a round, in two epochs, and returns the history."""
    rows = np.tile(IMAGES, (rounds // 2, 1, 1, 1))
    return model.fit(rows, batch_size=8, epochs=2, shuffle=False, verbose=0).history


@pytest.mark.parametrize(
    ("reconstruction", "error"),
    [
        ("l2", lambda x, y: (x - y) ** 2),
        ("l1", lambda x, y: abs(x - y)),
        ("bernoulli", lambda x, y: np.logaddexp(0, y) - 0.5 * (x + 1) * y),
    ],
)
def test_the_loss_is_summed_over_pixels_and_averaged_over_images(reconstruction, error):
    model = models.Autoencoder(encoder(), decoder(), reconstruction, seed=0)
    outputs = np.asarray(model.decoder(model.encoder(IMAGES)), "float64")
    expected = np.mean(np.sum(error(IMAGES, outputs), axis=(1, 2, 3)))
    assert float(model.autoencoder_loss(IMAGES, training=False)) == pytest.approx(expected, 1e-5)


def test_what_it_can_do():
    model = models.Autoencoder(encoder(), decoder(), "bernoulli", seed=0)
    assert model.abilities == ["decode", "encode", "reconstruct"]
    codes = model.encode(IMAGES)
    assert codes.shape == (8, 2)
    np.testing.assert_array_equal(model.decode(codes), model.reconstruct(IMAGES))
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), model.decode(codes), atol=1e-6)
    assert np.abs(model.decode(1e6 * codes)).max() <= 1.0
    with pytest.raises(NotImplementedError, match="cannot `sample`"):
        model.sample(1)
    with pytest.raises(ValueError, match=r"`latents` must be an array of rows of the shape \(2,\)"):
        model.decode(np.zeros((1, 3)))


def test_linear_ones_reach_the_principal_components():
    """Baldi and Hornik 1989: the least error of a linear autoencoder is that of PCA."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(64, 3)) @ rng.normal(size=(3, 6)) + 0.05 * rng.normal(size=(64, 6))
    rows = (rows - rows.mean(axis=0)).astype("float32")
    codes, outputs = keras.Input((6,)), keras.Input((2,))
    model = models.Autoencoder(
        keras.Model(codes, keras.layers.Dense(2)(codes)),
        keras.Model(outputs, keras.layers.Dense(6)(outputs)),
        seed=0,
    )
    model.compile(keras.optimizers.Adam(0.02), steps_per_execution=100)
    model.fit(np.tile(rows, (1500, 1)), batch_size=64, shuffle=False, verbose=0)
    least = np.sum(np.linalg.svd(rows, compute_uv=False)[2:] ** 2) / 64
    found = np.mean(np.sum((model.reconstruct(rows) - rows) ** 2, axis=1))
    assert least <= found * (1 + 1e-5) and found <= 1.01 * least


def test_masking_and_salt_and_pepper_change_the_share_of_elements_asked_for():
    images = np.full((5, 10, 10, 2), 0.3, "float32")
    for name, values in (("masking", {-1.0}), ("salt_and_pepper", {-1.0, 1.0})):
        found = np.asarray(CORRUPTIONS[name](images, 0.25, SeededNoise(3)))
        changed = found != images
        np.testing.assert_array_equal(changed.sum(axis=(1, 2, 3)), 50)
        assert set(np.unique(found[changed])) == values
        assert (changed[0] != changed[1]).any()
        np.testing.assert_array_equal(CORRUPTIONS[name](images, 0.0, SeededNoise(3)), images)
        assert (np.asarray(CORRUPTIONS[name](images, 1.0, SeededNoise(3))) != images).all()


def test_gaussian_noise_has_the_deviation_asked_for():
    noise = np.asarray(CORRUPTIONS["gaussian"](np.zeros((4, 50, 50, 1)), 0.4, SeededNoise(3)))
    assert noise.std() == pytest.approx(0.4, rel=0.02)
    assert noise.mean() == pytest.approx(0.0, abs=0.02)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # Keras', of a generator's end.
def test_noisy_images_may_leave_the_range():
    """By eight deviations of the noise; what leaves it farther is no image with noise."""
    model = models.DenoisingAutoencoder(*code_networks(), amount=0.5)
    noisy = model.corrupt(IMAGES, seed=1)
    assert np.abs(noisy).max() > 1.0
    assert model.reconstruct(noisy).shape == IMAGES.shape
    model.compile("adam", run_eagerly=True)
    expected = model(noisy)
    batches = tf.data.Dataset.from_tensor_slices(noisy).batch(4)
    for x in (noisy, batches, ((batch.numpy(),) for batch in batches)):
        found = model.predict(x, verbose=0)
        np.testing.assert_allclose(found, expected[: len(found)], atol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(noisy), expected, atol=1e-5)
    errors = np.mean((model.reconstruct(noisy) - noisy) ** 2, axis=(1, 2, 3))
    detector = AnomalyDetector(model, "reconstruction")
    np.testing.assert_allclose(detector.score(noisy), errors, rtol=1e-5)
    for look in (model.predict, detector.score):
        with pytest.raises(ValueError, match=r"must be in \[-5, 5\], received values in"):
            look(127.5 * (IMAGES + 1.0))
    with pytest.raises(ValueError, match=r"`images` must be in \[-5, 5\], received values in"):
        model.reconstruct(127.5 * (IMAGES + 1.0))
    with pytest.raises(ValueError, match=r"`images` must be in \[-1, 1\], received values in"):
        model.corrupt(2.0 * IMAGES)
    plain = models.Autoencoder(*code_networks())
    with pytest.raises(ValueError, match=r"`images` must be in \[-1, 1\], received values in"):
        plain.reconstruct(noisy)


def test_a_denoising_one_is_trained_on_clean_targets():
    """The loss is that of the corrupted images' codes, held against the clean images."""
    model = models.DenoisingAutoencoder(*code_networks(), corruption="masking", amount=0.5, seed=4)
    noisy = model.corrupt(IMAGES, seed=1)
    np.testing.assert_array_equal(noisy, model.corrupt(IMAGES, seed=1))
    assert (noisy != model.corrupt(IMAGES, seed=2)).any()
    seen = []
    model._corrupted = lambda images, noise: seen.append(images) or noisy
    loss = float(model.autoencoder_loss(IMAGES, training=False))
    np.testing.assert_array_equal(seen[0], IMAGES)
    outputs = np.asarray(model.decoder(model.encoder(noisy)))
    assert loss == pytest.approx(np.mean(np.sum((outputs - IMAGES) ** 2, axis=(1, 2, 3))), 1e-5)


@pytest.mark.parametrize("name", ["denoising_autoencoder", "contractive_autoencoder", "vae"])
def test_every_round_draws_anew(name):
    """What it corrupts, the directions of a contraction, and codes."""
    model = SYSTEMS[name].make()
    (player,) = model.players
    losses = {float(model.loss_of(player, IMAGES, training=False)[0]) for _ in range(3)}
    assert len(losses) == 3


@functools.cache
def mean_activation(sparsity, weight):
    """Of a sparse autoencoder's codes after a training."""
    keras.utils.set_random_seed(0)
    model = models.SparseAutoencoder(
        *linear_networks(), sparsity=sparsity, sparsity_weight=weight, seed=0
    )
    model.compile(keras.optimizers.Adam(0.01), steps_per_execution=50)
    history = fit(model, rounds=200)
    assert set(history) == {"loss", "reconstruction", "sparsity"}
    expected = history["reconstruction"][-1] + weight * history["sparsity"][-1]
    assert history["loss"][-1] == pytest.approx(expected, rel=1e-5)
    return model.encode(IMAGES).mean()


@pytest.mark.parametrize(
    "reconstruction, sparsity, weight",
    # Ng's 3 times: 2 of the half, 4 of the square of [-1, 1]; the cross-entropy is the same.
    [("l2", "kl", 3 * 2 * 4), ("bernoulli", "kl", 3), ("l2", "l1", 0.1)],
)
def test_the_default_weight_of_sparsity_is_the_notes_in_units_of_the_loss(
    reconstruction, sparsity, weight
):
    networks = linear_networks()
    model = models.SparseAutoencoder(*networks, reconstruction, sparsity, seed=0)
    loss, parts = model.autoencoder_loss(ops.convert_to_tensor(IMAGES), training=True)
    added = float(loss) - float(parts["reconstruction"])
    assert added == pytest.approx(weight * float(parts["sparsity"]), rel=1e-3)
    assert model.get_config()["sparsity_weight"] is None


@pytest.mark.parametrize("sparsity", ["kl", "l1"])
def test_sparse_codes_become_sparse(sparsity):
    heavy = mean_activation(sparsity, 100.0)
    none = mean_activation("kl", 0.0)  # Whose kind is then all the same.
    assert heavy < 0.1 < 0.2 < none
    if sparsity == "kl":
        assert heavy == pytest.approx(0.05, abs=0.02)  # The target.


def contraction(encoder):
    """||W||_F^2 over the variance of a linear code, by NumPy: how far it moves for its spread."""
    kernel = np.asarray(encoder.layers[-2].kernel, "float64")
    codes = np.asarray(encoder(IMAGES), "float64")
    return np.sum(kernel**2) / np.sum(codes.var(axis=0))


def test_contractive_codes_contract():
    """In units of their own spread: what a decoder makes larger again has not contracted."""

    def trained(weight, scale_free):
        keras.utils.set_random_seed(0)
        model = models.ContractiveAutoencoder(
            encoder(6, hidden_layers=0),
            networks.dense_decoder(SHAPE, 6, hidden_layers=0),
            contraction_weight=weight,
            scale_free=scale_free,
            seed=0,
        )
        model.compile(keras.optimizers.Adam(0.01), steps_per_execution=50)
        fit(model, rounds=300)
        return contraction(model.encoder)

    contracted = trained(0.1, scale_free=True)
    assert contracted < 0.2 * trained(0.0, scale_free=True)
    assert contracted < 0.8 * trained(3.0, scale_free=False)


def linear_part(dimensions, codes):
    """An autoencoder of rows."""
    rows, small = keras.Input((dimensions,)), keras.Input((codes,))
    return models.Autoencoder(
        keras.Model(rows, keras.layers.Dense(codes)(rows)),
        keras.Model(small, keras.layers.Dense(dimensions)(small)),
    )


def test_stacking_trains_each_on_the_codes_of_the_last():
    keras.utils.set_random_seed(0)
    first = models.DenoisingAutoencoder(encoder(activation="sigmoid"), decoder(), "bernoulli")
    second, third = linear_part(2, 2), linear_part(2, 1)
    for model in (first, second, third):
        model.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)  # Tracing takes longer.
    seen = []

    def watched(model):
        def fit(data, validation_data=None, **arguments):
            seen.append((data, validation_data))
            return train(data, validation_data=validation_data, **arguments)

        train, model.fit = model.fit, fit

    for model in (second, third):
        watched(model)
    held_out = 0.5 * IMAGES[:4]
    whole = models.stack(
        [first, second, third], IMAGES, 2, fine_tune_epochs=0, validation_data=held_out, verbose=0,
        batch_size=8,
    )  # fmt: skip
    for found, images in zip(seen[0], (IMAGES, held_out), strict=True):
        np.testing.assert_array_equal(found, first.encode(images))
    for found, images in zip(seen[1], (IMAGES, held_out), strict=True):
        np.testing.assert_array_equal(found, second.encode(first.encode(images)))
    codes = second.encode(first.encode(IMAGES))
    np.testing.assert_allclose(
        whole.reconstruct(IMAGES),
        first.decode(second.decode(third.reconstruct(codes))),
        atol=1e-6,
    )
    before = whole.evaluate(IMAGES, verbose=0)
    fit(whole, rounds=2)
    assert whole.evaluate(IMAGES, verbose=0) < before
    assert whole.encoder.trainable_variables[0] is first.encoder.trainable_variables[0]


def test_stacking_takes_sets_and_fine_tunes(tmp_path):
    data = kgen.data.from_arrays(IMAGES, batch_size=4)
    first = models.Autoencoder(encoder(), decoder())
    first.compile("sgd", run_eagerly=True)
    whole = models.stack(
        [first], data, 1, fine_tune_epochs=2, optimizer="sgd", validation_data=IMAGES, verbose=0
    )
    assert whole.rounds_played == 4 and first.rounds_played == 2
    whole.save(tmp_path / "whole.keras")
    again = keras.models.load_model(tmp_path / "whole.keras")
    np.testing.assert_array_equal(again.reconstruct(IMAGES), whole.reconstruct(IMAGES))


def test_stacking_trains_every_part_for_as_many_rounds_as_asked():
    """Also where these are more than one pass over the images."""
    parts = [models.Autoencoder(encoder(), decoder()), linear_part(2, 1)]
    for part in parts:
        part.compile("sgd", run_eagerly=True)
    data = kgen.data.from_arrays(IMAGES, batch_size=8)
    whole = models.stack(parts, data, 2, optimizer="sgd", steps_per_epoch=2, verbose=0)
    assert [model.rounds_played for model in (*parts, whole)] == [4, 4, 4]


def test_rows_are_corrupted_to_0_and_1():
    rows = np.full((4, 10), 0.5, "float32")
    for corruption, expected in (("masking", {0.0, 0.5}), ("salt_and_pepper", {0.0, 0.5, 1.0})):
        found = CORRUPTIONS[corruption](rows, 0.5, SeededNoise(0))
        assert set(np.unique(found).tolist()) == expected


def compiled():
    model = models.Autoencoder(encoder(), decoder())
    model.compile("adam")
    return model


def batch_norm_encoder():
    images = keras.Input(SHAPE)
    x = keras.layers.BatchNormalization()(keras.layers.Flatten()(images))
    return keras.Model(images, keras.layers.Dense(2)(x))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.Autoencoder(encoder(3), decoder(2)), "`decoder` must take .*3"),
        (
            lambda: models.Autoencoder(
                networks.dense_encoder(SHAPE, 2), networks.dense_decoder(SHAPE, 2)
            ),
            "`encoder` must be a network from images to codes",
        ),
        (
            lambda: models.Autoencoder(encoder(), networks.dense_decoder((4, 4, 1), 2)),
            r"`decoder` must return .*\(8, 8, 1\), received outputs of \[\(4, 4, 1\)\]",
        ),
        (lambda: models.Autoencoder(encoder(), decoder(), "l3"), "`reconstruction` must be one of"),
        (
            lambda: models.DenoisingAutoencoder(encoder(), decoder(), corruption="rain"),
            "`corruption` must be one of .*'rain'",
        ),
        (
            lambda: models.DenoisingAutoencoder(
                encoder(), decoder(), corruption="masking", amount=1.5
            ),
            r"`amount` must lie in \[0, 1\], received 1.5",
        ),
        (
            lambda: models.DenoisingAutoencoder(encoder(), decoder(), amount=float("nan")),
            "`amount` must be a number of at least 0, received nan",
        ),
        (lambda: models.SparseAutoencoder(encoder(), decoder()), r"codes in \[0, 1\]"),
        (
            lambda: models.SparseAutoencoder(encoder(), decoder(), sparsity="l1", target=1.0),
            "`target` must be .* received 1.0",
        ),
        (
            lambda: models.SparseAutoencoder(encoder(), decoder(), "l2", "l1", -1.0),
            "`sparsity_weight` must be",
        ),
        (
            lambda: models.ContractiveAutoencoder(batch_norm_encoder(), decoder()),
            "`encoder` must not have batch norm",
        ),
        (
            lambda: models.ContractiveAutoencoder(encoder(), decoder(), projections=0),
            "`projections` must be a positive integer, received 0",
        ),
        (lambda: encoder(activation="nosuch"), "nosuch"),
        (
            lambda: networks.dense_encoder(SHAPE, activation="tanh"),
            "`activation` must be None with variational=True",
        ),
        (lambda: models.stack([], IMAGES), "`autoencoders` must be a list"),
        (
            lambda: models.stack([models.Autoencoder(encoder(), decoder())], IMAGES),
            "must be compiled; number 0 is not",
        ),
        (lambda: models.stack([compiled()] * 2, IMAGES), "`autoencoders` must differ"),
        (lambda: models.stack([compiled()], IMAGES, epochs=0), "`epochs` must be a positive"),
        (lambda: models.stack([compiled()], IMAGES[..., 0]), "`data` must be images of"),
        (
            lambda: models.stack([compiled()], IMAGES, validation_data=(IMAGES, None)),
            "`validation_data` must be images of",
        ),
        (
            lambda: models.SparseAutoencoder(encoder(activation="relu"), decoder()),
            "`encoder` must give codes in .0, 1.",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
