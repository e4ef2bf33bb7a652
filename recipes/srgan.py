"""SRGAN (Ledig et al. 2017): photographs at twice or four times their resolution."""

import dataclasses
from typing import Literal

import keras
import numpy as np

from kgen.layers import BicubicUpsampling2D
from kgen.models import SRGAN
from kgen.networks import sr_discriminator, sr_resnet
from recipes import training, translation


@dataclasses.dataclass(frozen=True)
class Config(translation.Config):
    """Super-resolution by a residual network, alone or against a discriminator."""

    data: str = "photos"
    """Images to learn from: photos, a folder; whatever `kgen.data.load` takes."""
    image_size: int | tuple[int, int] | None = 64
    """Pixels of the large images: one number for squares, or height and width; None for the data's
    own size."""
    batch_size: int = 8
    """Pairs of one update; 16 in the paper."""
    steps: int = 2000
    out: str = "runs/srgan"
    factor: Literal[2, 4] = 2
    """How many times the resolution."""
    objective: Literal["both", "content"] = "both"
    """Whether the network learns from the content loss alone (SRResNet) or also against a
    discriminator."""
    blocks: int = 4
    """Residual blocks of the network; the paper's 16."""
    filters: int = 32
    """Maps of the network; the paper's 64."""
    skip: Literal["bicubic", "none"] = "bicubic"
    """What the network's output is added to: the input enlarged, or nothing as in the paper."""
    discriminator_filters: int = 32
    """Maps of the discriminator's first convolution; the paper's 64."""
    adversarial_weight: float = 1e-3
    """Weight of the adversarial loss; the paper's 1e-3."""
    learning_rate: float = 1e-3
    """Adam's step size for both players; the paper's 1e-4 suits longer trainings."""


def pairs(config):
    """The arguments of `kgen.data.pairs`."""
    return {"source": config.data, "degradation": {"low_resolution": config.factor}}


def build(config, small_shape, large_shape):
    # Of any height and width: what was learned on crops is used on whole photographs.
    generator = sr_resnet(
        (None, None, small_shape[-1]),
        config.factor,
        config.blocks,
        config.filters,
        residual=config.skip == "bicubic",
    )
    discriminator = None
    if config.objective == "both":
        discriminator = sr_discriminator(large_shape, config.discriminator_filters)
    model = SRGAN(
        generator,
        discriminator,
        adversarial_weight=config.adversarial_weight,
        seed=config.seed,
    )
    return training.compile_with_adam(model, config, learning_rate=config.learning_rate)


def bicubic(config, images):
    """The images enlarged by bicubic interpolation, what the network is held against."""
    enlarged = BicubicUpsampling2D(config.factor)(images)
    return np.clip(keras.ops.convert_to_numpy(enlarged), -1.0, 1.0)


FAMILY = translation.family(pairs, baseline=("bicubic", bicubic))


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
