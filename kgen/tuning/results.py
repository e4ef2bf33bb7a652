"""What a search has found: its trials, best first, and the fields of the best."""

import dataclasses

from kgen.tuning import record
from kgen.tuning.fields import changed
from kgen.tuning.oracles import has_failed
from kgen.tuning.space import NOT_SEARCHED

# Fields that every search has, and whose values are those of its trials.
_OF_DATA = ("data", "second", "image_size", "extractor")


@dataclasses.dataclass(frozen=True)
class Trial:
    """A trial of a search.

    Attributes:
        number: Its number, from 0, in the order in which trials began.
        values: Dict from the fields searched to its values.
        score: The objective, mean over seeds; `None` if it failed or has not ended.
        deviation: Standard deviation of the score over seeds, of a sample; 0 of one.
        scores: List of the scores of the seeds that have ended.
        failed: How it failed, in words; `None` if it did not.
        epochs: Epochs of its trainings.
        seconds: How long its trainings took together.
        ended: Whether it has ended.
    """

    number: int
    values: dict
    score: float | None
    scores: list
    deviation: float
    failed: str | None
    epochs: int
    seconds: float
    ended: bool = True


def results(tuner):
    """Returns the list of a search's `Trial`s: best first, then those that failed or run.

    Args:
        tuner: What `kgen.tuning.tuner` returned; of a search in several processes the chief's.

    Raises:
        ValueError: If it is a worker's, which knows of no other trials than its own.
    """
    if tuner.is_worker:
        raise ValueError("`tuner` must be the chief's, received that of a worker.")
    sign = 1.0 if tuner.oracle.objective.direction == "min" else -1.0
    trials = [_trial(tuner, trial) for trial in tuner.oracle.trials.values()]
    # Of Hyperband's, scores after fewer epochs do not compare.
    return sorted(
        trials,
        key=lambda trial: (
            trial.score is None,
            -trial.epochs if trial.score is not None else not trial.ended,
            sign * trial.score if trial.score is not None else trial.number,
        ),
    )


def best_fields(tuner):
    """Returns the dict of fields that `--config` of a recipe takes, from the best trial.

    These are the fields that were searched and those of the config that differ from the recipe's
    defaults, without what only a run decides: its length, seed, folders and logs.

    Raises:
        ValueError: If no trial has ended well.
    """
    found = results(tuner)
    if not found or found[0].score is None:
        raise ValueError(f"{tuner.project_dir}: no trial has ended well, of {len(found)}.")
    config = tuner.hypermodel.config
    fixed = {
        name: getattr(config, name)
        for name in changed(config)
        if name in _OF_DATA or name not in NOT_SEARCHED
    }
    return {**fixed, **found[0].values}


def _trial(tuner, trial):
    failed = has_failed(trial)
    ended = trial.status == "COMPLETED"
    content = record.read(tuner.get_trial_dir(trial.trial_id)) or {"executions": [], "epochs": 0}
    executions = content["executions"]
    words = [f"{entry['failed']}, seed {entry['seed']}" for entry in executions if entry["failed"]]
    return Trial(
        number=int(trial.trial_id),
        values=tuner.hypermodel.values(trial.hyperparameters),
        score=float(trial.score) if ended and not failed else None,
        scores=[entry["score"] for entry in executions if entry["score"] is not None],
        deviation=float(trial.metrics.get_last_value("deviation")) if ended else 0.0,
        failed=(words or ["failed"])[0] if failed else None,
        epochs=content["epochs"],
        seconds=float(trial.metrics.get_last_value("seconds")) if ended else 0.0,
        ended=ended,
    )
