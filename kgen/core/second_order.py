"""Which Keras layers have wrong second-order gradients on TensorFlow, and a refusal of them.

Measured on Keras 3.15.1 and TensorFlow 2.21 with `kgen.testing.second_order`: relative error of the
gradient of sum((df/dx)^2), analytic against central differences in float64, one operation alone.

    LayerNormalization, last axis / all axes                          2e-1 to 4e-1 / 5e-2
    GroupNormalization, any number of groups                          5e-2
    BatchNormalization in training / with renorm / in inference       3e-2 / 2 / right
    keras.layers.SpectralNormalization (as it runs, in float32)       8e-1
    UpSampling2D, Resizing (even to the same size): bilinear          5e-1, None behind it
    UpSampling2D, Resizing: bicubic, lanczos                          missing, an error
    Resizing: nearest, area; ops.image.resize: all but bilinear       missing, an error
    RandomPerspective, RandomTranslation, RandomZoom                  6e-2, 6e-2, 5e-2
    RandomRotation, RandomShear (in float32)                          1e-1, 1e-1
    activation softsign                                               missing, an error
    ops.image.affine_transform bilinear / nearest                     1 / 2e-1
    ops.image.perspective_transform, ops.image.resize bilinear        5e-1, 5e-1
    ops.image.rgb_to_hsv                                              2e-2
    ops.moments, ops.layer_normalization                              3e-1, 2e-1
    ops.categorical_crossentropy of logits, targets not constant      1, not refused here

Right, with errors below 1e-8: RMSNormalization, UnitNormalization, Normalization; UpSampling1D and
UpSampling3D, UpSampling2D nearest; cropping, zero padding, reflection padding; average, maximum,
global and adaptive pooling (in 3-D only measured in float32); convolutions: strided, dilated,
grouped, transposed, depthwise, separable; Dense, EinsumDense; all other activations, PReLU;
Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention; LSTM, GRU, SimpleRNN and
ConvLSTM, rolled or not, Bidirectional, TimeDistributed; Dropout and its kin, GaussianNoise; the
merging layers and Dot; reshaping; ops.var, ops.std, ops.norm, ops.normalize, ops.depth_to_space,
ops.image.extract_patches, ops.image.gaussian_blur.
"""

from typing import NamedTuple

import keras

from kgen.core.keras_private import flatten_layers


class WrongSecondOrder(NamedTuple):
    """What is wrong with an operation, and what to use instead of it."""

    reason: str
    replacement: str


# `tf.nn.moments` stops the gradient at the mean inside the variance.
_MOMENTS = "on TensorFlow its variance has no gradient through the mean"
_RESIZE = "its second-order gradient is wrong or missing on TensorFlow"
_NEAREST = 'keras.layers.UpSampling2D(interpolation="nearest"), or average pooling to shrink'
_IN_DATA = "augmentation of the data set in tf.data, or shifts and flips by slicing"

_LAYERS = {
    "LayerNormalization": (_MOMENTS, "kgen.layers.LayerNormalization"),
    "GroupNormalization": (
        _MOMENTS,
        "kgen.layers.InstanceNormalization (for groups=-1) or kgen.layers.LayerNormalization",
    ),
    "BatchNormalization": (_MOMENTS, "kgen.layers.LayerNormalization, or no normalisation"),
    "SpectralNormalization": (
        "it overwrites the kernel and lets no gradient through the spectral norm",
        "kgen.layers.SpectralNormalization",
    ),
    "UpSampling2D": (_RESIZE, 'interpolation="nearest"'),
    "Resizing": (_RESIZE, _NEAREST),
    "RandomPerspective": (_RESIZE, _IN_DATA),
    "RandomRotation": (_RESIZE, _IN_DATA),
    "RandomShear": (_RESIZE, _IN_DATA),
    "RandomTranslation": (_RESIZE, _IN_DATA),
    "RandomZoom": (_RESIZE, _IN_DATA),
}
_OPERATIONS = {
    "AffineTransform": (_RESIZE, _IN_DATA),
    "LayerNorm": (_MOMENTS, "kgen.layers.LayerNormalization"),
    "Moments": (_MOMENTS, "ops.mean(x) and ops.var(x)"),
    "PerspectiveTransform": (_RESIZE, _IN_DATA),
    "RGBToHSV": (_RESIZE, "a conversion of the data set in tf.data"),
    "Resize": (_RESIZE, _NEAREST),
    "Softsign": (_RESIZE, "x / (1 + ops.abs(x)), or tanh"),
}


def refuse_wrong_second_order(network, wanted_by):
    """Raises if `network` holds an operation through which a gradient penalty would be wrong.

    Sees layers however deep (nested models, wrappers, layers of layers) and the operations of
    functional graphs. What a custom layer computes in its `call` only
    `kgen.testing.check_second_order_gradients` can see.

    Args:
        network: The `keras.Model` or layer that is differentiated twice.
        wanted_by: String, who differentiates it; begins the message.

    Raises:
        ValueError: Names each such layer or graph operation, the reason and the replacement.

    Example:
    >>> refuse_wrong_second_order(keras.Sequential([keras.layers.ReLU()]), "GAN: `penalty`")
    """
    found = [(one, known_wrong(one)) for one in layers_and_operations(network)]
    lines = [
        f"  {one.name!r} ({type(one).__name__}): {known.reason}; use {known.replacement}"
        for one, known in found
        if known is not None
    ]
    if lines:
        raise ValueError(
            f"{wanted_by} differentiates the network {network.name!r} twice, but its second-order "
            "gradient would be wrong. Expected a network without:\n" + "\n".join(lines)
        )


def known_wrong(operation):
    """Returns the `WrongSecondOrder` of a layer or graph operation, or `None` if it is right.

    Example:
    >>> known_wrong(keras.layers.LayerNormalization()).replacement
    'kgen.layers.LayerNormalization'
    """
    if getattr(operation, "activation", None) is keras.activations.softsign:
        return WrongSecondOrder(*_OPERATIONS["Softsign"])
    if isinstance(operation, keras.layers.Layer):
        for name, row in _LAYERS.items():
            if isinstance(operation, getattr(keras.layers, name)):
                # UpSampling2D repeats the rows and columns itself, unlike Resizing.
                right = name == "UpSampling2D" and operation.interpolation == "nearest"
                return None if right else WrongSecondOrder(*row)
    elif type(operation).__module__.startswith("keras."):
        row = _OPERATIONS.get(type(operation).__name__)
        return None if row is None else WrongSecondOrder(*row)
    return None


def layers_and_operations(network):
    """Yields all layers in the network, itself first, and the operations of functional graphs."""
    for layer in flatten_layers(network):
        yield layer
        for operation in getattr(layer, "operations", []):
            if not isinstance(operation, keras.layers.Layer):
                yield operation
