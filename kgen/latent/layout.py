"""What the numbers of a model's row of latents are: noise, labels and codes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Layout:
    """How many numbers of a row are what, in this order.

    Attributes:
        noise: Draws from N(0, 1), or where `uniform` is true from U[-1, 1].
        labels: One-hot labels, or an InfoGAN's categorical codes.
        codes: An InfoGAN's continuous codes, in [-1, 1].
        uniform: Whether the noise is uniform.
    """

    noise: int
    labels: int
    codes: int
    uniform: bool


def layout_of(model):
    """Returns the `Layout` of the rows of a `kgen.GenerativeModel` that can `sample`."""
    width = model.latents(1, seed=0).shape[-1]
    labels, codes = _labels_and_codes(model)
    uniform = getattr(model, "latent_distribution", "normal") == "uniform"
    return Layout(width - labels - codes, labels, codes, uniform)


def label_width(model):
    """Returns how many of the last numbers of a model's row of latents are no noise.

    The one-hot label of a conditional model, an InfoGAN's codes, else 0: what `interpolate` and the
    like take as `labels`.

    Args:
        model: `kgen.GenerativeModel` that can `decode`.

    Raises:
        ValueError: If the model cannot.

    Example:
        rows = model.latents(2, seed=0)
        way = kgen.latent.interpolate(*rows, labels=kgen.latent.label_width(model))
        images = model.decode(way)
    """
    if "decode" not in getattr(model, "abilities", ()):
        raise ValueError(f"`model` must be able to decode, received {type(model).__name__}.")
    return sum(_labels_and_codes(model))


def _labels_and_codes(model):
    if hasattr(model, "categories"):
        return sum(model.categories), model.continuous
    return model.classes or 0, 0
