"""The folder of a run: where its files are, whose it is, and whether it is finished."""

import contextlib
import csv
import dataclasses
import json
import pathlib
import shutil

from kgen.callbacks import checkpoint_file
from kgen.core import whole_file
from kgen.core.leftovers import clear_leftovers
from kgen.serving.versions import newest

# Another place does not make it another run. Nor do other devices: they end at the same weights but
# for rounding, and a run should go on where there are fewer of them, or more.
_NOT_COMPARED = ("out", "fresh", "new_architecture", "strategy", "replicas")


@dataclasses.dataclass(frozen=True)
class Paths:
    """Where a run has put its files."""

    config: pathlib.Path
    data: pathlib.Path
    checkpoints: pathlib.Path
    history: pathlib.Path
    tensorboard: pathlib.Path
    scores: pathlib.Path
    best: pathlib.Path
    samples: pathlib.Path
    gif: pathlib.Path
    curves: pathlib.Path
    report: pathlib.Path
    model: pathlib.Path
    export: pathlib.Path | None


def paths(out):
    """Returns the `Paths` of a run in the folder `out`, not exported yet."""
    out = pathlib.Path(out).expanduser()
    return Paths(
        config=out / "config.json",
        data=out / "data.json",
        checkpoints=out / "checkpoints",
        history=out / "history.csv",
        tensorboard=out / "tensorboard",
        scores=out / "scores.jsonl",
        best=out / "best.keras",
        samples=out / "samples",
        gif=out / "samples.gif",
        curves=out / "curves.png",
        report=out / "report",
        model=out / "model.keras",
        export=None,
    )


def check_config(paths, config, may_be_longer=False):
    """Raises if the folder holds a run of another config.

    Args:
        paths: `Paths`.
        config: The config.
        may_be_longer: Whether one that differs in having more `steps` is the same.

    Raises:
        ValueError: Names the fields that differ, or the config that is missing or unreadable.
    """
    folder = paths.config.parent
    before, now = read_json(paths.config), as_json(config)
    if before is None:
        if paths.config.exists() or paths.checkpoints.exists():
            raise ValueError(
                f"out: {folder} holds a run whose config.json is missing or cannot be read. "
                "Expected another folder (--out), or --fresh to remove that run."
            )
        return
    # An export that could not be written is asked for elsewhere; a finished run has its own.
    has_own = _mark(paths).exists() and now.get("export") != "auto"
    not_compared = _NOT_COMPARED if has_own else (*_NOT_COMPARED, "export")
    if may_be_longer and is_longer(paths, config):
        _check_goes_on(paths, before)
        not_compared = (*not_compared, "steps")
    before = {**_defaults(config, before), **before}
    names = [name for name in {**before, **now} if name not in not_compared]
    changes = [
        f"{name} was {_named(before, name)} and is now {_named(now, name)}"
        for name in names
        if _named(before, name) != _named(now, name)
    ]
    if changes:
        raise ValueError(
            f"out: {folder} holds a run of another config: {', '.join(changes)}. "
            "Expected the same config, another folder (--out), or --fresh to remove that run."
        )


def check_recipe(paths, recipe):
    """Raises if the folder holds a finished run of another recipe, by their modules' names."""
    before = recipe_of(paths)
    if None not in (before, recipe) and before != recipe:
        raise ValueError(
            f"out: {paths.config.parent} holds a run of the recipe {before}, and not of {recipe}. "
            "Expected another folder (--out), or --fresh to remove that run."
        )


def _defaults(config, before):
    """The defaults of fields that an earlier version's recipe did not have: it was as if it had."""
    fields = [field for field in dataclasses.fields(config) if field.name not in before]
    missing = dataclasses.MISSING
    values = {f.name: f.default for f in fields if f.default is not missing}
    made = {f.name: f.default_factory() for f in fields if f.default_factory is not missing}
    return json.loads(json.dumps(values | made))


def is_longer(paths, config):
    """Whether a config has more steps than the run that the folder holds."""
    steps = (read_json(paths.config) or {}).get("steps")
    return isinstance(steps, int) and config.steps > steps


def reopen(paths):
    """Has a run that is trained longer no longer be finished."""
    _mark(paths).unlink(missing_ok=True)


def _check_goes_on(paths, before):
    """Raises if a run cannot be trained longer, as it is finished and its checkpoints are gone."""
    if _mark(paths).exists() and not checkpoint_file.newest_first(paths.checkpoints):
        raise ValueError(
            f"steps: {paths.config.parent} has finished its {before['steps']} rounds and holds no "
            f"checkpoint in {paths.checkpoints} to go on from. Expected as many steps, another "
            "folder (--out), or --fresh to remove that run."
        )


def export_folder(config):
    """Returns the folder that gets a run's exports, of its own name if none is asked for.

    `None` for no export.
    """
    if config.export == "none":
        return None
    if config.export == "auto":
        return default_export(config.out)
    return pathlib.Path(config.export).expanduser()


def default_export(path):
    """Returns `saved_models/<name>` for the model in a run's folder or in a file.

    The name is the folder's, also of its model.keras, and of any other file that file's.
    """
    return pathlib.Path("saved_models", model_name(path))


