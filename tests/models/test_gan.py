"""GAN: its arguments, alone and together."""

import functools
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen import losses, models, networks
from kgen.core.noise import borrowed
from kgen.models.gan import pack
from tests.callbacks.tiny import tiny_gan
from tests.losses.test_adversarial import own_discriminator_loss, own_generator_loss
from tests.systems import SHAPE, SYSTEMS, dense_generator, smooth_critic

BATCH = SYSTEMS["dcgan"].batch()


@functools.cache
def networks_of(channels=1):
    """For models that are refused, or never trained."""
    return dense_generator(), smooth_critic(channels)


def trained(**kwargs):
    channels = kwargs.get("packing", 1)
    model = models.GAN(dense_generator(), smooth_critic(channels), **kwargs)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)  # Tracing takes longer than one round.
    logs = model.fit(BATCH, batch_size=8, verbose=0).history
    assert np.all(np.isfinite(list(logs.values())))
    return model


PENALTIES = [None, *losses.PENALTIES]
# The two are added, and know nothing of each other: each with some other is enough by default.
COMMON = list(zip(losses.ADVERSARIAL_LOSSES, itertools.cycle(PENALTIES), strict=False))
OTHERS = set(itertools.product(losses.ADVERSARIAL_LOSSES, PENALTIES)) - set(COMMON)


@pytest.mark.parametrize(
    ("loss", "penalty"),
    COMMON + [pytest.param(*pair, marks=pytest.mark.slow) for pair in sorted(OTHERS, key=str)],
)
def test_every_loss_trains_with_every_penalty(loss, penalty):
    """With what is done to the images; what cannot be combined is refused, with the reason.

    Several updates and an average are those of the table's packed_gan, to which losses are all one.
    """
    smoothing = 0.1 if losses.ADVERSARIAL_LOSSES[loss].has_targets else 0.0
    trained(
        loss=loss,
        penalty=penalty,
        label_smoothing=smoothing,
        instance_noise=0.05,
        packing=2,
        latent_distribution="uniform",
    )
    if not smoothing:
        with pytest.raises(ValueError, match=f"label_smoothing.*targets.*loss='{loss}'"):
            models.GAN(*networks_of(), loss=loss, label_smoothing=0.1)


def test_the_losses_are_those_of_the_paper():
    """The model's loss on known logits, with no noise in it, is the loss function's."""
    model = models.GAN(dense_generator(), smooth_critic(), loss="hinge", seed=1)
    images = ops.convert_to_tensor(BATCH)
    state = model.noise.seed_generator.state.numpy()
    fakes = model.generate(8, training=False)
    model.noise.seed_generator.state.assign(state)
    expected = losses.hinge_discriminator_loss(
        model.discriminator(images), model.discriminator(fakes)
    )
    data = model.prepare(images, training=False)
    np.testing.assert_allclose(model.discriminator_loss(data, training=False)[0], expected)
    np.testing.assert_allclose(
        model.generator_loss(data, training=False)[0],
        losses.wasserstein_generator_loss(model.discriminator(fakes)),
    )


