"""`kgen export <model>`: writes a trained model as the next version of a SavedModel."""

import dataclasses
import pathlib
from typing import Literal

import tyro

from recipes.ending import errors_told


@dataclasses.dataclass(frozen=True)
class Export:
    """Writes a trained model as the next version of a SavedModel, or as an ONNX or LiteRT file."""

    model: tyro.conf.Positional[str]
    """A run's folder, such as runs/dcgan, or a .keras file."""
    out: str | None = None
    """Folder that gets the SavedModel as <out>/<version>/, or the file; None for
    saved_models/<name of the run> or <name of the run>.<format>."""
    format: Literal["saved_model", "onnx", "litert"] = "saved_model"
    """What to write."""
    ability: str | None = None
    """What an ONNX or LiteRT file computes: decode, encode, reconstruct, translate or score; None
    for the first that the model can do."""
    max_pixels: int = 2**24
    """The most pixels, height x width, of a file that a request to the SavedModel may hold."""
    max_count: int = 1000
    """The most images that a request to the SavedModel may ask for, and the most files."""
    new_architecture: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether the SavedModel may follow versions of another architecture in that folder."""


def main(arguments):
    """Prints the path of what was written.

    Raises:
        ValueError: If a field is not as described, or the model's outputs hold NaN.
        NotImplementedError: If the model can do nothing that could be served.
    """
    config = tyro.cli(Export, prog="kgen export", args=arguments)
    # Not above: `--help` need not wait for TensorFlow.
    import kgen.serving
    from recipes import run_folder
    from recipes.command_line.saved import load_model, run_classes, run_config
    from recipes.finish import newest_scores

    if config.ability is not None and config.format == "saved_model":
        raise ValueError(
            f"ability: a SavedModel has all of them, expected none, received {config.ability!r}."
        )
    path = pathlib.Path(config.model).expanduser()
    model = load_model(path)
    if config.format == "saved_model":
        scores = newest_scores(run_folder.paths(path)) if path.is_dir() else None
        if config.out is None:
            run_folder.check_default_export(path)
        out = config.out or run_folder.default_export(path)
        names = run_classes(path)
        settings = run_config(path) | ({} if names is None else {"class_names": names})
        settings["exported_from"] = str(run_folder.export_origin(path))
        limits = {"max_pixels": config.max_pixels, "max_count": config.max_count}
        told = (settings, scores or None, config.new_architecture)
        with errors_told(out):
            print(kgen.serving.export(model, out, *told, **limits))
        return
    write = {"onnx": kgen.serving.export_onnx, "litert": kgen.serving.export_litert}[config.format]
    suffix = {"onnx": ".onnx", "litert": ".tflite"}[config.format]
    out = config.out or run_folder.model_name(path) + suffix
    try:
        with errors_told(out):
            print(write(model, out, config.ability))
    except ImportError as error:
        raise ValueError(f"format: {error}") from error
