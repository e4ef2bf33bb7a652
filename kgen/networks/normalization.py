"""Choosing a discriminator's normalisation by name."""

from kgen.core.arrays import is_one_of
from kgen.layers import (
    BatchNormalization,
    InstanceNormalization,
    LayerNormalization,
    SpectralNormalization,
)

NORMALIZATIONS = ("batch", "instance", "layer", "spectral", None)


def normalized(layer, normalization, first=False):
    """Returns a function that applies `layer` and its normalisation.

    Args:
        layer: A convolution or dense layer without activation.
        normalization: `"batch"`, `"instance"` or `"layer"` norm after the layer, `"spectral"`
            normalisation of its kernel, or `None`. Outputs of 1 x 1 pixel, which instance norm
            would set to zero, get none.
        first: Whether the layer reads the images or gives the logits, where only `"spectral"`
            applies.

    Raises:
        ValueError: If `normalization` is none of these.
    """
    if not is_one_of(normalization, NORMALIZATIONS):
        raise ValueError(
            f"`normalization` must be one of {NORMALIZATIONS}, received {normalization!r}."
        )
    if normalization == "spectral":
        return SpectralNormalization(layer)
    if first or normalization is None:
        return layer
    if normalization == "instance":
        return lambda x: _instance_normalized(layer(x))
    norm = BatchNormalization() if normalization == "batch" else LayerNormalization()
    return lambda x: norm(layer(x))


def _instance_normalized(x):
    return x if x.shape[1:-1] == (1, 1) else InstanceNormalization()(x)
