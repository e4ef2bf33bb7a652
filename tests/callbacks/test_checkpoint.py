"""Checkpoint: a training that stopped goes on bit for bit, whatever stopped it."""

import errno
import functools
import os
import resource
import shutil
import signal
import warnings
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgen.callbacks
from kgen.callbacks import checkpoint_file
from kgen.core import engine
from kgen.core.owner import FolderInUseError, owned
from tests.callbacks.tiny import tiny_critic, tiny_gan, tiny_generator
from tests.recycling import recycled, state_of
from tests.systems import SHAPE, SYSTEMS

IMAGES = np.random.default_rng(0).uniform(-1.0, 1.0, (46, *SHAPE)).astype("float32")


class Stop(keras.callbacks.Callback):
    """Raises, or raises a signal, when a round has been played."""

    not_state = ("stop_round", "number")  # Or a second one would stop where the first did.

    def __init__(self, round, number=None):
        super().__init__()
        self.stop_round, self.number = round, number

    def on_train_batch_end(self, batch, logs=None):
        if self.model.rounds_played == self.stop_round:
            if self.number is None:
                raise RuntimeError("stopped")
            signal.raise_signal(self.number)


ARRAYS = {"batch_size": 8, "validation_split": 0.0}  # Where one is given, it is an array.


@functools.cache
def in_order():
    images = np.concatenate([IMAGES, IMAGES[:2]])
    return tf.data.Dataset.from_tensor_slices(images).batch(8, drop_remainder=True)


def gan():
    """A GAN whose rounds are no updates."""
    return tiny_gan(loss="wasserstein", discriminator_updates=2)


def made(system="gan", **compiled):
    """The compiled model in its first state."""

    def make():
        model = gan() if system == "gan" else SYSTEMS[system].make()
        model.compile(keras.optimizers.Adam(), jit_compile=False, **compiled)
        return model

    return recycled(("checkpoint", system, *compiled.items()), make)


def fit(folder, *others, system="gan", epochs=3, data=None, compiled=None, **arguments):
    """Trains 6 rounds an epoch with checkpoints; returns what became of the model.

    On images in their order, as arrays are made a dataset anew in each `fit`, which takes longer.
    """
    model = made(system, **(compiled or {}))
    every = arguments.pop("every", 4)
    checkpoint = kgen.callbacks.Checkpoint(folder, every=every)
    if data is None and not arguments.keys() & ARRAYS.keys():
        data, arguments = in_order(), {"shuffle": False, **arguments}
    elif data is None:
        data, arguments = IMAGES, {**ARRAYS, **arguments}
    model.fit(data, epochs=epochs, verbose=0, callbacks=[checkpoint, *others], **arguments)
    return Trained(state_of(model), model.rounds_played, model.history)


class Trained(NamedTuple):
    """A training's end: the model itself trains again in the next `fit`."""

    state: list
    rounds_played: int
    history: keras.callbacks.History


def interrupted(folder, round, *others, **kwargs):
    with pytest.raises(RuntimeError, match="stopped"):
        fit(folder, *others, Stop(round), **kwargs)
    for callback in others:
        if isinstance(callback, keras.callbacks.CSVLogger):
            callback.csv_file.close()  # As the end of the process would have.


def assert_same(one, other):
    pairs = zip(one.state, other.state, strict=True)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def undisturbed_arrays(tmp_path_factory):
    """On arrays, which are shuffled."""
    return fit(tmp_path_factory.mktemp("arrays"), **ARRAYS)


@pytest.fixture(scope="module")
def stopped_at_9(tmp_path_factory):
    """The folder of a training that was stopped after 9 rounds, with checkpoints of 4 and 8."""
    folder = tmp_path_factory.mktemp("stopped")
    interrupted(folder, 9)
    return folder


@pytest.fixture
def stopped(stopped_at_9, tmp_path):
    """A copy of it."""
    return shutil.copytree(stopped_at_9, tmp_path / "stopped")


