"""Pix2Pix (Isola et al. 2017): image-to-image translation learned from pairs."""

import dataclasses
from typing import Literal

from kgen.models import ContextEncoder, Pix2Pix
from kgen.networks import encoder_decoder, patchgan_discriminator, unet
from recipes import training, translation


@dataclasses.dataclass(frozen=True)
class Config(translation.Config):
    """Image-to-image translation by a conditional GAN."""

    data: str = "photos"
    """Images to make pairs of, or the folder of inputs: photos, mnist5k, a folder; whatever
    `kgen.data.load` takes."""
    image_size: int | tuple[int, int] | None = 32
    """Pixels to scale images to: one number for squares, or height and width; None for the data's
    own size."""
    batch_size: int = 8
    """Pairs of one update; 1 in the paper."""
    steps: int = 3000
    out: str = "runs/pix2pix"
    task: Literal["edges", "colourise", "inpaint", "denoise", "segment", "pairs"] = "colourise"
    """What to learn: images of their edges, in colour of grey, of what has a hole, of noise; white
    figures such as digits before a photograph (--data mnist5k); or pairs of your own."""
    targets: str | None = None
    """Folder of targets whose files have the names of those of the inputs; for pairs."""
    side_by_side: Literal["input_left", "input_right"] | None = None
    """For pairs: files that hold both halves, and where the input is."""
    holes: Literal["centre", "square", "blocks", "region"] = "square"
    """What is missing of the images to inpaint: a quarter of the area, in one square in the middle
    or anywhere, in several blocks, or in a region of random shape."""
    noise: float = 0.5
    """Standard deviation of the noise to remove, in units of [-1, 1]."""
    generator: Literal["unet", "encoder_decoder"] = "unet"
    """The generator with or without skip connections."""
    filters: int = 32
    """Maps of the generator's first convolution; the paper's 64."""
    dropout: float = 0.5
    """Rate of dropout in the generator, its only noise."""
    receptive_field: Literal["1", "7", "16", "34", "70", "142", "image"] = "16"
    """Side in pixels of what one of the discriminator's logits sees; 70 of 256 in the paper."""
    discriminator_filters: int = 32
    """Maps of the discriminator's first convolution; the paper's 64."""
    objective: Literal["both", "reconstruction", "adversarial"] = "both"
    """Whether the generator learns from the reconstruction loss, the discriminator, or both."""
    reconstruction_weight: float | None = None
    """Weight of the reconstruction loss; None for the paper's: 100, and 0.999 to inpaint."""
    learning_rate: float = 5e-4
    """Adam's step size for both players; the paper's 2e-4 suits longer trainings."""
    beta_1: float = 0.5
    """Adam's momentum for both players; the paper's 0.5."""


DEGRADATIONS = {
    "edges": lambda config: "edges",
    "colourise": lambda config: "grey",
    "inpaint": lambda config: f"hole_{config.holes}",
    "denoise": lambda config: {"noise": config.noise},
    "segment": lambda config: "clutter",
}


def pairs(config):
    """The arguments of `kgen.data.pairs` for the task."""
    own = config.targets is not None or config.side_by_side is not None
    if own and config.task not in ("pairs", "segment"):
        raise ValueError(
            "`targets` and `side_by_side` are for task='pairs' or 'segment', received task="
            f"{config.task!r}."
        )
    if config.task == "pairs" and not own:
        raise ValueError("task='pairs' needs `targets` or `side_by_side`, received neither.")
    return {
        "source": config.data,
        "targets": config.targets,
        "side_by_side": config.side_by_side,
        "degradation": None if own else DEGRADATIONS[config.task](config),
    }


def build(config, input_shape, target_shape):
    make = unet if config.generator == "unet" else encoder_decoder
    generator = make(input_shape, target_shape[-1], filters=config.filters, dropout=config.dropout)
    field = config.receptive_field
    inpaints = config.task == "inpaint"
    discriminator = None
    if config.objective != "reconstruction":
        discriminator = patchgan_discriminator(
            target_shape,
            None if inpaints else input_shape,  # The context encoder's sees no context.
            int(field) if field.isdecimal() else field,
            config.discriminator_filters,
        )
    weights = {}
    if config.objective == "adversarial":
        weights["reconstruction_weight"] = 0.0
    elif config.reconstruction_weight is not None:
        weights["reconstruction_weight"] = config.reconstruction_weight
    system = ContextEncoder if inpaints else Pix2Pix
    model = system(generator, discriminator, seed=config.seed, **weights)
    return training.compile_with_adam(
        model, config, learning_rate=config.learning_rate, beta_1=config.beta_1
    )


FAMILY = translation.family(pairs)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
