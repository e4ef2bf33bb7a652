"""Keras' own callbacks with several players and with one."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import models, networks
from kgen.core.optimizers import KERAS_KNOWS_SEVERAL
from tests.callbacks.tiny import in_order, tiny_gan
from tests.recycling import recycled
from tests.systems import SHAPE

KERAS_3_15 = pytest.mark.skipif(
    not KERAS_KNOWS_SEVERAL, reason="Keras 3.12's callbacks know a single optimizer only"
)


def make_gan():
    return tiny_gan(instance_noise=0.1)


def make_vae():
    return models.VAE(
        networks.dense_encoder(SHAPE, 2, hidden_layers=0),
        networks.dense_decoder(SHAPE, 2, hidden_layers=0),
    )


def compiled(make, optimizer, run_eagerly):
    """The model; one with an optimizer of a name comes back in its first state to each test."""

    def make_compiled():
        model = make()
        model.compile(optimizer, run_eagerly=run_eagerly)
        return model

    if isinstance(optimizer, str):
        return recycled(("keras_callbacks", make.__name__, optimizer), make_compiled)
    keras.utils.set_random_seed(0)
    return make_compiled()


# Where a test needs a model of its own, tracing it takes longer than a few rounds.
def gan(optimizer="adam", run_eagerly=None):
    eager = not isinstance(optimizer, str) if run_eagerly is None else run_eagerly
    return compiled(make_gan, optimizer, eager)


def vae(optimizer="adam", run_eagerly=None):
    eager = not isinstance(optimizer, str) if run_eagerly is None else run_eagerly
    return compiled(make_vae, optimizer, eager)


SYSTEMS = {"gan": (gan, "val_generator_loss"), "vae": (vae, "val_loss")}
every_system = pytest.mark.parametrize("make, monitor", SYSTEMS.values(), ids=SYSTEMS)
# Of files it is several players that are hard; one is saved and goes on in the common checks.
several_players = pytest.mark.parametrize(
    "make, monitor",
    [
        pytest.param(*given, id=name, marks=[] if name == "gan" else [pytest.mark.slow])
        for name, given in SYSTEMS.items()
    ],
)


def fit(model, callbacks, epochs=3, **kwargs):
    return model.fit(
        in_order(8, 4),
        epochs=epochs,
        verbose=0,
        validation_data=in_order(4, 4),
        callbacks=callbacks,
        **kwargs,
    ).history


def rates(model):
    return [float(optimizer.learning_rate) for optimizer in model.optimizer.by_player.values()]


def weights(model):
    return [weight.numpy() for weight in model.weights]


def state(model):
    return [variable.numpy() for variable in model.variables + model.optimizer.variables]


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


class Script(keras.callbacks.Callback):
    """Overwrites a log, so that a test decides which epoch is the best; keeps the weights."""

    def __init__(self, name, values):
        super().__init__()
        self.name, self.values, self.weights = name, values, []

    def on_epoch_end(self, epoch, logs=None):
        assert np.isfinite(logs[self.name])  # It is there to be monitored.
        logs[self.name] = self.values[epoch]
        self.weights.append(weights(self.model))


# ---------------------------------------------------------------- learning rates


@KERAS_3_15
def test_learning_rate_scheduler():
    """A schedule is called with each player's own learning rate, and sets it."""

    def halve(epoch, rate):
        return 0.5 * rate

    players = {"discriminator": keras.optimizers.SGD(0.1), "generator": keras.optimizers.Adam(0.4)}
    for model, before in ((gan(players), [0.1, 0.4]), (vae(keras.optimizers.SGD(0.2)), [0.2])):
        fit(model, [keras.callbacks.LearningRateScheduler(halve)], epochs=2)
        assert rates(model) == pytest.approx([rate / 4.0 for rate in before])


@KERAS_3_15
def test_learning_rates_in_the_logs():
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5 * rate)
    history = fit(gan(), [scheduler], epochs=2)
    for name in ("learning_rate_discriminator", "learning_rate_generator"):
        assert history[name] == pytest.approx([1e-4, 5e-5])  # The paper has 2e-4.
    assert fit(vae(), [scheduler], epochs=1)["learning_rate_vae"] == pytest.approx([5e-4])


