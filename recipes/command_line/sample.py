"""`kgen sample <model>`: draws images from a trained model into a picture."""

import dataclasses
import inspect
import math

import tyro


@dataclasses.dataclass(frozen=True)
class Sample:
    """Draws images from a trained model into one picture, a grid."""

    model: tyro.conf.Positional[str]
    """A run's folder, such as runs/dcgan, or a .keras file."""
    out: str = "samples.png"
    """File of the picture."""
    count: int = 64
    """Images to draw."""
    seed: int = 0
    """Seed of the images: the same one gives the same images."""
    columns: int | None = None
    """Images a row; None for a grid as square as can be."""
    labels: list[int] | None = None
    """Of a conditional model the class of all images, or of each; None draws them."""
    psi: float | None = None
    """How far samples are from the mean: 1, the default, as they are, 0 the mean. Of a StyleGAN its
    styles from the mean style, of other models the latents from 0."""
    cutoff: int | None = None
    """Of a StyleGAN the number of layers, the coarsest first, that psi is for; None for all."""
    truncation: float | None = None
    """Of a BigGAN the largest size of a latent's entry; None for any."""


def main(arguments):
    """Writes the picture and prints where it is.

    Raises:
        ValueError: If a field is not as described, or the model has none of that kind.
        NotImplementedError: If the model cannot sample.
    """
    config = tyro.cli(Sample, prog="kgen sample", args=arguments)
    # Not above: `--help` need not wait for TensorFlow.
    import kgen.plotting
    from recipes.command_line.saved import load_model

    images = drawn(load_model(config.model), config)
    print(kgen.plotting.save_grid(images, config.out, config.columns, clip=True))


def drawn(model, config):
    """Returns the images that a `Sample` asks a model for."""
    options = {name: getattr(config, name) for name in ("labels", "psi", "cutoff", "truncation")}
    options = {name: value for name, value in options.items() if value is not None}
    known = inspect.signature(model.sample).parameters
    psi = None if "psi" in known else options.pop("psi", None)
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"{name}: a {type(model).__name__} has none, received {value!r}.")
    if len(options.get("labels", ())) == 1:
        options["labels"] = options["labels"][0]
    if psi is None:
        return model.sample(config.count, seed=config.seed, **options)
    if hasattr(model, "categories") or not math.isfinite(psi):
        raise ValueError(
            f"psi: expected a number, and no InfoGAN, whose codes have no mean; received {psi!r}."
        )
    latents = model.latents(config.count, config.seed, **options).copy()
    latents[..., : latents.shape[-1] - (model.classes or 0)] *= psi  # Then comes the label.
    return model.decode(latents)
