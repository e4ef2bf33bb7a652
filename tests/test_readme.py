"""The README's Python runs, and says nothing that is not there."""

import base64
import json
import pathlib
import re
import urllib.request

import keras
import numpy as np
import pytest

import kgen
import kgen.serving
from recipes.registry import recipes
from tests.garbage import garbage_is_left  # noqa: F401
from tests.recipes.conftest import train_untraced, two_resamples  # noqa: F401
from tests.systems import SHAPE, SYSTEMS

README = (pathlib.Path(__file__).parent.parent / "README.md").read_text()
(
    EXAMPLE, CLASSES, PICTURES, STYLES, CODES, LATENTS, RESUME, HOSTS, MEASURE, TUNE, SERVING,
    CLIENT, SYSTEM, ADVERSARIAL
) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)  # fmt: skip


def test_the_example_runs_and_goes_on(tmp_path, monkeypatch):
    train_untraced(monkeypatch)
    monkeypatch.chdir(tmp_path)
    # As it stands, but on fewer images and for fewer rounds.
    code = EXAMPLE.replace("batch_size=3 * 64), epochs=40", "batch_size=3 * 8).take(1), epochs=1")
    assert code != EXAMPLE and len(EXAMPLE.splitlines()) <= 20
    names = {}
    exec(code, names)
    assert names["images"].shape == (16, 28, 28, 1)

    code = RESUME.replace("batch_size=3 * 64)", "batch_size=3 * 8).take(1)")
    code = code.replace("every=50", "every=2").replace("epochs=80", "epochs=1")
    assert "every=2" in code and "epochs=1" in code
    exec(code, names)
    assert (tmp_path / "runs/mine/round-00000002.checkpoint").exists()

    names["images"] = kgen.data.load("mnist5k", batch_size=3 * 8)
    code = MEASURE.replace("epochs=8", "epochs=2, steps_per_epoch=1")
    code = code.replace('split="validation"', 'split="validation", samples=100')
    assert "samples=100" in code and "epochs=2" in code
    exec(code, names)
    assert len(kgen.metrics.read_scores(tmp_path / "runs/mine/scores.jsonl")) == 2 * 3
    assert (tmp_path / "runs/best.keras").exists()


def test_a_search_of_a_space_of_ones_own(tmp_path, monkeypatch, capsys):
    train_untraced(monkeypatch)
    monkeypatch.chdir(tmp_path)
    code = TUNE.replace("steps=200", "steps=2, filters=4").replace("trials=5", "trials=1")
    code = code.replace("[16, 32]", "[2, 4]")
    exec(code, {"kgen": kgen})
    assert "{'learning_rate': " in capsys.readouterr().out


def test_classes_and_pictures_are_made_as_asked(tmp_path, monkeypatch):
    train_untraced(monkeypatch)  # A few rounds are played before they would be traced.
    monkeypatch.chdir(tmp_path)
    names = {"keras": keras, "kgen": kgen, "shape": (28, 28, 1)}
    code = CLASSES.replace("labels=True), epochs=40", "labels=True).take(2), epochs=1")
    code = code.replace('"filters": 16', '"filters": 4')
    assert "take(2), epochs=1)" in code and '"filters": 4' in code
    exec(code, names)
    assert names["threes"].shape == (16, 28, 28, 1)
    assert names["table"].shape == (100, 28, 28, 1) and (tmp_path / "classes.png").exists()
    code = PICTURES.replace("steps_per_epoch=200", "steps_per_epoch=2")
    code = code.replace("64", "16").replace("filters=32", "filters=4")
    assert "steps_per_epoch=2" in code and "(16, 16, 3)" in code and "filters=4" in code
    exec(code, names)
    assert names["outputs"].shape == (8, 16, 16, 3)
    assert (tmp_path / "before_after.png").exists()


def test_styles_are_mapped_mixed_and_measured(tmp_path, monkeypatch):
    train_untraced(monkeypatch)
    monkeypatch.chdir(tmp_path)
    names = {"kgen": kgen, "shape": (28, 28, 1)}
    code = STYLES.replace("epochs=27)", "epochs=1, steps_per_epoch=2)")
    code = code.replace("samples=100)", "samples=20)").replace('filters": 16', 'filters": 4')
    assert "steps_per_epoch=2" in code and "samples=20" in code and 'filters": 4' in code
    exec(code, names)
    assert names["w"].shape == (4, names["styles"].generator.layer_count, 64)
    assert "images" not in names and names["shape"] == (28, 28, 1)  # Of the first block.
    assert names["made"].shape == (100, 16, 16, 1) and names["table"].shape == (2, 3, 16, 16, 1)
    assert (tmp_path / "styles.png").exists() and (tmp_path / "mixed.png").exists()


