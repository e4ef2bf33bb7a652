"""The latents of a trained model: pictures of what they hold, and numbers."""

import dataclasses
import json
import pathlib

from kgen.core.owner import owned
from kgen.core.whole_file import write_text
from recipes.command_line.saved import load_model, run_config
from recipes.latents import measures, pictures
from recipes.latents.section import Skipped
from recipes.latents.subject import subject_of


@dataclasses.dataclass(frozen=True)
class Config:
    """Draws what the latents of a trained model hold, and measures it."""

    model: str
    """A run's folder, such as runs/vae, or a .keras file."""
    data: str | None = None
    """Real images, whatever `kgen.data.load` takes; None for those of the run."""
    out: str | None = None
    """Folder of the pictures; None for latents in the run's folder, of another file than
    model.keras <its name>-latents beside it."""
    seed: int = 0
    """Seed of all that is drawn."""
    examples: int = 1000
    """Held-out images, or samples of a model that cannot encode, that directions and maps are made
    of, at most; at least 100."""
    inverted: int = 16
    """Held-out images, and as many of the model's own, that are inverted; 0 for none."""
    invert_steps: int = 500
    """Steps of an inversion."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run returns.

    Attributes:
        paths: Dict from a picture's name to its file.
        scores: Dict from a number's name to it.
        skipped: List of sentences: what the model cannot do.
    """

    paths: dict
    scores: dict
    skipped: list


def _folder(path):
    """Of a run `latents` within its folder, of another file a folder of its own beside it."""
    if path.is_dir():
        return path / "latents"
    return path.with_name("latents" if path.name == "model.keras" else f"{path.stem}-latents")


def run(config):
    """Writes the pictures and `scores.json`, and returns a `Result`.

    Raises:
        ValueError: If a field is not as described, or the folder is another process's (a
            `kgen.core.owner.FolderInUseError`).
        NotImplementedError: If the model does not make images of latents.
    """
    for name, least in (("examples", 100), ("inverted", 0), ("invert_steps", 1), ("seed", 0)):
        if getattr(config, name) < least:
            raise ValueError(
                f"{name}: expected an integer of at least {least}, received "
                f"{getattr(config, name)}."
            )
    path = pathlib.Path(config.model).expanduser()
    folder = pathlib.Path(config.out or _folder(path)).expanduser()
    model = load_model(path)
    is_of_images = model.image_shape is not None and len(model.image_shape) == 3
    if "decode" not in model.abilities or not is_of_images:
        raise NotImplementedError(
            f"{type(model).__name__} makes no images of latents. It can: "
            f"{', '.join(model.abilities)}."
        )
    subject = subject_of(model, config, run_config(path))
    with owned(folder):
        return _written(subject, config, folder)


def _written(subject, config, folder):
    paths, scores, skipped = {}, {}, []
    for section in (*pictures.SECTIONS, *measures.SECTIONS):
        try:
            found = section(subject, folder)
        except Skipped as reason:
            skipped.append(str(reason))
            print(f"Skipped: {reason}")
            continue
        paths |= found.paths
        scores |= found.scores
        for name, value in found.scores.items():
            print(f"{name}: {value}")
    paths["scores"] = folder / "scores.json"
    facts = {"config": dataclasses.asdict(config), "skipped": skipped, **scores}
    write_text(paths["scores"], json.dumps(facts, indent=2) + "\n")
    return Result(paths, scores, skipped)
