"""Doctor: each failure provoked in a real training is found, and nothing in healthy ones."""

from unittest import mock

import keras
import numpy as np
import pytest

from kgen import models, networks
from kgen.callbacks.doctor.diagnosis import Reading
from kgen.callbacks.doctor.examination import Examination, examiner
from kgen.callbacks.doctor.mode_collapse import diversity, mode_collapse
from kgen.callbacks.doctor.not_finite import FiniteWeights
from kgen.callbacks.doctor.record import Record
from kgen.callbacks.doctor.signals import CHECKS, SIGNALS, THRESHOLDS
from kgen.callbacks.doctor.vanished_gradient import vanished_gradient
from tests.callbacks.doctor_trainings import (
    SGD,
    SHAPE,
    gan,
    signals,
    train,
    vae,
    wgan_gp,
)
from tests.callbacks.tiny import tiny_generator

WARM_UP = "kgen.models.adversarial.warmed_up"


def the_one_diagnosis(doctor, signal):
    """The only diagnosis, which is of `signal` and was said once, as a warning and nothing else."""
    assert signals(doctor) == [signal]
    (diagnosis,) = doctor.diagnoses
    assert doctor.said == [diagnosis.message]
    assert diagnosis.message.startswith(f"Round {diagnosis.round}: ")
    return diagnosis


# ---------------------------------------------------------------- each failure


# Of the others the separation is among the numbers below.
@pytest.mark.parametrize(
    "loss",
    [
        "non_saturating",
        pytest.param("hinge", marks=pytest.mark.slow),
        pytest.param("minimax", marks=pytest.mark.slow),
        pytest.param("least_squares", marks=pytest.mark.slow),
    ],
)
def test_a_discriminator_far_ahead_is_saturated(loss):
    doctor = train(gan(1e-2, 1e-7, loss=loss), 200)
    found = the_one_diagnosis(doctor, "saturated_discriminator")
    assert found.measured < found.threshold == 0.02
    assert "Lower the `learning_rate` of the discriminator's optimizer" in found.message
    assert "`instance_noise=0.1`" in found.message


def test_clipping_too_tight_makes_the_gradient_vanish():
    eagerly = {"run_eagerly": True}
    doctor = train(gan(loss="wasserstein", weight_clipping=1e-6, compiled=eagerly), 8, every=2)
    found = the_one_diagnosis(doctor, "vanished_gradient")
    assert found.measured < 1e-8 < found.threshold == 1e-6
    assert found.message.endswith(
        'Raise `weight_clipping`, or use `penalty="gradient"` in its place.'
    )


def test_a_generator_far_too_fast_collapses():
    doctor = train(gan(1e-5, 5e-2), 120)
    found = the_one_diagnosis(doctor, "mode_collapse")
    assert found.measured < found.threshold == 0.02
    assert "the generator's optimizer, now 0.05, or give GAN `packing=2`." in found.message


def test_a_vae_whose_latents_say_nothing_collapses():
    found = the_one_diagnosis(train(vae(beta=100.0), 160), "mode_collapse")
    assert found.round == 120  # Samples that have never been varied are given time to begin.
    assert found.message.endswith("Lower `beta`, now 100: the latents say nothing of the image.")


def test_a_critic_far_too_fast_makes_the_penalty_explode():
    found = the_one_diagnosis(train(wgan_gp(critic_rate=1.0), 60), "exploding_penalty")
    assert found.round == 20 and found.measured > 1e3 > found.threshold == 100.0
    assert "`critic_penalty`" in found.message
    assert found.message.endswith("critic's optimizer, now 1, or change `penalty_weight`.")


def test_gradients_that_overflow_float16_drive_the_loss_scale_down():
    keras.config.set_dtype_policy("mixed_float16")
    doctor = train(vae(1e-3, beta=1e9), 40)
    found = the_one_diagnosis(doctor, "loss_scale_underflow")
    assert found.round == 20 and found.measured < found.threshold == 1.0
    assert "of the vae" in found.message and "mixed_bfloat16" in found.message


