"""Growing: the phases of a training, what is kept between them, and resuming."""

import contextlib
import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgen.data
from kgen.callbacks import Checkpoint
from kgen.callbacks.doctor.examination import examiner
from kgen.callbacks.doctor.rollback import go_back, healthy_state
from kgen.core import engine
from kgen.models import ProGAN
from kgen.models.growth_schedule import Phase
from kgen.networks import ProgressiveDiscriminator, ProgressiveGenerator, dcgan_generator
from tests.recycling import recycled, state_of

SHAPE = (8, 8, 1)  # Stages of 2, 4 and 8 pixels.
SMALL = (4, 4, 1)  # Of 1, 2 and 4.
IMAGES = np.random.default_rng(0).uniform(-1, 1, (80, *SHAPE)).astype("float32")
SMALL_IMAGES = IMAGES[:48, ::2, ::2]


@keras.saving.register_keras_serializable("kgen_tests")
class Plain(ProGAN):
    """Of the shortest loss, for what concerns growing alone: half of a graph is the penalty's."""

    def critic_loss(self, data, training):
        loss = keras.ops.mean(keras.ops.square(self.critic(data[0], training=training) - 1.0))
        return loss, {"distance": -loss, "penalty": 0.0, "drift": 0.0}


def progan(fade_kimg=0.016, stable_kimg=0.016, shape=SHAPE, kind=Plain, **arguments):
    keras.utils.set_random_seed(0)
    return kind(
        ProgressiveGenerator(shape, latent_dim=3, filters=2, max_filters=4),
        ProgressiveDiscriminator(shape, filters=2, max_filters=4),
        fade_kimg,
        stable_kimg,
        seed=0,
        **arguments,
    )


@functools.cache
def networks():
    """For models that are refused, or never trained."""
    return ProgressiveGenerator(SHAPE, 3, 2, 4), ProgressiveDiscriminator(SHAPE, 2, 4)


def compiled(model, optimizer=None, **arguments):
    model.compile(optimizer or keras.optimizers.SGD(), **arguments)
    return model


def averaged():
    """A small one with an average that runs eagerly, as made, whatever a test has done to it."""

    def make():
        model = progan(0.032, 0.008, SMALL, batch_sizes={2: 4}, ema_momentum=0.5)
        return compiled(model, momentum(), run_eagerly=True)

    model = recycled("small and averaged", make)
    model._enter(model.phase)
    return model


def adam():
    return {"class_name": "Adam", "config": {"learning_rate": 1e-2, "beta_1": 0.0, "beta_2": 0.99}}


def momentum():
    return {"class_name": "SGD", "config": {"learning_rate": 1e-2, "momentum": 0.9}}


