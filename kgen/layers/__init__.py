"""Layers of the generative models, all but BatchNormalization twice differentiable."""

from kgen.layers.batch_normalization import BatchNormalization
from kgen.layers.equalized_conv2d import EqualizedConv2D
from kgen.layers.equalized_dense import EqualizedDense
from kgen.layers.gaussian_sampling import GaussianSampling
from kgen.layers.instance_normalization import InstanceNormalization
from kgen.layers.layer_normalization import LayerNormalization
from kgen.layers.maxout import Maxout
from kgen.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from kgen.layers.pixel_normalization import PixelNormalization
from kgen.layers.spectral_normalization import SpectralNormalization
from kgen.layers.thin_conv2d import ThinConv2D
from kgen.layers.thin_conv2d_transpose import ThinConv2DTranspose
from kgen.layers.weight_clipping import WeightClipping

__all__ = [
    "BatchNormalization",
    "EqualizedConv2D",
    "EqualizedDense",
    "GaussianSampling",
    "InstanceNormalization",
    "LayerNormalization",
    "Maxout",
    "MinibatchStandardDeviation",
    "PixelNormalization",
    "SpectralNormalization",
    "ThinConv2D",
    "ThinConv2DTranspose",
    "WeightClipping",
]
