"""Choosing a discriminator's normalisation by name."""

from kgen.layers import BatchNormalization, LayerNormalization, SpectralNormalization

NORMALIZATIONS = ("batch", "layer", "spectral", None)


def normalized(layer, normalization, first=False):
    """Returns a function that applies `layer` and its normalisation.

    Args:
        layer: A convolution or dense layer without activation.
        normalization: `"batch"` or `"layer"` norm after the layer, `"spectral"` normalisation of
            its kernel, or `None`.
        first: Whether the layer reads the images or gives the logits, where only `"spectral"`
            applies.

    Raises:
        ValueError: If `normalization` is none of these.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"`normalization` must be one of {NORMALIZATIONS}, received {normalization!r}."
        )
    if normalization == "spectral":
        return SpectralNormalization(layer)
    if first or normalization is None:
        return layer
    norm = BatchNormalization() if normalization == "batch" else LayerNormalization()
    return lambda x: norm(layer(x))
