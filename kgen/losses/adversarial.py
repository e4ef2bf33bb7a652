"""Adversarial losses, discriminator side and generator side.

All take logits (a critic's scores) of any shape `(batch, ...)`, so those of a PatchGAN too, and
return a float32 scalar: the mean over all of them.
"""

import dataclasses
import inspect
from collections.abc import Callable

import keras
from keras import ops


@keras.saving.register_keras_serializable("kgen")
def minimax_discriminator_loss(real_logits, fake_logits, smoothing=0.0):
    """-E[log D(real)] - E[log(1 - D(fake))]. Goodfellow et al. 2014, eq. 1, arXiv 1406.2661.

    `smoothing` s, in [0, 1), makes the real images' target 1 - s: one-sided label smoothing,
    Salimans et al. 2016, section 3.4, arXiv 1606.03498.
    """
    return cross_entropy(real_logits, 1.0 - smoothing) + cross_entropy(fake_logits, 0.0)


@keras.saving.register_keras_serializable("kgen")
def minimax_generator_loss(fake_logits):
    """E[log(1 - D(fake))]. Goodfellow et al. 2014, eq. 1: vanishes where D is sure."""
    return -cross_entropy(fake_logits, 0.0)


@keras.saving.register_keras_serializable("kgen")
def non_saturating_generator_loss(fake_logits):
    """-E[log D(fake)]. Goodfellow et al. 2014, section 3; its discriminator's loss is minimax's."""
    return cross_entropy(fake_logits, 1.0)


@keras.saving.register_keras_serializable("kgen")
def least_squares_discriminator_loss(real_logits, fake_logits, smoothing=0.0):
    """E[(D(real) - 1)^2] / 2 + E[D(fake)^2] / 2. Mao et al. 2017, eq. 9, arXiv 1611.04076.

    `smoothing` s, in [0, 1), makes the real images' target 1 - s.
    """
    return 0.5 * (square(real_logits, 1.0 - smoothing) + square(fake_logits, 0.0))


@keras.saving.register_keras_serializable("kgen")
def least_squares_generator_loss(fake_logits):
    """E[(D(fake) - 1)^2] / 2. Mao et al. 2017, eq. 9."""
    return 0.5 * square(fake_logits, 1.0)


@keras.saving.register_keras_serializable("kgen")
def wasserstein_critic_loss(real_logits, fake_logits):
    """E[D(fake)] - E[D(real)]. Arjovsky et al. 2017, eq. 2 negated, arXiv 1701.07875."""
    return mean(fake_logits) - mean(real_logits)


@keras.saving.register_keras_serializable("kgen")
def wasserstein_generator_loss(fake_logits):
    """-E[D(fake)]. Arjovsky et al. 2017, algorithm 1."""
    return -mean(fake_logits)


@keras.saving.register_keras_serializable("kgen")
def hinge_discriminator_loss(real_logits, fake_logits):
    """E[max(0, 1 - D(real))] + E[max(0, 1 + D(fake))]. Lim and Ye 2017, arXiv 1705.02894.

    Its generator's loss is Wasserstein's.
    """
    return ops.mean(ops.relu(1.0 - float32(real_logits))) + ops.mean(
        ops.relu(1.0 + float32(fake_logits))
    )


@keras.saving.register_keras_serializable("kgen")
def relativistic_average_discriminator_loss(real_logits, fake_logits, smoothing=0.0):
    """RaSGAN: real images are more real than fake ones on average, and the reverse.

    -E[log s(D(real) - E D(fake))] - E[log(1 - s(D(fake) - E D(real)))], s the sigmoid.
    Jolicoeur-Martineau 2018, the relativistic average GAN with the standard GAN's loss, arXiv
    1807.00734. The averages are over the batch of one replica. `smoothing` s, in [0, 1), makes
    the real images' target 1 - s.
    """
    real, fake = relative(real_logits, fake_logits)
    return cross_entropy(real, 1.0 - smoothing) + cross_entropy(fake, 0.0)


@keras.saving.register_keras_serializable("kgen")
def relativistic_average_generator_loss(real_logits, fake_logits):
    """-E[log s(D(fake) - E D(real))] - E[log(1 - s(D(real) - E D(fake)))].

    Jolicoeur-Martineau 2018: the discriminator's loss with the roles exchanged.
    """
    real, fake = relative(real_logits, fake_logits)
    return cross_entropy(fake, 1.0) + cross_entropy(real, 0.0)


