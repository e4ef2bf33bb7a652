"""Trained models on disk: of a run's folder, or a `.keras` file."""

import pathlib
import zipfile

import keras

import kgen
from kgen import models  # noqa: F401  Their classes have to be known to be read.
from recipes import run_data, run_folder


def load_model(path):
    """Returns the `kgen.GenerativeModel` in a run's folder or a file.

    Args:
        path: A run's folder, which holds `model.keras`, or the path of a `.keras` file.

    Raises:
        ValueError: If there is no such model.
    """
    model = load(path)
    if not isinstance(model, kgen.GenerativeModel):
        raise ValueError(f"model: {path} holds a {type(model).__name__}, expected one of kgen's.")
    return model


def load(path):
    """Returns whatever Keras has saved in a run's folder or a file, as a model or a detector.

    Args:
        path: As of `load_model`.

    Raises:
        ValueError: If there is nothing that can be read.
    """
    path = pathlib.Path(path).expanduser()
    file = path / "model.keras" if path.is_dir() else path
    if not file.exists():
        reason = (
            "holds no model.keras: no run, or one whose training has not finished"
            if path.is_dir()
            else "does not exist"
        )
        raise ValueError(f"model: expected a run's folder or a .keras file; {path} {reason}.")
    if not zipfile.is_zipfile(file):
        raise ValueError(f"model: {file} is damaged, or no .keras file.")
    try:
        return keras.models.load_model(file)
    except Exception as error:  # Keras raises whatever the file has it come across.
        raise ValueError(f"model: {file} cannot be read: {error}") from error


def run_classes(path):
    """Returns what the classes of a run are called, of its folder or a file in it, or `None`."""
    return run_data.class_names(_paths(path))


def warn_if_data_changed(path):
    """Warns if the data of a run, in its folder or a file in it, have changed since."""
    run_data.warn_if_changed(_paths(path), run_config(path))


def run_config(path):
    """Returns the fields of the config of a run in a folder; an empty dict where there is none."""
    return run_folder.read_json(_paths(path).config) or {}


def _paths(path):
    """The `Paths` of the run in a folder, or of the one that a file lies in."""
    path = pathlib.Path(path).expanduser()
    return run_folder.paths(path if path.is_dir() else path.parent)
