"""What classes are called: in data, in a run's folder, on the command line and in pictures."""

import json

import numpy as np
import PIL.Image
import pytest

import kgen.data
from kgen.plotting import save_grid
from recipes import run_data, run_folder
from recipes.cgan import Config
from recipes.command_line.sample import numbered


def folder_of(folder, *names):
    for name in names:
        path = folder / name / "a.png"
        path.parent.mkdir(parents=True)
        PIL.Image.new("L", (4, 4)).save(path)
    return folder


def test_they_are_the_subfolders_in_the_order_of_their_labels(tmp_path):
    folder = folder_of(tmp_path / "animals", "dogs", "cats")
    assert kgen.data.class_names(folder) == ["cats", "dogs"]
    splits = folder_of(tmp_path / "split", "train/dogs", "train/ants", "test/cats")
    assert kgen.data.class_names(str(splits)) == ["ants", "cats", "dogs"]
    assert kgen.data.class_count(splits) == 3
    assert kgen.data.class_names(folder_of(tmp_path / "flat", ".") / ".") is None
    assert kgen.data.class_names("mnist5k") is None
    with pytest.raises(ValueError, match="no such name"):
        kgen.data.class_names("nowhere")


def test_a_run_keeps_them_for_its_card_and_its_labels(tmp_path):
    paths = run_folder.paths(tmp_path)
    config = Config(data="animals")
    assert run_data.class_names(paths) is None
    assert "class_names" not in run_data.card_of(paths, config)
    run_data.remember(paths, config, ["cats", "dogs"])
    assert json.loads((tmp_path / "data.json").read_text())["class_names"] == ["cats", "dogs"]
    assert run_data.card_of(paths, config)["class_names"] == ["cats", "dogs"]
    assert numbered(["dogs", "0"], run_data.class_names(paths)) == [1, 0]
    with pytest.raises(ValueError, match="received 'dog'. Did you mean 'dogs'?"):
        numbered(["dog"], ["cats", "dogs"])
    with pytest.raises(ValueError, match="expected numbers, received 'dogs'"):
        numbered(["dogs"], None)


def test_a_grid_has_them_beside_its_rows(tmp_path):
    images = np.linspace(-1.0, 1.0, 6 * 16, dtype="float32").reshape(6, 4, 4, 1)
    pictures = []
    for name, names in (("plain", None), ("named", ["cats", "dogs"])):
        path = save_grid(images, tmp_path / f"{name}.png", columns=3, row_names=names)
        with PIL.Image.open(path) as opened:
            pictures.append(np.asarray(opened))
    plain, named = pictures
    margin = named.shape[1] - plain.shape[1]
    assert margin > 20
    np.testing.assert_array_equal(named[:, margin:], plain)
    written = named[:, :margin].min(axis=(1, 2)) < 100
    assert [half.any() for half in np.array_split(written, 2)] == [True, True]
    with pytest.raises(ValueError, match="row_names: expected 2, one a row"):
        save_grid(images, tmp_path / "grid.png", columns=3, row_names=["cats"])