@pytest.mark.parametrize(
    ("updates", "share_fakes"),
    [(1, True), (2, True), (2, False), pytest.param(1, False, marks=pytest.mark.slow)],
)
def test_a_round_is_that_of_the_algorithm(share_fakes, updates):
    """Goodfellow et al. 2014, algorithm 1, line by line; with shared fakes, on the same latents."""
    model = models.GAN(
        dense_generator(),
        smooth_critic(),
        discriminator_updates=updates,
        share_fakes=share_fakes,
        seed=3,
    )
    by_hand = models.GAN.from_config(model.get_config())
    generator = keras.models.clone_model(model.generator)
    generator.set_weights(model.generator.get_weights())
    discriminator = keras.models.clone_model(model.discriminator)
    discriminator.set_weights(model.discriminator.get_weights())
    sgd = {name: keras.optimizers.SGD(0.5) for name in ("discriminator", "generator")}
    model.compile(sgd, run_eagerly=True)
    model.fit(BATCH, batch_size=8, shuffle=False, verbose=0)

    count, loss = 8 // updates, losses.ADVERSARIAL_LOSSES["non_saturating"]

    def latents():
        return by_hand.draw_latents(count, by_hand.noise)

    def descend(network, player_loss):
        values = [variable.value for variable in network.trainable_variables]
        with tf.GradientTape() as tape:
            value = player_loss()
        gradients = tape.gradient(value, values)
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            variable.assign(variable - 0.5 * gradient)

    shared = latents() if share_fakes else None  # Drawn at the start of the round.
    for turn in range(updates):
        z = shared if share_fakes and turn == updates - 1 else latents()
        descend(
            discriminator,
            lambda z=z, turn=turn: loss.discriminator(
                discriminator(BATCH[turn::updates]), discriminator(generator(z))
            ),
        )
    z = shared if share_fakes else latents()
    descend(generator, lambda: loss.generator(discriminator(generator(z))))
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        for found, expected in zip(
            getattr(model, name).get_weights(), network.get_weights(), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6, err_msg=name)


@keras.saving.register_keras_serializable("kgen_tests")
class Pulled(keras.layers.Layer):
    """Adds its only weight, times the mean of its inputs' squares, to the loss."""

    def build(self, input_shape):
        self.weight = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        self.add_loss(self.weight * ops.mean(ops.square(inputs)))
        return inputs


@pytest.mark.parametrize("share_fakes", [True, False])
def test_what_the_generators_layers_add_is_learned_from(share_fakes):
    latents = keras.Input((4,))
    images = keras.layers.Reshape(SHAPE)(keras.layers.Dense(64)(Pulled()(latents)))
    model = models.GAN(
        keras.Model(latents, images), smooth_critic(), share_fakes=share_fakes, seed=1
    )
    sgd = {n: keras.optimizers.SGD(0.1) for n in ("discriminator", "generator")}
    model.compile(sgd, run_eagerly=True)
    model.fit(BATCH, batch_size=8, verbose=0)
    weight = float(model.generator.layers[1].weight.numpy())
    assert 0.7 < weight < 0.99, "the weight's gradient is the mean of squared N(0, 1)"


@pytest.mark.parametrize(
    ("arguments", "limit"),
    [
        ({"loss": "wasserstein"}, 0.01),
        ({"loss": "wasserstein", "weight_clipping": 0.003}, 0.003),
        ({"loss": "wasserstein", "weight_clipping": None}, None),
        ({"loss": "wasserstein", "penalty": "gradient"}, None),
        ({"loss": "hinge"}, None),
        ({"loss": "hinge", "weight_clipping": 0.02}, 0.02),
    ],
)
def test_weight_clipping(arguments, limit):
    model = trained(**arguments)
    largest = max(np.abs(w).max() for w in model.discriminator.get_weights())
    assert largest == pytest.approx(limit) if limit else largest > 0.1
    assert max(np.abs(w).max() for w in model.generator.get_weights()) > 0.02


def test_clipping_is_of_the_model_and_not_of_the_discriminator():
    discriminator = smooth_critic()
    models.GAN(dense_generator(), discriminator, loss="wasserstein")
    model = models.GAN(dense_generator(), discriminator, loss="hinge")
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(BATCH, batch_size=8, verbose=0)
    assert max(np.abs(w).max() for w in discriminator.get_weights()) > 0.1


def test_clipping_survives_saving(tmp_path):
    model = models.GAN(dense_generator(), smooth_critic(), loss="wasserstein")
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    loaded.fit(BATCH, batch_size=8, verbose=0)
    assert max(np.abs(w).max() for w in loaded.discriminator.get_weights()) <= 0.01 + 1e-8