@KERAS_3_15
def test_learning_rates_of_given_optimizers_in_the_logs():
    """They have the optimizers' names, which Keras makes different."""
    players = {"discriminator": keras.optimizers.SGD(0.1), "generator": keras.optimizers.SGD(0.4)}
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)
    history = fit(gan(players), [scheduler], epochs=1)
    logged = [value for name, (value,) in history.items() if name.startswith("learning_rate")]
    assert sorted(logged) == pytest.approx([0.1, 0.4])


@every_system
@KERAS_3_15
def test_reduce_lr_on_plateau(make, monitor):
    model = make()
    before = rates(model)
    plateau = keras.callbacks.ReduceLROnPlateau(monitor, factor=0.1, mode="min", patience=1)
    fit(model, [Script(monitor, [1.0, 0.5, 0.6]), plateau])
    assert rates(model) == pytest.approx([0.1 * rate for rate in before])


# ---------------------------------------------------------------- stopping and saving


@every_system
def test_early_stopping_restores_the_best_weights(make, monitor):
    model = make()
    script = Script(monitor, [1.0, 0.5, 0.6, 0.7, 0.1])
    stopping = keras.callbacks.EarlyStopping(
        monitor, mode="min", patience=2, restore_best_weights=True
    )
    history = fit(model, [script, stopping], epochs=5)
    assert len(history[monitor]) == 4 and stopping.best_epoch == 1
    assert_same(weights(model), script.weights[1])


def test_early_stopping_finds_the_default_loss_of_one_player():
    script = Script("val_loss", [1.0, 2.0, 3.0])
    assert len(fit(vae(), [script, keras.callbacks.EarlyStopping()])["val_loss"]) == 2


@several_players
def test_model_checkpoint_continues(make, monitor, tmp_path):
    """Training goes on from the file bit for bit, optimizers and random states included."""
    path = str(tmp_path / "epoch-{epoch}.keras")
    model = make()
    fit(model, [keras.callbacks.ModelCheckpoint(path)], epochs=3)
    loaded = keras.models.load_model(tmp_path / "epoch-2.keras")
    assert int(loaded.optimizer.iterations) == 4
    fit(loaded, [], epochs=3, initial_epoch=2)
    assert_same(state(model), state(loaded))


@every_system
def test_model_checkpoint_of_the_best(make, monitor, tmp_path):
    model, script = make(), Script(monitor, [1.0, 0.5, 0.6])
    best = {"monitor": monitor, "mode": "min", "save_best_only": True}
    whole = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", **best)
    path = tmp_path / "best.weights.h5"
    weights_only = keras.callbacks.ModelCheckpoint(path, save_weights_only=True, **best)
    fit(model, [script, whole, weights_only])
    assert_same(weights(keras.models.load_model(tmp_path / "best.keras")), script.weights[1])
    model.load_weights(path)
    assert_same(weights(model), script.weights[1])


