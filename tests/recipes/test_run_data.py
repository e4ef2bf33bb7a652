"""A run says that its data have changed: once, whatever it is asked."""

import dataclasses
import json
import shutil
import warnings

import keras
import numpy as np
import pytest

from recipes import run_data, run_folder, training, vae
from recipes.command_line.evaluate import main as evaluate


def warned(function, *arguments):
    """What a function warns of, a list of texts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*arguments)
    return [str(one.message) for one in caught if one.category is UserWarning]


@pytest.fixture
def folder(tmp_path):
    """A folder of 60 images."""
    random = np.random.default_rng(0)
    for index in range(60):
        path = tmp_path / "mine" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        keras.utils.save_img(path, random.integers(0, 256, (8, 8, 1)), scale=False)
    return tmp_path / "mine"


def test_what_is_said_when_a_folder_has_changed(tmp_path, folder, capsys):
    config = vae.Config(
        data=str(folder), batch_size=8, steps=1, filters=4, out=str(tmp_path / "run"), export="none"
    )
    asked = [config.out, "--metrics", "kernel", "--split", "train"]
    assert not warned(vae.run, config)
    assert not warned(vae.run, config)
    assert not warned(evaluate, asked)
    shutil.copytree(folder, tmp_path / "copy")  # Written at another time.
    for path in (tmp_path / "copy").iterdir():
        shutil.copy(path, folder)
        shutil.copy(path, folder / f"another-{path.name}")
    expected = f"The data of {config.out} have changed since it was trained: {folder}."
    for question in ((vae.run, config), (evaluate, asked)):
        (said,) = warned(*question)
        assert said.startswith(expected)
    longer = dataclasses.replace(config, steps=2)
    (said,) = warned(vae.run, longer)
    assert "was trained on other data than there are now" in said
    assert not warned(vae.run, longer)
    assert not warned(evaluate, asked)


def test_data_are_remembered_with_their_classes_and_go_with_the_run(tmp_path, folder):
    config = training.Config(data=str(folder), out=str(tmp_path / "run"))
    paths = run_folder.paths(config.out)
    paths.config.parent.mkdir()
    fields = run_folder.as_json(config)
    assert not warned(run_data.warn_if_changed, paths, fields)
    run_data.remember(paths, config, ["cats", "dogs"])
    assert set(json.loads(paths.data.read_text())) == {"fingerprints", "class_names"}
    assert run_data.class_names(paths) == ["cats", "dogs"]
    shutil.rmtree(folder)
    assert len(warned(run_data.warn_if_changed, paths, fields)) == 1
    assert not warned(run_data.warn_if_changed, paths, fields | {"data": "mnist5k"})[1:]
    run_folder.clear(paths)
    assert not warned(run_data.warn_if_changed, paths, fields)
