"""Exact resume: a training that was killed goes on as if nothing had happened."""

import contextlib

import keras

import kgen.distribution
from kgen.callbacks import callback_state, model_state, training_identity
from kgen.callbacks.callbacks_from import CallbacksFrom
from kgen.callbacks.checkpoint_folder import CheckpointFolder
from kgen.callbacks.rounds import RoundCallback, StopAfter
from kgen.callbacks.stop_signals import StopSignals
from kgen.core.owner import owned
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
    and kept as `*.damaged`; one that cannot be read is tried again, and stays. Where the disk is
    full the oldest makes room; if that is not enough, a warning says so and training goes on. The
    last checkpoint whose numbers are all finite is kept beside the newest. An `OSError` of another
    callback leaves a checkpoint, too, once the others have dealt with the round.

    One process at a time has the folder: a second one is told who has it. What a training is, its
    model's and optimizers' configs, the functions of your own in them and its variables' names and
    types, stands in the checkpoint: one that differs is refused, unless `changes` says otherwise.
    Other data are warned of, where they are arrays or of `kgen.data` (what is in another dataset is
    not known), and other versions of kgen, Keras and TensorFlow. Learning rates that callbacks have
    changed come back.

    The first Ctrl-C (or SIGTERM) lets the round end, writes a checkpoint and only then stops; a
    second one stops at once. A signal that the process ignores stays ignored.

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
        changes: What to do about a config that differs from the checkpoint's: "refuse", or "accept"
            to go on from it under the config of now, with its learning rates, and warn of it.
            Another system is refused in any case.

    Raises:
        ValueError: If an argument is not of this form; when training begins, if the folder holds
            checkpoints of another training, or damaged ones only, or not the same on all hosts, or
            is another process's (a `kgen.core.owner.FolderInUseError`).
    """

    def __init__(self, directory, every=None, keep=3, changes="refuse"):
        super().__init__()
        for name, value in (("every", every), ("keep", keep)):
            is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            if not is_count and not (name == "every" and value is None):
                raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")
        if changes not in ("refuse", "accept"):
            raise ValueError(f'`changes` must be "refuse" or "accept", received {changes!r}.')
        self.every = every
        self.changes = changes
        self._folder = CheckpointFolder(directory, keep)
        self._signals = StopSignals()

    @property
    def directory(self):
        """The folder, a `pathlib.Path`."""
        return self._folder.directory

    @property
    def newest_round(self):
        """Rounds that the newest checkpoint in the folder has behind it; 0 if there is none."""
        return self._folder.newest_round

    # ------------------------------------------------------------------ around fit

    @contextlib.contextmanager
    def around_fit(self, model, arguments):
        """Context of a `fit` of `model`, whose keyword arguments it yields changed.

        Restores the model, starts the data at its position and has Keras go through the epochs that
        are left, the one begun from where it was.
        """
        with owned(self.directory) if model.is_chief else contextlib.nullcontext():
            arguments = self._prepared(model, arguments)
            try:
                with self._signals.holding():
                    yield arguments
            finally:
                if model.train_function == self._pass_over:  # Left before all was passed over.
                    model.train_function = self._play
            if self._signals.held:  # It came with the last write.
                self._signals.deliver(self._signals.held)

    def _prepared(self, model, arguments):
        arguments, given_data = dict(arguments), arguments["x"]
        labels = arguments.get("y")
        known = given_data if labels is None else [given_data, labels]
        self._identity = training_identity.identity(model, known)
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
                given_data,
                lambda at, **further: data.starting_at(
                    at, self._position["first_round"], **further
                ),
            ),
            steps_per_epoch=data.steps,
            initial_epoch=first_epoch,
            epochs=epochs,
            shuffle=False,
            verbose=verbose,
            # This one last: when it writes, the others have dealt with the round.
            callbacks=CallbacksFrom(
                skipped,
                [*self._others, self],
                self._rescue,
                add_progbar=verbose != 0,
                verbose=verbose,
                epochs=epochs,
                steps=data.steps,
                model=model,
            ),
        )
        return arguments

    def on_train_begin(self, logs=None):
        if not hasattr(self, "_others"):
            raise ValueError(
                f"Checkpoint must be in the list of `callbacks` given to `fit` of a "
                f"kgen.GenerativeModel, received by a {type(self.model).__name__} otherwise."
            )
        super().on_train_begin(logs)
        if self.model.is_chief:
            self._folder.tidy()
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
            self._set_state(self.model)
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
            "identity": self._identity,
            "callbacks": callback_state.named(self._others, self._arguments, arrays),
        }
        self._folder.write(self.round, arrays, facts)

    def _rescue(self):
        """Tries a checkpoint before an error leaves; of several hosts all would have to write."""
        if not kgen.distribution.is_multiworker(self.model.distribute_strategy):
            self._write()

    def _newest(self, model):
        """Returns the newest checkpoint that is not damaged, `None` if there is none at all.

        The same on all hosts.
        """
        found = self._folder.newest(
            lambda arrays, facts, path: self._check(model, arrays, facts, path), model.is_chief
        )
        own = -1 if found is None else found[0]
        last, minus_first = kgen.distribution.largest(model.distribute_strategy, [own, -own])
        if last != -minus_first:
            raise ValueError(
                f"{self.directory} is not the same folder on all hosts: its newest checkpoint is "
                f"of round {max(own, 0)} here, and of round {last} and {max(-minus_first, 0)} on "
                "others. Expected one that all of them share."
            )
        return None if found is None else found[1:]

    def _check(self, model, arrays, facts, path):
        """Refuses, or warns of, a checkpoint of another training."""
        before = facts.get("identity", {})
        training_identity.check(before, self._identity, path, self.changes == "accept")
        model_state.check_state(model, arrays, path)
        for name, value in self._training.items():
            if facts["training"][name] != value:
                raise ValueError(
                    f"{path} is of a training with {name}={facts['training'][name]}, expected the "
                    f"same, received {value}: its data, batch size or compile arguments differed."
                )
        training_identity.warn_of_differences(before, self._identity, path)

    def _restore(self, model):
        self._set_state(model)
        self._position = self._restored[1]["position"]
        for callback, state in self._saved_states():
            callback_state.reopen_files(callback, state)

    def _set_state(self, model):
        """Restores the model, but for learning rates that were compiled as others."""
        arrays, facts = self._restored
        model_state.set_state(model, arrays)
        before = facts.get("identity", {})
        for name, rate in training_identity.changed_rates(before, self._identity).items():
            if isinstance(rate, float):  # A schedule goes by the count of updates.
                model.optimizer.by_player[name].learning_rate = rate

    def _restore_others(self):
        for callback, state in self._saved_states():
            callback_state.set_state(callback, state)

    def _saved_states(self):
        arrays, facts = self._restored
        return callback_state.matched(self._others, facts["callbacks"], arrays)

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

    def _signal_of_any_host(self):
        """Returns the number of a signal that came to one of them, the same on all; 0 for none."""
        strategy = self.model.distribute_strategy
        return kgen.distribution.largest(strategy, [self._signals.held or 0])[0]

    def _leave(self, number):
        """Does what a signal asks for, on all hosts once the chief has written."""
        if number:
            kgen.distribution.largest(self.model.distribute_strategy, [0])
            self._signals.deliver(number)