def test_an_average_too_slow_for_the_training_lags():
    """Of one without a warm-up; which is no failure unless named."""
    model = gan(ema_momentum=0.99999, compiled={"run_eagerly": True})
    with mock.patch(WARM_UP, lambda momentum, rounds: momentum):
        doctor = train(model, 8, every=1, on_failure="stop")
    found = the_one_diagnosis(doctor, "lagging_average")
    assert found.round == 6 and model.rounds_played == 8  # Three checks from the half on.
    assert found.measured == pytest.approx(1.0, abs=0.01) and found.threshold == 0.5
    assert "Lower `ema_momentum`, now 0.99999" in found.message


def test_an_average_that_warms_up_does_not_lag():
    model = gan(ema_momentum=0.99999, compiled={"run_eagerly": True})
    doctor = train(model, 8, every=1, on_failure="stop")
    assert "lagging_average" not in signals(doctor)
    assert 0.0 < doctor.measured["lagging_average"] < 0.3


def test_an_average_that_stands_still_is_found_at_any_time():
    model = gan(ema_momentum=0.9, name="stands_still", compiled={"run_eagerly": True})
    # As rounding makes of a momentum near 1 in half precision.
    with mock.patch(WARM_UP, lambda momentum, rounds: 1.0):
        found = the_one_diagnosis(train(model, 4, every=1), "lagging_average")
    assert found.round == 4 and "stopped moving" in found.message


# ---------------------------------------------------------------- NaN and Inf


@pytest.mark.parametrize("steps_per_execution", [1, 5])
def test_weights_that_run_away_are_found_at_once_with_network_and_layer(steps_per_execution):
    model = gan(SGD(1e20), SGD(1e-2), compiled={
        "steps_per_execution": steps_per_execution, "run_eagerly": True,
    })  # fmt: skip
    doctor = train(model, 40, every=1000, on_failure="stop")
    assert signals(doctor) == ["not_finite"]
    (found,) = doctor.diagnoses
    assert found.round == model.rounds_played == steps_per_execution
    first = next(
        (network, layer)
        for network in (model.discriminator, model.generator)
        for layer in network.layers
        if not all(np.isfinite(weight).all() for weight in layer.get_weights())
    )
    name = {id(model.discriminator): "discriminator", id(model.generator): "generator"}
    assert f"layer {first[1].name!r} of the {name[id(first[0])]}" in found.message
    assert "1e+20 (discriminator), 0.01 (generator)" in found.message


def test_it_names_the_first_layer_with_a_weight_that_is_not_finite():
    model = gan()
    model.discriminator.get_layer("logits").bias.assign([np.inf])
    model.generator.get_layer("pixels").bias.assign(np.full(64, np.nan))
    found = the_one_diagnosis(train(model, 1), "not_finite")
    assert found.round == 1
    assert "of layer 'hidden_0' of the discriminator" in found.message  # After the first round.


class Spoil(keras.callbacks.Callback):
    """Changes the model after a round; stands before the doctor."""

    def __init__(self, round, change):
        super().__init__()
        self.round, self.change = round, change

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.rounds_played == self.round:
            self.change(self.model)


def test_a_weight_that_no_loss_shows_is_found_at_the_next_check():
    def change(model):
        model.generator_average.get_layer("pixels").bias.assign(np.full(64, np.inf))

    doctor = train(gan(ema_momentum=0.95), 20, Spoil(3, change))
    found = the_one_diagnosis(doctor, "not_finite")
    assert found.round == 20 and found.measured == 64.0
    assert "the bias of layer 'pixels' of the generator_average" in found.message


def test_an_optimizer_whose_slots_are_not_finite_is_found():
    def change(model):
        slots = model.optimizer.by_player["discriminator"].variables
        slots[3].assign(np.full(slots[3].shape, np.inf))

    model = gan()
    change(model)
    assert "of the discriminator's optimizer" in FiniteWeights(model).first().problem
    # In a training they end in weights at once. (Those of the generator may end anywhere: whether
    # ReLU lets NaN through depends on the processor.)
    found = the_one_diagnosis(train(gan(0.0, 1e-3), 20, Spoil(3, change)), "not_finite")
    assert "of the discriminator" in found.message


