"""CycleGAN (Zhu et al. 2017): translation between two sets of images without pairs."""

import dataclasses

import numpy as np

import kgen.callbacks
import kgen.data
import kgen.metrics
import kgen.plotting
from kgen.core import LinearDecay
from kgen.data.resizing import fit_array
from kgen.models import CycleGAN
from kgen.networks import patchgan_discriminator, resnet_translator
from recipes import conditional, training

PAIRWISE = ("l1", "psnr", "ssim", "multi_scale_ssim")


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """Unpaired image-to-image translation."""

    data: str = "mnist5k"
    """The first set of images, a: whatever `kgen.data.load` takes."""
    second: str = "digits"
    """The second set, b."""
    image_size: int | tuple[int, int] | None = 16
    """Pixels to scale both to: a side, or height and width; None for their own size, if it is the
    same."""
    batch_size: int = 16
    """Images of each set in one update; 1 in the paper."""
    steps: int = 1000
    out: str = "runs/cyclegan"
    figures: bool | None = None
    """Whether to cut images of the first set, after they were scaled and cropped, to the figures on
    their black ground, as those of the second fill theirs; reads them into memory. None for mnist5k
    only."""
    blocks: int = 3
    """Residual blocks of the generators; the paper's 6 or 9."""
    filters: int = 24
    """Maps of the generators' first convolution; the paper's 64."""
    downsamplings: int = 1
    """How often the generators halve height and width before the blocks; the paper's 2."""
    receptive_field: int = 7
    """Side in pixels of what one of the discriminators' logits sees; 70 of 256 in the paper."""
    discriminator_filters: int = 32
    """Maps of the discriminators' first convolution; the paper's 64."""
    cycle_weight: float = 10.0
    """Weight of the cycle-consistency loss; the paper's 10. 0 for none."""
    identity_weight: float = 0.5
    """Weight of the identity loss, as a share of the cycle weight; the paper's 0.5."""
    history_size: int = 50
    """Generated images that the discriminators are shown again; the paper's 50."""
    learning_rate: float = 5e-4
    """Adam's step size in the first half; in the second it falls to 0, and rises again where a
    finished run is trained longer. The paper's 2e-4."""
    beta_1: float = 0.5
    """Adam's momentum; the paper's 0.5."""


def load(config, batch_size):
    """Batches of both sets, as a stream."""
    first = images_of(config, "data", config.split)[0] if cuts_figures(config) else config.data
    return kgen.data.unpaired(
        first, config.second, batch_size=batch_size, **training.stream_settings(config)
    )


def cuts_figures(config):
    """Whether images of the first set are cut to their figures."""
    return config.data == "mnist5k" if config.figures is None else config.figures


def cut_to_figures(images, size):
    """Cuts each image to what is lighter than -0.5, on black of the shape of `size`; scales it.

    Args:
        images: float32 `(n, height, width, channels)` in [-1, 1], figures on black.
        size: `(height, width)` of the outcome.

    Returns:
        float32 `(n, height, width, channels)`; an image with nothing so light is black.
    """
    outcome = np.full((len(images), *size, images.shape[-1]), -1.0, "float32")
    for row, image in enumerate(images):
        light = np.max(image, axis=-1) > -0.5
        if light.any():
            ends = [np.flatnonzero(light.any(axis=axis))[[0, -1]] for axis in (1, 0)]
            figure = image[tuple(slice(first, last + 1) for first, last in ends)]
            # The smallest ground of that shape which holds the figure.
            scale = max(side / full for side, full in zip(figure.shape, size, strict=False))
            short = np.round(scale * np.array(size)).astype(int) - figure.shape[:2]
            margins = [(n // 2, n - n // 2) for n in short]
            ground = np.pad(figure, (*margins, (0, 0)), constant_values=-1.0)
            outcome[row] = fit_array(ground[None], size)[0]
    return outcome


def images_of(config, name, split):
    """All images of a split of one set, the first's cut to their figures, and their labels.

    Args:
        config: The config.
        name: The set's field, `"data"` or `"second"`.
        split: As of `kgen.data.load`.

    Returns:
        Images of the size asked for, `(n, ...)`; labels `(n,)`, or `None` of a set without classes.
    """
    data, cut = getattr(config, name), name == "data" and cuts_figures(config)
    size = config.image_size
    size = (size, size) if isinstance(size, int) else size
    # Twice as large as asked for, as figures are smaller than their images.
    read = config
    if cut and size:
        read = dataclasses.replace(config, image_size=(2 * size[0], 2 * size[1]))
    if conditional.has_labels(data, config.follow_links):
        images, labels = conditional.held_out(read, data, split)
    else:
        batches = kgen.data.in_order(
            data,
            read.image_size,
            split=split,
            on_bad_file=config.on_bad_file,
            follow_links=config.follow_links,
        )
        images, labels = np.concatenate(list(batches)), None
    return (cut_to_figures(images, size or images.shape[1:3]) if cut else images), labels


def build(config, shape_a, shape_b):
    def generator():
        return resnet_translator(
            shape_a, shape_b[-1], config.blocks, config.filters, config.downsamplings
        )

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


def pictures(config, paths):
    """The callback that writes pictures of the first direction while it trains."""
    images, _ = images_of(config, "data", training.split_to_show(config))
    return kgen.callbacks.TranslationGrid(paths.samples, images, every=config.sample_every)


def evaluation(config, split="validation"):
    """What scores the first direction by whether its held-out images look like the second set."""
    pairwise = [name for name in config.evaluate if name in PAIRWISE]
    if pairwise:
        raise ValueError(
            f"`evaluate` must name metrics of sets of images, such as frechet: there are no pairs "
            f"to score by {pairwise}."
        )
    inputs, targets = (images_of(config, name, split)[0] for name in ("data", "second"))
    count = min(len(inputs), len(targets))
    return kgen.metrics.TranslationEvaluation(
        inputs[:count],
        targets[:count],
        config.evaluate,
        config.extractor or "random",
        seed=config.seed,
    )


def report(config, model, folder):
    """Writes pictures of both directions, and how many held-out images keep their class."""
    names = ("data", "second")
    sides = [images_of(config, name, "test") for name in names]
    scores = {}
    for direction, source, target, target_name in zip(
        model.directions, sides, sides[::-1], names[::-1], strict=True
    ):
        images, labels = source
        translated = model.translate(images, direction)
        path = folder / f"{direction}.png"
        kgen.plotting.before_after(images[:16], translated[:16], path=path, count=16, clip=True)
        if labels is None or target[1] is None:
            continue
        classifier = conditional.classifier(
            *images_of(config, target_name, "train+validation"), config.seed
        )
        for name, x, y in (
            ("kept_class", translated, labels),
            ("kept_class_untranslated", images, labels),
            ("kept_class_real_targets", *target),
        ):
            agreement = kgen.metrics.label_agreement(classifier.predict(x, verbose=0), y)
            scores[f"{direction}_{name}"] = agreement
    if scores:
        training.write_scores(folder, scores, model)


FAMILY = training.Family(load, pictures, evaluation, report)


def run(config=Config()):
    """Trains and returns a `training.Result`."""
    return training.train(config, build, family=FAMILY)


if __name__ == "__main__":
    training.main(Config, run, __doc__)
