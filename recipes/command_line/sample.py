"""`kgen sample <model>`: draws images from a trained model into a picture."""

import dataclasses
import inspect
import math

import tyro

from recipes.registry import did_you_mean


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
    labels: list[str] | None = None
    """Of a conditional model the class of all images, or of each: a number or, of a run on a
    folder, a name, which wins; None draws them."""
    raw: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether to use the weights as training left them, and not their moving average."""
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
    from recipes.command_line.saved import load_model, run_classes

    model = load_model(config.model)
    labels = None if config.labels is None else numbered(config.labels, run_classes(config.model))
    images = drawn(model, dataclasses.replace(config, labels=labels))
    print(kgen.plotting.save_grid(images, config.out, config.columns, clip=True))


def numbered(labels, names):
    """Returns the numbers of classes given by number or name; `names` are the list's, or `None`."""
    names = names or []
    for label in labels:
        if not label.isdecimal() and label not in names:
            expected = f"numbers or names out of {names}" if names else "numbers"
            raise ValueError(
                f"labels: expected {expected}, received {label!r}.{did_you_mean(label, names)}"
            )
    return [names.index(label) if label in names else int(label) for label in labels]


def drawn(model, config):
    """Returns the images that a `Sample` asks a model for."""
    names = ("labels", "psi", "cutoff", "truncation", "raw")
    options = {name: getattr(config, name) for name in names}
    # What is not given is left to the model.
    options = {name: v for name, v in options.items() if v is not None and v is not False}
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
    raw = {"raw": options.pop("raw")} if "raw" in options else {}
    latents = model.latents(config.count, config.seed, **options).copy()
    latents[..., : latents.shape[-1] - (model.classes or 0)] *= psi  # Then comes the label.
    return model.decode(latents, **raw)
