"""A search over a recipe's config: KerasTuner's tuner around kgen's hypermodel."""

import dataclasses
import json
import os
import pathlib
import shutil
import time

import keras_tuner

from kgen.core.owner import owned
from kgen.tuning import processes, record
from kgen.tuning.execution import Execution
from kgen.tuning.hypermodel import RecipeHyperModel, RefusedError, summary
from kgen.tuning.objectives import checked_objective
from kgen.tuning.oracles import SEARCHES, has_failed, oracle
from kgen.tuning.record import Record, remove_checkpoints, write_json

IDENTITY = "search.json"


def tuner(hypermodel, folder, search="random", objective=None, trials=20, seed=0):
    """Returns a `keras_tuner.Tuner` whose `search()` runs what is left of the trials.

    A search that was killed goes on, with the same arguments and folder, after the last
    checkpoint of the trial that was running. With more `trials` one that has ended goes on, too.

    With the environment variables `KERASTUNER_TUNER_ID` (`"chief"`, or another name for each
    worker), `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT` the same program is the chief that
    deals out trials, or a worker that runs them, over KerasTuner's gRPC; all see the same folder.
    Workers outlive a chief that is killed and started again. A worker that is killed and started
    again has its trial back; the chief waits for it, so that for one whose machine is lost another
    has to be started with its name. One that comes when the chief has ended waits for the next
    chief, up to an hour, as KerasTuner has it.

    Example:
        hypermodel = kgen.tuning.hypermodel(recipes.dcgan, {"filters": [16, 32, 64]}, seeds=2)
        tuner = kgen.tuning.tuner(hypermodel, "runs/mine", "bayesian", "val_frechet", trials=20)
        tuner.search()
        print(kgen.tuning.results(tuner)[0].values)

    Args:
        hypermodel: What `kgen.tuning.hypermodel` returned.
        folder: Folder of the search.
        search: `"random"`, `"hyperband"` (Li et al. 2018, arXiv 1603.06560; the hypermodel's
            `epochs` are those of its longest trainings, so there have to be some; one that goes on
            counts as a trial again), or `"bayesian"` (a Gaussian process).
        objective: `kgen.tuning.objective(name)` or the name alone; `None` for the hypermodel's,
            and where that has none `"val_frechet"`.
        trials: How many trials at most; fewer where the space has no more.
        seed: Integer seed of the values drawn.

    Raises:
        ValueError: If an argument is not of this form, the folder holds another search, the recipe
            does not work with the config, only some of the variables are set, or the chief cannot
            listen at its address.
    """
    if not isinstance(hypermodel, RecipeHyperModel):
        raise ValueError(
            f"`hypermodel` must be made by kgen.tuning.hypermodel, received {hypermodel!r}."
        )
    if search not in SEARCHES:
        raise ValueError(f"`search` must be one of {list(SEARCHES)}, received {search!r}.")
    for name, value, least in (("trials", trials, 1), ("seed", seed, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(
                f"`{name}` must be an integer of at least {least}, received {value!r}."
            )
    if search == "hyperband" and hypermodel.epochs < 2:
        raise ValueError(
            "`hypermodel` must have at least 2 epochs for search='hyperband', which compares "
            f"trainings after some of them; received epochs={hypermodel.epochs}."
        )
    given = hypermodel.objective or "val_frechet" if objective is None else objective
    found = checked_objective(given)
    own = hypermodel.objective
    if own is not None and own.name != found.name:
        raise ValueError(
            f"`objective` must be the hypermodel's, {own.name!r}, received {found.name!r}."
        )
    processes.checked_role()
    identity = {"search": search, "objective": found.name, "seed": seed, **_identity(hypermodel)}
    folder = pathlib.Path(folder).expanduser()
    if check_folder(folder, identity) and processes.role() != "worker":
        with owned(folder, processes.lock_name()):
            _remove(folder)
    asked = oracle(search, found, trials, hypermodel.epochs, seed)
    return RecipeTuner(asked, hypermodel, folder, identity)


def check_folder(folder, identity):
    """Returns whether a folder holds a search that differs and has not finished a single training.

    Raises:
        ValueError: If it holds one that differs and has; names where.
    """
    try:
        before = json.loads((folder / IDENTITY).read_text())
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise ValueError(f"`folder`: {folder / IDENTITY} cannot be read: {error}") from error
    now = json.loads(json.dumps(identity, default=str))
    changes = [
        f"{name} was {before.get(name, 'not set')!r} and is now {now.get(name, 'not set')!r}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    records = [record.read(path) for path in folder.glob("trial_*")]
    if changes and any(content and content["executions"] for content in records):
        raise ValueError(
            f"`folder`: {folder} holds another search: {', '.join(changes)}. Expected the same, "
            "or another folder."
        )
    return bool(changes)


def _remove(folder):
    """Removes what a search has written that had finished nothing, such as one of a slip's."""
    print(f"{folder} holds a search that has not finished a trial, which is begun anew.")
    for path in folder.glob("trial_*"):
        shutil.rmtree(path)
    for name in (IDENTITY, "oracle.json"):
        (folder / name).unlink(missing_ok=True)


def _identity(hypermodel):
    """All that decides what a search finds, but for how many trials it has."""
    config = dataclasses.asdict(hypermodel.config)
    # Another place does not make it another search.
    for name in ("out", "fresh", "export", "new_architecture"):
        config.pop(name, None)
    return {
        "recipe": hypermodel.name,
        **{f"space.{name}": repr(given) for name, given in hypermodel.space.items()},
        "seeds": hypermodel.seeds,
        "epochs": hypermodel.epochs,
        **{f"config.{name}": value for name, value in config.items()},
    }


class RecipeTuner(keras_tuner.Tuner):
    """See `tuner`."""

    def __init__(self, oracle, hypermodel, folder, identity):
        self._identity = identity
        super().__init__(oracle, hypermodel, directory=str(folder.parent), project_name=folder.name)

    @property
    def is_worker(self):
        """Whether another process, the chief, has the results."""
        return processes.role() == "worker"

    @property
    def identity_path(self):
        """Path of the file that says which search the folder holds."""
        return pathlib.Path(self.project_dir) / IDENTITY

    def search(self, verbose=0):
        """Runs the trials that are left; as a chief, until the workers have run them.

        Raises:
            FolderInUseError: If another process runs this search, or one under this worker's name.
        """
        with owned(self.project_dir, processes.lock_name()):
            self._search(verbose)

    def _search(self, verbose):
        self.hypermodel.check_scoring(self.oracle.objective)
        if not self.is_worker:
            write_json(self.identity_path, json.loads(json.dumps(self._identity, default=str)))
        super().search(verbose=verbose)
        if not self.is_worker:
            for trial_id in self.oracle.trials:
                remove_checkpoints(self.get_trial_dir(trial_id))

    def pre_create_trial(self):
        if self.is_worker:
            time.sleep(1)  # One that has to wait for others' trials asks again without end.

    def run_trial(self, trial):
        values = trial.hyperparameters.values
        folder = self.get_trial_dir(trial.trial_id)
        epochs = values.get("tuner/epochs", self.hypermodel.epochs)
        record = Record(folder, self.hypermodel.values(trial.hyperparameters), epochs)
        try:
            self._go_on_from(values.get("tuner/trial_id"), record)
            (found,) = super().run_trial(
                trial, epochs=epochs, folder=folder, keep="tuner/epochs" in values
            )
            return found
        except RefusedError as error:
            record.add(Execution(getattr(self.hypermodel.config, "seed", 0), None, str(error), 0.0))
            return summary(record.executions, self.oracle.objective)

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        ended = self.oracle.get_trial(trial.trial_id)
        outcome = f"{self.oracle.objective.name} {ended.score:.4g}"
        outcome = "failed" if has_failed(ended) else outcome
        seconds = ended.metrics.get_last_value("seconds")
        print(f"Trial {trial.trial_id}: {outcome}, {seconds:.0f} s", flush=True)

    def save(self):
        if not self.is_worker:  # Whose oracle is the chief's.
            self.oracle.save()

    def _go_on_from(self, trial_id, record):
        """Begins a trial of Hyperband where the one that it goes on with has ended."""
        if trial_id is None or record.executions:
            return
        if not has_failed(self.oracle.get_trial(trial_id)):
            record.go_on_from(self.get_trial_dir(trial_id))
            return
        seed = getattr(self.hypermodel.config, "seed", 0)
        record.add(Execution(seed, None, f"failed as trial {trial_id}", 0.0))

    def _get_tuner_fname(self):
        # KerasTuner goes on with a search where there is this file. A tuner has no state of its
        # own, and with one of any other name a worker that is first would leave nothing to read.
        return os.path.join(self.project_dir, "oracle.json")

    def _try_run_and_update_trial(self, trial, *fit_args, **fit_kwargs):
        # Failures are outcomes; what is raised here is a mistake, and leaves the search.
        self.oracle.update_trial(trial.trial_id, self.run_trial(trial))
        trial.status = "COMPLETED"
