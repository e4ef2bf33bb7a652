"""The table of tiny systems that all common checks run over: one row a system or variant.

A check of a system runs on every row. A check of the engine, which asks what any system could, runs
by default on representatives that together have all features of all systems, and on the others
under the mark `slow`.
"""

import dataclasses
import inspect
from collections.abc import Callable

import keras
import numpy as np

from kgen import layers, models, networks
from kgen.core import GenerativeModel
from kgen.core.interface import GenerativeInterface
from kgen.core.keras_private import flatten_layers

SHAPE = (8, 8, 1)
CLASSES = 3

BATCH_MEAN = "the relativistic loss and DRAGAN take means and deviations of one replica's rows"
DEVIATION = "the minibatch's standard deviation is that of one replica's rows"


@dataclasses.dataclass(frozen=True)
class System:
    """How to make a system, a batch for one of its rounds, and checks known to fail and why."""

    make: Callable
    rows: int = 8
    known_failures: dict = dataclasses.field(default_factory=dict)
    # Makes `(x, y)` of the images, for a system that uses targets.
    pair: Callable | None = None
    # Whether another row has the same class, whose code some checks then need not see again.
    is_variant: bool = False

    def batch(self):
        images = self.images()
        return images if self.pair is None else self.pair(images)

    def images(self):
        # Smooth blobs: something to learn, unlike noise.
        rng = np.random.default_rng(0)
        x, y = np.meshgrid(np.linspace(-1, 1, SHAPE[1]), np.linspace(-1, 1, SHAPE[0]))
        centres = rng.uniform(-0.5, 0.5, (self.rows, 2, 1, 1))
        distances = (x - centres[:, 0]) ** 2 + (y - centres[:, 1]) ** 2
        return (2.0 * np.exp(-4.0 * distances) - 1.0).astype("float32")[..., None]


def dense_generator():
    return networks.dense_generator(SHAPE, latent_dim=4, units=16)


def smooth_critic(channels=1):
    """A critic without batch norm, dropout or kinks."""
    images = keras.Input((*SHAPE[:2], channels))
    x = keras.layers.Conv2D(4, 3, 2, "same", activation="tanh")(images)
    x = keras.layers.Dense(1, dtype="float32")(keras.layers.Flatten()(x))
    return keras.Model(images, x)


def projection_critic(*between, wrap=lambda layer: layer):
    """A critic with labels: a convolution, `wrap` around it, other layers, and a projection."""
    images, labels = keras.Input(SHAPE), keras.Input((CLASSES,))
    x = wrap(keras.layers.Conv2D(4, 3, 2, "same", activation="tanh"))(images)
    for layer in (*between, keras.layers.Flatten()):
        x = layer(x)
    logits = networks.conditioning.judged(x, labels, CLASSES, "projection")
    return keras.Model([images, labels], logits)


def smooth_translator():
    """A network from images to images without instance norm, whose gradients are chaotic."""
    images = keras.Input(SHAPE)
    x = keras.layers.Conv2D(1, 3, padding="same")(images)
    return keras.Model(images, keras.layers.Activation("tanh", dtype="float32")(x))


def dcgan():
    return models.GAN(
        networks.dcgan_generator(SHAPE, latent_dim=4, filters=4),
        networks.dcgan_discriminator(SHAPE, filters=4),
        ema_momentum=0.9,
    )


def first_gan():
    discriminator = networks.dense_discriminator(SHAPE, units=8, pieces=2)
    # So few units, as small as the paper starts its 240, would hardly pass a gradient on.
    discriminator.set_weights([20.0 * weight for weight in discriminator.get_weights()])
    return models.GAN(
        dense_generator(), discriminator, loss="minimax", latent_distribution="uniform"
    )


def packed_gan():
    return models.GAN(
        dense_generator(),
        smooth_critic(channels=2),
        loss="least_squares",
        penalty="gradient",
        packing=2,
        label_smoothing=0.1,
        instance_noise=0.1,
        penalty_interval=2,
        augmentation=("cutout",),
        share_fakes=False,
        discriminator_updates=2,
        ema_momentum=0.5,
    )


