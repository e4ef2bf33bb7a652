"""KerasTuner's oracles, that learn of failed trials and go on whenever they were killed."""

import contextlib
import json
import math
import os
import pathlib

import keras_tuner
import numpy as np

from kgen.tuning import processes
from kgen.tuning.record import write_json

SEARCHES = ("random", "hyperband", "bayesian")


def oracle(search, objective, trials, epochs, seed):
    """Returns the oracle of a search.

    Args:
        search: `"random"`, `"hyperband"` or `"bayesian"`.
        objective: `keras_tuner.Objective`.
        trials: How many trials at most; Hyperband counts one that goes on with another.
        epochs: Epochs of the longest trainings, for Hyperband.
        seed: Integer seed of the values drawn.
    """
    # KerasTuner takes a seed of 0 for none, and the next for each draw: those of neighbours have to
    # lie far apart.
    spread = 1 + int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1)
    settings = {"objective": objective, "seed": spread}
    if search == "random":
        return RandomOracle(max_trials=trials, **settings)
    if search == "bayesian":
        return BayesianOracle(max_trials=trials, **settings)
    # Sweeps without end, until there are enough trials.
    found = HyperbandOracle(max_epochs=epochs, hyperband_iterations=None, **settings)
    found.max_trials = trials
    return found


def has_failed(trial):
    """Whether a trial has ended by failing."""
    return trial.metrics.exists("failed") and trial.metrics.get_last_value("failed") > 0


def _check_json(path):
    try:
        is_object = isinstance(json.loads(path.read_text()), dict)
        error = "it holds no JSON object"
    except (OSError, ValueError) as found:
        is_object, error = False, found
    if not is_object:
        raise ValueError(
            f"`folder`: {path} cannot be read: {error}. Expected the file as the search has "
            "written it, another folder, or --fresh to remove the search."
        )


class _Oracle:
    """What kgen's oracles do in another way than KerasTuner's."""

    @keras_tuner.synchronized
    def update_trial(self, trial_id, metrics, step=0):
        # What it was told before its process was killed is not to be averaged with this.
        self.trials[trial_id].metrics.metrics.clear()
        return super().update_trial(trial_id, metrics, step)

    @keras_tuner.synchronized
    def end_trial(self, trial):
        super().end_trial(trial)
        self.save()  # KerasTuner's own file still says that this trial runs.

    def save(self):
        # At once: KerasTuner's file is cut off where the process is killed as it is written.
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial):
        folder = self._get_trial_dir(trial.trial_id)
        write_json(os.path.join(folder, "trial.json"), trial.get_state())

    def get_state(self):
        return {**super().get_state(), "of_workers": processes.role() == "chief"}

    def set_state(self, state):
        super().set_state(state)
        # A chief's workers may go on without it; what one process alone ran has ended with it.
        between_chiefs = processes.role() == "chief" and state.get("of_workers", False)
        self._owned = dict(self.ongoing_trials) if between_chiefs else {}

    def reload(self):
        folder = pathlib.Path(self._project_dir)
        for path in [*sorted(folder.glob("trial_*/trial.json")), folder / "oracle.json"]:
            _check_json(path)  # KerasTuner's error would not name it.
        super().reload()
        # Only these were dealt out: KerasTuner writes a trial before the oracle that knows of it,
        # and draws again the same. (And a Gaussian process rounds by their order.)
        self.trials = {name: self.trials[name] for name in self.start_order if name in self.trials}
        begun = [t.trial_id for t in self.trials.values() if t.status in ("RUNNING", "INVALID")]
        self.ongoing_trials = {
            tuner_id: trial for tuner_id, trial in self._owned.items() if trial.trial_id in begun
        }
        self.tuner_ids = set(self.ongoing_trials)  # The chief stays for them.
        owned = {trial.trial_id for trial in self.ongoing_trials.values()}
        # It is taken from the end.
        self._retry_queue = [trial_id for trial_id in reversed(begun) if trial_id not in owned]
        for tuner_id, trial in self.ongoing_trials.items():
            print(
                f"Trial {trial.trial_id} is {tuner_id}'s, which the chief waits for; where that is "
                "lost, start another of its name."
            )


class RandomOracle(_Oracle, keras_tuner.oracles.RandomSearchOracle):
    """Values drawn alike from the whole space."""


