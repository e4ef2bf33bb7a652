"""What an export takes, and what it refuses by one sentence."""

import io
import json
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen.serving import export, load
from tests.serving.points import points_gan
from tests.systems import SHAPE

HINT = "Images of 0..255 become so by `images / 127.5 - 1`, images of 0..1 by `images * 2 - 1`."


def arrays_for(exported, name):
    """Valid inputs of a signature of floats."""
    values = {"seed": 0, "count": 2, "labels": [0, 0], "psi": 0.7, "truncation": 0.5}
    inputs = {}
    for key, spec in exported.loaded.signatures[name].structured_input_signature[1].items():
        shape = [side or 2 for side in spec.shape]
        inputs[key] = values[key] if key in values else np.zeros(shape, spec.dtype.as_numpy_dtype)
    return inputs


@pytest.mark.parametrize("name", ["projection_gan", "vae"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_every_signature_refuses_what_is_not_finite(name, value, exports):
    exported, refused = exports[name], set()
    for signature in exported.served:
        inputs = arrays_for(exported, signature)
        for key, array in inputs.items():
            if getattr(array, "dtype", None) == np.float32:
                broken = array.copy()
                broken.flat[-1] = value
                with pytest.raises(ValueError, match=f"^`{signature}` refuses its inputs: {key}: "):
                    exported.served[signature](**{**inputs, key: broken})
                refused.add(signature)
    assert {"decode", "decode_uint8", "decode_bytes", "serving_default"} <= refused
    assert refused & {"score", "encode"}


def test_images_are_in_their_range(exports):
    served = exports["vae"].served
    images = np.random.default_rng(0).uniform(-1, 1, (2, *SHAPE)).astype("float32")
    for name in ("encode", "reconstruct", "log_prob"):
        for levels, ends in (((images + 1) * 127.5, "to 2[0-9.]+"), (images - 0.2, "from -1.1")):
            with pytest.raises(ValueError, match=f"expected floats in .-1, 1., got some .*{ends}"):
                served[name](images=levels)
    assert np.isfinite(served["encode"](images=images * 1.0005)["latents"]).all()  # A rounding.
    with pytest.raises(ValueError, match=re.escape(HINT) + "$"):
        served["encode"](images=images * 255)


def test_points_have_a_range_of_their_own(tmp_path):
    served = load(export(points_gan(), tmp_path))
    points = np.full((3, 2), 100.0, "float32")
    assert np.isfinite(served["score"](images=points)["logits"]).all()
    points[0, 1] = np.nan
    with pytest.raises(ValueError, match="images: expected finite numbers, got NaN or infinity"):
        served["score"](images=points)


@pytest.mark.parametrize("count", [-(2**31), -1, 0, 1001, 10**9])
def test_counts(count, exports):
    exported = exports["vae"]
    sentence = f"count: expected a positive integer, at most 1000, got {count}."
    for name in ("sample", "sample_uint8", "sample_bytes"):
        with pytest.raises(ValueError) as caught:
            exported.served[name](seed=0, count=count)
        assert str(caught.value) == f"`{name}` refuses its inputs: {sentence}"
        # And nothing of what would follow, whoever asks.
        signature = exported.loaded.signatures[name]
        with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(f"[{sentence}]")):
            signature(seed=tf.constant(0), count=tf.constant(count))


def png(height, width):
    file = io.BytesIO()
    Image.fromarray(np.zeros((height, width), np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_limits_are_given_to_an_export(exports, tmp_path):
    path = export(exports["vae"].model, tmp_path, max_pixels=np.int64(64), max_count=1)
    served = load(path)
    assert served["sample"](seed=0, count=1)["images"].shape == (1, *SHAPE)
    with pytest.raises(ValueError, match="at most 1, got 2"):
        served["sample"](seed=0, count=2)
    assert len(served["encode_bytes"](image_bytes=[png(8, 8)])["latents"]) == 1
    with pytest.raises(ValueError, match="at most 64 pixels in a file, got 5 x 13"):
        served["encode_bytes"](image_bytes=[png(5, 13)])
    with pytest.raises(ValueError, match="image_bytes: expected at most 1 files, got 2"):
        served["encode_bytes"](image_bytes=[png(8, 8)] * 2)
    card = json.loads((pathlib.Path(path) / "assets.extra" / "model_card.json").read_text())
    assert card["limits"] == {"max_pixels": 64, "max_count": 1, "image_margin": 0.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_pixels": 0}, "`max_pixels` must be a positive integer of 31 bits, received 0"),
        ({"max_pixels": 63}, "`max_pixels` must be at least 64, .* received 63"),
        ({"max_count": True}, "`max_count` must be a positive integer .* received True"),
        ({"max_count": 2.0}, "`max_count` must be a positive integer .* received 2.0"),
    ],
)
def test_limits_that_are_none(arguments, message, exports, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(exports["vae"].model, tmp_path / "servable", **arguments)
    assert not (tmp_path / "servable").exists()