def relativistic_gan():
    return models.GAN(
        dense_generator(), smooth_critic(), loss="relativistic_average", penalty="dragan"
    )


def wasserstein_gan():
    return models.GAN(
        dense_generator(), smooth_critic(), loss="wasserstein", discriminator_updates=2
    )


def spectral_gan():
    return models.GAN(
        dense_generator(),
        networks.dcgan_discriminator(SHAPE, filters=4, normalization="spectral"),
        loss="hinge",
    )


def wgan_gp():
    critic = networks.dcgan_discriminator(SHAPE, filters=4, normalization="layer")
    return models.WGANGP(dense_generator(), critic, critic_updates=1)


def vae():
    return models.VAE(
        networks.convolutional_encoder(SHAPE, latent_dim=3, filters=4),
        networks.convolutional_decoder(SHAPE, latent_dim=3, filters=4),
        beta=2.0,
    )


def importance_weighted_vae():
    return models.VAE(
        networks.dense_encoder(SHAPE, latent_dim=3, units=8),
        networks.dense_decoder(SHAPE, 3, units=8, likelihood="discretized_logistic"),
        likelihood="discretized_logistic",
        importance_samples=3,
    )


def beta_vae():
    """One whose capacity grows through the rounds of a check, and is there before their end."""
    return models.BetaVAE(
        networks.dense_encoder(SHAPE, latent_dim=3, units=8),
        networks.dense_decoder(SHAPE, latent_dim=3, units=8),
        beta=10.0,
        capacity=2.0,
        capacity_rounds=2,
    )


def conditional_vae():
    return models.VAE(
        networks.dense_encoder(SHAPE, latent_dim=3, units=8, classes=CLASSES),
        networks.dense_decoder(SHAPE, latent_dim=3, units=8, classes=CLASSES),
    )


def code_networks(activation=None):
    return (
        networks.dense_encoder(SHAPE, 6, units=8, variational=False, activation=activation),
        networks.dense_decoder(SHAPE, 6, units=8),
    )


def autoencoder():
    return models.Autoencoder(
        networks.convolutional_encoder(SHAPE, 3, filters=4, variational=False),
        networks.convolutional_decoder(SHAPE, 3, filters=4),
        reconstruction="bernoulli",
    )


def denoising_autoencoder():
    return models.DenoisingAutoencoder(
        *code_networks(), reconstruction="l1", corruption="salt_and_pepper", amount=0.3
    )


def sparse_autoencoder():
    return models.SparseAutoencoder(*code_networks("sigmoid"), sparsity_weight=1.0, target=0.2)


def contractive_autoencoder():
    return models.ContractiveAutoencoder(*code_networks("sigmoid"), projections=2)


def conditional_gan():
    """Labels beside the latents and the images, in packs of two, against a penalty."""
    images, labels = keras.Input((*SHAPE[:2], 2)), keras.Input((2 * CLASSES,))
    critic = smooth_critic(channels=2 + 2 * CLASSES)
    maps = networks.conditioning.with_label_maps(images, labels)
    return models.GAN(
        networks.dense_generator(SHAPE, latent_dim=4 + CLASSES, units=16),
        keras.Model([images, labels], critic(maps)),
        penalty="r1",
        packing=2,
        condition="concatenation",
    )


def projection_gan():
    return models.GAN(
        networks.dcgan_generator(SHAPE, 4, 4, classes=CLASSES, normalization="conditional_batch"),
        projection_critic(wrap=layers.SpectralNormalization),
        loss="hinge",
        condition="projection",
        ema_momentum=0.9,
    )


def auxiliary_gan():
    return models.GAN(
        networks.dcgan_generator(SHAPE, 4, 4, classes=CLASSES),
        networks.dcgan_discriminator(
            SHAPE, 4, normalization="layer", classes=CLASSES, condition="auxiliary"
        ),
        penalty="gradient",
        condition="auxiliary",
        share_fakes=False,
    )


def biggan():
    """Its generator, which all of BigGAN is about, against a small critic."""
    return models.BigGAN(
        networks.biggan_generator(SHAPE, CLASSES, 6, 4, attention_size=None, embedding_dim=4),
        projection_critic(),
        orthogonal_weight=1e-2,
        discriminator_updates=1,
        ema_momentum=0.9,
    )