class Watch(keras.callbacks.Callback):
    """Notes after each round what the networks have become."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        model = self.model
        alphas = {float(network.fade.alpha.numpy()) for network in model.growing_networks()}
        structures = {network.structure for network in model.growing_networks()}
        assert len(alphas) == len(structures) == 1, "the networks are not in one phase"
        self.seen.append((round(1000 * model.kimg), *structures.pop(), *alphas))


def watched(model, x, **arguments):
    watch = Watch()
    model.fit(x, callbacks=[watch, *arguments.pop("callbacks", [])], verbose=0, **arguments)
    return watch.seen


def test_phases_follow_the_images_shown_and_are_traced_once():
    """Each begins with an execution, of its own batch size; samples are made by no old graph."""
    model = progan(0.032, 0.012, SMALL, batch_sizes={1: 4}, ema_momentum=None)
    traced, loss = [], model.generator_loss

    def noting(data, training):
        traced.append((model.phase, tuple(data[0].shape)))
        return loss(data, training)

    object.__setattr__(model.players[1], "loss", noting)
    compiled(model, steps_per_execution=2)
    small = model.sample(2, seed=0)
    assert small.shape == (2, *SMALL)
    np.testing.assert_array_equal(small[:, ::4, ::4].repeat(4, 1).repeat(4, 2), small)
    np.testing.assert_array_equal(model.predict(model.latents(2, 0), verbose=0), small)

    data = kgen.data.from_arrays(SMALL_IMAGES, batch_size=8, seed=1)
    seen = watched(model, data, epochs=1, steps_per_epoch=8)
    stable = [(8, 0, False, 1.0), (16, 0, False, 1.0)]
    assert seen == [*stable, (32, 1, True, 0.375), (48, 1, True, 0.875)]
    first, second = model.phases[:2]
    assert traced == [(first, (4, 1, 1, 1)), (second, (None, 2, 2, 1))]

    # Samples have the last size all along, and are made by no old graph.
    grown = model.sample(2, seed=0)
    np.testing.assert_array_equal(grown[:, ::2, ::2].repeat(2, 1).repeat(2, 2), grown)
    assert not np.array_equal(grown[:, ::4, ::4].repeat(4, 1).repeat(4, 2), grown)
    np.testing.assert_allclose(model.predict(model.latents(2, 0), verbose=0), grown, atol=1e-6)


def test_average_warms_up_with_each_new_block():
    model = compiled(progan(shape=SMALL), run_eagerly=True)
    fading, stable, second = model.phases[1], model.phases[2], model.phases[3]
    assert (fading.stage, stable.stage, second.stage) == (1, 1, 2)
    for phase, rounds in [(fading, 1), (stable, 5000), (second, 1)]:
        model.averaged_rounds.assign(5000)
        model._enter(phase)
        assert int(model.averaged_rounds) == rounds
    model.averaged_rounds.assign(5000)
    model._enter(second)  # As after loading.
    assert int(model.averaged_rounds) == 5000


def test_phases_of_three_sizes():
    """And what is not in use stays as it is; optimizers begin anew with each phase."""
    model = compiled(progan(shape=SMALL, ema_momentum=None), adam(), run_eagerly=True)
    optimizer = model.optimizer.by_player["critic"]
    first, new, last = (block.trainable_variables[0] for block in model.critic.blocks)
    images = np.tile(SMALL_IMAGES, (2, 1, 1, 1))[:80]

    def velocity(variable):
        index = [v is variable for v in optimizer._trainable_variables].index(True)
        return optimizer._velocities[index].numpy()

    seen = watched(model, images[:16], batch_size=16)  # All of stage 0.
    untouched = new.numpy()
    assert velocity(first).any() and not velocity(new).any()
    optimizer.iterations.assign(5000)  # As after a long training, where 1 - 0.99^t is 1.
    seen += watched(model, images[16:32], batch_size=16)  # The fade, at alpha 0.
    assert int(optimizer.iterations.numpy()) == 1 and model.rounds_played == 2
    seen += watched(model, images[32:48], batch_size=16)
    assert int(optimizer.iterations.numpy()) == 1
    # A first step with a first gradient: 0.01 g / sqrt(0.01 g^2 / (1 - 0.99)), and not 10 times.
    assert velocity(new).any()
    assert np.abs(new.numpy() - untouched).max() == pytest.approx(0.01, rel=1e-2)
    assert not velocity(last).any()
    seen += watched(model, images[48:], batch_size=16)
    assert seen == [
        (16, 0, False, 1.0),
        (32, 1, True, 0.0),
        (48, 1, False, 1.0),
        (64, 2, True, 0.0),
        (80, 2, False, 1.0),
    ]


def test_without_growth_the_last_size_is_trained_from_the_start():
    model = progan(progressive=False)
    assert model.phases == [Phase(2, False, 0.0, math.inf, None)]
    assert model.generator.structure == model.critic.structure == (2, False)


def test_growth_may_start_at_another_size_which_a_config_keeps():
    model = compiled(progan(shape=SMALL, first_size=2, ema_momentum=None), run_eagerly=True)
    model = compiled(type(model).from_config(model.get_config()), run_eagerly=True)
    assert model.generator.structure == model.critic.structure == (1, False)
    seen = watched(model, SMALL_IMAGES, batch_size=16)
    assert seen == [(16, 1, False, 1.0), (32, 2, True, 0.0), (48, 2, False, 1.0)]


def test_a_killed_training_goes_on_in_the_middle_of_a_fade(tmp_path):
    def train(*callbacks):
        model = averaged()
        seen = watched(
            model,
            kgen.data.from_arrays(SMALL_IMAGES, batch_size=8, seed=1),
            epochs=1,
            steps_per_epoch=3,
            callbacks=callbacks,
        )
        return state_of(model), seen

    def kept():
        return Checkpoint(tmp_path, every=2)

    whole, seen = train(kept())
    assert seen[-1] == (16, 1, True, 0.125)
    sorted(tmp_path.iterdir())[-1].unlink()  # What a kill leaves is the one before.
    resumed, second = train(kept())
    assert second == seen  # Of which the first two came from the checkpoint, as a callback's state.
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_file_keeps_the_middle_of_a_fade(tmp_path):
    """The images shown, each network's stage and alpha: before any round, which would set them."""
    model = averaged()
    model.images_shown.assign(24)
    for network in model.growing_networks():
        network.grow_to(1, alpha=0.375)
    latents = model.latents(2, seed=0)
    images = model.generator_average(latents)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    loaded_whole = keras.models.load_model(tmp_path / "model.keras")
    anew = averaged()
    assert anew.kimg == 0.0 and anew.structure == (0, False)
    anew.load_weights(tmp_path / "model.weights.h5")
    for loaded in (loaded_whole, anew):
        assert loaded.kimg == 0.024 and len(loaded.growing_networks()) == 3
        for network in loaded.growing_networks():
            assert network.structure == (1, True) and float(network.fade.alpha.numpy()) == 0.375
        np.testing.assert_array_equal(loaded.generator_average(latents), images)