@pytest.mark.parametrize(
    ("round", "every"),
    [
        (1, 4),
        pytest.param(6, 4, marks=pytest.mark.slow),
        (9, 4),
        pytest.param(17, 4, marks=pytest.mark.slow),
        pytest.param(6, None, marks=pytest.mark.slow),
        pytest.param(9, None, marks=pytest.mark.slow),
        (17, None),
    ],
)
def test_goes_on_from_any_round(tmp_path, undisturbed_arrays, round, every):
    interrupted(tmp_path, round, every=every, **ARRAYS)
    model = fit(tmp_path, every=every, **ARRAYS)
    assert_same(model, undisturbed_arrays)
    assert model.rounds_played == 18
    assert model.history.history == undisturbed_arrays.history.history
    assert model.history.epoch == [0, 1, 2]


def test_goes_on_several_times_with_rounds_in_one_execution(tmp_path):
    of_two = {"compiled": {"steps_per_execution": 2}, "system": "denoising_autoencoder"}
    expected = fit(tmp_path / "a", **of_two)
    interrupted(tmp_path / "b", 8, **of_two)
    interrupted(tmp_path / "b", 14, **of_two)
    assert_same(fit(tmp_path / "b", **of_two), expected)


@pytest.mark.parametrize(
    ("policy", "system"),
    [("mixed_float16", "gan"), ("bfloat16", "denoising_autoencoder")],
)
def test_loss_scales_and_half_weights_go_on(tmp_path, policy, system):
    keras.config.set_dtype_policy(policy)
    few = {"epochs": 2, "steps_per_epoch": 3, "every": 2, "system": system}
    expected = fit(tmp_path / "a", **few)
    interrupted(tmp_path / "b", 5, **few)
    assert_same(fit(tmp_path / "b", **few), expected)


def test_replicas_go_on(tmp_path):
    with engine.mirrored(2).scope():
        keras.utils.set_random_seed(0)
        model = gan()
        sgd = {p.name: keras.optimizers.SGD(1e-3, momentum=0.9) for p in model.players}
        model.compile(sgd, jit_compile=False)
    variables = (*model.variables, *model.optimizer.variables)
    first = state_of(model)

    def run(folder, *others):
        for variable, value in zip(variables, first, strict=True):
            variable.assign(value)
        checkpoint = kgen.callbacks.Checkpoint(folder, every=2)
        callbacks = [checkpoint, *others]
        model.fit(IMAGES[:16], batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
        return Trained(state_of(model), model.rounds_played, model.history)

    expected = run(tmp_path / "a")
    with pytest.raises(RuntimeError, match="stopped"):
        run(tmp_path / "b", Stop(3))
    again = run(tmp_path / "b")
    assert again.rounds_played == 4
    assert_same(again, expected)


def dataset():
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES)
    return dataset.shuffle(46, seed=3).batch(8, drop_remainder=True)


@pytest.mark.parametrize(
    "make",
    [lambda: kgen.data.load("digits", split="train+validation", batch_size=400), dataset],
    ids=["kgen.data", "tf.data"],
)
def test_datasets_go_on(tmp_path, make):
    expected = fit(tmp_path / "a", data=make())
    interrupted(tmp_path / "b", 8, data=make())
    assert_same(fit(tmp_path / "b", data=make()), expected)


def test_validation_split_and_given_steps_go_on(tmp_path):
    arguments = {"validation_split": 0.13, "steps_per_epoch": 3}
    expected = fit(tmp_path / "a", **arguments)
    interrupted(tmp_path / "b", 5, **arguments)
    model = fit(tmp_path / "b", **arguments)
    assert_same(model, expected)
    assert model.history.history == expected.history.history
    assert "val_generator_loss" in model.history.history


