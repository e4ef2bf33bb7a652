"""ONNX and LiteRT files in their own runtimes, on the same inputs."""

import contextlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from kgen.core.leftovers import PARTIAL, unfinished_name
from kgen.serving import export_litert, export_onnx
from tests.serving.awake import awake
from tests.serving.points import points_gan
from tests.systems import SYSTEMS


@pytest.fixture(scope="module")
def models():
    return {name: awake(SYSTEMS[name].make()) for name in ("dcgan", "vae", "pix2pix")}


def asked(models):
    """Models, the names of abilities, inputs, and what the model makes of them."""
    gan, vae, pix = models.values()
    latents, images = gan.latents(5, seed=1), SYSTEMS["vae"].batch()
    yield gan, None, [latents], gan.decode(latents)
    yield vae, "reconstruct", [images], vae.reconstruct(images)
    yield pix, "translate", [images], pix.translate(images)
    yield pix, "score", [-images, images], pix.score(-images, inputs=images)


@pytest.mark.filterwarnings("ignore")  # Of the converters, about themselves.
def test_onnx(models, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    for model, name, inputs, expected in asked(models):
        path = export_onnx(model, tmp_path / "new" / "model.onnx", name)
        session = runtime.InferenceSession(path)
        for count in (len(inputs[0]), 1):
            given = {i.name: x[:count] for i, x in zip(session.get_inputs(), inputs, strict=True)}
            (found,) = session.run(None, given)
            np.testing.assert_allclose(found, expected[:count], rtol=1e-5, atol=1e-5)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["model.onnx"]


@pytest.mark.filterwarnings("ignore")
def test_litert(models, tmp_path):
    interpreter = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="ai-edge-litert is not installed"
    )
    for model, name, inputs, expected in asked(models):
        path = export_litert(model, tmp_path / "model.tflite", name)
        run = interpreter.Interpreter(path).get_signature_runner()
        names = ["images", "inputs"] if len(inputs) == 2 else list(run.get_input_details())
        (found,) = run(**dict(zip(names, inputs, strict=True))).values()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "model.tflite"}, "`path` must end with '.onnx'"),
        ({"name": "sample"}, r"`name` must be one of \['decode', 'score'\], received 'sample'"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export_onnx(**{"model": SYSTEMS["dcgan"].make(), "path": tmp_path / "a.onnx", **arguments})


def test_nan_is_refused(tmp_path):
    model = SYSTEMS["wgan_gp"].make()
    weight = model.generator.weights[0]
    weight.assign(np.full(weight.shape, np.nan))
    with pytest.raises(ValueError, match="`model` must give finite outputs"):
        export_litert(model, tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_file_is_whole_or_not_at_all(is_killed, tmp_path, monkeypatch):
    path, synced = tmp_path / "model.tflite", []
    path.write_text("before")
    prefix = unfinished_name(PARTIAL).rpartition("-")[0]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f"{prefix.rpartition('-')[0]}-{gone.pid}-0-model.onnx"
    left.write_text("half")

    def write(self, unfinished, **options):
        unfinished = pathlib.Path(unfinished)
        assert unfinished.parent == tmp_path and unfinished.name.startswith(prefix)
        assert path.read_text() == "before" and not left.exists()
        unfinished.write_text("after")
        if is_killed:
            raise KeyboardInterrupt

    monkeypatch.setattr("kgen.serving.portable.CalledAbility.export", write)
    monkeypatch.setattr("kgen.core.whole_file.sync_file", synced.append)
    with pytest.raises(KeyboardInterrupt) if is_killed else contextlib.nullcontext():
        export_litert(points_gan(), path)
    assert path.read_text() == ("before" if is_killed else "after")
    assert len(synced) == (0 if is_killed else 1)
    assert [file.name for file in tmp_path.iterdir()] == ["model.tflite"]


@pytest.mark.parametrize("missing", ["onnx", "tf2onnx"])
def test_a_missing_package_is_named(missing, tmp_path, monkeypatch):
    known = {"onnx", "tf2onnx"} - {missing}
    monkeypatch.setattr("kgen.serving.portable._is_there", lambda name: name in known)
    message = f"^An ONNX file needs {missing}, not installed here: pip install .kgen-keras.onnx."
    with pytest.raises(ImportError, match=message):
        export_onnx(points_gan(), tmp_path / "model.onnx")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, missing, None)  # As Python marks what is not to be imported.
    with pytest.raises(ImportError, match=f"An ONNX file needs .*{missing}"):
        export_onnx(points_gan(), tmp_path / "model.onnx")


def test_keras_own_export_says_what_does_it(tmp_path):
    message = r"^A GAN has no `call` to export: kgen.serving.export\(model, folder\) writes"
    for arguments in ({}, {"format": "onnx"}):
        with pytest.raises(NotImplementedError, match=message):
            points_gan().export(tmp_path / "model", **arguments)
    assert not list(tmp_path.iterdir())
