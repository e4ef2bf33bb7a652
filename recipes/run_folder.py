"""The folder of a run: where its files are, whose it is, and whether it is finished."""

import csv
import dataclasses
import json
import os
import pathlib
import shutil

# Another place does not make it another run. Nor do other devices: they end at the same weights but
# for rounding, and a run should go on where there are fewer of them, or more.
_NOT_COMPARED = ("out", "fresh", "strategy", "replicas")


@dataclasses.dataclass(frozen=True)
class Paths:
    """Where a run has put its files."""

    config: pathlib.Path
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
    out = pathlib.Path(out)
    return Paths(
        config=out / "config.json",
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


def check_config(paths, config):
    """Raises if the folder holds a run of another config.

    Raises:
        ValueError: Names the fields that differ, or the config that is missing or unreadable.
    """
    folder = paths.config.parent
    before, now = _read_json(paths.config), as_json(config)
    if before is None:
        if paths.config.exists() or paths.checkpoints.exists():
            raise ValueError(
                f"out: {folder} holds a run whose config.json is missing or cannot be read. "
                "Expected another folder (--out), or --fresh to remove that run."
            )
        return
    # An export that could not be written is asked for elsewhere; a finished run has its own.
    not_compared = _NOT_COMPARED if _mark(paths).exists() else (*_NOT_COMPARED, "export")
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


def claim(paths, config):
    """Makes the folder and writes the config that it belongs to."""
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    _write_json(paths.config, as_json(config))


def clear(paths):
    """Removes the files of a run, and no others; an export stays."""
    for path in (paths.checkpoints, paths.tensorboard, paths.report):
        shutil.rmtree(path, ignore_errors=True)
    files = [paths.history, paths.scores, paths.best, paths.best.with_suffix(".json"), paths.gif]
    files += [paths.curves, paths.model, _mark(paths), paths.config]
    for file in [*paths.samples.glob("step-*.png"), *files]:
        file.unlink(missing_ok=True)


def finish(paths, recipe):
    """Marks the run as finished: of which recipe, the name of a module, and where its export is."""
    export = None if paths.export is None else str(paths.export)
    _write_json(_mark(paths), {"export": export, "recipe": recipe})


def recipe_of(paths):
    """Returns the name of the module of a finished run's recipe, or `None` if nothing tells."""
    name = (_read_json(_mark(paths)) or {}).get("recipe")
    return name if isinstance(name, str) else None


def finished(paths):
    """Returns the history of a finished run and its `Paths`; `None` if it is not finished.

    Not finished is also a run of whose files one is missing or cannot be read.
    """
    mark = _read_json(_mark(paths))
    if mark is None or "export" not in mark or not paths.model.exists():
        return None
    export = None if mark["export"] is None else pathlib.Path(mark["export"])
    history = {}
    try:
        with paths.history.open() as file:
            for row in csv.DictReader(file):
                for name, value in row.items():
                    if name != "epoch" and value != "NA":
                        history.setdefault(name, []).append(float(value))
    except (OSError, ValueError, TypeError):  # A row that was cut has a field without value.
        return None
    return None if not history else (history, dataclasses.replace(paths, export=export))


def _named(fields, name):
    return repr(fields[name]) if name in fields else "not set"


def _mark(paths):
    return paths.config.with_name("finished.json")


def as_json(config):
    """The config's fields as they come back out of a JSON file."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def _read_json(path):
    """The dict in a JSON file; `None` if it is missing or holds anything else."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _write_json(path, content):
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(partial, path)