def test_packs_are_of_whole_images():
    images = np.arange(4 * 2 * 2 * 3).reshape(4, 2, 2, 3)
    packed = pack(ops.convert_to_tensor(images), 2).numpy()
    assert packed.shape == (2, 2, 2, 6)
    np.testing.assert_array_equal(packed[1, ..., :3], images[2])
    np.testing.assert_array_equal(packed[1, ..., 3:], images[3])
    points = np.arange(8).reshape(4, 2)
    np.testing.assert_array_equal(pack(ops.convert_to_tensor(points), 2), points.reshape(2, 4))


def test_augmentation_changes_all_that_the_discriminator_sees_in_training_alone():
    model = models.GAN(
        dense_generator(), smooth_critic(), augmentation=["translation", "cutout"], seed=1
    )
    shown = []
    discriminator = model.discriminator

    def spy(images, training):
        shown.append(images.numpy())
        return discriminator(images, training=training)

    object.__setattr__(model, "discriminator", spy)
    images = ops.convert_to_tensor(BATCH)
    data = model.prepare(images, training=True)
    for loss in (model.discriminator_loss, model.generator_loss):
        loss(data, training=True)
    real, fake, fake_again = shown
    before = [np.asarray(one) for one in (images, data[1], data[1])]
    for seen, original in zip((real, fake, fake_again), before, strict=True):
        assert (seen == 0.0).mean(axis=(1, 2, 3)).min() >= 1 / 16, "a quarter of the square"
        kept = np.isin(seen, original) | (seen == 0.0)
        assert kept.all() and not np.array_equal(seen, original)
    assert not np.array_equal(fake, fake_again), "each time anew"

    shown.clear()
    model.discriminator_loss(data, training=False)
    np.testing.assert_array_equal(shown[0], BATCH)


def test_the_generators_gradient_flows_through_the_augmentation():
    model = models.GAN(dense_generator(), smooth_critic(), augmentation=("color",), seed=1)
    values = [variable.value for variable in model.generator.trainable_variables]
    with tf.GradientTape() as tape:
        data = model.prepare(ops.convert_to_tensor(BATCH), training=True)
        loss, _ = model.generator_loss(data, training=True)
    assert all(np.abs(gradient).max() > 0.0 for gradient in tape.gradient(loss, values))


def test_instance_noise_has_its_deviation():
    model = models.GAN(*networks_of(), instance_noise=0.25)
    images = np.zeros((64, *SHAPE), "float32")
    assert np.std(model.seen(images, training=True)) == pytest.approx(0.25, rel=0.05)
    np.testing.assert_array_equal(model.seen(images, training=False), images)


def test_vectors_instead_of_images():
    """Points in the plane, as of the mixtures that GANs are compared on."""
    latents, points = keras.Input((2,)), keras.Input((4,))
    model = models.GAN(
        keras.Model(latents, keras.layers.Dense(2)(latents)),
        keras.Model(points, keras.layers.Dense(1)(points)),
        packing=2,
        penalty="gradient",
    )
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(np.random.default_rng(0).normal(size=(16, 2)).astype("float32"), verbose=0)
    assert model.sample(5, seed=0).shape == (5, 2)


