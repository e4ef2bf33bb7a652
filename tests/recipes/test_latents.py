"""The report on a model's latents: what it writes, and what it skips and says so."""

import dataclasses
import functools
import json

import numpy as np
import PIL.Image
import pytest
import sklearn.manifold

from kgen import models, networks
from kgen.core.owner import FolderInUseError, owned
from kgen.metrics import stroke_thickness
from recipes import latents
from recipes.latents import measures, pictures
from recipes.latents.__main__ import main
from recipes.registry import recipes
from tests.systems import SYSTEMS

ALWAYS = {"interpolation", "corners", "traversal", "map_pca", "map_tsne", "thickness", "slant"}
ALWAYS |= {"inversion_own", "scores"}


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Runs the report on a model with few steps of everything."""
    monkeypatch.setattr(measures, "MOVED", 20)
    monkeypatch.setattr(
        sklearn.manifold, "TSNE", functools.partial(sklearn.manifold.TSNE, max_iter=250)
    )

    def run(model, **settings):
        model.save(tmp_path / "model.keras")
        settings = {"examples": 100, "inverted": 2, "invert_steps": 3, **settings}
        result = latents.run(latents.Config(str(tmp_path), **settings))
        assert all(path.parent == tmp_path / "latents" for path in result.paths.values())
        for path in result.paths.values():
            if path.suffix == ".png":
                PIL.Image.open(path).verify()
        facts = json.loads(result.paths["scores"].read_text())
        assert facts["skipped"] == result.skipped and result.scores.items() <= facts.items()
        return result

    return run


def test_a_vae_of_two_latents_and_labelled_data(report, capsys):
    shape = (8, 8, 1)
    vae = models.VAE(
        networks.dense_encoder(shape, 2, units=8), networks.dense_decoder(shape, 2, units=8)
    )
    result = report(vae, data="digits", examples=300)
    assert set(result.paths) == ALWAYS | {"walk", "analogy", "plane", "inversion_held_out"}
    (skipped,) = result.skipped
    assert "no class of midpoints: kgen's classifier" in skipped
    assert f"Skipped: {skipped}" in capsys.readouterr().out
    scores = result.scores
    assert {"own_psnr", "held_out_psnr", "held_out_encoded_psnr"} < set(scores)
    assert scores["held_out_psnr"] >= scores["held_out_encoded_psnr"] - 1.0
    assert len(scores["thickness_by_amount"]) == 9 and 0.5 <= scores["slant_accuracy"] <= 1.0
    with PIL.Image.open(result.paths["plane"]) as picture:
        assert picture.width % (20 * 9 + 1) == 0
    with PIL.Image.open(result.paths["walk"]) as walk:
        assert walk.n_frames == 48


def test_codes_of_no_distribution(report):
    shape = (8, 8, 1)
    autoencoder = models.Autoencoder(
        networks.dense_encoder(shape, 2, units=8, variational=False),
        networks.dense_decoder(shape, 2, units=8),
    )
    result = report(autoencoder, data="digits")
    drawn = {"inversion_own", "walk"}
    assert ALWAYS - drawn - {"thickness", "slant"} | {"plane"} <= set(result.paths)
    assert not drawn & set(result.paths)
    with pytest.raises(ValueError, match="data: expected images to encode, as Autoencoder draws"):
        report(autoencoder)


def test_codes_of_images_and_their_labels(report):
    shape = (8, 8, 1)
    conditional = models.VAE(
        networks.dense_encoder(shape, 3, units=8, classes=10),
        networks.dense_decoder(shape, 3, units=8, classes=10),
    )
    result = report(conditional, data="digits", examples=300)
    assert {"inversion_held_out", "walk", "analogy"} < set(result.paths)
    assert result.scores["held_out_psnr"] >= result.scores["held_out_encoded_psnr"] - 1.0


def test_codes_and_uniform_latents_stay_in_their_range(tmp_path, monkeypatch):
    """An InfoGAN's continuous code, the last number, is traversed first."""
    seen = {}
    for name in ("infogan", "first_gan"):
        model = SYSTEMS[name].make()
        config = latents.Config("none", examples=100)
        subject = latents.subject.subject_of(model, config, {})
        decode = model.decode

        def kept(rows, name=name, decode=decode):
            seen[name] = rows
            return decode(rows)

        monkeypatch.setattr(model, "decode", kept)
        pictures.traversals(subject, tmp_path)
        assert subject.path == ("linear" if name == "first_gan" else "spherical")
    code = seen["infogan"].reshape(-1, 9, 10)[0]
    np.testing.assert_allclose(code[:, -1], np.linspace(-1.0, 1.0, 9), atol=1e-6)
    assert np.abs(seen["first_gan"]).max() <= 1.0


class Bars:
    """Upright bars, as thick as 6 + the first number, below the middle where the second is > 0."""

    abilities = ("sample", "decode")

    def decode(self, rows):
        edges = np.clip(8.0 + np.outer(6.0 + rows[:, 0], [-0.5, 0.5]), 0.5, 15.5)
        pixels = np.arange(16)
        covered = np.minimum(edges[:, 1:], pixels + 1) - np.maximum(edges[:, :1], pixels)
        below = (np.arange(16) >= 8) == (rows[:, 1:2] > 0.0)  # (n, 16)
        images = 2.0 * np.clip(covered, 0.0, 1.0)[:, None] * below[:, :, None] - 1.0
        return images.astype("float32")[..., None]


