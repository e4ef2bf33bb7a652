"""A search over a recipe's config with KerasTuner: `python -m recipes.tune dcgan --trials 20`."""

import dataclasses
import pathlib
import tempfile
from typing import Literal

import tyro

import kgen.tuning
from kgen.core.owner import owned
from kgen.suggestion import did_you_mean
from kgen.tuning import processes
from kgen.tuning.fields import changed
from recipes.run_folder import refused_if_it_stays, remove_folder
from recipes.tune import report
from recipes.tune.spaces import RECIPES

EPOCHS = 9  # Of Hyperband's longest trainings: rungs of 1, 3 and 9.


@dataclasses.dataclass(frozen=True)
class Config:
    """The fields of all searches."""

    trials: int = 20
    """How many settings to try at most; of Hyperband, one that goes on counts again."""
    search: Literal["random", "hyperband", "bayesian"] = "random"
    """How settings are chosen."""
    objective: str | None = None
    """Metric to search by, such as val_frechet, val_kernel, val_nll or modes; None for the one that
    suits the recipe."""
    fields: list[str] | None = None
    """Fields to search, out of those of the recipe's space; None for all of it."""
    seeds: int = 1
    """Trainings of each trial, each with another seed; their mean is its score."""
    epochs: int | None = None
    """Parts that a training is divided into for Hyperband; None for 9, of the others 1."""
    seed: int = 0
    """Seed of the choice of settings."""
    out: str | None = None
    """Folder of the search; None for runs/tune/<recipe>. A search goes on where it stopped."""
    fresh: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether to start over: removes the search that the folder holds."""


def run(name, config, fixed=None, held=()):
    """Runs what is left of a search and writes what it has found.

    Args:
        name: Name of the recipe.
        config: `Config`.
        fixed: The recipe's config, for all fields that are not searched; `None` for its defaults.
            A field that is not its default there is not searched.
        held: Names of further fields that are not searched, though they have their defaults.

    Returns:
        A `report.Result`.

    Raises:
        ValueError: If a field is not as described, or the folder holds another search, is another
            process's (a `kgen.core.owner.FolderInUseError`), or is to be cleared and cannot be.
    """
    if name not in RECIPES:
        raise ValueError(f"`name` must be one of {list(RECIPES)}, received {name!r}.")
    searched = RECIPES[name]
    folder = pathlib.Path(config.out or f"runs/tune/{name}").expanduser()
    epochs = config.epochs
    if epochs is None:
        epochs = EPOCHS if config.search == "hyperband" else 1
    held = {*held} if fixed is None else {*held, *changed(fixed)}
    hypermodel = kgen.tuning.hypermodel(
        searched.recipe,
        _space(searched.space, config.fields, held),
        fixed,
        config.objective or searched.objective,
        config.seeds,
        epochs,
    )
    settings = (config.search, None, config.trials, config.seed)
    with owned(folder, processes.lock_name()):
        if config.fresh and processes.checked_role() != "worker":
            _prove(hypermodel, settings)
            _clear(folder)
        tuner = kgen.tuning.tuner(hypermodel, folder / "search", *settings)
        tuner.search()
        if tuner.is_worker:
            text = "Nothing is left for this worker; the chief writes the results."
            print(text)
            return report.Result(None, text, {})
        return report.write(folder, name, tuner)


def _space(space, fields, fixed):
    """Returns the part of a space that is searched: the `fields`, or all, but those `fixed`."""
    left = {name: space[name] for name in space if name not in fixed}
    if fields is None and left:
        return left
    unknown = sorted(set(fields or ()) - set(left))
    if unknown or not fields:
        held = f", as --fixed gives {sorted(fixed & set(space))}" if fixed & set(space) else ""
        meant = did_you_mean(unknown[0], left) if unknown else ""
        raise ValueError(
            f"`fields` must name fields of {list(left)}{held}; received {fields}.{meant}"
        )
    return {name: space[name] for name in fields}


def _prove(hypermodel, settings):
    """Raises what a search would raise before its first trial: nothing is removed for such a one.

    Its checks, its data and its model are those of one in an empty folder.
    """
    with tempfile.TemporaryDirectory() as empty:
        tuner = kgen.tuning.tuner(hypermodel, pathlib.Path(empty, "search"), *settings)
        model = hypermodel.build(tuner.oracle.get_space())
        hypermodel.check_scoring(tuner.oracle.objective, model)


def _clear(folder):
    with refused_if_it_stays(folder):
        remove_folder(folder / "search")
        for name in report.FILES.values():
            (folder / name).unlink(missing_ok=True)
