"""Systems: one paper a file."""

from kgen.models.context_encoder import ContextEncoder
from kgen.models.cyclegan import CycleGAN
from kgen.models.gan import GAN
from kgen.models.infogan import InfoGAN
from kgen.models.pix2pix import Pix2Pix
from kgen.models.srgan import SRGAN
from kgen.models.vae import VAE
from kgen.models.wgan_gp import WGANGP

__all__ = [
    "GAN",
    "SRGAN",
    "VAE",
    "WGANGP",
    "ContextEncoder",
    "CycleGAN",
    "InfoGAN",
    "Pix2Pix",
]
