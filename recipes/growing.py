"""What the recipes of models that grow share: the schedule, and how samples are scored."""

import dataclasses
from typing import Literal

import kgen.metrics
from recipes import conditional, training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """The fields of recipes whose models grow."""

    image_size: int | tuple[int, int] | None = 32
    """Pixels that growth ends with, one number for squares, or height and width; of a folder or
    photos 64 and more."""
    steps: int = 6000
    """Length of the whole training in rounds."""
    batch_sizes: list[int] = dataclasses.field(default_factory=lambda: [64, 64, 32, 16])
    """Images of an update at each size, the smallest first; sizes after the last have the last one.
    batch_size is then only how many are read at once. Empty for batch_size at all sizes."""
    progressive: bool | None = None
    """Whether to grow; None for yes. No: the last size from the start."""
    first_size: int | None = None
    """Height of the images that training starts with; None for the smallest, 4 as in ProGAN's
    paper. StyleGAN's starts with 8."""
    fade_kimg: float = 15.0
    """Thousands of images over which a size is faded in."""
    stable_kimg: float = 15.0
    """Thousands of images over which it is then trained, before the next; the last to the end."""
    latent_dim: int = 64
    """Size of the latents; the papers' 512."""
    filters: int | Literal["auto"] = 16
    """Maps at the last size; each size before has twice as many. auto: as the papers have them, 16
    at 1024 x 1024 and, with as many max_filters, 512 at 32 x 32."""
    max_filters: int = 64
    """The most maps of any size; 512 in the papers."""
    learning_rate: float = 1e-3
    """Adam's step size for both players; the papers' 1e-3."""
    ema_momentum: float = 0.998
    """Momentum per round of the moving average of the generator's weights that samples use."""


def schedule(config, generator):
    """The arguments of a model that say how it grows."""
    return {
        "fade_kimg": config.fade_kimg,
        "stable_kimg": config.stable_kimg,
        "batch_sizes": _batch_sizes(config, generator),
        "progressive": config.progressive is not False,
        "first_size": config.first_size,
    }


def compiled(model, config):
    """Compiles the model as all recipes that grow do, and says if its training ends too early."""
    rounds = model.rounds_until(model.phases[-1], config.batch_size)
    if config.steps < rounds:
        height, width, _ = model.image_shape
        print(
            f"steps: {config.steps:,} rounds end before {height} x {width} is faded in, which "
            f"takes {rounds:,}."
        )
    return training.compile_with_adam(
        model, config, config.learning_rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8
    )


def scores(config, groups):
    """Scores groups of samples: Frechet distance, precision and recall against held-out images.

    Args:
        config: The recipe's config.
        groups: Dict from a suffix for the scores' names to a function from a count to samples.

    Returns:
        Dict of `Score`s; empty, with a line that says why, where too few images are held out.
    """
    try:
        evaluation = kgen.metrics.Evaluation(
            config.data,
            ("frechet", "precision", "recall"),
            extractor(config),
            image_size=config.image_size,
            on_bad_file=config.on_bad_file,
            follow_links=config.follow_links,
        )
    except ValueError as error:
        print(f"No scores in the report: {error}")
        return {}
    return {
        f"{name}{suffix}": score
        for suffix, sample in groups.items()
        for name, score in evaluation.of(sample(evaluation.samples)).items()
    }


def extractor(config):
    """The network whose features a report compares: the config's, or what suits its data."""
    if config.extractor is not None:
        return config.extractor
    return "digits" if config.data in conditional.DIGITS else "random"


def _batch_sizes(config, generator):
    if not config.batch_sizes:
        return None
    padded = [*config.batch_sizes, *[config.batch_sizes[-1]] * len(generator.sizes)]
    return {height: size for (height, _), size in zip(generator.sizes, padded, strict=False)}
