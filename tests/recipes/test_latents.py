"""The report on a model's latents: what it writes, and what it skips and says so."""

import json

import numpy as np
import PIL.Image
import pytest

from kgen import models, networks
from recipes import latents
from recipes.command_line.list import recipes
from recipes.latents.__main__ import main
from tests.systems import SYSTEMS

ALWAYS = {"interpolation", "corners", "traversal", "map_pca", "map_tsne", "thickness", "slant"}
ALWAYS |= {"inversion_own", "scores"}


@pytest.fixture
def report(tmp_path):
    """Runs the report on a model with few steps of everything."""

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
    assert "kgen's classifier" in skipped and f"Skipped: {skipped}" in capsys.readouterr().out
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


def test_styles_and_no_data(report):
    result = report(SYSTEMS["stylegan"].make())
    # Untrained, it makes no strokes that could be measured for sure.
    assert ALWAYS - {"thickness", "slant"} <= set(result.paths)
    assert "inversion_held_out" not in result.paths and "plane" not in result.paths
    assert any("plane.png" in sentence for sentence in result.skipped)


def test_uniform_latents_do_not_walk(report):
    result = report(SYSTEMS["first_gan"].make(), inverted=0)
    assert "walk" not in result.paths
    for name in ("walk.gif", "analogy.png", "plane.png", "inversion"):
        assert any(name in sentence for sentence in result.skipped), name


def test_the_command_line(tmp_path, capsys):
    SYSTEMS["pix2pix"].make().save(tmp_path / "model.keras")
    for arguments, message in (
        (["--model", str(tmp_path)], "Pix2Pix makes no images of latents. It can: translate"),
        (["--model", str(tmp_path / "none")], "model: expected a run's folder or a .keras file"),
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


def test_pairs_are_of_one_class():
    subject = latents.subject.Subject(
        None, latents.Config("none"), False, 0, None, False, np.zeros((50, 2)), None,
        np.arange(50) % 7, None,
    )  # fmt: skip
    firsts, seconds = subject.pairs(30)
    assert len(firsts) == 30 and (firsts != seconds).all() and (firsts % 7 == seconds % 7).all()