class HyperbandOracle(_Oracle, keras_tuner.oracles.HyperbandOracle):
    """Li et al. 2018: many short trainings, the best of which go on.

    # Differs from the paper: a bracket's first rung is smaller where there are not enough trials
    # for all rungs, or no more values in the space; else nothing would come to its full length.
    """

    _used_up = False  # Whether all values of the space have been drawn.

    def populate_space(self, trial_id):
        left = self.max_trials - len(self.trials)
        for bracket in self._brackets:
            dealt = sum(map(len, bracket["rounds"]))
            sizes = self._sizes(bracket, dealt + left)
            values = self._next_values(bracket, sizes, trial_id)
            if values:
                return {"status": "RUNNING", "values": values}
            left -= sum(sizes) - dealt  # What is for the trials that still run to decide.
        if left < 1 or self._used_up:
            return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}
        self._increment_bracket_num()
        self._start_new_bracket()
        return self.populate_space(trial_id)

    def _sizes(self, bracket, trials):
        """Returns how many trials each rung of a bracket has, out of at most so many in all."""
        number, begun = bracket["bracket_num"], len(bracket["rounds"][0])

        def rungs(first):
            return [math.ceil(first / self.factor**rung) for rung in range(number + 1)]

        most = begun if self._used_up else self._get_size(number, 0)
        least = max(begun, 2 if number else 1)  # Of one there is nothing to choose.
        fitting = (n for n in range(most, least - 1, -1) if sum(rungs(n)) <= trials)
        return rungs(next(fitting, begun))

    def _next_values(self, bracket, sizes, trial_id):
        """Returns the values of a bracket's next trial, drawn or promoted; `None` of no trial."""
        number, rungs = bracket["bracket_num"], bracket["rounds"]
        if len(rungs[0]) < sizes[0]:
            values = self._random_values()
            if values is None:
                self._used_up = True
                return self._next_values(bracket, self._sizes(bracket, 0), trial_id)
            rungs[0].append({"past_id": None, "id": trial_id})
            return {**values, **self._of_rung(number, 0)}
        for rung in range(1, len(rungs)):
            promoted = {info["past_id"] for info in rungs[rung]}
            below = [self.trials[info["id"]] for info in rungs[rung - 1]]
            ended = [t for t in below if t.status == "COMPLETED" and t.trial_id not in promoted]
            # Of those that have ended, so many as cannot all be among those left behind.
            if len(ended) > sizes[rung - 1] - sizes[rung]:
                sign = 1.0 if self.objective.direction == "min" else -1.0
                best = min(ended, key=lambda trial: sign * trial.score)
                rungs[rung].append({"past_id": best.trial_id, "id": trial_id})
                past = {"tuner/trial_id": best.trial_id}
                return {**best.hyperparameters.values, **past, **self._of_rung(number, rung)}
        return None

    def _of_rung(self, number, rung):
        return {
            "tuner/epochs": self._get_epochs(number, rung),
            "tuner/initial_epoch": self._get_epochs(number, rung - 1) if rung else 0,
            "tuner/bracket": number,
            "tuner/round": rung,
        }

    def get_state(self):
        return {**super().get_state(), "used_up": self._used_up}

    def set_state(self, state):
        super().set_state(state)
        self._used_up = state.get("used_up", False)


class BayesianOracle(_Oracle, keras_tuner.oracles.BayesianOptimizationOracle):
    """A Gaussian process of the scores says where to try next."""

    def populate_space(self, trial_id):
        # Its restarts are drawn anew for each trial, so that a search that was killed proposes
        # what one that was not would.
        self._random_state.seed([self.seed, len(self.trials)])
        with self._failures_within_reach():
            found = super().populate_space(trial_id)
        values = found.get("values")
        if values and self._duplicate(values):
            return self._random_populate_space()  # The same again would tell nothing.
        return found

    def _vectorize_trials(self):
        ended = {name: t for name, t in self.trials.items() if t.status == "COMPLETED"}
        if self.ongoing_trials and ended:
            # KerasTuner guesses scores of running trials by the process as it was fitted last; one
            # that never was has 0 for their mean, which most metrics cannot even reach.
            trials, self.trials = self.trials, ended
            try:
                self.gpr.fit(*super()._vectorize_trials())
            finally:
                self.trials = trials
        return super()._vectorize_trials()

    @contextlib.contextmanager
    def _failures_within_reach(self):
        """Context in which failed trials are as far below the worst other as that below the best.

        Next to what they score otherwise, no difference between scores of 10 and 20 would be left
        for a Gaussian process to see.
        """
        ended = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        scores = [trial.score for trial in ended if not has_failed(trial)]
        failed = {trial: trial.score for trial in ended if has_failed(trial)}
        sign = 1.0 if self.objective.direction == "min" else -1.0
        worst, best = max(sign * s for s in scores or [0.0]), min(sign * s for s in scores or [0.0])
        for trial in failed:
            trial.score = sign * (worst + (worst - best or max(1.0, abs(worst))))
        try:
            yield
        finally:
            for trial, score in failed.items():
                trial.score = score
