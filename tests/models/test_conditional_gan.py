"""Conditioning a GAN: what each network is shown, what is lost, which labels are taken."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import kgen.data
from kgen import models, networks
from kgen.losses import classification_loss
from tests.systems import CLASSES, SHAPE, SYSTEMS

IMAGES, LABELS = SYSTEMS["conditional_gan"].batch()


def made(name):
    keras.utils.set_random_seed(0)
    return SYSTEMS[name].make()


def compiled(**arguments):
    """One of a layer a network that projects, for what concerns labels."""
    latents, images, labels = keras.Input((4,)), keras.Input(SHAPE), keras.Input((CLASSES,))
    fakes = keras.layers.Dense(64, "tanh")(keras.layers.Concatenate()([latents, labels]))
    features = keras.layers.Flatten()(images)
    model = models.GAN(
        keras.Model([latents, labels], keras.layers.Reshape(SHAPE)(fakes)),
        keras.Model(
            [images, labels],
            networks.conditioning.judged(features, labels, CLASSES, "projection"),
        ),
        condition="projection",
    )
    model.compile(keras.optimizers.SGD(), **arguments)
    return model


def test_classification_loss_is_the_cross_entropy():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 4)), rng.integers(0, 4, 5)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = -np.mean(np.log(probabilities[np.arange(5), labels]))
    found = classification_loss(logits, np.eye(4, dtype="float32")[labels])
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_projection_is_the_paper_s():
    network = networks.dcgan_discriminator(
        SHAPE, 4, normalization=None, classes=CLASSES, condition="projection"
    )
    flat = next(layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    features = keras.Model(network.inputs[0], flat.output)(IMAGES).numpy()
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    psi, v = sorted(dense, key=lambda layer: layer.units)
    labels = np.eye(CLASSES, dtype="float32")[LABELS]
    expected = features @ psi.kernel.numpy() + psi.bias.numpy()
    expected[:, 0] += np.sum((labels @ v.kernel.numpy()) * features, axis=1)
    np.testing.assert_allclose(network([IMAGES, labels]), expected, atol=1e-5)


def test_concatenated_labels_are_maps_of_ones():
    images, labels = keras.Input(SHAPE), keras.Input((CLASSES,))
    maps = networks.conditioning.with_label_maps(images, labels)
    found = keras.Model([images, labels], maps)([IMAGES, np.eye(CLASSES)[LABELS]]).numpy()
    np.testing.assert_array_equal(found[..., :1], IMAGES)
    for image, label in zip(found, LABELS, strict=True):
        expected = np.broadcast_to(np.eye(CLASSES)[label], (*SHAPE[:2], CLASSES))
        np.testing.assert_array_equal(image[..., 1:], expected)


@pytest.mark.parametrize("name", ["conditional_gan", "projection_gan", "auxiliary_gan"])
def test_both_networks_are_given_the_labels(name):
    """The generator those of its latents, in training and sampling; the discriminator too."""
    model = made(name)
    for network in (model.generator, model.discriminator):  # Some of their weights start at 0.
        rng = np.random.default_rng(0)
        for variable in network.trainable_variables:
            variable.assign(variable + 0.3 * rng.normal(size=variable.shape))
    if model.generator_average is not None:
        model.generator_average.set_weights(model.generator.get_weights())
    rows = model.latents(4, seed=1, labels=[0, 1, 2, 1])
    rows[:, :-CLASSES] = rows[0, :-CLASSES]
    one_hot = np.eye(CLASSES, dtype="float32")[[0, 1, 2, 1]]
    takes_two = len(model.generator.inputs) == 2
    expected = model.generator([rows[:, :-CLASSES], one_hot] if takes_two else rows).numpy()
    np.testing.assert_allclose(model.decode(rows), expected, atol=1e-5)
    np.testing.assert_allclose(model.images_of(rows, training=False), expected, atol=1e-5)
    different = [np.abs(expected[1] - image).max() for image in expected]
    assert different[3] < 1e-5 < 1e-3 < min(different[0], different[2])

    if model.condition == "auxiliary":
        return
    images = np.repeat(IMAGES[:1], 4 * model.packing, axis=0)
    labels = np.repeat(one_hot, model.packing, axis=0)
    seen = model.seen(images, training=False)
    found, _ = model.judged(seen, [ops.convert_to_tensor(labels)], training=False)
    beside = np.tile(one_hot, (1, model.packing))
    expected = model.discriminator([np.asarray(seen), beside]).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(expected[:3, 0]) > 1e-3 and expected[3] == pytest.approx(expected[1], rel=1e-4)


@pytest.mark.parametrize("name", ["conditional_gan", "projection_gan", "auxiliary_gan"])
def test_fakes_have_the_labels_of_the_batch(name):
    model = made(name)
    shown = []
    model.images_of = lambda latents, training: shown.append(latents) or ops.zeros((8, *SHAPE))
    _, _, labels = model.prepare((IMAGES, LABELS), training=True)
    np.testing.assert_array_equal(labels, np.eye(CLASSES)[LABELS])
    np.testing.assert_array_equal(shown[0][:, -CLASSES:], labels)


def test_the_auxiliary_losses_are_those_of_the_paper():
    """Both players add the classes' cross-entropy: of real and fake images, and of fake ones."""
    model = made("auxiliary_gan")
    data = model.prepare((IMAGES, LABELS), training=False)
    _, fakes, labels = data
    (real_logits, real_head), (fake_logits, fake_head) = (
        model.discriminator(x, training=False) for x in (IMAGES, fakes)
    )
    real, fake = (float(classification_loss(head, labels)) for head in (real_head, fake_head))
    loss, components = model.discriminator_loss(data, training=False)
    assert float(components["classification"]) == pytest.approx(real + fake, rel=1e-5)
    adversarial = np.mean(np.logaddexp(0, -real_logits)) + np.mean(np.logaddexp(0, fake_logits))
    penalty = 10.0 * float(components["penalty"])
    assert float(loss) == pytest.approx(adversarial + real + fake + penalty, rel=1e-4)
    loss, components = model.generator_loss(data, training=False)
    assert float(components["classification"]) == pytest.approx(fake, rel=1e-5)
    expected = np.mean(np.logaddexp(0, -fake_logits)) + fake
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_packs_share_a_discriminator_s_look_at_images_and_labels():
    model = made("conditional_gan")
    seen = model.seen(IMAGES, training=False)
    labels = np.eye(CLASSES, dtype="float32")[LABELS]
    logits, _ = model.judged(seen, [labels], training=False)
    first = np.concatenate([IMAGES[0], IMAGES[1]], axis=-1)[None]
    alone = model.discriminator([first, np.concatenate([labels[0], labels[1]])[None]])
    np.testing.assert_allclose(logits[:1], alone, atol=1e-6)


