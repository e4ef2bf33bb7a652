"""Exported SavedModels: their versions and their images."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen import models
from kgen.serving.export import export, load
from tests.serving.awake import awake
from tests.serving.exports import Exported, trained
from tests.serving.points import points_gan
from tests.systems import SHAPE, SYSTEMS, dense_generator, smooth_critic


def check_images(model, served):
    names = ("decode", "sample")
    forms = {f"{name}{form}" for name in names for form in ("", "_uint8", "_bytes")}
    assert forms | {"serving_default"} <= set(served)
    latents = model.latents(5, seed=2)
    decoded = served["serving_default"](latents=latents)["images"]
    assert decoded.dtype == np.float32 and decoded.shape == (5, *SHAPE)
    np.testing.assert_allclose(decoded, model.decode(latents), atol=1e-5)
    for seed, count in ((7, 3), (8, 1), (7, 66)):  # `model.sample` works in batches of 64.
        sampled = served["sample"](seed=seed, count=count)["images"]
        np.testing.assert_allclose(sampled, model.sample(count, seed=seed), atol=1e-5)


@pytest.mark.parametrize("name", ["dcgan", "vae"])  # The GAN has a moving average.
def test_the_same_images(name, exports):
    check_images(exports[name].model, exports[name].served)


def packed_gan():
    """One whose discriminator judges no image alone."""
    return models.GAN(dense_generator(), smooth_critic(channels=2), packing=2, ema_momentum=0.5)


@pytest.mark.parametrize(
    "make", [packed_gan, pytest.param(lambda: trained("vae"), marks=pytest.mark.slow)]
)
def test_the_same_images_in_half_precision(make, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = awake(make())
    check_images(model, load(export(model, tmp_path)))


def test_the_moving_average_is_exported(exports):
    model = exports["dcgan"].model
    latents = model.latents(3, seed=0)
    served = exports["dcgan"].served["serving_default"](latents=latents)["images"]
    average = model.generator_average(latents, training=False)
    np.testing.assert_allclose(served, average, atol=1e-5)
    live = model.generator(latents, training=False).numpy()
    assert np.max(np.abs(served - live)) > 1e-3


def test_the_moving_average_follows_the_generator_round_by_round():
    model = models.GAN(dense_generator(), smooth_critic(), ema_momentum=0.75)
    model.compile("adam", run_eagerly=True)
    average = model.generator.get_weights()
    images = SYSTEMS["wasserstein_gan"].batch()
    for momentum in (1 / 10, 2 / 11, 3 / 12):  # It warms up.
        model.fit(images, batch_size=len(images), verbose=0)
        average = [
            momentum * a + (1 - momentum) * w
            for a, w in zip(average, model.generator.get_weights(), strict=True)
        ]
    latents = model.latents(4, seed=0)
    samples = model.decode(latents)
    for found, expected in zip(model.generator_average.get_weights(), average, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    model.generator.set_weights(average)
    np.testing.assert_allclose(samples, model.generator(latents, training=False), atol=1e-6)


OWN = {"points_gan": points_gan, "packed_gan": packed_gan}


@pytest.mark.parametrize(
    "name, networks",
    [
        ("dcgan", ["generator_average", "discriminator"]),
        ("vae", ["encoder", "decoder"]),
        ("points_gan", ["generator", "discriminator"]),
        ("packed_gan", ["generator_average"]),
    ],
)
def test_only_the_variables_of_the_signatures_are_exported(name, networks, exports, tmp_path):
    if name in OWN:
        model = OWN[name]()
        exported = Exported(model, export(model, tmp_path))
    else:
        exported = exports[name]
    weights = [w for network in networks for w in getattr(exported.model, network).weights]
    expected = sorted(w.numpy().tobytes() for w in weights)
    used = {id(v): v for v in exported.loaded.used_variables}.values()
    assert sorted(v.numpy().tobytes() for v in used) == expected
    # Nor does the file hold any others.
    reader = tf.train.load_checkpoint(f"{exported.path}/variables/variables")
    saved = [
        reader.get_tensor(key).tobytes()
        for key in reader.get_variable_to_shape_map()
        if key != "_CHECKPOINTABLE_OBJECT_GRAPH"
    ]
    assert sorted(saved) == expected


def test_later_changes_of_the_model_do_not_show(tmp_path):
    model = points_gan()
    path = export(model, tmp_path)
    expected = model.sample(2, seed=0)
    for weight in model.weights:
        weight.assign(ops.zeros_like(weight))
    assert np.all(model.sample(2, seed=0) == 0.0) and np.any(expected != 0.0)
    np.testing.assert_allclose(load(path)["sample"](seed=0, count=2)["images"], expected, atol=1e-5)


# ---------------------------------------------------------------- versions


def test_versions_are_counted(tmp_path):
    model = points_gan()
    folder = tmp_path / "new" / "servable"
    assert export(model, folder) == str(folder / "1")
    assert export(model, str(folder)) == str(folder / "2")
    (folder / "10").mkdir()
    (folder / "notes").mkdir()
    assert export(model, folder) == str(folder / "11")
    configs = ["batching.config", "models.config"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "1",
        "10",
        "11",
        "2",
        *configs,
        "notes",
    ]
    for version in ("1", "2", "11"):
        assert (folder / version / "saved_model.pb").is_file()
        assert (folder / version).stat().st_mode & 0o777 == 0o755  # Servers may read it.


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failing_write_leaves_nothing(error, tmp_path, monkeypatch):
    model = points_gan()

    def fail(module, path, signatures):
        (pathlib.Path(path) / "saved_model.pb").write_bytes(b"half")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(tf.saved_model, "save", fail)
        for _ in range(2):
            with pytest.raises(type(error)):
                export(model, tmp_path)
            assert list(tmp_path.iterdir()) == []
    first = export(model, tmp_path)
    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(type(error)):
        export(model, tmp_path)
    assert [str(path) for path in tmp_path.iterdir() if path.is_dir()] == [first]


# ---------------------------------------------------------------- loading


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"seed": 2**40, "count": 2}, "`seed` of `sample` must be int32, received 1099511627776"),
        ({"seed": 0.5, "count": 2}, "`seed` of `sample` must be int32, received 0.5"),
        ({"seed": "a", "count": 2}, "`seed` of `sample` must be int32, received 'a'"),
        ({"seed": 0, "count": [3]}, r"`count` of `sample` must be of the shape \(\), received"),
        ({"seed": 0}, r"`sample` must be given \['count', 'seed'\], received \['seed'\]"),
    ],
)
def test_what_is_loaded_takes_nothing_that_it_would_cut_off(inputs, message, exports):
    with pytest.raises(ValueError, match=message):
        exports["vae"].served["sample"](**inputs)


@pytest.mark.parametrize("folder", ["missing", "servable"])
def test_what_is_no_saved_model_is_not_loaded(folder, tmp_path):
    (tmp_path / "servable" / "1").mkdir(parents=True)
    with pytest.raises(ValueError, match=f"`path` must be the folder of one version.*{folder}"):
        load(str(tmp_path / folder))
