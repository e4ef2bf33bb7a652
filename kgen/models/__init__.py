"""Systems: one paper a file."""

from kgen.models.autoencoder import Autoencoder
from kgen.models.beta_vae import BetaVAE
from kgen.models.biggan import BigGAN
from kgen.models.context_encoder import ContextEncoder
from kgen.models.contractive_autoencoder import ContractiveAutoencoder
from kgen.models.cyclegan import CycleGAN
from kgen.models.denoising_autoencoder import DenoisingAutoencoder
from kgen.models.gan import GAN
from kgen.models.infogan import InfoGAN
from kgen.models.pix2pix import Pix2Pix
from kgen.models.progan import ProGAN
from kgen.models.sagan import SAGAN
from kgen.models.sparse_autoencoder import SparseAutoencoder
from kgen.models.srgan import SRGAN
from kgen.models.stacking import stack
from kgen.models.stylegan import StyleGAN
from kgen.models.vae import VAE
from kgen.models.wgan_gp import WGANGP

__all__ = [
    "GAN",
    "SAGAN",
    "SRGAN",
    "VAE",
    "WGANGP",
    "Autoencoder",
    "BetaVAE",
    "BigGAN",
    "ContextEncoder",
    "ContractiveAutoencoder",
    "CycleGAN",
    "DenoisingAutoencoder",
    "InfoGAN",
    "Pix2Pix",
    "ProGAN",
    "SparseAutoencoder",
    "StyleGAN",
    "stack",
]
