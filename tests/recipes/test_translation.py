"""The recipes of image translation: every task, pairs of one's own, what is refused."""

import functools

import keras
import numpy as np
import PIL.Image
import pytest

import kgen.metrics
from kgen.models import ContextEncoder, Pix2Pix
from recipes import conditional, cyclegan, pix2pix, srgan
from tests.recipes.conftest import DATA_ARE_TRACED

pytestmark = DATA_ARE_TRACED


def tiny(folder, **fields):
    defaults = dict(
        data="mnist5k", image_size=16, batch_size=20, steps=1, log_every=1, filters=4,
        discriminator_filters=4, receptive_field="7", held_out=260, doctor="off",
        out=str(folder / "run"), export="none",
    )  # fmt: skip
    return pix2pix.Config(**{**defaults, **fields})


def scored(result):
    return {
        facts["name"] for facts, _ in kgen.metrics.read_scores(result.paths.report / "scores.jsonl")
    }


@pytest.mark.parametrize(
    ("task", "objective"),
    [
        ("edges", "both"),
        ("colourise", "reconstruction"),
        ("inpaint", "both"),
        ("denoise", "adversarial"),
        ("segment", "both"),
    ],
)
def test_every_task_trains_and_is_scored_on_held_out_images(
    tmp_path, task, objective, untraced, bare
):
    data = "mnist5k" if task == "segment" else "photos"
    # More than 256 images for a Frechet distance, once of each set.
    held_out = 260 if task in ("edges", "segment") else 20
    fields = dict(task=task, objective=objective, data=data, held_out=held_out)
    result = pix2pix.run(tiny(tmp_path, **fields))
    model = result.model
    assert type(model) is (ContextEncoder if task == "inpaint" else Pix2Pix)
    assert (model.discriminator is None) == (objective == "reconstruction")
    assert (model.reconstruction_weight == 0.0) == (objective == "adversarial")
    assert scored(result) == {"l1", "psnr", "ssim"} | ({"frechet"} if held_out == 260 else set())
    with PIL.Image.open(result.paths.report / "before_after.png") as picture:
        assert picture.height > picture.width  # 8 rows of an input, an output and a target.


@pytest.mark.parametrize("side_by_side", [None, "input_right"])
def test_pairs_of_one_s_own(tmp_path, side_by_side, untraced, bare):
    rng = np.random.default_rng(0)
    for index in range(40):
        left, right = rng.integers(0, 256, (2, 16, 16, 3), "uint8")
        for name, pixels in (
            ("inputs", left), ("targets", right), ("both", np.concatenate([left, right], axis=1)),
        ):  # fmt: skip
            (tmp_path / name).mkdir(exist_ok=True)
            PIL.Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    fields = {"data": str(tmp_path / "inputs"), "targets": str(tmp_path / "targets")}
    if side_by_side:
        fields = {"data": str(tmp_path / "both"), "side_by_side": side_by_side}
    result = pix2pix.run(tiny(tmp_path, task="pairs", **fields))
    # 4 held-out pairs have no Frechet distance.
    assert scored(result) == {"l1", "psnr", "ssim"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": "pairs"}, "task='pairs' needs `targets` or `side_by_side`"),
        ({"targets": "there"}, "`targets` and `side_by_side` are for task='pairs'"),
        ({"receptive_field": "142"}, "receptive_field"),
        ({"held_out": 0}, "`held_out` must be positive, received 0"),
    ],
)
def test_bad_input(tmp_path, fields, message):
    with pytest.raises(ValueError, match=message):
        pix2pix.run(tiny(tmp_path, **fields))


def test_super_resolution_of_images_of_any_size(tmp_path, untraced, bare):
    config = srgan.Config(
        image_size=16, factor=4, steps=1, log_every=1, filters=4, discriminator_filters=2, blocks=1,
        held_out=20, doctor="off", out=str(tmp_path / "run"), export="none",
    )  # fmt: skip
    model = srgan.run(config).model
    assert model.translate(np.zeros((2, 5, 7, 3), "float32")).shape == (2, 20, 28, 3)


def test_sets_of_photographs(tmp_path, untraced, bare, by_neighbours, monkeypatch):
    arrays = conditional.arrays

    @functools.cache
    def few(*given, **settings):
        return [rows[::10] for rows in arrays(*given, **settings)]

    monkeypatch.setattr(conditional, "arrays", few)
    config = cyclegan.Config(
        data="photos", second="photos", image_size=8, steps=1, log_every=1, filters=2, blocks=1,
        discriminator_filters=2, batch_size=4, doctor="off", out=str(tmp_path / "run"),
        export="none",
    )  # fmt: skip
    result = cyclegan.run(config)
    assert (result.paths.report / "b_to_a.png").exists()


def test_mnist_is_cut_to_its_figures():
    images, labels = cyclegan.images_of(cyclegan.Config(), "data", "test")
    assert images.shape == (1000, 16, 16, 1) and labels.shape == (1000,)
    light = images[..., 0] > -0.5
    spans = np.stack([light.any(axis=1).sum(axis=1), light.any(axis=2).sum(axis=1)])
    # The longer side of a figure fills the image, but for a faint edge.
    assert spans.max(axis=0).min() >= 14
    whole, _ = cyclegan.images_of(cyclegan.Config(figures=False), "data", "test")
    assert (images > 0).mean() > 1.5 * (whole > 0).mean()  # The same digits, larger.


def test_a_figure_is_cut_by_hand():
    images = np.full((2, 9, 7, 2), -1.0, "float32")
    images[0, 2:6, 5:7, 1] = 0.5
    cut = cyclegan.cut_to_figures(images, (4, 4))
    expected = np.full((4, 4), -1.0)
    expected[:, 1:3] = 0.5
    np.testing.assert_allclose(cut[0, ..., 1], expected, atol=1e-6)
    np.testing.assert_array_equal(cut[0, ..., 0], -1.0)
    np.testing.assert_array_equal(cut[1], -1.0)  # Nothing but black.


def test_a_figure_is_cut_to_the_shape_asked_for():
    images = np.full((1, 9, 9, 1), -1.0, "float32")
    images[0, 4:6, 1:4] = 0.5
    cut = cyclegan.cut_to_figures(images, (4, 12))[0, ..., 0]  # Its 2 x 3 pixels are 4 x 6 of it.
    # With a pixel of black before it and two after, of the ground's 2 x 6.
    light = [column in range(2, 8) for column in range(12)]
    np.testing.assert_array_equal(cut > -0.3, np.tile(light, (4, 1)))


def test_figures_of_files_of_several_sizes(tmp_path):
    for side in range(20, 32):
        pixels = np.zeros((side, 30, 3), "uint8")
        pixels[8:12, 12:16] = 255
        keras.utils.save_img(tmp_path / f"{side}.png", pixels, scale=False)
    images, labels = cyclegan.images_of(
        cyclegan.Config(data=str(tmp_path), figures=True), "data", "train"
    )
    assert labels is None and images.shape[1:] == (16, 16, 3) and images.mean() > 0.0


def test_there_are_no_pairs_to_score(tmp_path):
    config = cyclegan.Config(
        data="digits", second="digits", image_size=8, evaluate=["l1"], out=str(tmp_path),
        export="none",
    )  # fmt: skip
    with pytest.raises(ValueError, match="`evaluate` must name metrics of sets.*'l1'"):
        cyclegan.run(config)