def test_an_output_that_overflows_is_found_where_all_weights_are_finite():
    keras.config.set_dtype_policy("mixed_float16")
    model = gan(ema_momentum=0.95)
    model.discriminator.get_layer("hidden_0").kernel.assign(np.full((64, 64), 1e5))
    found = the_one_diagnosis(train(model, 1), "not_finite")
    assert found.round == 1
    assert "the output of layer 'hidden_0' of the discriminator" in found.message
    # Layers are left as they were.
    assert not any("call" in vars(layer) for layer in model.discriminator.layers)


def test_samples_that_are_not_finite_are_found_though_no_loss_shows_them(monkeypatch):
    monkeypatch.setattr(models.VAE, "decode_step", lambda self, latents: np.nan * latents)
    found = the_one_diagnosis(
        train(vae(name="spoilt", compiled={"run_eagerly": True}), 2, every=2), "not_finite"
    )
    assert "the samples of fixed latents" in found.message


def test_moves_that_a_loss_scale_skips_are_no_failure():
    keras.config.set_dtype_policy("mixed_float16")
    model = gan(ema_momentum=0.95)
    for optimizer in model.optimizer.by_player.values():
        optimizer.dynamic_scale.assign(2.0**30)
    doctor = train(model, 40)
    assert float(model.optimizer.by_player["generator"].dynamic_scale) < 2.0**30
    assert signals(doctor) == [] and doctor.said == []


# ---------------------------------------------------------------- healthy trainings


def dcgan():
    keras.utils.set_random_seed(0)
    model = models.GAN(
        networks.dcgan_generator(SHAPE, 8, filters=4),
        networks.dcgan_discriminator(SHAPE, filters=4),
        ema_momentum=0.98,
        seed=0,
    )
    model.compile({p.name: keras.optimizers.Adam(1e-3, beta_1=0.5) for p in model.players})
    return model


HEALTHY = {
    "dense gan": lambda: gan(ema_momentum=0.95),
    "hinge gan with all that there is": lambda: gan(
        loss="hinge",
        penalty="r1",
        penalty_weight=0.1,
        packing=2,
        instance_noise=0.1,
        share_fakes=False,
    ),
    "clipped wasserstein gan": lambda: gan(loss="wasserstein", discriminator_updates=2),
    "dcgan": dcgan,
    "wgan-gp": wgan_gp,
    "vae": vae,
}


# What is clipped has no gradient penalty, and else what WGAN-GP has; of convolutions nothing is
# asked that is not of dense layers.
@pytest.mark.parametrize(
    "make, rounds",
    [
        pytest.param(
            make,
            200 if name == "dense gan" else 120,  # A lag is looked for in the second half.
            id=name,
            marks=[pytest.mark.slow] if name in ("clipped wasserstein gan", "dcgan") else [],
        )
        for name, make in HEALTHY.items()
    ],
)
def test_a_healthy_training_raises_nothing(make, rounds):
    doctor = train(make(), rounds)
    assert doctor.said == [] and signals(doctor) == []
    assert doctor.measured  # It has looked.


def test_a_healthy_training_in_float16_raises_nothing():
    keras.config.set_dtype_policy("mixed_float16")
    doctor = train(gan(ema_momentum=0.95), 120)
    assert doctor.said == [] and signals(doctor) == []
    assert set(doctor.measured) == set(SIGNALS) - {"not_finite", "exploding_penalty"}


def test_signals_without_a_meaning_are_not_measured():
    assert set(train(vae(), 20).measured) == {"mode_collapse"}
    assert set(train(wgan_gp(), 20).measured) == {
        "exploding_penalty",
        "vanished_gradient",
        "mode_collapse",
        "lagging_average",
    }
    assert set(train(gan(), 20).measured) == {
        "saturated_discriminator",
        "vanished_gradient",
        "mode_collapse",
    }


# ---------------------------------------------------------------- numbers


def test_diversity_is_that_of_a_square():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert diversity(square) == {"variance": 0.5, "neighbours": 1.0}