def test_a_generator_learns_which_class():
    """Class 0 is dark and class 1 bright."""
    keras.utils.set_random_seed(0)
    labels = np.tile([0, 1], 32).astype("int32")
    images = np.where(labels == 0, -0.8, 0.8)[:, None, None, None] * np.ones((64, 4, 4, 1))
    model = models.GAN(
        networks.dense_generator((4, 4, 1), latent_dim=4 + 2, units=16),
        networks.dense_discriminator((4, 4, 1), 16, 2, 0.0, 0.0, classes=2, condition="projection"),
        condition="projection",
        seed=0,
    )
    model.compile(keras.optimizers.Adam(), steps_per_execution=50)
    for optimizer in model.optimizer.optimizers:
        optimizer.learning_rate = 5e-3
    images, labels = np.tile(images.astype("float32"), (300, 1, 1, 1)), np.tile(labels, 300)
    model.fit(images, labels, batch_size=64, shuffle=False, verbose=0)
    assert model.sample(16, seed=0, labels=0).mean() < -0.5
    assert model.sample(16, seed=0, labels=1).mean() > 0.5


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS.astype("float32"), "Labels must be integers from 0 to 2, one an image, .* float32"),
        (np.eye(CLASSES, dtype="int32")[LABELS], r"one an image, .*\(8, 3\)"),
        (LABELS + 1, "received some from 1 to 3"),
        (np.array(list("abcabcab")), "one an image, received str"),
        (None, r"with labels or targets, \(x, y\), but images came alone"),
    ],
)
def test_labels_that_are_none(labels, message):
    with pytest.raises(ValueError, match=message):
        compiled(run_eagerly=True).fit(IMAGES, labels, batch_size=8, verbose=0)


def test_labels_of_a_dataset_are_checked_as_they_come():
    model = compiled()
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS + 1))
    with pytest.raises(ValueError, match="^Labels must be integers from 0 to 2"):
        model.fit(data, verbose=0)
    with pytest.raises(ValueError, match="Labels must be integers"):
        model.fit(tf.data.Dataset.from_tensors((IMAGES, np.float32(LABELS))), verbose=0)
    with pytest.raises(ValueError, match="images came alone"):
        model.fit(kgen.data.from_arrays(IMAGES, batch_size=8), verbose=0)


