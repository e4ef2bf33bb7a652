"""The recipes by name, and that nothing else is imported by one."""

import json
import sys

import pytest

from recipes import registry
from recipes.command_line.__main__ import main
from recipes.tune import spaces
from tests.systems import SYSTEMS


def test_the_recipes_are_those_that_are_searched():
    assert set(registry.recipes()) == set(spaces.RECIPES)
    assert registry.imported("dcgan") is spaces.RECIPES["dcgan"].recipe


@pytest.mark.parametrize("name", ["stranger", "recipes.training", "os", "..stranger", ""])
def test_what_is_no_recipe_is_not_imported(name, tmp_path, monkeypatch):
    (tmp_path / "stranger.py").write_text("raise SystemExit('ran the code of a stranger')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="expected one of autoencoder, .*received "):
        registry.imported(name)
    assert "stranger" not in sys.modules


def test_a_downloaded_run_does_not_say_what_is_imported(tmp_path, monkeypatch, capsys):
    folder, code = tmp_path / "run", tmp_path / "code"
    folder.mkdir()
    code.mkdir()
    (code / "stranger.py").write_text("raise SystemExit('ran the code of a stranger')")
    monkeypatch.syspath_prepend(code)
    SYSTEMS["pix2pix"].make().save(folder / "model.keras")
    (folder / "config.json").write_text(json.dumps({"data": "digits"}))
    for recipe, said in (("stranger", "received 'stranger'"), (["os"], "expected a run's folder")):
        (folder / "finished.json").write_text(json.dumps({"export": None, "recipe": recipe}))
        with pytest.raises(SystemExit) as left:
            main(["evaluate", str(folder), "--metrics", "l1"])
        assert left.value.code == 2 and said in capsys.readouterr().err
    # Nor does it get by the checks of what it holds.
    (folder / "finished.json").write_text('{"export": null, "recipe": "recipes.pix2pix"}')
    (folder / "config.json").write_text(json.dumps({"data": "digits", "held_out": "many"}))
    with pytest.raises(SystemExit) as left:
        main(["evaluate", str(folder), "--metrics", "l1"])
    assert left.value.code == 2 and "'held_out' must be an integer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line, expected",
    [
        ("trian dcgan", "Did you mean 'train'?"),
        ("train dcgna", "Did you mean 'dcgan'?"),
        ("tune wgan-gp", "Did you mean 'wgan_gp'?"),
        ("benchmark rign", "Did you mean 'ring'?"),
        ("train zzz", "received 'zzz'.\n"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_the_name_that_was_meant(line, expected, capsys):
    with pytest.raises(SystemExit) as left:
        main(line.split())
    assert left.value.code == 2 and expected in capsys.readouterr().err
