"""StyleGAN (Karras et al. 2019): a generator controlled by styles."""

import dataclasses
from typing import Literal

import numpy as np

import kgen.data
import kgen.metrics
import kgen.plotting
from kgen.models import StyleGAN
from kgen.networks import ProgressiveDiscriminator, StyleGenerator
from recipes import conditional, growing, training

PSIS = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)
COLUMNS = 8  # Of the pictures.


@dataclasses.dataclass(frozen=True)
class Config(growing.Config):
    """A GAN whose generator is controlled by styles."""

    out: str = "runs/stylegan"
    steps: int = 6000
    fade_kimg: float = 10.0
    """Thousands of images over which a size is faded in; the paper's 600."""
    stable_kimg: float = 10.0
    """Thousands over which it is then trained, before the next; the paper's 600."""
    ema_momentum: float = 0.995
    """Momentum per round of the moving average of the generator's weights that samples use."""
    labels: bool | None = None
    """Whether to learn the classes of the data; None for no."""
    style_dim: int = 64
    """Size of the styles; the paper's 512."""
    objective: Literal["non_saturating", "wasserstein"] = "non_saturating"
    """The loss and its penalty: the non-saturating loss with R1, the paper's on FFHQ, or WGAN-GP,
    its on CelebA-HQ."""
    output_activation: Literal["tanh", "linear"] = "tanh"
    """Of the images' pixels; linear in the paper, by which uniform backgrounds, such as that of
    digits, are hardly learned from maps that are normalised image by image."""
    mapping_depth: int = 8
    """Dense layers from latents to styles; the paper's 8. 0: styles are the latents."""
    mapping_multiplier: float = 0.01
    """Factor of the mapping's learning rate; the paper's 0.01."""
    noise: bool | None = None
    """Whether layers add noise; None for yes."""
    mixing: float = 0.9
    """Share of images made of the styles of two latents; the paper's 0.9."""
    modulation: Literal["normalization", "weights"] = "normalization"
    """How styles act: by adaptive instance norm (2019), or on the convolutions' weights (2020)."""
    penalty_weight: float | None = None
    """Weight of the penalty, in the papers 10; None for 10 of WGAN-GP, and 0.3 of R1, which sums
    over pixels and has to be weaker where they are few."""
    penalty_interval: int = 4
    """Rounds of which one computes the penalty; 1 for all, 16 in StyleGAN2."""


# Of each objective, and the weight of it that suits small images.
PENALTIES = {"non_saturating": ("r1", 0.3), "wasserstein": ("gradient", 10.0)}


def load(config, batch_size):
    """The training images, with their labels if these are learned."""
    found = conditional.labelled_images if config.labels else training.images_alone
    return found(config, batch_size)


def build(config, image_shape):
    classes = kgen.data.class_count(config.data, config.follow_links) if config.labels else None
    sizes = {"filters": config.filters, "max_filters": config.max_filters}
    penalty, weight = PENALTIES[config.objective]
    generator = StyleGenerator(
        image_shape,
        config.latent_dim,
        config.style_dim,
        mapping_depth=config.mapping_depth,
        mapping_multiplier=config.mapping_multiplier,
        noise=config.noise is not False,
        modulation=config.modulation,
        output_activation=config.output_activation,
        classes=classes,
        **sizes,
    )
    model = StyleGAN(
        generator,
        ProgressiveDiscriminator(image_shape, classes=classes, blur=True, **sizes),
        **growing.schedule(config, generator),
        mixing=config.mixing,
        loss=config.objective,
        penalty=penalty,
        penalty_weight=weight if config.penalty_weight is None else config.penalty_weight,
        penalty_interval=config.penalty_interval,
        ema_momentum=config.ema_momentum,
        seed=config.seed,
    )
    return growing.compiled(model, config)


def report(config, model, folder):
    """Writes what styles do, and how samples compare with held-out images.

    * `truncation.png`: a row for each of `PSIS`, of the same latents.
    * `mixing-<layers>.png`: the first row and column are samples; within, the column's image with
      the styles of the row's in these layers.
    * `noise.png`: with the fixed noise, without any, and twice with noise of its own.
    """
    latents = model.latents(COLUMNS, seed=config.seed)
    rows = [model.decode(latents, psi=psi) for psi in PSIS]
    kgen.plotting.save_grid(np.concatenate(rows), folder / "truncation.png", COLUMNS, clip=True)
    count = model.generator.layer_count
    for name, layers in (("coarse", range(count // 2)), ("fine", range(count // 2, count))):
        picture = mixing_table(model, layers)
        kgen.plotting.save_grid(picture, folder / f"mixing-{name}.png", COLUMNS, clip=True)
    styles = model.map(latents)
    rows = [model.synthesise(styles, noise) for noise in ("fixed", "off", 1, 2)]
    kgen.plotting.save_grid(np.concatenate(rows), folder / "noise.png", COLUMNS, clip=True)
    groups = {"": 1.0, "_psi_0.7": 0.7, "_psi_0.5": 0.5, "_psi_0.3": 0.3}
    scores = growing.scores(
        config,
        {
            suffix: lambda count, psi=psi: model.sample(count, seed=config.seed, psi=psi)
            for suffix, psi in groups.items()
        },
    )
    if config.precision == "float32":  # A path's step is too small for half precision.
        for space in ("z", "w"):
            scores[f"path_length_{space}"] = kgen.metrics.perceptual_path_length(
                model, space, extractor=growing.extractor(config), seed=abs(config.seed)
            )
    training.write_scores(folder, scores, model)


def mixing_table(model, layers):
    """Returns the images of a style-mixing table, row by row, `COLUMNS` of them a row."""
    columns, rows = list(range(COLUMNS - 1)), [100, 101, 102, 103]
    first = np.concatenate([model.sample(1, seed=seed) for seed in columns])
    sides = np.concatenate([model.sample(1, seed=seed) for seed in rows])
    mixed = model.mix(rows, columns, layers)  # Layers of the columns' on the rows'.
    pictures = [-np.ones_like(first[:1]), first]
    for side, row in zip(sides, mixed, strict=True):
        pictures += [side[None], row]
    return np.concatenate(pictures)


FAMILY = training.Family(load=load, report=report)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
