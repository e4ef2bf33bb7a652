"""Doctor: what it does about a failure, and that it does nothing else."""

import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgen.data
from kgen import models, networks
from kgen.callbacks import Checkpoint
from kgen.callbacks.doctor import Diagnosis, Doctor
from kgen.callbacks.doctor.fixed_batch import fixed_batch
from kgen.core import engine
from kgen.data.digits import digits
from tests.callbacks.doctor_trainings import (
    EVERY,
    SGD,
    gan,
    signals,
    train,
    vae,
    wgan_gp,
)
from tests.callbacks.tiny import tiny_gan
from tests.recycling import recycled, state_of
from tests.systems import (
    SHAPE,
    dcgan,
    first_gan,
    importance_weighted_vae,
    packed_gan,
    spectral_gan,
)

IMAGES = digits("train")[0][:256]


def is_same(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def spoil(model):
    model.generator.get_layer("pixels").bias.assign(np.full(64, np.nan))


class Spoil(keras.callbacks.Callback):
    """Makes weights of the generator NaN before some rounds."""

    def __init__(self, *rounds):
        super().__init__()
        self.rounds = list(rounds)

    def on_train_batch_begin(self, batch, logs=None):
        if self.rounds and self.model.rounds_played >= self.rounds[0]:
            self.rounds.pop(0)
            spoil(self.model)


# ---------------------------------------------------------------- it leaves no trace


def plain_fit(model, callbacks, data=IMAGES, **arguments):
    arguments = {"epochs": 2, "verbose": 0, "callbacks": callbacks, **arguments}
    if isinstance(data, np.ndarray):
        arguments["batch_size"] = 32
    return model.fit(data, **arguments).history


def shuffled():
    images = tf.data.Dataset.from_tensor_slices(IMAGES)
    return images.shuffle(256, seed=3).batch(32, drop_remainder=True)


DATA = {
    "arrays": (lambda: IMAGES, None),
    "kgen.data": (lambda: kgen.data.load("digits", batch_size=128), None),
    "tf.data": (shuffled, IMAGES[:64]),
}


# Of arrays the systems below are trained; what is read of each kind of data is at the end.
@pytest.mark.parametrize(
    "make_data, images",
    [
        pytest.param(*given, id=name, marks=[] if name == "kgen.data" else [pytest.mark.slow])
        for name, given in DATA.items()
    ],
)
def test_training_is_the_same_to_the_bit(make_data, images):
    def trained(*callbacks):
        model = recycled("plain", lambda: compiled(tiny_gan(ema_momentum=0.95)))
        history = plain_fit(model, list(callbacks), make_data())
        return state_of(model), history

    expected, history = trained()
    watched, watched_history = trained(Doctor(every=2, images=images, on_failure="rollback"))
    assert is_same(expected, watched) and history == watched_history


def compiled(model, optimizer=None, **arguments):
    model.compile(optimizer or keras.optimizers.SGD(), **arguments)
    return model


def gan_with_state():
    """One whose batch norm, dropout and spectral norm all move as the networks are called."""
    images = keras.Input(SHAPE)
    dropped = keras.layers.Dropout(0.3)(images)
    critic = networks.dcgan_discriminator(SHAPE, filters=4, normalization="spectral")
    generator = networks.dcgan_generator(SHAPE, latent_dim=4, filters=4)
    return models.GAN(generator, keras.Model(images, critic(dropped)), loss="hinge")


@pytest.mark.parametrize(
    "make",
    [
        gan_with_state,
        packed_gan,
        importance_weighted_vae,
        *(pytest.param(make, marks=pytest.mark.slow) for make in (dcgan, first_gan, spectral_gan)),
    ],
)
def test_systems_of_all_kinds_are_watched_and_not_disturbed(make):
    def trained(*callbacks):
        model = recycled(("watched", make.__name__), lambda: compiled(make(), run_eagerly=True))
        plain_fit(model, list(callbacks), IMAGES[:32], epochs=1)
        return state_of(model), np.random.uniform(), keras.random.uniform(())

    expected, *draws = trained()
    doctor = Doctor(every=1, failures=())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What so small a training shows is not the point.
        watched, *draws_after = trained(doctor)
    assert is_same(expected, watched) and draws == draws_after
    assert doctor.measured


def test_it_works_under_replicas_and_xla():
    with engine.mirrored(2).scope():
        doctor = train(compiled(tiny_gan(ema_momentum=0.95)), 20)
    assert doctor.said == [] and len(doctor.measured) == 4
    doctor = train(compiled(tiny_gan(), jit_compile=True), 20)
    assert doctor.said == [] and len(doctor.measured) == 3


def test_it_works_beside_keras_callbacks(tmp_path):
    others = [
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
        keras.callbacks.EarlyStopping("generator_loss", mode="min", patience=100),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
    ]
    doctor = train(compiled(tiny_gan(), steps_per_execution=4), 40, *others)
    # Keras itself is warned by NumPy as it saves.
    assert not [said for said in doctor.said if "__array__" not in said]
    assert doctor.diagnoses == [] and doctor.round == 40


# ---------------------------------------------------------------- warn and stop


def test_warnings_go_on_training_and_are_said_once():
    doctor = train(gan(1e-2, 1e-7), 80)
    assert doctor.model.rounds_played == 80 and len(doctor.said) == 1
    found = doctor.diagnoses[0]
    assert isinstance(found, Diagnosis) and found.round < 80 and found.message == doctor.said[0]


def test_stop_ends_the_training_and_says_why():
    doctor = train(gan(1e-2, 1e-7), 80, on_failure="stop")
    assert doctor.model.rounds_played == doctor.diagnoses[0].round < 80
    assert doctor.model.stop_training
    assert doctor.said == [doctor.diagnoses[0].message + " Training stops here."]


def test_what_counts_as_a_failure_can_be_chosen():
    arguments = {"on_failure": "stop", "failures": ["not_finite"]}
    doctor = train(gan(1e-2, 1e-7), 80, **arguments)
    assert doctor.model.rounds_played == 80 and doctor.said == [doctor.diagnoses[0].message]


def test_thresholds_can_be_set():
    doctor = train(gan(), 20, patience=1, thresholds={"vanished_gradient_norm": 1e6})
    assert signals(doctor) == ["vanished_gradient"]
    assert doctor.diagnoses[0].threshold == 1e6


# ---------------------------------------------------------------- rollback


def rates(model):
    return [float(np.asarray(o.learning_rate)) for o in model.optimizer.optimizers]


def test_rollback_restores_weights_averages_slots_and_means_and_halves_the_rates():
    # The last healthy check before the failure.
    expected = state_of(train(gan(ema_momentum=0.95), 40).model)
    model = gan(ema_momentum=0.95)

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.rounds_played == 51:
                self.seen = state_of(self.model)
                self.noise = np.asarray(self.model.random_states[0])
                self.means = [float(m.result()) for m in self.model.metrics]

    look = Look()
    doctor = train(model, 60, Spoil(50), look, on_failure="rollback")
    assert signals(doctor) == ["not_finite"] and doctor.diagnoses[0].round == 51
    assert re.search(
        r"Rolled back to the weights of round 40, the learning rates now 0.0005 "
        r"\(discriminator\), 0.0005 \(generator\); rollback 1 of 3.$",
        doctor.said[0],
    )
    apart = {id(model.optimizer.iterations), *(id(s) for s in model.random_states)}
    apart |= {id(o.learning_rate) for o in model.optimizer.optimizers}
    apart |= {id(model.measured_batches)}  # Of the average: at the end of a training alone.
    variables = (*model.variables, *model.optimizer.variables)
    for variable, seen, before in zip(variables, look.seen, expected, strict=True):
        assert (id(variable) in apart) != np.array_equal(seen, before), variable.path
    assert np.isfinite(look.means).all()
    # Rounds are counted on, noise goes on, training ends as planned and is finite.
    assert model.rounds_played == 60 and look.noise[1] == 51
    assert rates(model) == pytest.approx([5e-4, 5e-4])
    assert all(np.isfinite(array).all() for array in state_of(model))
    assert np.isfinite(list(model.history.history.values())).all()


def test_rollback_to_the_begin_where_no_check_has_come():
    doctor = train(gan(), 10, Spoil(3), on_failure="rollback")
    assert "weights of round 0" in doctor.said[0]
    assert doctor.model.rounds_played == 10


def test_rollbacks_are_bounded():
    doctor = train(gan(), 40, Spoil(3, 6, 9), on_failure="rollback", rollbacks=2)
    assert signals(doctor) == ["not_finite"] * 3
    assert [("rollback 1 of 2" in said, "rollback 2 of 2" in said) for said in doctor.said] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert doctor.said[2].endswith(
        "stops here. It has been rolled back 2 times, as often as it may."
    )
    assert doctor.model.rounds_played == 10 and rates(doctor.model) == pytest.approx([2.5e-4] * 2)


def test_rollback_saves_a_training_with_too_large_a_rate():
    """A critic of so large a rate explodes, and is well once the rate has come down."""
    doctor = train(
        wgan_gp(critic_rate=1.0), 160, on_failure="rollback", rollbacks=20, learning_rate_factor=0.1
    )
    assert set(signals(doctor)) == {"exploding_penalty"}
    assert not doctor.model.stop_training and doctor.model.rounds_played == 160
    assert doctor.measured["exploding_penalty"] < 10.0


def test_rollback_puts_loss_scales_back():
    keras.config.set_dtype_policy("mixed_float16")
    doctor = train(vae(1e-3, beta=1e9), 20, on_failure="rollback")
    assert signals(doctor) == ["loss_scale_underflow"]
    assert float(doctor.model.optimizer.by_player["vae"].dynamic_scale) == 2.0**15


def test_rollback_refuses_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
    model = gan(SGD(schedule))
    with pytest.raises(ValueError, match="player 'discriminator' is a ExponentialDecay"):
        train(model, 1, on_failure="rollback")
    model = gan(SGD(schedule), compiled={"run_eagerly": True})
    assert train(model, 3, every=2, on_failure="stop").said == []


# ---------------------------------------------------------------- with a Checkpoint


class Stop(keras.callbacks.Callback):
    def __init__(self, round):
        super().__init__()
        self.stop_round = round

    def on_train_batch_end(self, batch, logs=None):
        if self.model.rounds_played == self.stop_round:
            raise RuntimeError("stopped")


class SpoilOnce(Spoil):
    """Whose rounds are fixed, whatever a checkpoint remembers of them."""

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.rounds_played in self.rounds:
            spoil(self.model)


def test_a_killed_training_goes_on_with_the_same_bits(tmp_path):
    """The rollback at round 11 goes to the state of round 8, kept in the checkpoint of 9."""

    def run(folder, *others):
        callbacks = [SpoilOnce(10), *others, Checkpoint(folder, every=3)]
        doctor = train(gan(ema_momentum=0.95), 14, *callbacks, every=4, on_failure="rollback")
        return doctor, state_of(doctor.model)

    expected, end = run(tmp_path / "undisturbed")
    assert len(expected.said) == 1 and "round 8" in expected.said[0]
    for killed, said in ((10, expected.said), (13, [])):
        folder = tmp_path / str(killed)
        with pytest.raises(RuntimeError, match="stopped"):
            run(folder, Stop(killed))
        again, other_end = run(folder)
        assert is_same(other_end, end)
        assert again.diagnoses == expected.diagnoses
        assert again.measured == expected.measured
        assert again.said == said


def test_a_training_that_it_stopped_stays_stopped(tmp_path):
    def run():
        checkpoint = Checkpoint(tmp_path, every=EVERY)
        return train(gan(1e-2, 1e-7), 80, checkpoint, on_failure="stop")

    rounds = run().model.rounds_played
    assert rounds < 80
    again = run()
    assert again.model.rounds_played == rounds and again.said == []


# ---------------------------------------------------------------- the real images


def test_rows_of_arrays_are_drawn_by_the_seed_and_not_held_out():
    numbers = np.arange(400.0)[:, None]
    one = fixed_batch({"x": numbers, "validation_split": 0.5}, None, 0, False)
    other = fixed_batch({"x": numbers, "validation_split": 0.5}, None, 1, False)
    assert one.shape == (128, 1) and one.max() < 200 and len(np.unique(one)) == 128
    assert not np.array_equal(one, other)


def test_batches_of_a_stream_are_its_first_and_uncounted():
    stream = kgen.data.load("digits", batch_size=50)
    batch = fixed_batch({"x": stream}, None, 0, False)
    first = [images.numpy() for images in kgen.data.load("digits", batch_size=50).take(3)]
    np.testing.assert_array_equal(batch, np.concatenate(first)[:128])
    np.testing.assert_array_equal(next(iter(stream)), first[0])


def test_labels_are_left_out_unless_the_model_uses_them():
    x, y = np.ones((4, 2)), np.arange(4)
    assert fixed_batch({"x": x, "y": y}, None, 0, False).shape == (4, 2)
    images, labels = fixed_batch({"x": x, "y": y}, None, 0, True)
    assert images.shape == (4, 2) and sorted(labels) == [0, 1, 2, 3]


def test_data_that_cannot_be_looked_into_needs_images(tmp_path):
    with pytest.raises(ValueError, match="`images` must be a batch of real images"):
        plain_fit(gan(), [Doctor()], shuffled())
    with pytest.raises(ValueError, match="before the Checkpoint"):
        plain_fit(gan(), [Checkpoint(tmp_path), Doctor()])


@pytest.mark.parametrize(
    "images",
    [IMAGES[:1], (IMAGES[:8] * 8).astype("uint8"), np.full((4, 8, 8, 1), np.nan, "float32")],
    ids=["one", "integers", "NaN"],
)
def test_images_that_cannot_be_used_are_refused(images):
    with pytest.raises(ValueError, match="`images` must hold at least 2 images, floats"):
        plain_fit(gan(), [Doctor(images=images)])


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    "name, value",
    [
        ("every", 0),
        ("every", 1.5),
        ("patience", 0),
        ("seed", -1),
        ("rollbacks", -1),
        ("on_failure", "panic"),
        ("learning_rate_factor", 1.0),
        ("thresholds", {"mode_collapse": 0.1}),
        ("thresholds", {"lagging_average": "0.1"}),
        ("thresholds", {"lagging_average": 0.0}),
        ("failures", ["collapse"]),
        ("failures", "not_finite"),
    ],
)
def test_arguments_are_checked(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        Doctor(**{name: value})


def test_it_refuses_a_model_that_is_not_of_kgen():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="received by a Sequential"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[Doctor()])