def test_codes_clean_and_tell_what_is_unlike(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train_untraced(monkeypatch)
    names = {"kgen": kgen, "shape": (28, 28, 1)}
    code = CODES.replace('"mnist5k", batch_size=64)', '"mnist5k", batch_size=64).take(5)')
    code = code.replace("epochs=20", "epochs=1")
    assert code != CODES
    exec(code, names)
    assert names["clean"].shape == (500, 28, 28, 1) and 0.0 <= names["alarms"].mean() < 0.15
    assert (tmp_path / "clean.png").exists()

    names |= {"model": SYSTEMS["vae"].make(), "held_out": SYSTEMS["vae"].images()}
    code = LATENTS.replace("steps=50", "steps=2")
    assert code != LATENTS
    exec(code, names)
    assert (tmp_path / "way.png").exists() and (tmp_path / "found.png").exists()
    assert names["found"].psnr.shape == (8,)


def test_two_devices_share_a_batch(monkeypatch):
    train_untraced(monkeypatch)
    names = {"kgen": kgen, "shape": (28, 28, 1)}
    code = HOSTS.replace("steps_per_epoch=10", "steps_per_epoch=2")
    assert code != HOSTS
    exec(code, names)
    assert names["shared"].replicas == 2 and names["shared"].rounds_played == 2


def test_the_system_passes_the_checks():
    names = {}
    exec(SYSTEM, names)

    def make():
        images = keras.Input(SHAPE)
        encoder = keras.Model(images, keras.layers.Dense(3)(keras.layers.Flatten()(images)))
        codes = keras.Input((3,))
        pixels = keras.layers.Dense(int(np.prod(SHAPE)))(codes)
        decoder = keras.Model(codes, keras.layers.Reshape(SHAPE)(pixels))
        return names["Autoencoder"](encoder, decoder, seed=0)

    kgen.testing.check_generative_model(make, SYSTEMS["vae"].batch())
    assert make().encode(SYSTEMS["vae"].batch()).shape == (8, 3)
    assert make().reconstruct(SYSTEMS["vae"].batch()).shape == (8, *SHAPE)


def test_the_adversarial_system_passes_the_checks_and_samples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    assert len(ADVERSARIAL.split("def make")[0].split("@")[1].strip().splitlines()) <= 40
    code = ADVERSARIAL.replace("filters=16", "filters=2").replace("28, 28", "8, 8")
    code = code.replace('"mnist5k", batch_size=64)', '"mnist5k", image_size=8, batch_size=8)')
    code = code.replace("epochs=30", "epochs=1, steps_per_epoch=2")
    assert "steps_per_epoch=2" in code and "image_size=8" in code
    exec(code, names)
    assert names["mine"].sample(3, seed=0).shape == (3, 8, 8, 1)
    assert (tmp_path / "mine.png").exists()


def test_the_signature_it_names_is_exported_and_served(tmp_path):
    path = kgen.serving.export(SYSTEMS["dcgan"].make(), tmp_path / "dcgan")
    names = {"kgen": kgen}
    exec(SERVING.replace("saved_models/dcgan/1", path), names)
    assert names["images"].shape == (16, *SHAPE)
    assert (tmp_path / "dcgan" / "models.config").exists()
    pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not installed")
    from tests.serving.loopback import serving

    with serving(tmp_path / "dcgan") as addresses:
        code = CLIENT.replace("http://localhost:8501", addresses.rest)
        assert code != CLIENT
        exec(code, names)
        body, url = re.search(r"curl -d '(.*?)' \\\n +http://localhost:8501(\S+)", README).groups()
        request = urllib.request.Request(addresses.rest + url, body.encode())
        with urllib.request.urlopen(request, timeout=60) as response:
            (file,) = json.loads(response.read())["outputs"]
    assert names["images"].shape == (16, *SHAPE)
    assert base64.b64decode(file["b64"]).startswith(b"\x89PNG")


def test_every_recipe_has_a_row():
    assert set(recipes()) == set(re.findall(r"`python -m recipes\.(\w+)`", README))
