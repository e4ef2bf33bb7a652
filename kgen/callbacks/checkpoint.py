"""Exact resume: a training that was killed goes on as if nothing had happened."""

import contextlib
import pathlib
import signal
import threading
import warnings

import keras

import kgen.distribution
from kgen.callbacks import callback_state, checkpoint_file, model_state
from kgen.callbacks.rounds import RoundCallback, StopAfter
from kgen.data.endless import endless


class Checkpoint(RoundCallback):
    """Writes all that decides the future of a training to one file, and begins with the newest one.

    Give it to `fit` of a `kgen.GenerativeModel` and run the same script again after whatever
    stopped it: weights, averages, optimizers, loss scales, random states, the data's position, the
    logs and the other callbacks go on from the newest checkpoint, also in the middle of an epoch,
    and end bit for bit where an undisturbed training ends. A model that has been trained further
    meanwhile goes back to it. A training that has had its `epochs` goes on if it is given more; one
    that a callback has stopped stays stopped.

    A checkpoint is written to another name first, synced and renamed, and has a checksum: whatever
    happens while one is written, the one before stays. A damaged one is passed over with a warning
    and kept as `*.damaged`. Where the disk is full, a warning says so and training goes on.

    The first Ctrl-C (or SIGTERM) lets the round end, writes a checkpoint and only then stops; a
    second one stops at once.

    Of several hosts the chief writes, and all begin with the newest one, so that `directory` has to
    be a folder that all of them see. A signal to one of them stops all, after the same round.

    The data must be the same in the same order: a set of `kgen.data` starts at any position at no
    cost; arrays are shuffled by the model's seed; any other `tf.data.Dataset` is repeated and read
    up to its position, so its shuffling needs a seed and an iterator that nobody has begun before.
    Epochs are counted in batches, so such a dataset needs a known length or `steps_per_epoch`.
    Generators and `PyDataset`s cannot be started anywhere.

    Of the other callbacks, attributes of plain data (numbers, strings, arrays, and lists, tuples
    and dicts of these) are kept; one with other state may have `get_state()`, which returns plain
    data, and `set_state(state)`. The random states are those of the model, of unseeded
    `keras.random` draws, NumPy's and Python's; those of unseeded `tf.random` operations TensorFlow
    keeps to itself.

    Example:
        model.fit(images, epochs=100, callbacks=[kgen.callbacks.Checkpoint("runs/mine")])

    Args:
        directory: Folder of the checkpoints, `round-<rounds>.checkpoint`; made if missing.
        every: Rounds between two checkpoints; `None` for one at the end of each epoch.
        keep: How many to keep, the newest.

    Raises:
        ValueError: If an argument is not of this form; when training begins, if the folder holds
            checkpoints of another training, or damaged ones only, or not the same on all hosts.
    """

    def __init__(self, directory, every=None, keep=3):
        super().__init__()
        for name, value in (("every", every), ("keep", keep)):
            is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            if not is_count and not (name == "every" and value is None):
                raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")
        self.directory = pathlib.Path(directory).expanduser()
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
        arguments, given_data = dict(arguments), arguments["x"]
        if arguments.get("validation_data") is not None:
            arguments["validation_split"] = None  # As Keras.
        data = endless(
            {
                name: arguments.pop(name, None)
                for name in ("x", "y", "batch_size", "validation_split", "steps_per_epoch")
            },
            shuffle=arguments.pop("shuffle", True),
            seed=model.seed or 0,
        )
        if data.held_out is not None:
            arguments["validation_data"] = data.held_out
        given = keras.tree.flatten(arguments.pop("callbacks"))
        if sum(isinstance(callback, Checkpoint) for callback in given) > 1:
            raise ValueError("`callbacks` holds two Checkpoints; one training has one.")
        self._others = [*(c for c in given if c is not self), keras.callbacks.History()]
        self._arguments = [callback_state.arguments_of(callback) for callback in self._others]
        self._training = {
            "batch": str(keras.tree.flatten(data.starting_at(0, 0).element_spec)[0].shape),
            "executions_per_epoch": -(-data.steps // model.steps_per_execution),
            "steps_per_execution": model.steps_per_execution,
        }
        self._position = {
            "epoch": arguments.pop("initial_epoch", 0),
            "executions": 0,  # Of this epoch.
            "first_round": model.rounds_played,
            "stopped": False,
        }
        epochs, verbose = arguments.pop("epochs"), arguments.pop("verbose", "auto")
        self._restored = self._newest(model)
        if self._restored is not None:
            self._restore(model)
        skipped = self._position["executions"]
        stopped = (self._position["stopped"] or self._is_at_its_end(model)) and not skipped
        first_epoch = epochs if stopped else self._position["epoch"]
        if self._restored is not None and model.is_chief:
            done = "goes on" if first_epoch < epochs else "has nothing left to train"
            print(f"{self.directory}: {done} after round {model.rounds_played}.")
        arguments.update(
            x=model.batches_from(
                given_data, lambda at: data.starting_at(at, self._position["first_round"])
            ),
            steps_per_epoch=data.steps,
            initial_epoch=first_epoch,
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
        try:
            with self._signals_held():
                yield arguments
        finally:
            if model.train_function == self._pass_over:  # Left before all was passed over.
                model.train_function = self._play
        if self._signal:  # It came with the last write.
            self._raise(self._signal)

    def on_train_begin(self, logs=None):
        if not hasattr(self, "_others"):
            raise ValueError(
                f"Checkpoint must be in the list of `callbacks` given to `fit` of a "
                f"kgen.GenerativeModel, received by a {type(self.model).__name__} otherwise."
            )
        super().on_train_begin(logs)
        if self.model.is_chief:
            self.directory.mkdir(parents=True, exist_ok=True)
            checkpoint_file.tidy(self.directory, self.keep)
        for callback in self._others:
            callback_state.warn_of_lost_state(callback)
        if self._restored is not None:
            self._restore_others()
            if self._position["executions"]:
                self._left = self._position["executions"]
                self._play, self.model.train_function = self.model.train_function, self._pass_over

    def on_epoch_begin(self, epoch, logs=None):
        if self._restored is not None and self._position["executions"]:
            # The begin of this epoch was before the checkpoint: what it did now is taken back.
            model_state.set_state(self.model, self._restored[0])
            self._restore_others()
        self._restored = None  # Frees its arrays.

    def on_round_end(self, previous, logs):
        self._position["executions"] += 1
        self._position["stopped"] = self._is_stopped()
        asked = self._signal_of_any_host()
        if asked or (self.every is not None and self.passed(previous, self.every)):
            self._write()
            self._leave(asked)

    def on_epoch_end(self, epoch, logs=None):
        self._position.update(epoch=epoch + 1, executions=0, stopped=self._is_stopped())
        asked = self._signal_of_any_host()
        if self.every is None or asked:
            self._write()
            self._leave(asked)

    def on_train_end(self, logs=None):
        asked = self._signal_of_any_host()
        # Also what others have done at the end, such as putting back the best weights.
        self._write()
        self._leave(asked)

    def _is_stopped(self):
        """Whether a callback has stopped the training for good: not by its number of rounds."""
        return bool(self.model.stop_training) and not self._is_at_its_end(self.model)

    def _is_at_its_end(self, model):
        """Whether a `StopAfter` of this training asks for no more rounds."""
        ends = [other.rounds for other in self._others if isinstance(other, StopAfter)]
        return bool(ends) and model.rounds_played >= min(ends)

    # ------------------------------------------------------------------ writing and reading

    def _write(self):
        # All hosts, as what metrics have counted is added up over them.
        arrays = model_state.get_state(self.model)
        if not self.model.is_chief:
            return
        facts = {
            "position": self._position,
            "training": self._training,
            "callbacks": [
                [type(callback).__name__, callback_state.flatten(state, arrays, "callback")]
                for callback, state in self._current_states()
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

    def _current_states(self):
        for callback, arguments in zip(self._others, self._arguments, strict=True):
            yield callback, callback_state.get_state(callback, arguments)

    def _newest(self, model):
        """Returns the newest checkpoint that is not damaged, `None` if there is none at all.

        The same on all hosts.
        """
        found = self._newest_here(model)
        own = -1 if found is None else found[0]
        last, minus_first = kgen.distribution.largest(model.distribute_strategy, [own, -own])
        if last != -minus_first:
            raise ValueError(
                f"{self.directory} is not the same folder on all hosts: its newest checkpoint is "
                f"of round {max(own, 0)} here, and of round {last} and {max(-minus_first, 0)} on "
                "others. Expected one that all of them share."
            )
        return None if found is None else found[1:]

    def _newest_here(self, model):
        """Returns round, arrays and facts of the newest checkpoint that is not damaged."""
        damaged = []
        for path in checkpoint_file.newest_first(self.directory):
            try:
                arrays, facts = checkpoint_file.read(path)
            except (checkpoint_file.DamagedCheckpointError, OSError) as error:
                damaged.append(path)
                warnings.warn(f"{error} The one before it is tried.", stacklevel=2)
                continue
            self._check(model, arrays, facts, path)
            for other in damaged if model.is_chief else ():
                other.rename(other.with_name(other.name + ".damaged"))
            return checkpoint_file.rounds_of(path), arrays, facts
        if damaged:
            raise ValueError(
                f"{self.directory} holds damaged checkpoints only ({len(damaged)}). Remove them to "
                "start over."
            )
        return None

    def _check(self, model, arrays, facts, path):
        model_state.check_state(model, arrays, path)
        for name, value in self._training.items():
            if facts["training"][name] != value:
                raise ValueError(
                    f"{path} is of a training with {name}={facts['training'][name]}, expected the "
                    f"same, received {value}: its data, batch size or compile arguments differed."
                )

    def _restore(self, model):
        arrays, facts = self._restored
        model_state.set_state(model, arrays)
        self._position = facts["position"]
        for callback, state in self._saved_states():
            callback_state.reopen_files(callback, state)

    def _restore_others(self):
        for callback, state in self._saved_states():
            callback_state.set_state(callback, state)

    def _saved_states(self):
        """Pairs each callback with the state of the one of its class that came in the same order.

        A callback that the checkpoint does not know starts afresh.
        """
        arrays, facts = self._restored
        states = list(facts["callbacks"])
        for callback in self._others:
            found = next((s for s in states if s[0] == type(callback).__name__), None)
            if found is not None:
                states.remove(found)
                yield callback, callback_state.unflatten(found[1], arrays)

    # ------------------------------------------------------------------ an epoch begun before

    def _pass_over(self, iterator):
        """Stands in for the train function while Keras goes through what was played before."""
        self._left -= 1
        if not self._left:
            self.model.train_function = self._play
            ended = self._is_at_its_end(self.model)
            self.model.stop_training = self._position["stopped"] or ended
        return self.model.get_metrics_result()

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

    def _signal_of_any_host(self):
        """Returns the number of a signal that came to one of them, the same on all; 0 for none."""
        return kgen.distribution.largest(self.model.distribute_strategy, [self._signal or 0])[0]

    def _hold(self, number, frame):
        self._signal = number
        self._give_signals_back()  # So that a second one stops at once.

    def _give_signals_back(self):
        while self._handlers:
            number, handler = self._handlers.popitem()
            # None stands for a handler that is not Python's, and cannot be given back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _leave(self, number):
        """Does what a signal asks for, on all hosts once the chief has written."""
        if number:
            kgen.distribution.largest(self.model.distribute_strategy, [0])
            self._raise(number)

    def _raise(self, number):
        self._signal = None
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