def test_the_state_of_other_callbacks_goes_on(tmp_path):
    """Patience, best weights, rows of a file, NumPy's and Python's random numbers."""

    class Draws(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.draws = []

        def on_train_batch_end(self, batch, logs=None):
            self.draws.append(float(np.random.uniform()))

    def others(folder):
        folder.mkdir(exist_ok=True)
        return [
            keras.callbacks.EarlyStopping(
                "generator_loss", mode="min", patience=2, restore_best_weights=True
            ),
            keras.callbacks.ReduceLROnPlateau("generator_loss", mode="min", patience=1),
            keras.callbacks.CSVLogger(folder / "history.csv"),
            Draws(),
        ]

    first, second = tmp_path / "a", tmp_path / "b"
    few = {"epochs": 8, "steps_per_epoch": 3, "every": 2}
    expected_callbacks = others(first)
    expected = fit(first, *expected_callbacks, **few)
    interrupted(second, 5, *others(second), **few)
    interrupted(second, 8, *others(second), **few)
    callbacks = others(second)
    assert_same(fit(second, *callbacks, **few), expected)
    assert (second / "history.csv").read_text() == (first / "history.csv").read_text()
    stopping, expected_stopping = callbacks[0], expected_callbacks[0]
    assert vars(stopping)["wait"] == vars(expected_stopping)["wait"]
    assert stopping.stopped_epoch == expected_stopping.stopped_epoch
    assert callbacks[3].draws == expected_callbacks[3].draws
    assert len(set(callbacks[3].draws)) == len(callbacks[3].draws)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the system does not tell files")
def test_the_last_rows_of_a_log_are_synced_as_well(tmp_path, monkeypatch):
    """The last checkpoint counts on them, too, and is written once their file is closed."""
    synced, sync = {}, os.fsync

    def noting(file):
        synced[os.readlink(f"/proc/self/fd/{file}")] = os.fstat(file).st_size
        sync(file)

    monkeypatch.setattr(os, "fsync", noting)
    log = tmp_path / "history.csv"
    fit(tmp_path / "run", keras.callbacks.CSVLogger(log), epochs=1)
    assert synced[str(log)] == log.stat().st_size > 0


class Remembers(keras.callbacks.Callback):
    """State of many kinds, one of them under the name of a constructor's argument."""

    def __init__(self, count=0):
        super().__init__()
        self.count, self.by_epoch, self.pairs, self.begun = count, {}, [], 0

    def on_epoch_begin(self, epoch, logs=None):
        self.begun += 1
        self.pairs.append((epoch, np.float32(0.5)))

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1

    def on_epoch_end(self, epoch, logs=None):
        self.by_epoch[epoch] = logs["generator_loss"]


def test_what_a_callback_does_when_an_epoch_begins_is_done_once(tmp_path):
    """Even where it has an effect on the model: a schedule that halves the last rate."""

    def others():
        return [
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
            Remembers(),
            kgen.callbacks.Throughput(8),
        ]

    first, second = others(), others()
    expected = fit(tmp_path / "a", *first)
    interrupted(tmp_path / "b", 9, *others())
    model = fit(tmp_path / "b", *second)
    assert_same(model, expected)
    for name in ("count", "by_epoch", "pairs", "begun"):
        assert vars(second[1])[name] == vars(first[1])[name], name
    assert all(len(values) == 3 for values in model.history.history.values())


def test_state_that_cannot_be_kept_is_named(tmp_path):
    class Odd(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = {1, 2}

    with pytest.warns(UserWarning, match=r"\['seen'\] of Odd.*get_state"):
        fit(tmp_path / "a", Odd(), epochs=1)

    class Wrong(keras.callbacks.Callback):
        def get_state(self):
            return {1, 2}

    with pytest.raises(ValueError, match=r"get_state\(\) of Wrong must return.*\{1, 2\}"):
        fit(tmp_path / "b", Wrong(), epochs=1)


def test_a_fit_that_fails_while_it_passes_over_rounds_leaves_the_model_whole(stopped):
    class Fails(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise RuntimeError("stopped")

    model = made()
    with pytest.raises(RuntimeError, match="stopped"):
        checkpoint = kgen.callbacks.Checkpoint(stopped, every=4)
        model.fit(in_order(), epochs=3, verbose=0, callbacks=[Fails(), checkpoint])
    assert model.rounds_played == 8
    model.fit(in_order(), verbose=0)
    assert model.rounds_played == 14


def test_validation_data_may_be_an_array(tmp_path):
    model = fit(tmp_path, epochs=1, validation_data=IMAGES[:8], validation_split=0.5)
    assert "val_generator_loss" in model.history.history
    assert model.rounds_played == 6


def test_random_draws_without_a_seed_go_on(tmp_path):
    @keras.saving.register_keras_serializable("kgen_tests")
    class Jitter(keras.layers.Layer):
        def call(self, inputs, training=False):
            return inputs + 0.1 * keras.random.normal(keras.ops.shape(inputs))

    def run(folder, *others):
        keras.utils.set_random_seed(0)
        model = kgen.models.GAN(tiny_generator([Jitter()]), tiny_critic(), seed=1)
        model.compile(keras.optimizers.SGD(), run_eagerly=True)
        callbacks = [kgen.callbacks.Checkpoint(folder, every=2), *others]
        model.fit(in_order(), steps_per_epoch=2, epochs=2, verbose=0, callbacks=callbacks)
        return Trained(state_of(model), model.rounds_played, model.history)

    expected = run(tmp_path / "a")
    with pytest.raises(RuntimeError, match="stopped"):
        run(tmp_path / "b", Stop(3))
    assert_same(run(tmp_path / "b"), expected)


def test_where_it_does_not_belong(tmp_path):
    checkpoint = kgen.callbacks.Checkpoint(tmp_path)
    inputs = keras.Input((2,))
    plain = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    plain.compile("sgd", "mse")
    with pytest.raises(ValueError, match="`fit` of a kgen.GenerativeModel, received by a Func"):
        plain.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0, callbacks=[checkpoint])
    with pytest.raises(ValueError, match="holds two Checkpoints"):
        fit(tmp_path, kgen.callbacks.Checkpoint(tmp_path / "b"))


def test_other_files_in_the_folder_stay(tmp_path):
    mine = [tmp_path / "notes.partial", tmp_path / "round-1.txt"]
    left = tmp_path / "round-00000003.checkpoint.partial"
    for path in [*mine, left]:
        path.write_text("")
    fit(tmp_path, epochs=1)
    assert all(path.exists() for path in mine) and not left.exists()


def test_a_callback_may_say_what_its_state_is(tmp_path):
    class Counted(keras.callbacks.Callback):
        count = 0

        def on_train_batch_end(self, batch, logs=None):
            type(self).count += 1

        def get_state(self):
            return {"count": type(self).count, "array": np.arange(3)}

        def set_state(self, state):
            assert state["array"].tolist() == [0, 1, 2]
            type(self).count = state["count"]

    interrupted(tmp_path, 9, Counted())
    assert Counted.count == 9
    fit(tmp_path, Counted())
    assert Counted.count == 18


def test_a_finished_training_is_not_trained_further_but_may_be_extended(tmp_path, undisturbed):
    fit(tmp_path, epochs=2)
    again = fit(tmp_path, epochs=2)
    assert again.rounds_played == 12
    assert len(again.history.history["generator_loss"]) == 2
    assert_same(fit(tmp_path, epochs=3), undisturbed)


def test_what_a_callback_stopped_stays_stopped(tmp_path):
    for _ in range(2):
        model = fit(tmp_path, kgen.callbacks.StopAfter(8))
        assert model.rounds_played == 8


def test_keeps_the_last(tmp_path):
    fit(tmp_path, every=2)
    assert [p.name for p in checkpoint_file.newest_first(tmp_path)] == [
        f"round-{round:08d}.checkpoint" for round in (18, 16, 14)
    ]
    assert kgen.callbacks.Checkpoint(tmp_path).newest_round == 18


@pytest.mark.parametrize("damage", ["cut", "bit", "empty"])
def test_a_damaged_one_is_known(stopped, damage):
    newest = checkpoint_file.newest_first(stopped)[0]
    damaged(newest, damage)
    with pytest.raises(checkpoint_file.DamagedCheckpointError, match=f"{newest.name} is damaged"):
        checkpoint_file.read(newest)


def damaged(path, damage):
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "bit":
        content[len(content) // 2] ^= 1
    else:
        content = b""
    path.write_bytes(content)


def test_a_damaged_one_falls_back_to_the_one_before(stopped, undisturbed):
    newest = checkpoint_file.newest_first(stopped)[0]
    damaged(newest, "bit")
    with pytest.warns(UserWarning, match=f"{newest.name} is damaged.*one before"):
        model = fit(stopped)
    assert_same(model, undisturbed)
    assert (stopped / (newest.name + ".damaged")).exists()


def test_damaged_ones_only_are_an_error_and_stay(stopped):
    for path in checkpoint_file.newest_first(stopped):
        path.write_bytes(b"nothing")
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(ValueError, match=r"holds damaged checkpoints only \(2\)"),
    ):
        fit(stopped)
    assert len(checkpoint_file.newest_first(stopped)) == 2


def test_a_full_disk_loses_nothing(stopped, undisturbed):
    """No file may grow beyond a size: writing fails in the midst, as on a full disk."""
    before = {path: path.read_bytes() for path in checkpoint_file.newest_first(stopped)}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.warns(UserWarning, match="could not be written.*Training goes on"):
            model = fit(stopped)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_same(model, undisturbed)
    assert {p: p.read_bytes() for p in stopped.iterdir() if p.name != ".lock"} == before


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "round-00000001.checkpoint"
    checkpoint_file.write(path, {"a": np.ones(3)}, {"b": 1})

    def fail(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        checkpoint_file.write(path, {"a": np.zeros(3)}, {"b": 2})
    arrays, facts = checkpoint_file.read(path)
    assert arrays["a"].tolist() == [1.0, 1.0, 1.0] and facts == {"b": 1}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_ctrl_c_ends_the_round_and_leaves_a_checkpoint(tmp_path, undisturbed):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, Stop(7, signal.SIGINT), every=100)
    assert signal.getsignal(signal.SIGINT) is before
    assert kgen.callbacks.Checkpoint(tmp_path).newest_round == 7
    assert_same(fit(tmp_path, every=100), undisturbed)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_ctrl_c_stays_ignored_and_sigterm_still_leaves_a_checkpoint(tmp_path):
    """As where a shell has put the training into the background."""

    class Both(Stop):
        def on_train_batch_end(self, batch, logs=None):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            if self.model.rounds_played == 2:
                signal.raise_signal(signal.SIGINT)
            if self.model.rounds_played == 5:
                signal.raise_signal(signal.SIGTERM)

    def leave(number, frame):
        raise SystemExit(number)

    before = [signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, leave)]
    try:
        with pytest.raises(SystemExit):
            fit(tmp_path, Both(0), every=100)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert kgen.callbacks.Checkpoint(tmp_path).newest_round == 5


def test_a_handler_that_lets_training_go_on_is_called_each_time(tmp_path):
    """And each time a checkpoint is left, as where a scheduler announces what it does later."""
    called = []

    class Asked(Stop):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.rounds_played in (2, 5):
                signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    try:
        fit(tmp_path, Asked(0), every=100, epochs=1)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert called == [signal.SIGTERM] * 2
    rounds = [checkpoint_file.rounds_of(p) for p in checkpoint_file.newest_first(tmp_path)]
    assert rounds == [6, 5, 2]


def test_sigterm_ends_the_first_process_of_a_container_too(tmp_path, monkeypatch):
    """For which the system passes over signals that nobody handles."""

    class Asked(Stop):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.rounds_played == 5:
                signal.raise_signal(signal.SIGTERM)
                monkeypatch.setattr(signal, "raise_signal", lambda number: None)

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as end:
            fit(tmp_path, Asked(0), every=100)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert end.value.code == 143
    assert kgen.callbacks.Checkpoint(tmp_path).newest_round == 5


class Full(keras.callbacks.Callback):
    """A user's own, whose file meets a full disk."""

    not_state = ("when",)

    def __init__(self, hook, round):
        super().__init__()
        self.when = (hook, round)

    def on_train_batch_end(self, batch, logs=None):
        self.meet("round")

    def on_epoch_end(self, epoch, logs=None):
        self.meet("epoch")

    def on_train_end(self, logs=None):
        self.meet("end")

    def meet(self, hook):
        if (hook, self.model.rounds_played) == self.when:
            raise OSError(errno.ENOSPC, "No space left on device", "mine.txt")


@pytest.mark.parametrize(("hook", "round"), [("round", 9), ("epoch", 12), ("end", 18)])
def test_an_error_of_the_disk_leaves_a_checkpoint_first(tmp_path, undisturbed, hook, round):
    """From which all goes on as if it had not been: the others have dealt with the round."""
    rows = keras.callbacks.CSVLogger(tmp_path / "history.csv")
    with pytest.raises(OSError, match="No space left on device: 'mine.txt'"):
        fit(tmp_path, Full(hook, round), Remembers(), rows, every=100)
    rows.csv_file.close()
    assert kgen.callbacks.Checkpoint(tmp_path).newest_round == round
    remembers = Remembers()
    model = fit(
        tmp_path, Full(hook, 0), remembers, keras.callbacks.CSVLogger(tmp_path / "history.csv"),
        every=100,
    )  # fmt: skip
    assert_same(model, undisturbed)
    assert remembers.count == 18 and len(remembers.by_epoch) == 3
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 1 + 3


def test_a_second_training_in_the_folder_is_refused(stopped):
    with owned(stopped), pytest.raises(FolderInUseError, match=f"process {os.getpid()} of"):
        fit(stopped)


def test_a_diverged_training_does_not_push_out_the_last_finite_checkpoint(tmp_path):
    class Diverge(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.rounds_played > 6:
                weights = self.model.generator.trainable_variables[0]
                weights.assign(np.full(weights.shape, np.nan))

    fit(tmp_path, Diverge(), every=2)
    found = [checkpoint_file.rounds_of(path) for path in checkpoint_file.newest_first(tmp_path)]
    assert found == [18, 16, 14, 6]
    arrays, _ = checkpoint_file.read(checkpoint_file.path_of(tmp_path, 6))
    assert all(np.isfinite(a).all() for name, a in arrays.items() if name.startswith("model/"))
    with pytest.warns(UserWarning, match=r"round-00000018.*NaN or infinity.*round-00000006.*last"):
        fit(tmp_path, every=2)


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    class Twice(Stop):
        def on_train_batch_end(self, batch, logs=None):
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            raise RuntimeError("at once")

    with pytest.raises(RuntimeError, match="at once"):
        fit(tmp_path, Twice(1), every=100)
    assert not checkpoint_file.newest_first(tmp_path)


def test_another_training_in_the_folder_is_refused(stopped):
    with pytest.raises(
        ValueError, match="model was GAN and is now DenoisingAutoencoder. Give .*folder of its own"
    ):
        fit(stopped, system="denoising_autoencoder")
    with pytest.raises(ValueError, match="executions_per_epoch=6, expected the same, received 12"):
        fit(stopped, data=in_order().repeat(2), shuffle=False)
    assert fit(stopped).rounds_played == 18


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "`every` must be a positive integer, received 0"),
        ({"every": 1.5}, "`every`.*1.5"),
        ({"keep": 0}, "`keep`.*0"),
        ({"keep": None}, "`keep`.*None"),
    ],
)
def test_bad_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        kgen.callbacks.Checkpoint(tmp_path, **arguments)


