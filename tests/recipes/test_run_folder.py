"""The folder of a run: what is removed from it, and who may have it."""

import dataclasses
import os
import shutil

import pytest

from kgen.callbacks import checkpoint_file
from kgen.core.owner import FolderInUseError, owned
from recipes import dcgan, run_folder, training
from tests.recipes.conftest import DATA_ARE_TRACED

pytestmark = DATA_ARE_TRACED


@pytest.fixture
def paths(tmp_path):
    """A run's folder with something at each place."""
    paths = run_folder.paths(tmp_path / "run")
    run_folder.claim(paths, training.Config())
    for folder in (paths.checkpoints, paths.tensorboard, paths.report, paths.samples):
        folder.mkdir()
    checkpoint_file.write(checkpoint_file.path_of(paths.checkpoints, 3), {}, {})
    (paths.tensorboard / "events").write_text("")
    (paths.report / "scores.jsonl").write_text("")
    (paths.samples / "step-000000.png").write_text("")
    for file in (paths.history, paths.model, paths.best):
        file.write_text("")
    return paths


def test_all_of_a_run_is_removed(paths):
    run_folder.clear(paths)
    assert [path.name for path in paths.config.parent.iterdir()] == ["samples"]
    assert not list(paths.samples.iterdir())


def test_checkpoints_behind_a_link_are_removed_and_other_files_there_stay(paths, tmp_path):
    elsewhere = tmp_path / "large disk"
    shutil.move(paths.checkpoints, elsewhere)
    paths.checkpoints.symlink_to(elsewhere)
    (elsewhere / "round-00000002.checkpoint.damaged").write_text("")
    (elsewhere / "mine.txt").write_text("")
    run_folder.clear(paths)
    assert paths.checkpoints.is_symlink()
    assert [path.name for path in elsewhere.iterdir()] == ["mine.txt"]


def test_of_other_links_the_link_goes(paths, tmp_path):
    elsewhere = tmp_path / "logs"
    shutil.move(paths.tensorboard, elsewhere)
    paths.tensorboard.symlink_to(elsewhere)
    shutil.rmtree(paths.checkpoints)
    paths.checkpoints.symlink_to(tmp_path / "nowhere")
    run_folder.clear(paths)
    assert not paths.tensorboard.is_symlink() and (elsewhere / "events").exists()
    assert not paths.checkpoints.is_symlink()


@pytest.mark.parametrize("behind_a_link", [False, True])
def test_checkpoints_that_cannot_be_removed_are_refused_before_all_else(
    paths, tmp_path, monkeypatch, behind_a_link
):
    if behind_a_link:
        shutil.move(paths.checkpoints, tmp_path / "elsewhere")
        paths.checkpoints.symlink_to(tmp_path / "elsewhere")
    unlink = os.unlink

    def refuse(path, *arguments, **settings):
        if str(path).endswith(".checkpoint"):
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, *arguments, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refuse)
        with pytest.raises(ValueError, match="--fresh: .*checkpoint.* cannot be removed: Permis"):
            run_folder.clear(paths)
    assert paths.config.exists() and paths.model.exists() and paths.history.exists()


def test_a_run_that_another_process_trains_is_refused(tmp_path):
    """Also with --fresh, which would remove what that one writes."""
    for fresh in (False, True):
        config = dcgan.Config(data="digits", out=str(tmp_path / "run"), fresh=fresh)
        with owned(tmp_path / "run"), pytest.raises(FolderInUseError, match="is in use by process"):
            dcgan.run(config)
        assert not list(tmp_path.iterdir())  # And nothing was written.


@dataclasses.dataclass(frozen=True)
class Newer(training.Config):
    """The config of a later version, with a field more of each kind."""

    sharpness: float = 0.5
    sizes: list[int] = dataclasses.field(default_factory=lambda: [64, 32])


def test_a_later_version_reads_an_older_run(paths):
    """A field that there was not had its default; another value makes it another run."""
    run_folder.check_config(paths, Newer())
    with pytest.raises(ValueError, match="sharpness was 0.5 and is now 0.7"):
        run_folder.check_config(paths, Newer(sharpness=0.7))
    run_folder.claim(paths, Newer())
    with pytest.raises(ValueError, match="sharpness was 0.5 and is now not set"):
        run_folder.check_config(paths, training.Config())


def test_a_finished_run_of_another_recipe_is_refused(paths):
    run_folder.finish(paths, "recipes.gan")
    run_folder.check_recipe(paths, "recipes.gan")
    run_folder.check_recipe(paths, None)  # A script of one's own.
    with pytest.raises(ValueError, match="a run of the recipe recipes.gan, and not of recipes.vae"):
        run_folder.check_recipe(paths, "recipes.vae")


def test_leftovers_of_dead_writers_are_cleared(paths):
    left = [folder / ".partial-elsewhere_1-7-0123abcd-x.png" for folder in
            (paths.config.parent, paths.samples, paths.report)]  # fmt: skip
    for path in left:
        path.write_text("")
        os.utime(path, (0, 0))
    run_folder.claim(paths, training.Config())
    assert not any(path.exists() for path in left)
