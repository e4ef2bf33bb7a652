"""Scores while a model trains, in the logs, in a file, and the best model kept."""

import json
import os
import pathlib
import warnings

import numpy as np

import kgen.distribution
from kgen.callbacks.best_effort import or_warned_of
from kgen.callbacks.rounds import RoundCallback
from kgen.core import whole_file
from kgen.metrics import Card, Score, append_scores
from kgen.metrics.samples import NotFiniteError
from kgen.metrics.table import better


class Evaluate(RoundCallback):
    """Scores the model at the ends of epochs and puts the scores into the logs as `val_<metric>`.

    So `ModelCheckpoint(..., monitor="val_frechet", mode="min")`, `EarlyStopping`, `CSVLogger` and
    KerasTuner take them, wherever in the list of callbacks this one stands. An epoch that is not
    scored logs the scores of the last that was.

    Training is not affected, to the bit. Samples with NaN or infinity, as of a model that has
    diverged, are warned of and logged as the worst there is: inf, -inf where more is better, or NaN
    where neither is. A file that cannot be written is warned of, too; the best model is then the
    next that is better than the one on file.
    Of several hosts the chief scores and writes, and tells the others the scores.

    Args:
        evaluation: `kgen.metrics.Evaluation`, of the validation split: what a model is chosen or
            stopped by says too much good of it.
        every: Epochs between two evaluations; the first epoch is always scored.
        log: File of this run alone that gets every score as a line of JSON, with the round it is of
            and its card; `kgen.metrics.read_scores` reads it. `None` for none.
        best: File that the model with the best score is saved to, `"best.keras"`; beside it
            `best.json` says which round it is of and its score. `None` for none.
        monitor: Name of the metric that decides which is the best; by default the evaluation's
            first of which some values are better, which are not those of `diversity`.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        evaluation = kgen.metrics.Evaluation(
            "mnist5k", ("frechet", "recall"), samples=1000, split="validation"
        )
        callback = kgen.callbacks.Evaluate(evaluation, log="scores.jsonl", best="best.keras")
        model.fit(images, epochs=20, callbacks=[callback])
    """

    writes_logs = True

    def __init__(self, evaluation, every=1, log=None, best=None, monitor=None):
        super().__init__()
        if not hasattr(evaluation, "metrics") or not callable(evaluation):
            raise ValueError(
                f"`evaluation` must be a kgen.metrics.Evaluation, received {evaluation!r}."
            )
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"`every` must be a positive number of epochs, received {every!r}.")
        ranked = [name for name in evaluation.metrics if better(name) is not None]
        if monitor is None and (ranked or best is None):
            monitor = next(iter(ranked), None)
        elif monitor not in ranked:
            raise ValueError(
                "`monitor` must be one of the evaluation's metrics of which some values are "
                f"better, {ranked}; received {monitor!r}."
            )
        log, best = (
            None if path is None else pathlib.Path(path).expanduser() for path in (log, best)
        )
        if log is not None and log.is_dir():
            raise ValueError(f"`log` must be a file, received the folder {str(log)!r}.")
        if best is not None and best.suffix != ".keras":
            raise ValueError(f"`best` must be a file that ends in .keras, received {str(best)!r}.")
        if getattr(getattr(evaluation, "reference", None), "split", None) == "test":
            warnings.warn(
                "`evaluation` is of the test split, by which no model should be chosen or stopped: "
                "kgen.metrics.Evaluation(..., split='validation') is for that.",
                stacklevel=2,
            )
        self.evaluation = evaluation
        self.every = every
        self.log, self.best = log, best
        self.monitor = monitor
        self.scores = {}
        self.best_score = None
        self._epochs = 0
        self._scored = None

    def on_train_begin(self, logs=None):
        self.evaluation.check(self.model)
        super().on_train_begin(logs)
        if self._scored is not self.model:  # The first `fit`, or that of another model.
            self._scored, self._epochs = self.model, 0
            self.scores, self.best_score = {}, None

    def on_round_end(self, previous, logs):
        pass

    def on_epoch_end(self, epoch, logs=None):
        if self._epochs % self.every == 0:
            self._score()
        self._epochs += 1
        if logs is not None:
            logs.update({f"val_{name}": float(score) for name, score in self.scores.items()})

    def get_state(self):
        if self.log and self.log.exists():  # Or a power cut may leave less than the state says.
            whole_file.sync_log(self.log)
        return {
            "epochs": self._epochs,
            "scores": {name: score.as_dict() for name, score in self.scores.items()},
            "best_score": None if self.best_score is None else self.best_score.as_dict(),
            "log_size": self.log.stat().st_size if self.log and self.log.exists() else 0,
        }

    def set_state(self, state):
        self._epochs = state["epochs"]
        self.scores = {name: Score.from_dict(found) for name, found in state["scores"].items()}
        best = state["best_score"]
        self.best_score = None if best is None else Score.from_dict(best)
        # What a killed run scored after its checkpoint is scored again.
        is_longer = self.log and self.log.exists() and self.log.stat().st_size > state["log_size"]
        if is_longer and self.model.is_chief:
            os.truncate(self.log, state["log_size"])

    def _score(self):
        self.scores = self._chiefs(self._evaluated() if self.model.is_chief else None)
        if self.log is not None and self.model.is_chief:
            with or_warned_of(self.log):
                append_scores(self.log, self.scores, round=self.round)
        score = self.scores.get(self.monitor)
        if self._goodness(score) > self._goodness(self.best_score):
            if self.best is None or not self.model.is_chief:
                self.best_score = score
                return
            with or_warned_of(self.best):
                self._save(score)
                self.best_score = score

    def _evaluated(self):
        try:
            return self.evaluation(self.model)
        except NotFiniteError as error:
            warnings.warn(f"Round {self.round} is scored worst: {error}", stacklevel=2)
            return {name: self._worst(name) for name in self.evaluation.metrics}

    def _chiefs(self, scores):
        """The chief's scores, on all hosts: what each does about them has to be the same."""
        strategy = self.model.distribute_strategy
        if not kgen.distribution.is_multiworker(strategy):
            return scores
        text = None
        if scores is not None:
            text = json.dumps(
                {name: score.as_dict() for name, score in scores.items()},
                default=lambda number: number.item(),  # NumPy's.
            )
        told = json.loads(kgen.distribution.told_by_chief(strategy, text))
        return {name: Score.from_dict(found) for name, found in told.items()}

    def _goodness(self, score):
        if score is None:
            return -np.inf
        return float(score) if better(self.monitor) == "max" else -float(score)

    def _save(self, score):
        self.best.parent.mkdir(parents=True, exist_ok=True)
        with whole_file.replacing(self.best) as partial:
            self.model.save(partial)
        content = {"round": self.round, **score.as_dict()}
        text = json.dumps(content, indent=2) + "\n"
        whole_file.write_text(self.best.with_suffix(".json"), text)

    def _worst(self, metric):
        # On the card of the last score, if there is one, so that it compares.
        card = self.scores[metric].card if metric in self.scores else Card(metric)
        return Score({"min": np.inf, "max": -np.inf, None: np.nan}[better(metric)], card)