def sagan():
    """A small generator against attention behind spectral norm."""
    return models.SAGAN(
        networks.dense_generator(SHAPE, latent_dim=4, units=16, classes=CLASSES),
        projection_critic(layers.SelfAttention(), wrap=layers.SpectralNormalization),
    )


def infogan():
    return models.InfoGAN(
        networks.dcgan_generator(SHAPE, latent_dim=4 + 3 + 2 + 1, filters=4),
        networks.dcgan_discriminator(SHAPE, 4, classes=3 + 2 + 1, condition="auxiliary"),
        categories=[3, 2],
        continuous=1,
        noise_scale=0.5,
    )


def pix2pix():
    return models.Pix2Pix(
        networks.unet(SHAPE, depth=2, filters=4),
        networks.patchgan_discriminator(SHAPE, SHAPE, receptive_field=16, filters=4),
    )


def pix2pix_l1():
    return models.Pix2Pix(networks.unet(SHAPE, depth=2, filters=4, dropout=0.0))


def context_encoder():
    return models.ContextEncoder(
        networks.encoder_decoder((*SHAPE[:2], 2), output_channels=1, filters=4, dropout=0.0),
        networks.patchgan_discriminator(SHAPE, receptive_field="image", filters=4),
        overlap=1,
    )


def cyclegan():
    return models.CycleGAN(
        smooth_translator(),
        smooth_translator(),
        smooth_critic(),
        smooth_critic(),
        history_size=12,
    )


def srgan():
    images = keras.Input(SHAPE)
    features = keras.layers.Conv2D(4, 3, activation="tanh", dtype="float32")(images)
    return models.SRGAN(
        networks.sr_resnet((4, 4, 1), blocks=1, filters=4, normalization="batch"),
        smooth_critic(),
        content_network=keras.Model(images, features),
    )


def srresnet():
    return models.SRGAN(
        networks.sr_resnet((None, None, 1), blocks=1, filters=4, normalization=None)
    )


# A fade from the first round on: tests of growth go through several phases.
GROWTH = {"fade_kimg": 1.0, "stable_kimg": 0.0}


def progan():
    return models.ProGAN(
        networks.ProgressiveGenerator(SHAPE, latent_dim=4, filters=4),
        networks.ProgressiveDiscriminator(SHAPE, filters=4, group_size=8),
        **GROWTH,
    )


def stylegan():
    return models.StyleGAN(
        networks.StyleGenerator(
            SHAPE, latent_dim=4, style_dim=4, filters=4, mapping_depth=1, classes=CLASSES
        ),
        networks.ProgressiveDiscriminator(SHAPE, filters=4, classes=CLASSES, blur=True),
        penalty_interval=2,
        **GROWTH,
    )


def with_labels(images):
    return images, (np.arange(len(images)) % CLASSES).astype("int32")


def with_negatives(images):
    return images, -images


def with_holes(images):
    """Images without a square, whose place the mask in the last channel tells, and the images."""
    mask = np.ones_like(images)
    for row in range(len(images)):
        mask[row, row % 4 : row % 4 + 4, 2:6] = -1.0
    return np.concatenate([np.where(mask > 0, images, 0.0), mask], axis=-1), images


