"""`fit`, `evaluate` and `predict`: what they are given, and how they begin and end."""

import contextlib
import functools
import math
import types

import keras

from kgen.core import engine, given
from kgen.core.end_on_nan import losses_for
from kgen.core.optimizers import check_callbacks
from kgen.core.replicas import StopTogether

# What `fit` is given beside its batch size and epochs that are counts.
_COUNTS = ("steps_per_epoch", "validation_steps", "validation_batch_size", "initial_epoch")


class Fitting:
    """The part of `GenerativeModel` that meets Keras' loops over data."""

    def fit(self, x=None, y=None, batch_size=None, epochs=1, **kwargs):
        """Trains as `keras.Model.fit`; the batch is that of a whole round (see the class).

        Images are in [-1, 1], in arrays and datasets alike; a batch is images, or where the system
        uses them `(images, labels or targets)`. Of a dictionary, such as TFDS makes, the image is
        `image` and the label `label`.

        A set of `kgen.data` begins at the batch of the round that is next, counted over all `fit`s:
        so a loaded model goes on with the batches that the saved one would have got. A callback
        with a method `around_fit(model, arguments)`, a context, may change the arguments; callbacks
        whose attribute `writes_logs` is true are called before the others, which read the logs.

        In the scope of a `tf.distribute` strategy the batch is that of all replicas together.

        Raises:
            ValueError: If data, also those to validate with, or callbacks do not suit the model.
            WorkerLostError: If another host of the training is gone (`kgen.distribution`).
        """
        given.refuse_weights("fit()", kwargs)
        counts = {name: kwargs.get(name) for name in _COUNTS}
        given.check_counts("fit()", batch_size=batch_size, epochs=epochs, **counts)
        x, y = given.named(x, y, self.uses_targets, "fit()")
        x, y, kwargs = _split_off(x, y, kwargs)
        multiple = self.batch_multiple * self.replicas
        given.check(self, x, y, batch_size, multiple, "fit()")
        if not any(n.trainable_variables for player in self.players for n in player.networks):
            raise ValueError(
                f"fit(): this {type(self).__name__} has nothing to train, as all its networks are "
                "frozen, such as by a `LatentRegressor`; set `trainable` to True to train it."
            )
        kwargs["validation_data"] = self._held_out(batch_size, kwargs)
        check_callbacks(kwargs.get("callbacks"), self.players)
        # Keras warns where `shuffle`, which is on by default, meets what has an order of its own.
        ordered = hasattr(x, "element_spec") or isinstance(x, types.GeneratorType)
        kwargs.setdefault("shuffle", not ordered)
        kwargs["callbacks"] = self._in_order(kwargs.get("callbacks"))
        arguments = {"x": x, "y": y, "batch_size": batch_size, "epochs": epochs, **kwargs}
        with contextlib.ExitStack() as stack:
            if self.compiled:
                for callback in keras.tree.flatten(kwargs["callbacks"]):
                    if hasattr(callback, "around_fit"):
                        context = callback.around_fit(self, arguments)
                        arguments = stack.enter_context(context)
                arguments = self._in_position(arguments)
            stack.enter_context(engine.errors_as_raised())
            stack.enter_context(engine.lost_workers_named(self.distribute_strategy))
            arguments = {**arguments, **self._looked_at(stack, x, arguments)}
            self.before_training()
            history = super().fit(**self._shared(arguments))
        self.before_use()
        return history

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """Returns each player's loss on `x`, as `keras.Model.evaluate`; leaves no trace.

        In the scope of a strategy replicas may get different numbers of a batch's rows.
        """
        given.refuse_weights("evaluate()", kwargs)
        given.check_counts("evaluate()", batch_size=batch_size, steps=kwargs.get("steps"))
        x, y = given.named(x, y, self.uses_targets, "evaluate()")
        with contextlib.ExitStack() as stack:
            if not engine.is_shared(x):
                self._check_to_evaluate(x, y, batch_size, "evaluate()")
                x = stack.enter_context(self._first_batch_checked(x, "evaluate()"))
                x = engine.shared(x, self.distribute_strategy)
            stack.enter_context(engine.errors_as_raised())
            stack.enter_context(engine.lost_workers_named(self.distribute_strategy))
            return super().evaluate(x, y, batch_size=batch_size, **kwargs)

    def predict(self, x, batch_size=None, *args, **kwargs):
        """Calls the model on batches, as `keras.Model.predict`.

        Raises:
            ValueError: If `x` is not what a call of the model takes.
        """
        given.check_counts("predict()", batch_size=batch_size, steps=kwargs.get("steps"))
        given.check_call(self, x, "predict()")
        takes_images = (self.call_inputs or [("",)])[0][0] == "images"
        self.before_use()
        if self.__dict__.get("_predicts_raw", False) != self.uses_raw_weights:
            self._predicts_raw, self.predict_function = self.uses_raw_weights, None
        with contextlib.ExitStack() as stack:
            stack.enter_context(engine.errors_as_raised())
            if takes_images:
                context = given.first_batch_checked(
                    x, "predict()", self._check_called_on, self.image_margin
                )
                x = stack.enter_context(context)
            return super().predict(x, batch_size, *args, **kwargs)

    def predict_on_batch(self, x):
        """Calls the model on a batch, as `keras.Model.predict_on_batch`; see `predict`."""
        given.check_call(self, x, "predict_on_batch()")
        return super().predict_on_batch(x)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, **kwargs):
        """Plays a round, as `keras.Model.train_on_batch`; weights must be `None`."""
        weights = {"sample_weight": sample_weight, "class_weight": class_weight}
        given.refuse_weights("train_on_batch()", weights)
        self._check_batch(x, y, "train_on_batch()")
        self.before_training()
        return super().train_on_batch(x, y, **kwargs)

    def test_on_batch(self, x, y=None, sample_weight=None, **kwargs):
        """Returns each player's loss, as `keras.Model.test_on_batch`; weights must be `None`."""
        given.refuse_weights("test_on_batch()", {"sample_weight": sample_weight})
        self._check_batch(x, y, "test_on_batch()")
        return super().test_on_batch(x, y, **kwargs)

    def before_training(self):
        """Runs as a training begins or goes on, before its rounds; nothing by default."""

    def batches_from(self, data, starting_at):
        """Returns the batches of the rounds that are next, as a dataset without end.

        By default a round takes the batch of its number, counted over all `fit`s.

        Args:
            data: What `fit` was given.
            starting_at: Function from the number of a batch to the endless dataset from it on; of a
                set of `kgen.data` it takes `shrink`, too, as `kgen.data.Stream.starting_at`.
        """
        return starting_at(self.rounds_played)

    def check_targets(self, targets):
        """Raises a ValueError if the model cannot use the targets given to `fit`; never by default.

        Args:
            targets: An array, the spec of a dataset's targets, or `None` where they are not known.
        """

    def _in_order(self, callbacks):
        """Callbacks in the order of their calls, with those that several players or hosts need."""
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.callbacks += losses_for(callbacks.callbacks, self.players)
            return callbacks
        if callbacks is None:
            return None
        callbacks = sorted(keras.tree.flatten(callbacks), key=_place)
        callbacks += losses_for(callbacks, self.players)
        if engine.is_multiworker(self.distribute_strategy):
            callbacks.append(StopTogether())
        return callbacks

    def _in_position(self, arguments):
        data = arguments["x"]
        if not hasattr(data, "starting_at"):
            return arguments
        steps = arguments.get("steps_per_epoch") or data.steps_per_pass
        x = self.batches_from(data, data.starting_at)
        return {**arguments, "x": x, "steps_per_epoch": steps}

    def _looked_at(self, stack, x, arguments):
        """The data among the arguments of `fit`, whose first batches are checked as they come.

        `x` is as it was given: what became of it may tell less.
        """
        held_out, checked = arguments.get("validation_data"), {}
        if not hasattr(x, "starting_at") and not given.holds_arrays(x):
            checked["x"] = stack.enter_context(self._first_batch_checked(arguments["x"], "fit()"))
        if held_out is not None and not isinstance(held_out, tuple):
            context = self._first_batch_checked(held_out, "validation_data of fit()")
            checked["validation_data"] = stack.enter_context(context)
        return checked

    def _shared(self, arguments):
        """The arguments of `fit`, with datasets of which every replica gets its own rows."""
        strategy, held_out = self.distribute_strategy, arguments.get("validation_data")
        if hasattr(held_out, "element_spec"):
            arguments = {**arguments, "validation_data": engine.shared(held_out, strategy)}
        return {**arguments, "x": engine.shared(arguments["x"], strategy)}

    def _held_out(self, batch_size, arguments):
        """Returns `validation_data` as Keras takes it, checked before the first round."""
        held_out, where = arguments.get("validation_data"), "validation_data of fit()"
        if held_out is None:
            return None
        is_tuple = isinstance(held_out, tuple | list)
        x, y, weights = keras.utils.unpack_x_y_sample_weight(held_out if is_tuple else (held_out,))
        given.refuse_weights(where, {"sample_weight": weights})
        x, y = given.named(x, y, self.uses_targets, where)
        if not engine.is_shared(x):
            batch_size = arguments.get("validation_batch_size") or batch_size
            self._check_to_evaluate(x, y, batch_size, where)
        return x if y is None and not hasattr(x, "shape") else (x, y)

    def _first_batch_checked(self, x, where):
        check = functools.partial(given.check_batch, self, where=where)
        return given.first_batch_checked(x, where, check)

    def _check_called_on(self, batch):
        """Checks what a generator given to `predict` yields."""
        if not isinstance(batch, tuple | list):
            given.check_batch(self, batch, "predict()")  # Which says what it must be.
        given.check_call(self, batch[0], "predict()")

    def _check_batch(self, x, y, where):
        x, y = given.named(x, y, self.uses_targets, where, takes_batches=False)
        given.check(self, x, y, None, 1, where)

    def _check_to_evaluate(self, x, y, batch_size, where):
        multiple = self.evaluation_multiple
        multiple *= self.replicas if multiple > 1 else 1
        given.check(self, x, y, batch_size, multiple, where)


def _split_off(x, y, arguments):
    """Does what `validation_split` asks for, so that both parts are checked as what they are."""
    share = arguments.get("validation_split")
    rows = next((len(leaf) for leaf in keras.tree.flatten(x) if getattr(leaf, "shape", None)), 0)
    is_share = isinstance(share, float) and 0.0 < share < 1.0
    if not is_share or arguments.get("validation_data") is not None or hasattr(x, "element_spec"):
        return x, y, arguments  # Keras takes the one, or says what is wrong with the other.
    first = math.floor(rows * (1.0 - share))
    if not 0 < first < rows:
        return x, y, arguments
    parts = [
        keras.tree.map_structure(lambda leaf, place=place: leaf[place], (x, y), none_is_leaf=False)
        for place in (slice(first), slice(first, None))
    ]
    return *parts[0], {**arguments, "validation_split": None, "validation_data": parts[1]}


def _place(callback):
    return 0 if getattr(callback, "writes_logs", False) else 1
