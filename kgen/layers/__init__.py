"""Layers of the generative models, all but BatchNormalization twice differentiable."""

from kgen.layers.adaptive_instance_normalization import AdaptiveInstanceNormalization
from kgen.layers.batch_normalization import BatchNormalization
from kgen.layers.bicubic_upsampling import BicubicUpsampling2D
from kgen.layers.blur_downsampling import BlurDownsampling2D
from kgen.layers.blur_upsampling import BlurUpsampling2D
from kgen.layers.conditional_batch_normalization import ConditionalBatchNormalization
from kgen.layers.dropout import Dropout, dropout_from
from kgen.layers.equalized_conv2d import EqualizedConv2D
from kgen.layers.equalized_dense import EqualizedDense
from kgen.layers.fade_in import FadeIn
from kgen.layers.from_rgb import FromRGB
from kgen.layers.gaussian_sampling import GaussianSampling
from kgen.layers.image_history import ImageHistory
from kgen.layers.instance_normalization import InstanceNormalization
from kgen.layers.layer_normalization import LayerNormalization
from kgen.layers.learned_constant import LearnedConstant
from kgen.layers.maxout import Maxout
from kgen.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from kgen.layers.modulated_conv2d import ModulatedConv2D
from kgen.layers.noise_injection import NoiseInjection
from kgen.layers.pixel_normalization import PixelNormalization
from kgen.layers.pixel_shuffle import PixelShuffle
from kgen.layers.reflection_padding import ReflectionPadding2D
from kgen.layers.repeat_pixels import repeat_pixels
from kgen.layers.self_attention import SelfAttention
from kgen.layers.spectral_normalization import SpectralNormalization
from kgen.layers.thin_conv2d import ThinConv2D
from kgen.layers.thin_conv2d_transpose import ThinConv2DTranspose
from kgen.layers.to_rgb import ToRGB
from kgen.layers.weight_clipping import WeightClipping

__all__ = [
    "AdaptiveInstanceNormalization",
    "BatchNormalization",
    "BicubicUpsampling2D",
    "BlurDownsampling2D",
    "BlurUpsampling2D",
    "ConditionalBatchNormalization",
    "Dropout",
    "EqualizedConv2D",
    "EqualizedDense",
    "FadeIn",
    "FromRGB",
    "GaussianSampling",
    "ImageHistory",
    "InstanceNormalization",
    "LayerNormalization",
    "LearnedConstant",
    "Maxout",
    "MinibatchStandardDeviation",
    "ModulatedConv2D",
    "NoiseInjection",
    "PixelNormalization",
    "PixelShuffle",
    "ReflectionPadding2D",
    "SelfAttention",
    "SpectralNormalization",
    "ThinConv2D",
    "ThinConv2DTranspose",
    "ToRGB",
    "WeightClipping",
    "dropout_from",
    "repeat_pixels",
]