def with_large(images):
    """Images of half the size, each pixel the mean of four, and the images."""
    return images.reshape(-1, SHAPE[0] // 2, 2, SHAPE[1] // 2, 2, 1).mean(axis=(2, 4)), images


SYSTEMS = {
    "dcgan": System(dcgan),
    "first_gan": System(first_gan, is_variant=True),
    "packed_gan": System(packed_gan),
    "relativistic_gan": System(
        relativistic_gan, known_failures={"two_replicas_match_one": BATCH_MEAN}, is_variant=True
    ),
    "wasserstein_gan": System(wasserstein_gan, is_variant=True),
    "spectral_gan": System(spectral_gan, is_variant=True),
    "wgan_gp": System(wgan_gp),
    "vae": System(vae),
    "importance_weighted_vae": System(importance_weighted_vae, is_variant=True),
    "beta_vae": System(beta_vae),
    "conditional_vae": System(conditional_vae, pair=with_labels),
    "autoencoder": System(autoencoder),
    "denoising_autoencoder": System(denoising_autoencoder),
    "sparse_autoencoder": System(sparse_autoencoder),
    "contractive_autoencoder": System(contractive_autoencoder),
    "conditional_gan": System(conditional_gan, pair=with_labels, is_variant=True),
    "projection_gan": System(projection_gan, pair=with_labels),
    "auxiliary_gan": System(auxiliary_gan, pair=with_labels, is_variant=True),
    "biggan": System(biggan, pair=with_labels),
    "sagan": System(sagan, pair=with_labels),
    "progan": System(progan, known_failures={"two_replicas_match_one": DEVIATION}),
    "stylegan": System(
        stylegan, known_failures={"two_replicas_match_one": DEVIATION}, pair=with_labels
    ),
    "infogan": System(infogan),
    "pix2pix": System(pix2pix, pair=with_negatives),
    "pix2pix_l1": System(pix2pix_l1, pair=with_negatives, is_variant=True),
    "context_encoder": System(context_encoder, pair=with_holes),
    "cyclegan": System(cyclegan, pair=with_negatives),
    "srgan": System(srgan, pair=with_large),
    "srresnet": System(srresnet, pair=with_large, is_variant=True),
}


def _holds(*classes):
    """Whether a model has a layer of one of these classes."""
    return lambda model: any(isinstance(layer, classes) for layer in flatten_layers(model))


# What the engine has to cope with: whether a model needs it.
FEATURES = {
    "one player": lambda model: len(model.players) == 1,
    "several networks a player": lambda model: any(len(p.networks) > 1 for p in model.players),
    "several updates": lambda model: model.largest_updates > 1,
    "shared pass": lambda model: model.prepares_once,
    "image targets": lambda model: model.uses_targets and model.classes is None,
    "labels": lambda model: model.uses_targets and model.classes is not None,
    "dropout": _holds(keras.layers.Dropout, layers.Dropout),
    "batch norm": _holds(keras.layers.BatchNormalization),
    "spectral norm": _holds(layers.SpectralNormalization),
    "history": _holds(layers.ImageHistory),
    "growth": lambda model: model.structure is not None,
    "penalty": lambda model: any("penalty" in player.components for player in model.players),
    "lazy penalty": lambda model: getattr(model, "penalty_interval", 1) > 1,
    "capacity": lambda model: getattr(model, "capacity", None) is not None,
    "moving average": lambda model: getattr(model, "ema_momentum", None) is not None,
}
# What it would have to cope with, though no system needs it by itself so far.
OTHER_FEATURES = {
    "losses that layers add": lambda model: bool(model.losses),
    "a network of several players": lambda model: _shares_networks(model.players),
    "variables of its own": lambda model: bool(_own_variables(model)),
}
# Methods and states that come with a feature: a model with it has them for that.
COMES_WITH = {
    "batch norm": {"a state of kgen's BatchNormalization"},
    "moving average": {"variables of its own"},
    "growth": {
        "a state of kgen's FadeIn",
        "variables of its own",
        "its own `batches_from`",
        "its own `fit`",
        "its own `make_predict_function`",
        "its own `make_test_function`",
        "its own `make_train_function`",
        "its own `play_round`",
        "its own `position_variables`",
        "its own `variables_of`",
    },
}


def features_of(model):
    """What a model needs of the engine: features, methods of its own, what has a state."""
    found = {name for name, has in {**FEATURES, **OTHER_FEATURES}.items() if has(model)}
    found |= {f"its own `{name}`" for name in _of_its_own(type(model))}
    inside = [layer for player in model.players for layer in player.networks]
    inside += [layer for layer in model.layers if not isinstance(layer, keras.Model)]
    inside = [layer for outer in inside for layer in flatten_layers(outer)]
    states = [type(layer) for layer in inside if _has_state(layer)]
    found |= {f"a state of {_package(kind)}'s {kind.__name__}" for kind in states}
    return found.difference(*(COMES_WITH.get(feature, ()) for feature in found))


def _of_its_own(kind):
    """Names of what a class has in place of what the engine's, or Keras' own, models have."""
    classes = kind.__mro__[: kind.__mro__.index(GenerativeModel)]
    names = {name for one in classes for name in vars(one) if not name.startswith("_")}
    return {
        name
        for name in names.difference(vars(GenerativeInterface))  # Of which exports are tested.
        if (inherited := inspect.getattr_static(GenerativeModel, name, None)) is not None
        and inspect.getattr_static(kind, name) is not inherited
    }


def _package(kind):
    return kind.__module__.partition(".")[0]


def served_features_of(model):
    """What a model needs of an export: what it can do, and what it takes for that."""
    given = (model.scored_with, model.encoded_with)
    found = {*model.abilities, *(f"given {name}" for name in given if name)}
    found |= {"truncation"} if model.truncation_name else set()
    found |= {"labels"} if model.classes is not None and "sample" in model.abilities else set()
    found |= {"noise"} if "translate" in model.abilities and model.has_translation_noise else set()
    return found | ({"several directions"} if len(model.directions) > 1 else set())


def _has_state(layer):
    """Whether a layer, no network, has variables of its own that no gradient moves."""
    trained = {id(v) for v in layer.trainable_variables}
    own = {id(v) for v in _own_variables(layer)}
    return not isinstance(layer, keras.Model) and not own <= trained


def _own_variables(layer):
    """The variables of a layer that are not of the layers in it."""
    inside = [other for other in flatten_layers(layer) if other is not layer]
    known = {id(v) for other in inside for v in other.variables}
    return [v for v in layer.variables if id(v) not in known]


def _shares_networks(players):
    networks = [id(network) for player in players for network in player.networks]
    return len(networks) > len(set(networks))


# The systems that stand for all in the default run of each check of the engine.
ENGINE = ("packed_gan", "beta_vae", "cyclegan", "projection_gan", "pix2pix", "first_gan")
REPRESENTATIVES = {
    "mixed_float16_is_finite": (*ENGINE, "stylegan"),
    "mixed_bfloat16_is_finite": ENGINE,
    "loaded_model_continues_identically": (*ENGINE, "stylegan"),
    "steps_per_execution": ENGINE,
    # Each draws its own numbers for every row, and may do so wrongly on two. Those left out have
    # batch norm, and tests/distribution ends where one device does with them or what they are.
    "two_replicas_match_one": [
        name
        for name, system in SYSTEMS.items()
        if not system.is_variant
        and "two_replicas_match_one" not in system.known_failures
        and name not in ("dcgan", "projection_gan", "biggan", "infogan", "srgan")
    ],
    "xla_matches_graph_mode": ("packed_gan", "beta_vae", "cyclegan", "projection_gan", "pix2pix"),
    "export_round_trip": (
        "dcgan", "conditional_vae", "stylegan", "pix2pix", "cyclegan", "auxiliary_gan"
    ),
}  # fmt: skip

# Features that no representative of a check has, and why.
EXCUSED = {
    "mixed_bfloat16_is_finite": {
        "growth": "traced, it takes 10 s; float16 has it untraced, with the same casts",
    },
    "steps_per_execution": {
        "growth": "tests/models/test_growth.py has phases that end within an execution",
    },
    "two_replicas_match_one": {
        "batch norm": "tests/distribution has it",
        "growth": f"{DEVIATION}; tests/models/test_growth.py has replicas without it",
    },
    "xla_matches_graph_mode": {
        "growth": "XLA compiles for a minute",
    },
}

# Systems on which a check is a slow one, as another one of the default run sees the same.
SEEN_ELSEWHERE = {
    "evaluate_changes_nothing": [n for n, system in SYSTEMS.items() if system.is_variant],
    # Exports hold their own; graphs of likelihoods are tested in tests/losses.
    "abilities_are_graphs": [
        *REPRESENTATIVES["export_round_trip"], "vae", "importance_weighted_vae",
    ],
}  # fmt: skip


def is_default(name, check):
    """Whether a check of a system belongs to the default run, and not to the slow one."""
    if check in REPRESENTATIVES:
        return name in REPRESENTATIVES[check]
    return name not in SEEN_ELSEWHERE.get(check, ())
