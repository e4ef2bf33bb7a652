"""Exact resume: a training that was killed goes on as if nothing had happened."""

import contextlib
import pathlib
import signal
import threading
import warnings

import keras

from kgen.callbacks import callback_state, checkpoint_file, model_state
from kgen.callbacks.rounds import RoundCallback
from kgen.data.endless import endless


class Checkpoint(RoundCallback):
    """Writes all that decides the future of a training to one file, and begins with the newest one.

    Give it to `fit` of a `kgen.GenerativeModel` and run the same script again after whatever
    stopped it: weights, averages, optimizers, loss scales, random states, the data's position, the
    logs and the other callbacks go on from the newest checkpoint, also in the middle of an epoch,
    and end bit for bit where an undisturbed training ends. A training that had ended, or that a
    callback had stopped, is not trained further; with more `epochs` it goes on from its end.

    A checkpoint is written to another name first, synced and renamed, and has a checksum: whatever
    happens while one is written, the one before stays. A damaged one is passed over with a warning
    and kept as `*.damaged`. Where the disk is full, a warning says so and training goes on.

    The first Ctrl-C (or SIGTERM) lets the round end, writes a checkpoint and only then stops; a
    second one stops at once.

    The data must be the same in the same order: a set of `kgen.data` starts at any position at no
    cost; arrays are shuffled by the model's seed; any other `tf.data.Dataset` is repeated and read
    up to its position, so its shuffling needs a seed. Epochs are counted in batches, so such a
    dataset needs a known length or `steps_per_epoch`.

    Example:
        model.fit(images, epochs=100, callbacks=[kgen.callbacks.Checkpoint("runs/mine")])

    Args:
        directory: Folder of the checkpoints, `round-<rounds>.checkpoint`; made if missing.
        every: Rounds between two checkpoints; `None` for one at the end of each epoch.
        keep: How many to keep, the newest.

    Raises:
        ValueError: If an argument is not of this form; when training begins, if the folder holds
            checkpoints of another training, or damaged ones only.
    """

    def __init__(self, directory, every=None, keep=3):
        super().__init__()
        for name, value in (("every", every), ("keep", keep)):
            is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            if not is_count and not (name == "every" and value is None):
                raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")
        self.directory = pathlib.Path(directory)
        self.every = every
        self.keep = keep

    @property
    def newest_round(self):
        """Rounds that the newest checkpoint in the folder has behind it; 0 if there is none."""
        paths = checkpoint_file.newest_first(self.directory)
        return checkpoint_file.rounds_of(paths[0]) if paths else 0

    # ------------------------------------------------------------------ around fit

    @contextlib.contextmanager
    def around_fit(self, model, arguments):
        """Context of a `fit` of `model`, whose keyword arguments it yields changed.

        Restores the model, starts the data at its position and has Keras go through the epochs that
        are left, the one begun from where it was.
        """
        arguments = dict(arguments)
        data = endless(
            {
                name: arguments.pop(name, None)
                for name in ("x", "y", "batch_size", "validation_split", "steps_per_epoch")
            },
            shuffle=arguments.pop("shuffle", True),
            seed=model.seed or 0,
        )
        callbacks = [
            c for c in keras.tree.flatten(arguments.pop("callbacks", None)) if c is not self
        ]
        self._others = [*(c for c in callbacks if c is not None), keras.callbacks.History()]
        self._executions_per_epoch = -(-data.steps // model.steps_per_execution)
        self._steps_per_execution = model.steps_per_execution
        self._position = {
            "epoch": arguments.pop("initial_epoch", 0),
            "executions": 0,  # Of this epoch.
            "first_round": model.rounds_played,
            "stopped": False,
        }
        self._restored = self._newest(model)
        if self._restored is not None:
            self._restore(model)
        first_round, epochs = self._position["first_round"], arguments.pop("epochs", 1)
        verbose = arguments.pop("verbose", "auto")
        skipped = self._position["executions"]
        stopped = self._position["stopped"] and not skipped
        arguments.update(
            x=data.starting_at(model.rounds_played, first_round),
            validation_data=arguments.get("validation_data") or data.held_out,
            steps_per_epoch=data.steps,
            initial_epoch=epochs if stopped else self._position["epoch"],
            epochs=epochs,
            shuffle=False,
            verbose=verbose,
            # This one last: when it writes, the others have dealt with the round.
            callbacks=_CallbacksFrom(
                skipped,
                [*self._others, self],
                add_progbar=verbose != 0,
                verbose=verbose,
                epochs=epochs,
                steps=data.steps,
                model=model,
            ),
        )
        with self._signals_held():
            yield arguments

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.directory.mkdir(parents=True, exist_ok=True)
        checkpoint_file.tidy(self.directory, self.keep)
        self._written = None
        if self._restored is None:
            return
        arrays, facts = self._restored
        for callback, state in self._states_of_others(facts):
            callback_state.set_state(callback, callback_state.unflatten(state, arrays))
        if self._position["executions"]:
            self._skip_executions()

    def on_epoch_begin(self, epoch, logs=None):
        if self._restored is not None and self._position["executions"]:
            model_state.set_metrics(self.model, self._restored[0])
        self._restored = None  # Frees its arrays.

    def on_round_end(self, previous, logs):
        self._position["executions"] += 1
        self._position["stopped"] = self.model.stop_training
        if self._signal or (self.every is not None and self.passed(previous, self.every)):
            self._write()
            self._leave_if_asked()

    def on_epoch_end(self, epoch, logs=None):
        self._position.update(epoch=epoch + 1, executions=0, stopped=bool(self.model.stop_training))
        if self.every is None or self._signal:
            self._write()
            self._leave_if_asked()

    def on_train_end(self, logs=None):
        # Also what others have done at the end, such as putting back the best weights.
        self._write()
        self._leave_if_asked()

    # ------------------------------------------------------------------ writing and reading

    def _write(self):
        arrays = model_state.get_state(self.model)
        facts = {
            "position": self._position,
            "executions_per_epoch": self._executions_per_epoch,
            "steps_per_execution": self._steps_per_execution,
            "callbacks": [
                [
                    type(callback).__name__,
                    callback_state.flatten(callback_state.get_state(callback), arrays, "callback"),
                ]
                for callback in self._others
            ],
        }
        path = checkpoint_file.path_of(self.directory, self.round)
        try:
            checkpoint_file.write(path, arrays, facts)
        except OSError as error:
            warnings.warn(
                f"{path} could not be written ({error}). Training goes on; the checkpoints before "
                "are as they were.",
                stacklevel=2,
            )
            return
        checkpoint_file.tidy(self.directory, self.keep)

    def _newest(self, model):
        """Returns the newest checkpoint that is not damaged, `None` if there is none at all."""
        damaged = []
        for path in checkpoint_file.newest_first(self.directory):
            try:
                arrays, facts = checkpoint_file.read(path)
            except checkpoint_file.DamagedCheckpointError as error:
                damaged.append(path)
                warnings.warn(f"{error} The one before it is used.", stacklevel=2)
                continue
            self._check(model, arrays, facts, path)
            for other in damaged:
                other.rename(other.with_name(other.name + ".damaged"))
            return arrays, facts
        if damaged:
            raise ValueError(
                f"{self.directory} holds damaged checkpoints only ({len(damaged)}). Remove them to "
                "start over."
            )
        return None

    def _check(self, model, arrays, facts, path):
        model_state.check_state(model, arrays, path)
        expected = {
            "executions_per_epoch": self._executions_per_epoch,
            "steps_per_execution": self._steps_per_execution,
        }
        for name, value in expected.items():
            if facts[name] != value:
                raise ValueError(
                    f"{path} is of a training with {name}={facts[name]}, expected the same, "
                    f"received {value}: its data, batch size or compile arguments were others."
                )

    def _restore(self, model):
        arrays, facts = self._restored
        model_state.set_state(model, arrays)
        self._position = facts["position"]
        for callback, state in self._states_of_others(facts):
            callback_state.reopen_files(callback, state)

    def _states_of_others(self, facts):
        """Pairs each callback with the state of the one of its class that came in the same order.

        A callback that the checkpoint does not know starts afresh.
        """
        states = [(name, state) for name, state in facts["callbacks"]]
        for callback in self._others:
            found = next((s for s in states if s[0] == type(callback).__name__), None)
            if found is not None:
                states.remove(found)
                yield callback, found[1]

    # ------------------------------------------------------------------ an epoch begun before

    def _skip_executions(self):
        """Has Keras pass over the executions of this epoch that were played before."""
        model, play, left = self.model, self.model.train_function, self._position["executions"]

        def pass_over(iterator):
            nonlocal left
            left -= 1
            if not left:
                model.train_function = play
                model.stop_training = self._position["stopped"]
            return model.get_metrics_result()

        model.train_function = pass_over

    # ------------------------------------------------------------------ signals

    @contextlib.contextmanager
    def _signals_held(self):
        """Context in which the first signal to stop waits for the end of the round."""
        self._signal, self._handlers = None, {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._hold)
        try:
            yield
        finally:
            self._give_signals_back()

    def _hold(self, number, frame):
        self._signal = number
        self._give_signals_back()  # So that a second one stops at once.

    def _give_signals_back(self):
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def _leave_if_asked(self):
        if self._signal:
            number, self._signal = self._signal, None
            self._give_signals_back()
            signal.raise_signal(number)


class _CallbacksFrom(keras.callbacks.CallbackList):
    """Callbacks that hear nothing of the first executions of the first epoch."""

    def __init__(self, executions, callbacks, **kwargs):
        super().__init__(callbacks, **kwargs)
        self._begins_left = self._ends_left = executions

    def on_train_batch_begin(self, batch, logs=None):
        if self._begins_left:
            self._begins_left -= 1
        else:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if self._ends_left:
            self._ends_left -= 1
        else:
            super().on_train_batch_end(batch, logs)
