"""Networks: functions that return built functional `keras.Model`s, by family."""

from kgen.networks.biggan import biggan_discriminator, biggan_generator
from kgen.networks.dcgan import dcgan_discriminator, dcgan_generator
from kgen.networks.dense import dense_discriminator, dense_generator
from kgen.networks.mixture import mixture_discriminator, mixture_generator
from kgen.networks.patchgan import patchgan_discriminator
from kgen.networks.progressive import ProgressiveDiscriminator, ProgressiveGenerator
from kgen.networks.receptive_field import receptive_field
from kgen.networks.resnet import resnet_critic, resnet_generator
from kgen.networks.resnet_translator import resnet_translator
from kgen.networks.style import StyleGenerator, mapping_network
from kgen.networks.super_resolution import sr_discriminator, sr_resnet
from kgen.networks.unet import encoder_decoder, unet
from kgen.networks.variational import (
    convolutional_decoder,
    convolutional_encoder,
    dense_decoder,
    dense_encoder,
)

__all__ = [
    "ProgressiveDiscriminator",
    "ProgressiveGenerator",
    "StyleGenerator",
    "biggan_discriminator",
    "biggan_generator",
    "convolutional_decoder",
    "convolutional_encoder",
    "dcgan_discriminator",
    "dcgan_generator",
    "dense_decoder",
    "dense_discriminator",
    "dense_encoder",
    "dense_generator",
    "encoder_decoder",
    "mapping_network",
    "mixture_discriminator",
    "mixture_generator",
    "patchgan_discriminator",
    "receptive_field",
    "resnet_critic",
    "resnet_generator",
    "resnet_translator",
    "sr_discriminator",
    "sr_resnet",
    "unet",
]