def test_gradient_and_separation_are_those_of_a_linear_discriminator():
    """Of scores w x the slope is |w| whatever the batch; w = 0 tells nothing from anything."""
    images = keras.Input(SHAPE)
    scores = keras.layers.Dense(1, name="w")(keras.layers.Flatten()(images))
    linear = keras.Model(images, scores)
    linear.get_layer("w").kernel.assign(np.full((64, 1), 0.5))
    real = np.zeros((6, *SHAPE), "float32")
    model = models.GAN(tiny_generator(), linear, loss="wasserstein", seed=0)
    measured = examiner(model, real, 0)()
    model.run_eagerly = True
    without_a_graph = examiner(model, real, 0)()
    for name, value in measured.items():
        np.testing.assert_allclose(without_a_graph[name], value, rtol=1e-5, atol=1e-6)
    assert measured["samples"].shape == real.shape and "separation" not in measured
    assert measured["gradient"] == pytest.approx(0.5 * 8.0)  # The norm of 64 times 0.5.
    linear.get_layer("w").kernel.assign(np.zeros((64, 1)))
    for loss in ("non_saturating", "minimax", "least_squares", "hinge", "relativistic_average"):
        linear.get_layer("w").bias.assign([0.5 if loss == "least_squares" else 0.0])
        model = models.GAN(tiny_generator(), linear, loss=loss)
        model.run_eagerly = True
        measured = examiner(model, real, 0)()
        assert measured["separation"] == pytest.approx(1.0) and measured["gradient"] == 0.0


def examined(**measured):
    return Examination(gan(), 0, 0, None, np.eye(4)[..., None], **measured)


def test_the_gradient_is_held_against_the_median_of_earlier_checks():
    memory = {}
    for norm in (1.0, 3.0, 100.0):
        assert not vanished_gradient(examined(gradient=norm), memory, THRESHOLDS).present
    reading = vanished_gradient(examined(gradient=2.9e-3), memory, THRESHOLDS)
    assert reading.present and reading.measured == pytest.approx(2.9e-3 / 3.0)
    assert not vanished_gradient(examined(gradient=3.1e-3), memory, THRESHOLDS).present


def test_samples_that_open_up_are_no_collapse():
    def present(scales):
        memory = {"patience": 3}
        samples = [scale * np.eye(4)[..., None] for scale in scales]
        readings = [mode_collapse(examined(samples=x), memory, THRESHOLDS) for x in samples]
        return [reading.present for reading in readings]

    alike = 1e-3
    assert present([1.0, alike, alike, alike]) == [False, True, True, True]
    assert present([alike] * 4) == [False, False, False, True]
    # The distance of neighbours, which is further below, grows 1.6 times within three checks.
    assert present([alike, 1.3 * alike, 1.6 * alike, 2.1 * alike]) == [False] * 4


def test_equal_real_images_have_no_diversity_to_compare_with():
    examination = Examination(None, 0, 0, None, np.zeros((4, 2)), samples=np.eye(4))
    assert mode_collapse(examination, {"patience": 3}, THRESHOLDS) is None


def test_a_diagnosis_is_made_once_while_it_lasts_and_again_when_it_returns():
    record = Record(patience=2, first_round=0)
    present, absent = Reading(0.0, 1.0, True), Reading(2.0, 1.0)
    course = [present, absent, present, present, absent, present, present]
    course += [absent, absent, present, present]
    for round, reading in enumerate(course):
        record.note("mode_collapse", reading, round)
    assert [found.round for found in record.diagnoses] == [3, 10]


def test_a_vanished_gradient_explains_a_collapse():
    record = Record(patience=1, first_round=0)
    present = Reading(0.0, 1.0, True)
    readings = dict.fromkeys(CHECKS)
    record.note_all({**readings, "vanished_gradient": present, "mode_collapse": present}, 1)
    record.note_all({**readings, "mode_collapse": present}, 2)
    assert [(found.signal, found.round) for found in record.diagnoses] == [
        ("vanished_gradient", 1),
        ("mode_collapse", 2),
    ]
