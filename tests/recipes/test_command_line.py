"""The command `kgen`: what it prints and writes, and how it refuses."""

import importlib.metadata
import json
import os
import shlex
import shutil
import subprocess
import sys

import keras
import numpy as np
import PIL.Image
import pytest

from kgen.metrics import read_scores
from kgen.plotting import save_grid
from recipes import dcgan
from recipes.command_line.__main__ import COMMANDS, main
from recipes.registry import recipes
from tests.recipes.conftest import DATA_ARE_TRACED, train_untraced
from tests.serving.awake import awake
from tests.systems import SYSTEMS

pytestmark = DATA_ARE_TRACED


def kgen(line):
    """Runs the command as a shell would."""
    main(shlex.split(line))


@pytest.fixture(autouse=True, scope="module")
def read_once():
    """Reads every file once: a command changes no model."""
    read, models = keras.models.load_model, {}

    def load_model(path):
        key = str(path), os.stat(path).st_mtime_ns
        if key not in models:
            models[key] = read(path)
        return models[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keras.models, "load_model", load_model)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a finished run of dcgan, trained by the command, as its code is written."""
    folder = tmp_path_factory.mktemp("run") / "dcgan"
    with pytest.MonkeyPatch.context() as patched:
        train_untraced(patched)
        kgen(
            "train dcgan --data digits --batch-size 16 --steps 2 --filters 4 --latent-dim 4 "
            f"--log-every 2 --doctor off --export none --out {folder}"
        )
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Writes a system's model, once, and returns the path of the file.

    Its weights are such that pictures show labels and latents.
    """
    folder = tmp_path_factory.mktemp("saved")

    def save(name):
        path = folder / f"{name}.keras"
        if not path.exists():
            awake(SYSTEMS[name].make()).save(path)
        return str(path)

    return save