def plain(classes=None, **kwargs):
    return networks.dense_generator(SHAPE, 4, 4, classes=classes), networks.dense_discriminator(
        SHAPE, 2, 2, classes=classes if kwargs else None, **kwargs
    )


@pytest.mark.parametrize(
    ("make", "condition", "message"),
    [
        (lambda: plain(), "projection", r"`discriminator` must take \[images, labels\]"),
        (lambda: plain(), "auxiliary", r"`discriminator` must return \[logits, class logits\]"),
        (lambda: plain(), "class", "`condition` must be one of"),
        (lambda: plain(), np.array([1, 2]), "`condition` must be one of"),
        (
            lambda: (plain()[0], plain(3, condition="auxiliary")[1]),
            "auxiliary",
            None,
        ),
        (
            lambda: (plain(4)[0], plain(3, condition="projection")[1]),
            "projection",
            r"`generator` must take \[latents, labels\], labels being \(3,\)",
        ),
    ],
)
def test_networks_that_do_not_fit(make, condition, message):
    if message is None:  # One row of both: 4 numbers, of which 3 are the label.
        model = models.GAN(*make(), condition=condition)
        assert model.classes == 3 and model.latents(2, 0).shape == (2, 4)
        return
    with pytest.raises(ValueError, match=message):
        models.GAN(*make(), condition=condition)


@pytest.mark.parametrize("of", ["generator", "discriminator"])
def test_conditional_networks_need_a_condition(of):
    generator, discriminator = plain()
    if of == "generator":
        generator = plain(3)[0]
    else:
        discriminator = plain(3, condition="auxiliary")[1]
    with pytest.raises(ValueError, match=f"`{of}` must have one input and one output without a"):
        models.GAN(generator, discriminator)


@pytest.mark.parametrize("condition", ["concatenation", "projection", "auxiliary"])
@pytest.mark.parametrize("family", ["dense", "resnet"])
def test_every_family_knows_classes(family, condition):
    if family == "dense":
        generator = networks.dense_generator(SHAPE, 4, 8, classes=3)
        discriminator = networks.dense_discriminator(SHAPE, 4, 2, classes=3, condition=condition)
    else:
        generator = networks.resnet_generator(SHAPE, 4, 4, 3, "conditional_batch")
        discriminator = networks.resnet_critic(SHAPE, 4, 3, condition)
    model = models.GAN(generator, discriminator, loss="hinge", condition=condition)
    rows = model.latents(2, seed=0, labels=[0, 2])
    assert model.images_of(rows, training=False).shape == (2, *SHAPE)
    if (family, condition) in (("dense", "auxiliary"), ("resnet", "projection")):
        model.compile(keras.optimizers.SGD(), run_eagerly=True)
        logs = model.fit(IMAGES, LABELS, batch_size=8, verbose=0).history
        assert np.isfinite([logs["discriminator_loss"], logs["generator_loss"]]).all()
        return
    data = model.prepare((IMAGES, LABELS), training=True)
    for loss in (model.discriminator_loss, model.generator_loss):
        assert np.isfinite(float(loss(data, training=True)[0]))


def test_networks_say_what_conditions_they_know():
    with pytest.raises(ValueError, match="`condition` must be None or one of"):
        networks.dcgan_discriminator(SHAPE, 4, classes=3, condition="label")
    with pytest.raises(ValueError, match="`classes` must be given with a `condition`"):
        networks.dcgan_discriminator(SHAPE, 4, classes=3)
    with pytest.raises(ValueError, match="`classes` must be given with normalization"):
        networks.dcgan_generator(SHAPE, 4, 4, normalization="conditional_batch")
    with pytest.raises(ValueError, match="`classes` must be a positive integer, received 0"):
        networks.dcgan_generator(SHAPE, 4, 4, classes=0)


def test_bad_labels_are_seen_under_xla():
    model = compiled(jit_compile=True)
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS + 1))
    assert np.isnan(model.fit(data, verbose=0).history["generator_loss"]).all()


def test_an_unconditional_model_takes_no_labels():
    with pytest.raises(ValueError, match="`labels` must be None: this GAN was not made"):
        made("dcgan").sample(2, labels=1)


def test_an_auxiliary_classifier_classifies():
    model = SYSTEMS["auxiliary_gan"].make()
    images = SYSTEMS["auxiliary_gan"].images()
    probabilities = model.classify(images, batch_size=3)
    logits = model.discriminator(images)[1].numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4)
    with pytest.raises(NotImplementedError, match="cannot `classify`. It can: sample"):
        SYSTEMS["projection_gan"].make().classify(images)