@keras.saving.register_keras_serializable("kgen")
@dataclasses.dataclass(frozen=True)
class AdversarialLoss:
    """A discriminator's and a generator's loss that belong together.

    One of your own is the `loss` of `kgen.models.GAN` and others; for a file to hold it, its
    functions are registered by `keras.saving.register_keras_serializable`.

    Example:
        loss = kgen.losses.AdversarialLoss(my_discriminator_loss, my_generator_loss)
        model = kgen.models.GAN(generator, discriminator, loss=loss)

    Attributes:
        discriminator: Function `(real_logits, fake_logits)`, and `smoothing=0.0` if `has_targets`.
        generator: Function `(fake_logits)`, or `(real_logits, fake_logits)` if `relativistic`.
        has_targets: Whether the discriminator's loss has targets, which can be smoothed.
        relativistic: Whether the generator's loss sees real images.
    """

    discriminator: Callable
    generator: Callable
    has_targets: bool = False
    relativistic: bool = False

    def __post_init__(self):
        for name in ("discriminator", "generator"):
            if not callable(getattr(self, name)):
                raise ValueError(
                    f"`{name}` must be a function of logits, received {getattr(self, name)!r}."
                )
        for name, sees_both in (("discriminator", True), ("generator", self.relativistic)):
            smoothing = {"smoothing": 0.0} if name == "discriminator" and self.has_targets else {}
            _check_signature(name, getattr(self, name), 2 if sees_both else 1, smoothing)

    def get_config(self):
        config = dataclasses.asdict(self)
        for name in ("discriminator", "generator"):
            config[name] = keras.saving.serialize_keras_object(config[name])
        return config

    @classmethod
    def from_config(cls, config):
        revive = keras.saving.deserialize_keras_object
        return cls(**{n: revive(v) if isinstance(v, dict) else v for n, v in config.items()})


def _check_signature(name, function, count, smoothing):
    """Raises a ValueError if a function cannot be called with so many logits and a smoothing."""
    try:
        signature = inspect.signature(function)
        for keywords in ({}, smoothing):  # Without a smoothing none is given.
            signature.bind(*[None] * count, **keywords)
    except TypeError as error:
        expected = "(real_logits, fake_logits)" if count == 2 else "(fake_logits)"
        raise ValueError(
            f"`{name}` must be a function of {expected}, received {function!r}: {error}. A pair is "
            "the discriminator's loss and then the generator's."
        ) from error
    except ValueError:  # Of a function that is not written in Python nobody knows.
        pass


ADVERSARIAL_LOSSES = {
    "minimax": AdversarialLoss(
        minimax_discriminator_loss, minimax_generator_loss, has_targets=True
    ),
    "non_saturating": AdversarialLoss(
        minimax_discriminator_loss, non_saturating_generator_loss, has_targets=True
    ),
    "least_squares": AdversarialLoss(
        least_squares_discriminator_loss, least_squares_generator_loss, has_targets=True
    ),
    "wasserstein": AdversarialLoss(wasserstein_critic_loss, wasserstein_generator_loss),
    "hinge": AdversarialLoss(hinge_discriminator_loss, wasserstein_generator_loss),
    "relativistic_average": AdversarialLoss(
        relativistic_average_discriminator_loss,
        relativistic_average_generator_loss,
        has_targets=True,
        relativistic=True,
    ),
}


def adversarial_loss(loss):
    """Returns the `AdversarialLoss` that a name stands for, that a pair makes, or that is given.

    Args:
        loss: One of `ADVERSARIAL_LOSSES`; an `AdversarialLoss`; or a pair of functions, the
            discriminator's and the generator's, as of an `AdversarialLoss` without targets.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(loss, AdversarialLoss):
        return loss
    if isinstance(loss, tuple | list) and len(loss) == 2 and all(map(callable, loss)):
        return AdversarialLoss(*loss)
    if not isinstance(loss, str) or loss not in ADVERSARIAL_LOSSES:
        raise ValueError(
            f"`loss` must be one of {list(ADVERSARIAL_LOSSES)}, or a pair of functions, the "
            f"discriminator's and the generator's, received {loss!r}."
        )
    return ADVERSARIAL_LOSSES[loss]


def cross_entropy(logits, target):
    """Mean cross-entropy of sigmoid(logits) with a constant target in [0, 1], in nats."""
    logits = float32(logits)
    # Not softplus(logits) - target * logits, which cancels where the logit is large.
    return ops.mean(target * ops.softplus(-logits) + (1.0 - target) * ops.softplus(logits))


def square(logits, target):
    """Mean of (logits - target)^2."""
    return ops.mean(ops.square(float32(logits) - target))


def mean(logits):
    """Mean in float32."""
    return ops.mean(float32(logits))


def relative(real_logits, fake_logits):
    """Each side's logits minus the other side's mean."""
    real, fake = float32(real_logits), float32(fake_logits)
    return real - ops.mean(fake), fake - ops.mean(real)


def float32(logits):
    """Losses are computed in float32, whatever the network's precision."""
    return ops.cast(logits, "float32")
