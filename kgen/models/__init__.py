"""Systems: one paper a file."""

from kgen.models.gan import GAN
from kgen.models.vae import VAE
from kgen.models.wgan_gp import WGANGP

__all__ = ["GAN", "VAE", "WGANGP"]
