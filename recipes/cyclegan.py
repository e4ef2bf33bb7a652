"""CycleGAN (Zhu et al. 2017): translation between two sets of images without pairs."""

import dataclasses
import functools

import numpy as np

import kgen.callbacks
import kgen.data
import kgen.metrics
import kgen.plotting
from kgen.core import LinearDecay
from kgen.models import CycleGAN
from kgen.networks import patchgan_discriminator, resnet_translator
from recipes import conditional, training


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """Unpaired image-to-image translation."""

    data: str = "mnist5k"
    """The first set of images, a: whatever `kgen.data.load` takes."""
    second: str = "digits"
    """The second set, b."""
    image_size: int | None = 16
    """Height and width in pixels to scale both to; None for their own size, if it is the same."""
    batch_size: int = 16
    """Images of each set in one update; 1 in the paper."""
    steps: int = 3000
    out: str = "runs/cyclegan"
    export: str = "saved_models/cyclegan"
    blocks: int = 4
    """Residual blocks of the generators; the paper's 6 or 9."""
    filters: int = 32
    """Maps of the generators' first convolution; the paper's 64."""
    receptive_field: int = 16
    """Side in pixels of what one of the discriminators' logits sees; 70 of 256 in the paper."""
    discriminator_filters: int = 32
    """Maps of the discriminators' first convolution; the paper's 64."""
    cycle_weight: float = 10.0
    """Weight of the cycle-consistency loss; the paper's 10. 0 for none."""
    identity_weight: float = 0.5
    """Weight of the identity loss, as a share of the cycle weight; the paper's 0.5."""
    history_size: int = 50
    """Generated images that the discriminators are shown again; the paper's 50."""
    learning_rate: float = 1e-3
    """Adam's step size in the first half; in the second it falls to 0. The paper's 2e-4."""
    beta_1: float = 0.5
    """Adam's momentum; the paper's 0.5."""


def load(config, batch_size):
    """Batches of both sets, as a stream."""
    return kgen.data.unpaired(
        config.data, config.second, batch_size=batch_size, **training.stream_settings(config)
    )


def build(config, shape_a, shape_b):
    def generator():
        return resnet_translator(shape_a, shape_b[-1], blocks=config.blocks, filters=config.filters)

    def discriminator():
        return patchgan_discriminator(
            shape_b,
            receptive_field=config.receptive_field,
            filters=config.discriminator_filters,
        )

    model = CycleGAN(
        generator(),
        generator(),
        discriminator(),
        discriminator(),
        cycle_weight=config.cycle_weight,
        identity_weight=config.identity_weight,
        history_size=config.history_size,
        seed=config.seed,
    )
    constant = config.steps // 2
    return training.compile_with_adam(
        model,
        config,
        learning_rate=LinearDecay(config.learning_rate, constant, max(config.steps - constant, 1)),
        beta_1=config.beta_1,
    )


@functools.lru_cache(maxsize=1)
def held_out(config):
    """The held-out images of both sets, as two arrays."""
    return [
        np.concatenate(
            list(kgen.data.in_order(source, config.image_size, on_bad_file=config.on_bad_file))
        )
        for source in (config.data, config.second)
    ]


def pictures(config, paths):
    """The callback that writes pictures of the first direction while it trains."""
    return kgen.callbacks.TranslationGrid(
        paths.samples, held_out(config)[0], every=config.sample_every
    )


def report(config, model, folder):
    """Writes pictures of both directions, and how many held-out images keep their class."""
    for direction, images in zip(model.directions, held_out(config), strict=True):
        shown = images[:16]
        translated = model.translate(shown, direction)
        path = folder / f"{direction}.png"
        kgen.plotting.before_after(shown, translated, path=path, count=16)
    sources = (config.data, config.second)
    if not all(conditional.has_labels(source) for source in sources):
        return
    scores = {}
    for direction, (source, target) in zip(model.directions, (sources, sources[::-1]), strict=True):
        images, labels = conditional.held_out(config, source)
        classifier = conditional.classifier(config, target)
        reference, reference_labels = conditional.held_out(config, target)
        for name, x, y in (
            (f"{direction}_kept_class", model.translate(images, direction), labels),
            (f"{direction}_untranslated", images, labels),
            (f"{direction}_real_targets", reference, reference_labels),
        ):
            probabilities = classifier.predict(x, verbose=0)
            scores[name] = kgen.metrics.label_agreement(probabilities, y)
    conditional.write_scores(folder, scores, model)


FAMILY = training.Family(load, pictures, report=report)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