def check_default_export(path):
    """Raises a ValueError if `default_export` holds versions of another run or of another file.

    Args:
        path: As of `default_export`. Of a file, versions of which nobody knows what they are of are
            another's, too.
    """
    directory, origin = default_export(path), export_origin(path)
    folder, card = newest(directory)
    if folder is None:
        return
    config = card.get("config") if isinstance(card, dict) else None
    config = config if isinstance(config, dict) else {}
    before = config.get("exported_from") or config.get("out")
    is_told = isinstance(before, str)
    is_own = export_origin(before) == origin if is_told else origin.suffix != ".keras"
    if is_own:
        return
    if not is_told:
        held = "a model of which its card does not tell where it comes from"
    elif pathlib.Path(before).suffix == ".keras":
        held = f"the model in {before}"
    else:
        held = f"the run in {before}"
    raise ValueError(
        f"export: {directory} holds versions of {held}, and this is {path}. Expected a folder for "
        "this one (kgen export --out, kgen train --export), or the same one if it is to replace "
        "what is there."
    )


def export_origin(path):
    """Returns what an export is told from others by: the run's folder, or another file's path."""
    path = pathlib.Path(path).expanduser().resolve()
    return path.parent if path.name == "model.keras" else path


def model_name(path):
    """Returns what a model on disk is called where nobody says: its run's folder, or its file."""
    path = pathlib.Path(path).expanduser().resolve()
    if path.suffix != ".keras":
        return path.name
    return path.parent.name if path.name == "model.keras" else path.stem


def claim(paths, config):
    """Makes the folder, clears what dead writers left, and writes the config it belongs to."""
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    for folder in (paths.config.parent, paths.samples, paths.report):
        clear_leftovers(folder)
    write_json(paths.config, as_json(config))


def clear(paths):
    """Removes the files of a run, and no others; an export stays.

    Of a folder that is a link the link goes, and not what it leads to; but of the checkpoints, from
    which a run goes on, what it leads to.

    Raises:
        ValueError: If something cannot be removed; checkpoints are tried first, before all else.
    """
    with refused_if_it_stays(paths.config.parent):
        if paths.checkpoints.is_symlink() and paths.checkpoints.is_dir():
            checkpoint_file.clear(paths.checkpoints)
        else:
            remove_folder(paths.checkpoints)
        for path in (paths.tensorboard, paths.report):
            remove_folder(path)
        files = [paths.history, paths.scores, paths.best, paths.best.with_suffix(".json")]
        files += [paths.gif, paths.curves, paths.model, _mark(paths), paths.data]
        files += [paths.config]
        for file in [*paths.samples.glob("step-*.png"), *files]:
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def refused_if_it_stays(folder):
    """Context of removals in a folder.

    Raises:
        ValueError: If something cannot be removed.
    """
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"--fresh: {error.filename or folder} of what was there before cannot be removed: "
            f"{error.strerror or error}. Expected another folder (--out), or to remove it by hand."
        ) from error


def remove_folder(path):
    """Removes a folder and all in it; of one that is a link, the link alone.

    Raises:
        OSError: If it cannot be removed.
    """
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def finish(paths, recipe):
    """Marks the run as finished: of which recipe, the name of a module, and where its export is."""
    export = None if paths.export is None else str(paths.export)
    write_json(_mark(paths), {"export": export, "recipe": recipe})


def recipe_of(paths):
    """Returns the name of the module of a finished run's recipe, or `None` if nothing tells."""
    name = (read_json(_mark(paths)) or {}).get("recipe")
    return name if isinstance(name, str) else None


def finished(paths):
    """Returns the history of a finished run and its `Paths`; `None` if it is not finished.

    Not finished is also a run whose mark cannot be read or whose model is missing; rows of the
    history that cannot be read are left out.
    """
    mark = read_json(_mark(paths))
    if mark is None or "export" not in mark or not paths.model.exists():
        return None
    export = None if mark["export"] is None else pathlib.Path(mark["export"])
    return _history(paths.history), dataclasses.replace(paths, export=export)


def _history(path):
    """The dict from the names of a history's columns to their numbers."""
    history = {}
    with contextlib.suppress(OSError, UnicodeDecodeError, csv.Error), path.open() as file:
        for row in csv.DictReader(file):
            try:
                numbers = {n: float(v) for n, v in row.items() if n != "epoch" and v != "NA"}
            except (TypeError, ValueError):  # A row that was cut has a field without value.
                continue
            for name, number in numbers.items():
                history.setdefault(name, []).append(number)
    return history


def _named(fields, name):
    return repr(fields[name]) if name in fields else "not set"


def _mark(paths):
    return paths.config.with_name("finished.json")


def as_json(config):
    """The config's fields as they come back out of a JSON file."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def read_json(path):
    """Returns the dict in a JSON file; `None` if it is missing or holds anything else."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_json(path, content):
    """Writes a JSON file, whole or not at all."""
    whole_file.write_text(path, json.dumps(content, indent=2) + "\n")
