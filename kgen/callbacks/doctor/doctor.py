"""The doctor: a callback that says in plain words what goes wrong in a training."""

import contextlib
import copy
import math
import warnings

from kgen.callbacks.doctor import average, not_finite, penalty, rollback
from kgen.callbacks.doctor.arguments import (
    check_choice,
    check_counts,
    check_factor,
    checked_failures,
    checked_thresholds,
)
from kgen.callbacks.doctor.examination import Examination, examiner
from kgen.callbacks.doctor.fixed_batch import fixed_batch
from kgen.callbacks.doctor.record import Record
from kgen.callbacks.doctor.signals import CHECKS, SIGNALS, THRESHOLDS
from kgen.callbacks.rounds import RoundCallback

# Of these a training does not recover by itself. A lagging average harms no training.
FAILURES = tuple(name for name in SIGNALS if name != "lagging_average")


class Doctor(RoundCallback):
    """Watches a training, and says what goes wrong, with its number, and which argument to change.

    Every `every` rounds the model is measured on a fixed batch of real images and fixed latents, in
    training mode but without a trace: the training's bits are the same without a Doctor. What is
    found is a `UserWarning`, once while it lasts, and an entry of `diagnoses`. The signals, and the
    thresholds that `thresholds` may change:

    | signal | found where, `patience` checks in a row |
    |---|---|
    | `not_finite` | a weight, an optimizer's slot or, if the round's losses show NaN or Inf, the \
output of a layer is not finite; at once, in the round in which a loss shows it |
    | `loss_scale_underflow` | a player's loss scale is below 1 (at once), or falls at every check |
    | `exploding_penalty` | `<player>_penalty` is above 100, and above 10 times the median of \
earlier checks, in the mean since the last check; at once |
    | `saturated_discriminator` | a `GAN`'s discriminator has less than 0.02 of the loss of one \
that guesses; not with the Wasserstein loss |
    | `vanished_gradient` | the gradient of the generator's loss at its images is below 1e-3 of \
the median of earlier checks, or its norm below 1e-6 an image (`vanished_gradient_norm`) |
    | `mode_collapse` | the variance of fixed samples (`mode_collapse_variance`), or the median \
distance to the nearest other (`mode_collapse_neighbours`), is below 0.02 of that of real images, \
and not growing; not where the gradient has vanished |
    | `lagging_average` | half of the rounds are played, and `generator_average` is more than half \
of the generator's whole way behind it; or, at any time, it stands still |

    `on_failure="stop"` ends the training where one of `failures` is found. `"rollback"` puts
    weights, averages, optimizers, loss scales and the logs' means back to the last check without a
    symptom, or to the begin of training, multiplies all learning rates by `learning_rate_factor`,
    and goes on with the next batch and new noise: rounds are counted on, and random states are not
    put back, for the same failure not to come again. A callback that sets learning rates has to
    allow for it. The `rollbacks`-th is the last; after it a failure ends the training.

    Place it before a `Checkpoint`, which keeps all it knows, the state to go back to included (so
    that with `"rollback"` a checkpoint is twice as large): a training that was killed goes on with
    the same bits. Place `keras.callbacks.TerminateOnNaN`, if at all, not beside a rollback.

    Example:
        model.fit(images, epochs=100, callbacks=[kgen.callbacks.Doctor(on_failure="rollback")])

    Args:
        every: Rounds between two checks, each of a few forward passes.
        on_failure: `"warn"`, `"stop"` or `"rollback"`.
        images: A batch of real images as `fit` gets them, of which the first 128 are used; needed
            only where `fit` is given a plain `tf.data.Dataset` or a generator.
        seed: Integer seed of latents, noise and the rows taken from arrays.
        patience: Checks in a row that a signal has to last to be found.
        thresholds: Dict of the thresholds that are to differ from `signals.THRESHOLDS`.
        failures: Names of the signals at which to stop or roll back; by default all but
            `"lagging_average"`.
        rollbacks: How often to roll back at most.
        learning_rate_factor: In (0, 1), the learning rates after a rollback over those before.

    Attributes:
        diagnoses: List of `Diagnosis`, in the order in which they were found.
        measured: Dict from signal's name to the number measured at the latest check.

    Raises:
        ValueError: If an argument is not of this form; when training begins, if `images` is needed,
            or a learning rate that a rollback has to change is a schedule.
    """

    def __init__(
        self,
        every=100,
        on_failure="warn",
        images=None,
        seed=0,
        patience=3,
        thresholds=None,
        failures=FAILURES,
        rollbacks=3,
        learning_rate_factor=0.5,
    ):
        super().__init__()
        check_counts(every=every, patience=patience)
        check_counts(least=0, rollbacks=rollbacks, seed=seed)
        check_choice("on_failure", on_failure, ("warn", "stop", "rollback"))
        check_factor("learning_rate_factor", learning_rate_factor)
        self.every = every
        self.on_failure = on_failure
        self.images = images
        self.seed = seed
        self.patience = patience
        self.thresholds = {**THRESHOLDS, **checked_thresholds(thresholds or {})}
        self.failures = checked_failures(failures)
        self.rollbacks = rollbacks
        self.learning_rate_factor = learning_rate_factor
        self._record = Record(patience, first_round=0)

    @property
    def diagnoses(self):
        return self._record.diagnoses

    @property
    def measured(self):
        return self._record.measured

    # ------------------------------------------------------------------ callback

    @contextlib.contextmanager
    def around_fit(self, model, arguments):
        """Context of a `fit` of `model`: takes the real images, and changes nothing."""
        self._data = fixed_batch(arguments, self.images, self.seed, model.uses_targets)
        self._epochs = arguments["epochs"] - arguments.get("initial_epoch", 0)
        try:
            yield arguments
        finally:
            del self._data

    def on_train_begin(self, logs=None):
        if not hasattr(self, "_data"):
            raise ValueError(
                "Doctor must be in the list of `callbacks` given to `fit` of a "
                f"kgen.GenerativeModel, received by a {type(self.model).__name__} otherwise."
            )
        super().on_train_begin(logs)
        if self.on_failure == "rollback":
            rollback.check_rates(self.model)
        self._weights = not_finite.FiniteWeights(self.model)
        self._examine = examiner(self.model, self._data, self.seed)
        self._record = Record(self.patience, first_round=self.round)
        self._structure = self.model.structure
        self._began = average.starting_weights(self.model)
        self._rolled_back, self._losses_were_finite = 0, True
        self._remember_health()

    def on_epoch_begin(self, epoch, logs=None):
        self._losses_were_finite = True
        penalty.forget_means(self._record.memory["exploding_penalty"])

    def on_round_end(self, previous, logs):
        losses = [m.name for m in self.model.metrics if not math.isfinite(logs.get(m.name, 0.0))]
        # A mean that is NaN stays so to the end of the epoch.
        news = bool(losses) and self._losses_were_finite
        self._losses_were_finite = not losses
        due = self.passed(previous, self.every)
        if not news and not due:
            return
        known = len(self.diagnoses)
        reading = self._not_finite(losses, logs, news)
        examination = self._examination() if due and reading is None else None
        if examination is not None and not examination.is_finite:
            reading = not_finite.of_samples(self.model)
        self._record.note("not_finite", reading, self.round)
        if due and reading is None:
            self._check(examination)
        self._act(self.diagnoses[known:])

    # ------------------------------------------------------------------ a check

    def _not_finite(self, losses, logs, news):
        reading = self._weights.first()
        if reading is None and losses:
            reading = not_finite.first_in_forward_pass(self.model, self._data, self.seed)
        # A loss scale skips the move where a batch overflows float16, and no harm is done.
        scaled = all(hasattr(o, "dynamic_scale") for o in self.model.optimizer.by_player.values())
        if reading is None and news and not scaled:
            reading = not_finite.of_losses(self.model, losses, logs)
        return reading

    def _check(self, examination):
        readings = {
            name: check(examination, self._record.memory[name], self.thresholds)
            for name, check in CHECKS.items()
        }
        self._record.note_all(readings, self.round)
        if not self._record.has_symptoms(self.failures):
            self._remember_health()

    def _examination(self):
        if self.model.structure != self._structure:  # Images of another size: nothing compares.
            self._structure = self.model.structure
            for name in ("mode_collapse", "vanished_gradient"):
                self._record.forget(name)
        steps, first = self.params.get("steps"), self._record.first_round
        real = self._data[0] if isinstance(self._data, list | tuple) else self._data
        return Examination(
            model=self.model,
            round=self.round,
            first_round=first,
            last_round=None if steps is None else first + steps * self._epochs,
            began=self._began,
            **{"real": real, **self._examine()},
        )

    # ------------------------------------------------------------------ what is done about it

    def _remember_health(self):
        self._good = None
        if self.on_failure == "rollback":
            state = rollback.healthy_state(self.model)
            self._good = [self.round, state, copy.deepcopy(self._record.memory)]

    def _act(self, found):
        """Warns of what was found, and does `on_failure` if a failure is among it."""
        failures = [diagnosis for diagnosis in found if diagnosis.signal in self.failures]
        done = ""
        if failures and self.on_failure == "rollback" and self._rolled_back < self.rollbacks:
            done = self._roll_back()
        elif failures and self.on_failure != "warn":
            self.model.stop_training = True
            done = " Training stops here."
            if self.on_failure == "rollback":
                done += f" It has been rolled back {self._rolled_back} times, as often as it may."
        for diagnosis in found:
            warnings.warn(diagnosis.message + (done if diagnosis in failures else ""), stacklevel=2)

    def _roll_back(self):
        self._rolled_back += 1
        round, state, memory = self._good
        rates = rollback.go_back(self.model, state, self.learning_rate_factor)
        self._record.go_back(memory)
        self._losses_were_finite = True
        rates = ", ".join(f"{rate:g} ({name})" for name, rate in rates.items())
        return (
            f" Rolled back to the weights of round {round}, the learning rates now {rates}; "
            f"rollback {self._rolled_back} of {self.rollbacks}."
        )

    # ------------------------------------------------------------------ for a Checkpoint

    def get_state(self):
        """Returns all that is known so far, as plain data."""
        return {
            "record": self._record.get_state(),
            "began": self._began,
            "rolled_back": self._rolled_back,
            "losses_were_finite": self._losses_were_finite,
            "good": self._good,
        }

    def set_state(self, state):
        """Goes on from what `get_state` returned."""
        self._record.set_state(state["record"])
        self._began, self._good = state["began"], state["good"]
        self._rolled_back = state["rolled_back"]
        self._losses_were_finite = state["losses_were_finite"]
