"""Exported SavedModels: their versions, their images, and what they can do without."""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import kgen.serving
from kgen.serving.export import export, load
from tests.serving.without_keras import WITHOUT_KERAS
from tests.systems import SHAPE, SYSTEMS

SAMPLED = ["dcgan", "vae"]  # The GAN has a moving average.

# Runs where Keras and kgen are found, as TensorFlow looks for them, but cannot be imported.
SCRIPT = (
    WITHOUT_KERAS
    + """
import numpy as np
import tensorflow as tf

for name in ("keras", "kgen", "kgen.layers", "keras.src.layers"):
    try:
        __import__(name)
    except ImportError as error:
        print(error)
for number, path in enumerate(sys.argv[2:]):
    served = tf.saved_model.load(path)
    latents = tf.constant(np.load(f"{sys.argv[1]}/latents-{number}.npy"))
    decoded = served.signatures["serving_default"](latents=latents)["images"]
    sampled = served.signatures["sample"](seed=tf.constant(5), count=tf.constant(4))["images"]
    np.savez(f"{sys.argv[1]}/images-{number}.npz", decoded=decoded, sampled=sampled)
loaded = {name.split(".")[0] for name in sys.modules} & {"keras", "kgen", "tf_keras"}
print("loaded:", sorted(loaded))
"""
)


def trained(name):
    """A system after two rounds, so that optimizers, statistics and averages have moved."""
    system = SYSTEMS[name]
    model = system.make()
    model.compile("adam")
    batch = system.batch()
    model.fit(np.concatenate([batch, -batch]), batch_size=len(batch), verbose=0)
    return model


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", SAMPLED)
def test_the_same_images(name, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = trained(name)
    served = load(export(model, tmp_path))
    forms = {f"{name}{form}" for name in ("decode", "sample") for form in ("", "_uint8", "_bytes")}
    assert forms | {"serving_default"} <= set(served)
    latents = model.latents(5, seed=2)
    decoded = served["serving_default"](latents=latents)["images"]
    assert decoded.dtype == np.float32 and decoded.shape == (5, *SHAPE)
    np.testing.assert_allclose(decoded, model.decode(latents), atol=1e-5)
    for seed, count in ((7, 3), (8, 1), (7, 66)):  # `model.sample` works in batches of 64.
        sampled = served["sample"](seed=seed, count=count)["images"]
        np.testing.assert_allclose(sampled, model.sample(count, seed=seed), atol=1e-5)


def test_the_moving_average_is_exported(tmp_path):
    model = trained("dcgan")
    latents = model.latents(3, seed=0)
    served = load(export(model, tmp_path))["serving_default"](latents=latents)["images"]
    average = model.generator_average(latents, training=False)
    np.testing.assert_allclose(served, average, atol=1e-5)
    live = model.generator(latents, training=False).numpy()
    assert np.max(np.abs(served - live)) > 1e-3


@pytest.mark.parametrize(
    "name, networks",
    [
        ("dcgan", ["generator_average", "discriminator"]),
        ("vae", ["encoder", "decoder"]),
        ("wgan_gp", ["generator", "critic"]),
        ("packed_gan", ["generator_average"]),  # Its discriminator judges no image alone.
    ],
)
def test_only_the_variables_of_the_signatures_are_exported(name, networks, tmp_path):
    model = trained(name)
    weights = [w for network in networks for w in getattr(model, network).weights]
    expected = sorted(w.numpy().tobytes() for w in weights)
    path = export(model, tmp_path)
    served = tf.saved_model.load(path)
    used = {id(v): v for v in served.used_variables}.values()
    assert sorted(v.numpy().tobytes() for v in used) == expected
    # Nor does the file hold any others.
    reader = tf.train.load_checkpoint(f"{path}/variables/variables")
    saved = [
        reader.get_tensor(key).tobytes()
        for key in reader.get_variable_to_shape_map()
        if key != "_CHECKPOINTABLE_OBJECT_GRAPH"
    ]
    assert sorted(saved) == expected


def test_later_changes_of_the_model_do_not_show(tmp_path):
    model = trained("vae")
    path = export(model, tmp_path)
    expected = model.sample(2, seed=0)
    for weight in model.weights:
        weight.assign(ops.zeros_like(weight))
    np.testing.assert_allclose(load(path)["sample"](seed=0, count=2)["images"], expected, atol=1e-5)


# ---------------------------------------------------------------- versions


def test_versions_are_counted(tmp_path):
    model = SYSTEMS["wgan_gp"].make()
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
    model = SYSTEMS["wgan_gp"].make()

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


# ---------------------------------------------------------------- without Keras


def test_serves_where_keras_and_kgen_cannot_be_imported(tmp_path):
    made = [trained(name) for name in SAMPLED]
    paths = [
        kgen.serving.export(model, tmp_path / name)
        for name, model in zip(SAMPLED, made, strict=True)
    ]
    for number, model in enumerate(made):
        np.save(tmp_path / f"latents-{number}.npy", model.latents(3, seed=1))
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), *paths],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "keras is blocked",
        "kgen is blocked",
        "kgen is blocked",
        "keras is blocked",
        "loaded: []",
    ]
    for number, model in enumerate(made):
        images = np.load(tmp_path / f"images-{number}.npz")
        latents = model.latents(3, seed=1)
        np.testing.assert_allclose(images["decoded"], model.decode(latents), atol=1e-5)
        np.testing.assert_allclose(images["sampled"], model.sample(4, seed=5), atol=1e-5)


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
def test_what_is_loaded_takes_nothing_that_it_would_cut_off(inputs, message, tmp_path):
    served = load(export(SYSTEMS["vae"].make(), tmp_path))
    with pytest.raises(ValueError, match=message):
        served["sample"](**inputs)


@pytest.mark.parametrize("folder", ["missing", "servable"])
def test_what_is_no_saved_model_is_not_loaded(folder, tmp_path):
    (tmp_path / "servable" / "1").mkdir(parents=True)
    with pytest.raises(ValueError, match=f"`path` must be the folder of one version.*{folder}"):
        load(str(tmp_path / folder))
