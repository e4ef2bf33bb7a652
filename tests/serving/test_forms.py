"""Signatures of all that a system can do: their forms, their rows, and what is refused."""

import io
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image

import kgen
from kgen import GenerativeModel, Player
from kgen.metrics import Card, Score, append_scores, read_scores
from kgen.serving import export, load
from tests.serving.points import points_gan
from tests.systems import SHAPE, SYSTEMS, dense_generator, smooth_critic

# Between them they have every signature; BigGAN's and StyleGAN's truncation is in the common check.
NAMES = ["projection_gan", "vae", "context_encoder"]


@keras.saving.register_keras_serializable("kgen_tests")
class Autoencoder(GenerativeModel):
    """Encodes and reconstructs, but has no distribution to sample from."""

    def __init__(self, network, **kwargs):
        super().__init__([Player("autoencoder", network, self.error)], **kwargs)
        self.network = network

    def error(self, images, training):
        return ops.mean(ops.square(self.network(images, training=training) - images))

    def reconstruct_step(self, images):
        return self.network(images, training=False)


class ShapedAutoencoder(Autoencoder):
    """One that says what it takes, and decodes, too."""

    image_shape = SHAPE

    def encode_step(self, images):
        return ops.reshape(images, (-1, 64))

    def decode_step(self, latents):
        return self.network(ops.reshape(latents, (-1, *SHAPE)))


def autoencoder(kind=ShapedAutoencoder):
    images = keras.Input(SHAPE)
    return kind(keras.Model(images, keras.layers.Conv2D(1, 3, padding="same")(images)))


def png(levels):
    file = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(file, "PNG")
    return file.getvalue()


def pixels(file):
    return np.asarray(Image.open(io.BytesIO(file))).reshape(SHAPE)


@pytest.fixture(params=NAMES)
def exported(request, exports):
    """A model and its signatures."""
    found = exports[request.param]
    return found.model, found.served


def inputs_of(model, name, count):
    """Inputs of a signature of floats, `count` rows, whose images are whole levels."""
    rng = np.random.default_rng(1)
    if name == "decode":
        return {"latents": model.latents(count, seed=3)}
    given = {"labels": np.arange(count) % 3} if name == "score" and model.classes else {}
    channels = 2 if name == "translate" else 1
    levels = rng.integers(0, 256, (count, *SHAPE[:2], channels))
    if channels == 2:
        levels[..., 1] = 255 * (levels[..., 1] > 127)
    return {"images": (levels / 127.5 - 1.0).astype("float32"), **given}


