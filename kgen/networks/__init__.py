"""Networks: functions that return built functional `keras.Model`s, by family."""

from kgen.networks.dcgan import dcgan_discriminator, dcgan_generator
from kgen.networks.dense import dense_discriminator, dense_generator
from kgen.networks.mixture import mixture_discriminator, mixture_generator
from kgen.networks.resnet import resnet_critic, resnet_generator
from kgen.networks.variational import (
    convolutional_decoder,
    convolutional_encoder,
    dense_decoder,
    dense_encoder,
)

__all__ = [
    "convolutional_decoder",
    "convolutional_encoder",
    "dcgan_discriminator",
    "dcgan_generator",
    "dense_decoder",
    "dense_discriminator",
    "dense_encoder",
    "dense_generator",
    "mixture_discriminator",
    "mixture_generator",
    "resnet_critic",
    "resnet_generator",
]
