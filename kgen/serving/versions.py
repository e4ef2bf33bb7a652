"""Numbered versions of a servable, each written whole before it is seen."""

import errno
import json
import os
import pathlib
import shutil

from kgen.core.leftovers import UNFINISHED, clear_leftovers, unfinished_name
from kgen.core.sync_folder import sync_folder


def write_next_version(directory, write):
    """Has `write` fill a folder and makes it the next version, `<directory>/<number>/`.

    The folder is filled under a name that no server takes for a version, flushed to the disk and
    then renamed. Of two that do this at once, each gets a number of its own.

    Args:
        directory: Folder of the servable, made if missing; versions are counted from 1.
        write: Function of the folder's path.

    Returns:
        The path of the version's folder, a string.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    clear_leftovers(directory)
    unfinished = directory / unfinished_name(UNFINISHED)
    unfinished.mkdir()
    try:
        write(str(unfinished))
        _flush(unfinished)
        version = _renamed(unfinished, directory)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    sync_folder(directory)
    return str(version)


def versions_in(directory):
    """Returns the numbers of the versions in a servable's folder, in rising order."""
    # What is no plain decimal is no version for TensorFlow Serving either.
    names = [path.name for path in pathlib.Path(directory).iterdir()]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def newest(directory):
    """Returns the folder of a servable's newest version and its model card, `None` where none is.

    Args:
        directory: Folder of the servable, which may be missing.
    """
    directory = pathlib.Path(directory).expanduser()
    version = max(versions_in(directory), default=None) if directory.is_dir() else None
    if version is None:
        return None, None
    folder = directory / str(version)
    try:
        return folder, json.loads((folder / "assets.extra" / "model_card.json").read_text("utf-8"))
    except (OSError, ValueError):
        return folder, None


def check_architecture(directory, system, architecture):
    """Raises a ValueError if the newest version of a servable is of another architecture.

    Args:
        directory: Folder of the servable, which may be missing.
        system, architecture: What the model card of the version to come will say.
    """
    folder, card = newest(directory)
    if folder is None:
        return
    try:
        before = card["system"], card.get("architecture", architecture)
    except (KeyError, TypeError, AttributeError):
        # No card that can be read: nobody knows what another's SavedModel is.
        if not (folder / "saved_model.pb").exists():
            return
        before = "model of which no card tells", None
    if before != (system, architecture):
        raise ValueError(
            f"`directory`: {folder} is a {before[0]}, of another architecture than this {system}. "
            "Expected a folder of its own, or `new_architecture` for a version that those who ask "
            "for the ones before it may not expect."
        )


def _renamed(unfinished, directory):
    while True:
        version = directory / str(max(versions_in(directory), default=0) + 1)
        try:
            return unfinished.rename(version)
        except OSError as error:
            # Another one was faster; a folder that holds something is never replaced.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise


def _flush(folder):
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                os.fsync(file.fileno())
        sync_folder(root)