def test_batches_of_1_and_of_64_give_the_same_rows(exported):
    model, served = exported
    rows = [n for n in ("decode", "encode", "reconstruct", "translate", "log_prob", "score")
            if n in served]  # fmt: skip
    assert len(rows) >= 2
    for name in rows:
        inputs = inputs_of(model, name, 64)
        (together,) = served[name](**inputs).values()
        for row in (0, 17, 63):
            alone = {key: value[row : row + 1] for key, value in inputs.items()}
            (found,) = served[name](**alone).values()
            np.testing.assert_allclose(found, together[row : row + 1], rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
def test_images_as_levels_and_as_files(exported):
    model, served = exported
    forms = sorted(n for n in served if n.endswith("_uint8"))
    assert [n.replace("uint8", "bytes") for n in forms] == sorted(
        n for n in served if n.endswith("_bytes")
    )
    for form in forms:
        name = form.removesuffix("_uint8")
        if name == "sample":
            labels = {} if model.classes is None else {"labels": [2]}
            floats = whole = files = {"seed": 4, "count": 3, **labels}
        else:
            floats = inputs_of(model, name, 3)
            whole, files = dict(floats), dict(floats)
            if "images" in floats:
                whole["images"] = np.rint((floats["images"] + 1) * 127.5).astype("uint8")
                del files["images"]
                levels = whole["images"]
                if levels.shape[-1] == 2:  # Grey and the mask, as a file has them.
                    files["image_bytes"] = [as_alpha(image) for image in levels]
                else:
                    files["image_bytes"] = [png(image) for image in levels]
        (expected,) = served[name](**floats).values()
        (of_levels,) = served[form](**whole).values()
        ((key, of_files),) = served[f"{name}_bytes"](**files).items()
        if of_levels.dtype == np.uint8:
            assert key == "image_bytes"
            of_files = np.stack([pixels(file) for file in of_files])
            assert np.abs(of_levels - np.rint((expected + 1) * 127.5)).max() <= 1
            assert np.abs(of_files.astype(int) - of_levels).max() <= 1
        else:
            np.testing.assert_allclose(of_levels, expected, rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(of_files, expected, rtol=1e-5, atol=1e-5)


def as_alpha(levels):
    file = io.BytesIO()
    Image.fromarray(levels, "LA").save(file, "PNG")
    return file.getvalue()


def test_wrong_inputs_are_named(exported):
    model, served = exported
    with pytest.raises(ValueError, match=r"`serving_default` must be given .*received \['wrong'\]"):
        served["serving_default"](wrong=[0.0])
    if "sample" in served:
        labels = {} if model.classes is None else {"labels": [0]}
        with pytest.raises(ValueError, match="count: expected a positive"):
            served["sample"](seed=0, count=0, **labels)
    if model.classes is not None:
        images = np.zeros((2, *SHAPE), "float32")
        with pytest.raises(ValueError, match="labels: expected integers"):
            served["score"](images=images, labels=[0, 3])


# ---------------------------------------------------------------- models of one's own


def test_an_autoencoder_is_served_without_a_distribution(tmp_path):
    model = autoencoder()
    served = load(export(model, tmp_path))
    names = {name for name in served if not name.endswith(("_uint8", "_bytes"))}
    assert names == {"serving_default", "decode", "encode", "reconstruct"}
    images = SYSTEMS["vae"].batch()
    np.testing.assert_allclose(
        served["reconstruct"](images=images)["images"], model.reconstruct(images), atol=1e-5
    )
    latents = served["encode"](images=images)["latents"]
    found = served["serving_default"](latents=latents)["images"]
    np.testing.assert_allclose(found, model.decode(latents), atol=1e-5)


def test_a_model_of_no_known_shape(tmp_path):
    message = "Autoencoder, which can: reconstruct; and its image_shape is None"
    with pytest.raises(NotImplementedError, match=message):
        export(autoencoder(Autoencoder), tmp_path / "servable")
    assert not (tmp_path / "servable").exists()


def test_points_have_no_files(tmp_path):
    model = points_gan()
    served = load(export(model, tmp_path))
    assert sorted(served) == ["decode", "sample", "score", "serving_default"]
    found = served["sample"](seed=1, count=5)["images"]
    np.testing.assert_allclose(found, model.sample(5, seed=1), atol=1e-5)


# ---------------------------------------------------------------- refusals and the card


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_refused(value, tmp_path):
    model = SYSTEMS["wasserstein_gan"].make()
    bias = model.generator.weights[-1]
    bias.assign(np.full(bias.shape, value))
    if np.isinf(value):  # Which a tanh would hide.
        model = autoencoder()
        model.network.weights[-1].assign([value])
    with pytest.raises(ValueError, match="`model` must give finite outputs.*`decode`"):
        export(model, tmp_path / "servable")
    assert list(tmp_path.iterdir()) == []


def test_a_critic_that_is_not_finite_is_refused(tmp_path):
    model = SYSTEMS["wasserstein_gan"].make()
    weight = model.discriminator.weights[-1]
    weight.assign(np.full(weight.shape, np.nan))
    with pytest.raises(ValueError, match="`score` does not.*NaN"):
        export(model, tmp_path / "servable")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": None}, "`model` must be a kgen.GenerativeModel, received None"),
        ({"directory": __file__}, "`directory` must be a folder"),
        ({"config": 3}, "`config` must be .*received 3"),
        ({"config": {"rate": float("nan")}}, "`config` must hold what JSON can"),
        ({"scores": {"frechet": 3.0}}, "`scores` must be a dict .*kgen.metrics.Score"),
        ({"scores": 5}, "`scores` must be"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path):
    given = {"model": points_gan(), "directory": tmp_path, **arguments}
    with pytest.raises(ValueError, match=message):
        export(**given)
    assert list(tmp_path.iterdir()) == []


def test_the_model_card(tmp_path):
    score = Score(12.5, Card("frechet_distance", samples=10, seeds={"samples": 3}), (11.0, 14.0))
    append_scores(tmp_path / "scores.jsonl", {"frechet": score}, round=7)
    scores = read_scores(tmp_path / "scores.jsonl")
    model = kgen.models.GAN(dense_generator(), smooth_critic(), ema_momentum=0.9)
    path = export(model, tmp_path / "a", {"steps": 7, "out": tmp_path}, scores)
    with open(f"{path}/assets.extra/model_card.json") as file:
        card = json.load(file)
    assert card["system"] == "GAN" and card["weights"] == "averaged"
    assert card["kgen_version"] == kgen.__version__
    assert card["config"] == {"steps": 7, "out": str(tmp_path)}
    (found,) = card["scores"]
    assert found["name"] == "frechet" and found["round"] == 7
    assert Score.from_dict(found) == score and found["card"]["seeds"] == {"samples": 3}
    served = tf.saved_model.load(path)
    assert set(card["signatures"]) == set(served.signatures)
    assert card["signatures"]["sample_uint8"] == {
        "inputs": {
            "seed": {"dtype": "int32", "shape": []},
            "count": {"dtype": "int32", "shape": []},
        },
        "outputs": {"images": {"dtype": "uint8", "shape": [None, *SHAPE]}},
    }
    named = export(points_gan(), tmp_path / "b", scores={"frechet": score})
    with open(f"{named}/assets.extra/model_card.json") as file:
        assert json.load(file)["scores"][0]["name"] == "frechet"