def refused(capsys, line):
    """What a command says on its way out with 2."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        kgen(line)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_list_names_every_recipe(capsys):
    main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(recipes())
    assert {"dcgan", "stylegan", "vae"} <= set(recipes()) and "training" not in recipes()
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("command", [*COMMANDS, None])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as left:
        main([*([] if command is None else [command]), "--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert f"kgen {command}" in said if command else all(name in said for name in COMMANDS)


def test_help_of_a_recipe_is_its_own(capsys):
    with pytest.raises(SystemExit) as left:
        main(["train", "dcgan", "--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0 and "kgen train dcgan" in said and "--latent-dim" in said


def test_trains_as_the_recipe_does(run):
    config = dcgan.Config(
        data="digits", batch_size=16, steps=2, filters=4, latent_dim=4, log_every=2, doctor="off",
        export="none", out=str(run),
    )  # fmt: skip
    trained = keras.models.load_model(run / "model.keras")
    np.testing.assert_array_equal(
        dcgan.run(config).model.sample(2, seed=0), trained.sample(2, seed=0)
    )


def test_samples_of_a_run_and_of_a_file(run, tmp_path, capsys):
    from_run, from_file = tmp_path / "run.png", tmp_path / "deep" / "file.png"
    kgen(f"sample {run} --count 6 --seed 3 --columns 3 --out {from_run}")
    assert capsys.readouterr().out.strip() == str(from_run)
    with PIL.Image.open(from_run) as picture:
        width, height = picture.size  # Small images are enlarged.
        assert width // 28 == height // 19 and width % 28 == height % 19 == 0
    kgen(f"sample {run / 'model.keras'} --count 6 --seed 3 --columns 3 --out {from_file}")
    assert from_file.read_bytes() == from_run.read_bytes()


def test_samples_of_a_class_and_nearer_to_the_mean(saved, tmp_path):
    classes, styles = saved("projection_gan"), saved("stylegan")
    out, expected = tmp_path / "samples.png", tmp_path / "expected.png"
    model = keras.models.load_model(classes)
    for labels in ([1], [1, 2]):
        given = " ".join(map(str, labels))
        kgen(f"sample {classes} --count 2 --seed 5 --labels {given} --out {out}")
        images = model.sample(2, seed=5, labels=labels if len(labels) > 1 else labels[0])
        save_grid(images, expected)
        assert out.read_bytes() == expected.read_bytes()
    kgen(f"sample {styles} --count 2 --psi 0 --columns 2 --out {out}")
    with PIL.Image.open(out) as picture:
        scale = picture.width // 19
        pixels = np.asarray(picture)[::scale, ::scale]
    np.testing.assert_array_equal(pixels[:, 1:9], pixels[:, 10:18])  # Both are the mean image.


def test_samples_of_the_weights_as_training_left_them(saved, tmp_path):
    path, out, expected = saved("dcgan"), tmp_path / "raw.png", tmp_path / "expected.png"
    model = keras.models.load_model(path)
    for line, images in (
        ("", model.sample(2, seed=5)),
        ("--raw", model.sample(2, seed=5, raw=True)),
        ("--raw --psi 0.5", model.decode(0.5 * model.latents(2, seed=5), raw=True)),
    ):
        kgen(f"sample {path} --count 2 --seed 5 --out {out} {line}")
        save_grid(images, expected, clip=True)
        assert out.read_bytes() == expected.read_bytes()


def test_psi_of_a_model_without_styles_is_that_of_its_latents(run, saved, tmp_path):
    out, expected = tmp_path / "samples.png", tmp_path / "expected.png"
    kgen(f"sample {run} --count 4 --seed 3 --psi 0.7 --out {out}")
    model = keras.models.load_model(run / "model.keras")
    save_grid(model.decode(0.7 * model.latents(4, seed=3)), expected)
    assert out.read_bytes() == expected.read_bytes()
    # A label is no latent.
    path = saved("projection_gan")
    kgen(f"sample {path} --count 4 --seed 3 --labels 1 --psi 0 --out {out}")
    model = keras.models.load_model(path)
    latents = model.latents(4, seed=3, labels=1)
    latents = np.where(np.arange(latents.shape[1]) < latents.shape[1] - 3, 0.0, latents)
    save_grid(model.decode(latents), expected)
    assert out.read_bytes() == expected.read_bytes()


def test_evaluates_against_the_data_of_the_run(run, tmp_path, capsys):
    out = tmp_path / "scores.jsonl"
    kgen(f"evaluate {run} --metrics frechet recall --extractor random --samples 300 --out {out}")
    assert "frechet_distance" in capsys.readouterr().out
    scores = {facts["name"]: (facts, score) for facts, score in read_scores(out)}
    assert list(scores) == ["frechet", "recall"]
    facts, recall = scores["recall"]
    assert facts["round"] == 2 and recall.card.samples == 300
    assert recall.card.split == "test"


def test_a_run_that_saw_the_validation_split_is_not_scored_on_it(run, tmp_path, capsys):
    kgen(f"evaluate {run} --metrics kernel --extractor random --split validation --samples 60")
    assert "split validation" in capsys.readouterr().out
    saw = shutil.copytree(run, tmp_path / "saw")
    fields = json.loads((saw / "config.json").read_text())
    (saw / "config.json").write_text(json.dumps({**fields, "split": "train+validation"}))
    said = refused(capsys, f"evaluate {saw} --metrics kernel --split validation")
    assert "split:" in said and "trained on its validation images" in said


def test_exports_with_the_config_on_the_card(run, tmp_path, capsys):
    kgen(f"export {run} --out {tmp_path / 'served'} --max-count 9 --max-pixels 5000")
    path = tmp_path / "served" / "1"
    assert capsys.readouterr().out.strip() == str(path)
    card = json.loads((path / "assets.extra" / "model_card.json").read_text())
    assert card["config"]["data"] == "digits"
    assert card["limits"] == {"max_count": 9, "max_pixels": 5000, "image_margin": 0.0}
    kgen(f"serve-config {tmp_path} --base-path /srv")
    assert '"/srv/served"' in (tmp_path / "models.config").read_text()


def test_bad_input_is_one_sentence(run, saved, tmp_path, capsys):
    def said(line):
        return refused(capsys, line)

    assert "received 'draw'" in said("draw")
    assert "Did you mean 'gan'" in said("train gans")
    assert "out: " in said(f"train dcgan --out {run} --steps 3")
    for line in ("sample nowhere", "evaluate nowhere --data digits", "export nowhere"):
        assert "nowhere does not exist" in said(line)
    assert "holds no model.keras" in said(f"sample {tmp_path}")
    (tmp_path / "torn.keras").write_bytes(b"PK")
    assert "torn.keras is damaged, or no" in said(f"sample {tmp_path / 'torn.keras'}")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    assert "holds a Sequential" in said(f"export {tmp_path / 'other.keras'}")
    assert "cutoff: a GAN has none, received 2" in said(f"sample {run} --cutoff 2 --out no.png")
    assert "no InfoGAN, whose codes" in said(f"sample {saved('infogan')} --psi 0.5")
    assert "received nan" in said(f"sample {run} --psi nan")
    assert "`count` must be" in said(f"sample {run} --count 0")
    assert "cannot `sample`" in said(f"sample {saved('pix2pix')}")
    assert "data: expected" in said(f"evaluate {saved('vae')}")
    assert "where there are none" in said(f"serve-config {tmp_path}")
    assert "ability: a SavedModel" in said(f"export {run} --ability decode")


def test_it_is_installed_and_starts_without_tensorflow():
    script = (
        "import sys; from recipes.command_line.__main__ import main; main(['list'])\n"
        "try: main(['export', '--help'])\n"
        "except SystemExit as left: assert left.code == 0\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="kgen")
    assert entry.load() is main


def test_a_model_that_translates_is_scored_as_its_recipe_says(tmp_path, capsys, untraced, bare):
    folder = tmp_path / "pix2pix"
    kgen(
        "train pix2pix --data digits --task denoise --batch-size 16 --steps 2 --filters 4 "
        "--discriminator-filters 4 --log-every 2 --held-out 20 --seed 3 --export none "
        f"--out {folder}"
    )
    reported = {
        facts["name"]: score for facts, score in read_scores(folder / "report/scores.jsonl")
    }
    out = tmp_path / "scores.jsonl"
    kgen(f"evaluate {folder} --metrics l1 psnr --out {out}")
    for facts, score in read_scores(out):
        assert float(score) == pytest.approx(float(reported[facts["name"]]), rel=1e-5)
    said = refused(capsys, f"evaluate {folder / 'model.keras'} --data digits --metrics l1")
    assert "Pix2Pix translates" in said and "expected a run's folder" in said


def test_a_file_of_scores_that_cannot_be_written_is_told_before_the_work(run, tmp_path, capsys):
    (tmp_path / "file").touch()
    said = refused(capsys, f"evaluate {run} --metrics nosuch --out {tmp_path / 'file/scores'}")
    assert "file" in said and "nosuch" not in said