def test_data_that_cannot_be_started_anywhere_is_refused(tmp_path):
    with pytest.raises(ValueError, match="x: .*start at any round.*generator"):
        fit(tmp_path, data=(IMAGES[:8] for _ in range(3)))
    unknown = tf.data.Dataset.from_generator(
        lambda: iter([]), output_signature=tf.TensorSpec((8, *SHAPE))
    )
    with pytest.raises(ValueError, match="x: .*length of an epoch.*`steps_per_epoch`"):
        fit(tmp_path, data=unknown)


def test_sigterm_leaves_a_checkpoint_and_ends_the_process(tmp_path, monkeypatch):
    """What is left in the end is for a fork to die of."""
    raise_signal, ends = signal.raise_signal, []

    class Asked(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.rounds_played == 5:
                raise_signal(signal.SIGTERM)

    def in_a_fork(number):
        newest = kgen.callbacks.Checkpoint(tmp_path).newest_round
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of threads, which the fork does not have nor need.
            fork = os.fork()
        if not fork:
            try:
                raise_signal(number)
            finally:
                os._exit(0)
        ends.append((newest, os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])))
        raise RuntimeError("stopped")

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setattr(signal, "raise_signal", in_a_fork)
    try:
        with pytest.raises(RuntimeError, match="stopped"):
            fit(tmp_path, Asked(), every=100)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ends == [(5, -signal.SIGTERM)]
