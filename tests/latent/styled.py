"""A StyleGAN of few operations: at its second of three sizes, and without an average."""

import functools

import keras
import numpy as np

from kgen import models, networks
from tests.systems import SHAPE


@functools.cache  # No test changes one.
def styled(classes=None, noise=0.0):
    """Untrained, and with this strength of all noise, which a StyleGAN begins without."""
    keras.utils.set_random_seed(0)
    model = models.StyleGAN(
        networks.StyleGenerator(
            SHAPE, latent_dim=4, style_dim=4, filters=4, mapping_depth=1, classes=classes
        ),
        networks.ProgressiveDiscriminator(SHAPE, filters=4, blur=True, classes=classes),
        fade_kimg=0.0,
        stable_kimg=0.0,
        progressive=False,
        ema_momentum=None,
    )
    model.generator.grow_to(1)  # Of maps of two sizes.
    for weight in model.generator.weights:
        if "noise_injection" in weight.path:
            weight.assign(np.full(weight.shape, noise))
    return model