@pytest.mark.parametrize(
    ("policy", "precision"), [("mixed_float16", 1e-5), ("mixed_bfloat16", 0.02)]
)
@pytest.mark.parametrize("penalty", losses.PENALTIES)
def test_penalties_of_tiny_gradients_in_half_precision(penalty, policy, precision):
    """With the same weights and draws: float32's under float16, bfloat16's digits under that."""
    found = {}
    for name in ("float32", policy):
        keras.config.set_dtype_policy(name)
        keras.utils.set_random_seed(0)
        model = models.GAN(dense_generator(), smooth_critic(), penalty=penalty, seed=1)
        # Gradients of the critic below what float16 can hold.
        for variable in model.discriminator.trainable_variables:
            variable.assign(variable * 1e-4)
        # The same fake images: the generator's own computation is in half precision.
        data = ops.convert_to_tensor(BATCH), ops.convert_to_tensor(BATCH[::-1])
        _, components = model.discriminator_loss(data, training=True)
        found[name] = float(components["penalty"])
        assert all(layer.dtype_policy.name == name for layer in model.discriminator.layers[:-1]), (
            "the policies were not put back"
        )
    assert 0.0 < found["float32"] == pytest.approx(found[policy], rel=precision)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "wgan"}, r"`loss` must be one of .*'hinge'.*received 'wgan'"),
        ({"penalty": "r3"}, r"`penalty` must be one of .*'r1'.*received 'r3'"),
        ({"penalty_weight": -1.0}, "`penalty_weight`.*-1.0"),
        ({"instance_noise": -0.1}, "`instance_noise`.*-0.1"),
        ({"augmentation": "color"}, "`augmentation` must be a tuple of names.*'cutout'.*'color'"),
        ({"augmentation": ("flip",)}, "`augmentation`.*'flip'"),
        ({"label_smoothing": 1.0}, "`label_smoothing`.*1.0"),
        ({"label_smoothing": 0.1, "loss": "wasserstein"}, "needs a loss with targets"),
        ({"packing": 0}, "`packing`.*0"),
        ({"packing": 2}, r"expected input \(8, 8, 2\), received \(8, 8, 1\)"),
        ({"discriminator_updates": 0}, "`discriminator_updates`.*0"),
        ({"latent_distribution": "beta"}, "`latent_distribution`.*'beta'"),
        ({"ema_momentum": 1.0}, "`ema_momentum`.*1.0"),
        ({"weight_clipping": -0.01}, "-0.01"),
        ({"seed": 0.5}, "seed"),
    ],
)
def test_arguments_that_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.GAN(*networks_of(), **arguments)


def test_a_penalty_over_a_wrong_layer_is_refused():
    discriminator = networks.dcgan_discriminator(SHAPE, filters=4)
    generator, _ = networks_of()
    for penalty in losses.PENALTIES:
        with pytest.raises(
            ValueError, match=r"(?s)batch_normalization.*kgen\.layers\.LayerNormalization"
        ):
            models.GAN(generator, discriminator, penalty=penalty)
    with pytest.raises(ValueError, match="batch_normalization"):
        models.WGANGP(generator, discriminator)


def test_a_batch_that_packs_do_not_divide():
    model = models.GAN(*networks_of(2), packing=2, discriminator_updates=3)
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match="multiple of 6, received 8"):
        model.fit(BATCH, batch_size=8)
    with pytest.raises(ValueError, match="multiple of 2, received 3"):
        model.evaluate(BATCH, batch_size=3)


@pytest.mark.parametrize("form", ["dataclass", "pair"])
def test_a_loss_of_ones_own(form, tmp_path):
    pair = own_discriminator_loss, own_generator_loss
    loss = losses.AdversarialLoss(*pair) if form == "dataclass" else pair
    model = tiny_gan(loss=loss, seed=0)
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    images = SYSTEMS["wgan_gp"].images()
    before = model.score(images).mean(), model.score(fakes_of_evaluation(model)).mean()
    logs = model.evaluate(images, batch_size=8, verbose=0, return_dict=True)
    assert logs["discriminator_loss"] == pytest.approx(before[1] - 2.0 * before[0], abs=1e-4)
    assert logs["generator_loss"] == pytest.approx(-3.0 * before[1], abs=1e-4)
    model.fit(images, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss == losses.AdversarialLoss(*pair)
    with pytest.raises(ValueError, match="`label_smoothing` needs a loss with targets"):
        tiny_gan(loss=loss, label_smoothing=0.1)


def fakes_of_evaluation(model):
    """Those that the first batch of an evaluation is given."""
    with borrowed(model.random_states, offset=0):
        return np.array(model.generate(8, training=False))