@several_players
def test_backup_and_restore(make, monitor, tmp_path):
    """Training that broke off goes on after its last whole epoch."""

    class PowerCut(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole = make()
    fit(whole, [], epochs=4)
    expected = state(whole)
    with pytest.raises(KeyboardInterrupt):
        backup = keras.callbacks.BackupAndRestore(tmp_path)
        fit(make(), [backup, PowerCut()], epochs=4)
    model = make()
    history = fit(model, [keras.callbacks.BackupAndRestore(tmp_path)], epochs=4)
    assert len(history[monitor]) == 2
    assert_same(expected, state(model))


def test_weights_load_into_a_model_with_optimizers_made_anew(tmp_path):
    """As when BackupAndRestore is used in another process; their names may differ."""
    one, other = (
        gan({name: keras.optimizers.Adam() for name in ("discriminator", "generator")})
        for _ in range(2)
    )
    fit(one, [], epochs=1)
    one.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same(state(one), state(other))


# ---------------------------------------------------------------- logs


def scalars_in(folder):
    """Dict of the scalars in TensorBoard's files of a folder: tag to values by step."""
    found = {}
    for path in sorted(folder.glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name in ("scalars", ""):
                    found.setdefault(value.tag, []).append(float(tf.make_ndarray(value.tensor)))
    return found


@KERAS_3_15
def test_tensorboard(tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    history = fit(gan(), [board], epochs=2)
    train, validation = scalars_in(tmp_path / "train"), scalars_in(tmp_path / "validation")
    for player in ("discriminator", "generator"):
        assert train[f"epoch_{player}_loss"] == pytest.approx(history[f"{player}_loss"])
        assert validation[f"epoch_{player}_loss"] == pytest.approx(history[f"val_{player}_loss"])
        assert train[f"epoch_learning_rate_{player}"] == pytest.approx([2e-4, 2e-4])


@KERAS_3_15
def test_tensorboard_of_one_player(tmp_path):
    fit(vae(), [keras.callbacks.TensorBoard(tmp_path, write_graph=False)], epochs=1)
    train = scalars_in(tmp_path / "train")
    assert {"epoch_loss", "epoch_reconstruction", "epoch_kl"} < set(train)
    assert train["epoch_learning_rate_vae"] == pytest.approx([1e-3])


@pytest.mark.parametrize(
    "make, columns",
    [(gan, ["discriminator_loss", "generator_loss"]), (vae, ["kl", "loss", "reconstruction"])],
    ids=["gan", "vae"],
)
def test_csv_logger(make, columns, tmp_path):
    history = fit(make(), [keras.callbacks.CSVLogger(tmp_path / "log.csv")], epochs=2)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", *columns, *(f"val_{name}" for name in columns)]
    assert [row["epoch"] for row in rows] == ["0", "1"]
    for name in columns:
        assert [float(row[name]) for row in rows] == pytest.approx(history[name])


# ---------------------------------------------------------------- averaged weights


class Watch(keras.callbacks.Callback):
    """Keeps the weights and their averages, as they are at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.weights, self.averages = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(moved_by_players(self.model))
        self.averages.append(
            [
                variable.numpy()
                for optimizer in self.model.optimizer.optimizers
                for variable in optimizer._model_variables_moving_average
            ]
        )


def moved_by_players(model):
    return [variable.numpy() for player in model.players for variable in player.variables]


def assert_close(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


# Traced where there is most to it: several players, each with a loss scale.
@pytest.mark.parametrize(
    "system, policy",
    [
        ("gan", "mixed_float16"),
        pytest.param("vae", "mixed_float16", marks=pytest.mark.slow),
        ("vae", "float32"),
        pytest.param("gan", "float32", marks=pytest.mark.slow),
    ],
)
@KERAS_3_15
def test_swap_ema_weights(system, policy, tmp_path):
    """Evaluation and the checkpoint see the averages, training goes on with the weights."""
    keras.config.set_dtype_policy(policy)
    make, monitor = SYSTEMS[system]
    players = [player.name for player in make().players]
    model = make(
        {name: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5) for name in players},
        run_eagerly=(system, policy) != ("gan", "mixed_float16"),
    )
    before, after = Watch(), Watch()
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    checkpoint = keras.callbacks.ModelCheckpoint(str(tmp_path / "epoch-{epoch}.keras"))
    history = fit(model, [before, swap, after, checkpoint], epochs=2)
    assert np.isfinite(history[monitor]).all()
    # The first epoch: both are swapped; in float32 by adding and subtracting, so not exactly.
    assert_close(after.weights[0], before.averages[0])
    assert_close(after.averages[0], before.weights[0])
    with pytest.raises(AssertionError):
        assert_close(before.weights[0], after.weights[0])
    loaded = keras.models.load_model(tmp_path / "epoch-1.keras")
    assert_same(moved_by_players(loaded), after.weights[0])
    # The end: Keras leaves the averages in the model.
    assert_close(moved_by_players(model), before.averages[1])


@KERAS_3_15
@every_system
def test_swap_ema_weights_without_averages(make, monitor):
    with pytest.raises(ValueError, match="use_ema=True"):
        fit(make(), [keras.callbacks.SwapEMAWeights()], epochs=1)


@pytest.mark.skipif(KERAS_KNOWS_SEVERAL, reason="This Keras' callbacks know several optimizers")
@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate),
        keras.callbacks.ReduceLROnPlateau(),
        keras.callbacks.SwapEMAWeights(),
    ],
)
def test_callbacks_that_an_old_keras_cannot_run(callback):
    with pytest.raises(ValueError, match="needs Python 3.11"):
        gan().fit(in_order(8, 4), callbacks=[callback])
