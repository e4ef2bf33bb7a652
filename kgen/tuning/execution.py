"""One training of a trial: with one seed, to its score or to where it fails."""

import contextlib
import dataclasses
import math
import tempfile
import time
import warnings

import numpy as np

import kgen.callbacks
from kgen.callbacks.doctor.not_finite import FiniteWeights
from kgen.core.precision import dtype_policy
from kgen.metrics.samples import NotFiniteError
from kgen.tuning import recipe as recipes

# What ends a trial, and the word for it. A saturated discriminator may yet recover.
FAILURES = {
    "not_finite": "diverged",
    "exploding_penalty": "diverged",
    "loss_scale_underflow": "diverged",
    "vanished_gradient": "collapsed",
    "mode_collapse": "collapsed",
}


@dataclasses.dataclass(frozen=True)
class Execution:
    """What came of one training.

    Attributes:
        seed: Its seed.
        score: The objective's value at its end; `None` if it failed.
        failed: How it failed, in words; `None` if it did not.
        seconds: How long it took, its score included.
    """

    seed: int
    score: float | None
    failed: str | None
    seconds: float


def execute(recipe, config, model, metric, epochs, rounds, callbacks=(), folder=None):
    """Trains a model as its recipe does, and scores it.

    Args:
        recipe: The recipe.
        config: The config with the trial's values and the seed.
        model: The model that the recipe has built of it.
        metric: Name of the metric in an `Evaluation`.
        epochs: Epochs in all, those of an earlier call with the same folder included.
        rounds: Rounds of an epoch.
        callbacks: Further Keras callbacks.
        folder: Folder of the checkpoints that a killed training goes on from; `None` for none.

    Returns:
        An `Execution`.

    Raises:
        ValueError: If the data, the model or the metric do not go together.
    """
    started = time.monotonic()
    scoring = recipes.evaluation(recipe, config, metric)
    scoring.check(model)  # Before it costs a training.
    with _quiet():
        failed = _fit(recipe, config, model, epochs, rounds, callbacks, folder)
        score, failed = _score(scoring, model, metric) if failed is None else (None, failed)
    seed = getattr(config, "seed", 0)
    return Execution(seed, score, failed, time.monotonic() - started)


def _fit(recipe, config, model, epochs, rounds, callbacks, folder):
    """Trains a model and returns how that failed, in words, or `None`."""
    doctor = kgen.callbacks.Doctor(
        # So that a short training is looked at ten times, if not in its first few rounds.
        every=min(100, max(25, epochs * rounds // 10)),
        on_failure="stop",
        seed=getattr(config, "seed", 0),
        failures=tuple(FAILURES),
    )
    with contextlib.ExitStack() as stack:
        every = None if folder is None else getattr(config, "checkpoint_every", None)
        folder = folder or stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(dtype_policy(getattr(config, "precision", "float32")))
        model.fit(
            recipes.load(recipe, config),
            epochs=epochs,
            steps_per_epoch=rounds,
            verbose=0,
            callbacks=[doctor, *callbacks, kgen.callbacks.Checkpoint(folder, every, keep=1)],
        )
    found = [diagnosis for diagnosis in doctor.diagnoses if diagnosis.signal in FAILURES]
    if found:
        signal = found[0].signal
        return f"{FAILURES[signal]} ({signal.replace('_', ' ')}) in round {found[0].round}"
    if FiniteWeights(model).first() is not None:  # Those of the very last round.
        return f"{FAILURES['not_finite']} (not finite) in round {model.rounds_played}"
    return None


def _score(scoring, model, metric):
    try:
        # What overflows is found below.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            score = float(scoring(model)[metric])
    except NotFiniteError:
        return None, "diverged (samples are not finite)"
    if not math.isfinite(score):
        return None, f"diverged ({metric} is {score})"
    return score, None


@contextlib.contextmanager
def _quiet():
    """Context without the doctor's warnings: what it tells is the trial's outcome."""
    with warnings.catch_warnings():
        doctor = r"kgen\.callbacks\.doctor"
        warnings.filterwarnings("ignore", module=doctor, category=UserWarning)
        yield