def test_batches_have_the_sizes_of_the_phase_and_show_every_image_in_order():
    data = kgen.data.from_arrays(IMAGES[:48], batch_size=8, seed=1)
    model = Plain(*networks(), 0.016, 0.016, batch_sizes={2: 4, 8: 12})
    compiled(model, steps_per_execution=2)
    rounds = iter(model.batches_from(data, data.starting_at))
    batches = [next(rounds).numpy() for _ in range(14)]
    # Phases end with an execution of two rounds: 16 of 4, 2 x 16 of 8 as given, 12 from there on.
    sides = [2] * 4 + [4] * 4 + [8] * 6
    assert [len(batch) for batch in batches] == [4] * 4 + [8] * 4 + [12] * 6
    assert [batch.shape[1:3] for batch in batches] == [(side, side) for side in sides]
    in_order = iter(data.starting_at(0))
    expected, place = np.concatenate([next(in_order).numpy() for _ in range(15)]), 0
    for batch, side in zip(batches, sides, strict=True):
        full = expected[place : place + len(batch)]
        small = full.reshape(len(batch), side, 8 // side, side, 8 // side, 1).mean((2, 4))
        np.testing.assert_allclose(batch, small, atol=1e-6)
        place += len(batch)
    assert model.rounds_until(model.phases[-1], batch_size=8) == 10


@pytest.mark.parametrize("replicas", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_small_images_train_the_very_weights_that_large_ones_train(replicas):
    """Those of a set of kgen.data come in the phase's size, another dataset's in the last one's."""
    stream = kgen.data.from_arrays(SMALL_IMAGES, batch_size=8, seed=1)
    trained, seen = [], []
    for of in (lambda at: stream, stream.starting_at):
        with engine.mirrored(2).scope() if replicas == 2 else contextlib.nullcontext():
            model = compiled(progan(0.016, 0.008, SMALL, ema_momentum=None), run_eagerly=True)
        shrunk, sides = model.shrunk, []

        def noting(images, shrunk=shrunk, sides=sides):
            sides.append(images.shape[1])
            return shrunk(images)

        model.shrunk = noting
        for rounds in (4, 3):  # The second goes on with the batches that are next.
            model.fit(of(model.rounds_played), epochs=1, steps_per_epoch=rounds, verbose=0)
        trained.append(state_of(model))
        seen.append(sides[:: 2 * replicas])  # Of both players.
    assert seen == [[1, 2, 2, 2, 4, 4, 4], [4] * 7]
    for one, other in zip(*trained, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("batch_sizes", [None, {2: 4}])
def test_the_phases_of_a_dataset_share_its_images(batch_sizes):
    images = np.zeros((4000, *SHAPE), "uint8")
    data = kgen.data.from_arrays(images, batch_size=8)
    model = compiled(Plain(*networks(), batch_sizes=batch_sizes))
    assert len(model.phases) == 5
    batches = model.batches_from(data, data.starting_at)
    variant = tf.data.experimental.to_variant(batches)
    graph = tf.raw_ops.DatasetToGraphV2(input_dataset=variant).numpy()
    assert images.nbytes < len(graph) < 2 * images.nbytes


def test_eagerly_a_phase_begins_within_an_execution_and_so_do_its_batches():
    model = progan(0.012, 0.012, SMALL, batch_sizes={1: 4}, ema_momentum=None)
    compiled(model, run_eagerly=True, steps_per_execution=2)
    data = kgen.data.from_arrays(SMALL_IMAGES, batch_size=8, seed=1)
    seen = watched(model, data, epochs=1, steps_per_epoch=4)
    assert seen == [(8, 0, False, 1.0), (20, 1, True, 0.0)]


def test_rounds_of_one_execution_fade_on(monkeypatch):
    """Also the average, and though a phase is entered when an execution begins alone."""
    model = averaged()
    monkeypatch.setattr(model, "run_eagerly", False)  # Which would enter phases in every round.
    model.images_shown.assign(8)
    model._enter(model.phase)
    for alpha in (0.0, 0.125):
        model.play_round(keras.ops.convert_to_tensor(SMALL_IMAGES[:4]))
        alphas = [float(network.fade.alpha.numpy()) for network in model.growing_networks()]
        assert alphas == [alpha] * 3


def test_real_images_are_averaged_and_faded_with_the_same_alpha():
    model = progan()
    for network in model.growing_networks():
        network.grow_to(1, alpha=0.25)
    images, fakes = model.prepare(keras.ops.convert_to_tensor(IMAGES[:2]), training=True)
    middle = IMAGES[:2].reshape(2, 4, 2, 4, 2, 1).mean((2, 4))
    low = middle.reshape(2, 2, 2, 2, 2, 1).mean((2, 4)).repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(images, 0.75 * low + 0.25 * middle, atol=1e-6)
    assert fakes.shape == images.shape


def test_the_doctor_sees_and_rolls_back_what_is_there_now():
    model = compiled(progan(shape=SMALL, ema_momentum=None))
    examine = examiner(model, SMALL_IMAGES[:8], seed=0)
    found = examine()
    assert found["samples"].shape == found["real"].shape == (8, 1, 1, 1)
    state = healthy_state(model)
    model.images_shown.assign(40)
    model._enter(model.phases[-1])
    found = examine()
    assert found["samples"].shape == found["real"].shape == (8, *SMALL)
    go_back(model, state, factor=0.5)
    assert model.kimg == 0.04 and model.generator.structure == (2, False)


def test_several_replicas_share_batches_of_several_sizes():
    data = kgen.data.from_arrays(SMALL_IMAGES, batch_size=8, seed=1)
    with engine.mirrored(2).scope():
        model = progan(stable_kimg=0.004, shape=SMALL, batch_sizes={1: 4, 2: 8}, ema_momentum=None)
        compiled(model, run_eagerly=True)  # Graphs of replicas are many times as dear.
        odd = compiled(Plain(model.generator, model.critic, batch_sizes={4: 5}))
    with pytest.raises(ValueError, match="divisible by the 2 replicas, received 5 for 4"):
        odd.fit(data, epochs=1)
    seen = watched(model, data, epochs=1, steps_per_epoch=2)
    assert [images for images, *_ in seen] == [4, 12]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"fade_kimg": -1}, "`fade_kimg` must be a number of at least 0, received -1"),
        ({"stable_kimg": "1"}, "`stable_kimg` must be a number"),
        ({"batch_sizes": [8]}, "`batch_sizes` must be a dict"),
        ({"batch_sizes": {16: 8}}, r"keys out of \[2, 4, 8\], received 16"),
        ({"batch_sizes": {8: 0}}, r"`batch_sizes\[8\]` must be a positive integer, received 0"),
        ({"first_size": 3}, r"`first_size` must be one of \[None, 2, 4, 8\], received 3"),
        ({"progressive": 1}, "`progressive` must be True or False, received 1"),
        ({"drift_weight": -1.0}, "`drift_weight` must be"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Plain(*networks(), **arguments)


def test_refuses_networks_that_do_not_grow_and_data_that_cannot_be_cut():
    generator, critic = networks()
    with pytest.raises(ValueError, match="`generator` must be a growing network.*progressive"):
        ProGAN(dcgan_generator(SHAPE, 3, 2), critic)
    with pytest.raises(ValueError, match=r"one image_shape, received .*\(16, 16, 1\)"):
        ProGAN(ProgressiveGenerator((16, 16, 1), 3, 2), critic)
    model = compiled(ProGAN(generator, critic, batch_sizes={4: 2}))
    with pytest.raises(ValueError, match="`batch_sizes` needs a set of kgen.data.*ndarray"):
        model.fit(IMAGES, batch_size=8)
    with pytest.raises(ValueError, match=r"image_shape \(8, 8, 1\), received \(9, 9, 1\)"):
        model.fit(np.zeros((8, 9, 9, 1), "float32"), batch_size=8)
    with pytest.raises(ValueError, match="without a `condition`"):
        ProGAN(generator, ProgressiveDiscriminator(SHAPE, 2, classes=3))