def judged(images):
    return (images[:, 8:].mean(axis=(1, 2, 3)) > images[:, :8].mean(axis=(1, 2, 3))).astype(int)


def test_numbers_of_a_model_that_is_known(tmp_path):
    codes = np.random.default_rng(0).normal(size=(300, 2)).astype("float32")
    images = Bars().decode(codes)
    subject = latents.subject.Subject(
        Bars(), latents.Config("none"), True, 0, None, True, codes, images,
        (codes[:, 1] > 0).astype(int), judged,
    )  # fmt: skip
    # Styles of a model that can synthesise: its codes are moved as they are.
    subject.model.synthesise = subject.model.decode
    assert measures.midpoints(subject, tmp_path).scores == {
        "ends_in_class": 1.0,
        "midpoints_in_class": 1.0,
    }
    scores = measures.attribute("thickness", stroke_thickness)(subject, tmp_path).scores
    assert scores["thickness_accuracy"] > 0.95 and scores["thickness_rises"] > 0.95
    assert (np.diff(scores["thickness_by_amount"][1:8]) > 0.3).all()
    assert scores["thickness_class_by_amount"][4] == 1.0
    half = dataclasses.replace(subject, judge=lambda images: np.zeros(len(images), int))
    found = measures.midpoints(half, tmp_path).scores["midpoints_in_class"]
    assert found == pytest.approx(np.mean(codes[:, 1] < 0), abs=0.05)


def test_images_that_are_all_alike_have_no_attribute(report):
    shape = (8, 8, 1)
    decoder = networks.dense_decoder(shape, 2, units=8)
    decoder.set_weights([np.zeros_like(weight) for weight in decoder.get_weights()])
    result = report(models.VAE(networks.dense_encoder(shape, 2, units=8), decoder), inverted=0)
    assert any("no thickness.png, as it is the same" in sentence for sentence in result.skipped)


def test_styles_and_no_data(report):
    sizes = {"filters": 2, "max_filters": 2}
    model = models.StyleGAN(
        networks.StyleGenerator((4, 4, 1), 4, 4, mapping_depth=1, classes=3, **sizes),
        networks.ProgressiveDiscriminator((4, 4, 1), classes=3, **sizes),
    )
    result = report(model, inverted=1, invert_steps=1)
    # Untrained, it makes no strokes that could be measured for sure.
    assert ALWAYS - {"thickness", "slant"} <= set(result.paths)
    assert "inversion_held_out" not in result.paths and "plane" not in result.paths
    assert any("plane.png" in sentence for sentence in result.skipped)


def test_uniform_latents_do_not_walk(report):
    result = report(SYSTEMS["first_gan"].make(), inverted=0)
    assert "walk" not in result.paths
    for name in ("walk.gif", "analogy.png", "plane.png", "inversion"):
        assert any(name in sentence for sentence in result.skipped), name


def test_its_folder_is_one_process_at_a_time(tmp_path):
    SYSTEMS["first_gan"].make().save(tmp_path / "model.keras")
    with (
        owned(tmp_path / "latents"),
        pytest.raises(FolderInUseError, match="latents is in use by process"),
    ):
        latents.run(latents.Config(model=str(tmp_path / "model.keras"), data="digits"))


def test_the_command_line(tmp_path, capsys):
    points = models.GAN(networks.mixture_generator(), networks.mixture_discriminator())
    points.save(tmp_path / "points.keras")
    SYSTEMS["pix2pix"].make().save(tmp_path / "model.keras")
    for arguments, message in (
        (["--model", str(tmp_path)], "Pix2Pix makes no images of latents. It can: translate"),
        (["--model", str(tmp_path / "none")], "model: expected a run's folder or a .keras file"),
        (["--model", str(tmp_path / "points.keras")], "GAN makes no images of latents"),
        (["--model", str(tmp_path), "--examples", "3"], "examples: expected an integer of at"),
    ):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 2
        assert f"error: {message}" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0 and "--invert-steps" in capsys.readouterr().out
    assert "latents" not in recipes()


def test_each_file_has_a_folder_of_its_own(tmp_path):
    (tmp_path / "run").mkdir()
    folder = latents._folder
    assert folder(tmp_path / "run") == tmp_path / "run" / "latents"
    assert folder(tmp_path / "run" / "model.keras") == tmp_path / "run" / "latents"
    assert folder(tmp_path / "mine.keras") == tmp_path / "mine-latents"


def test_pairs_are_of_one_class():
    subject = latents.subject.Subject(
        None, latents.Config("none"), False, 0, None, False, np.zeros((50, 2)), None,
        np.arange(50) % 7, None,
    )  # fmt: skip
    firsts, seconds = subject.pairs(30)
    assert len(firsts) == 30 and (firsts != seconds).all() and (firsts % 7 == seconds % 7).all()
