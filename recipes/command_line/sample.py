"""`kgen sample <model>`: draws images from a trained model into a picture."""

import dataclasses
import inspect

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
    """Of a StyleGAN how far styles are from their mean: 1, the default, as they are, 0 the mean."""
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

    model = load_model(config.model)
    options = {name: getattr(config, name) for name in ("labels", "psi", "cutoff", "truncation")}
    options = {name: value for name, value in options.items() if value is not None}
    known = inspect.signature(model.sample).parameters
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"{name}: a {type(model).__name__} has none, received {value!r}.")
    if len(options.get("labels", ())) == 1:
        options["labels"] = options["labels"][0]
    images = model.sample(config.count, seed=config.seed, **options)
    kgen.plotting.save_grid(images, config.out, config.columns)
    print(config.out)
