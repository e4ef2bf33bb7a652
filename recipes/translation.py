"""What the recipes of paired translation share: pairs, held-out pictures and scores."""

import dataclasses

import numpy as np

import kgen.callbacks
import kgen.data
import kgen.metrics
import kgen.plotting
from kgen.data.registry import OF_FEW_PICTURES
from recipes import training

METRICS = ("l1", "psnr", "ssim", "frechet")
SSIM_WINDOW = 11  # Pixels.


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """The fields that recipes of paired translation share."""

    held_out: int = 1000
    """At most how many held-out pairs the trained model is scored on."""


def family(pairs, baseline=None):
    """Returns the `Family` of a recipe of paired translation.

    Args:
        baseline: `None`, or a name and a function from the config and the inputs to images, which
            are scored beside the model's.
        pairs: Function from the config to a dict of the arguments `source`, `targets`,
            `side_by_side` and `degradation` of `kgen.data.pairs`.
    """

    def load(config, batch_size):
        if config.held_out < 1:
            raise ValueError(f"`held_out` must be positive, received {config.held_out}.")
        return kgen.data.pairs(
            **pairs(config), batch_size=batch_size, **training.stream_settings(config)
        )

    def in_order(config, split, count=None, labels=False):
        settings = training.stream_settings(config) | {"split": split, "labels": labels}
        del settings["augmentations"]
        count = config.held_out if count is None else count
        return kgen.data.pairs_in_order(**pairs(config), **settings, limit=count)

    def held_out(config, split, count):
        """At most so many inputs and targets of a split, as two arrays."""
        inputs, targets = zip(*in_order(config, split, count), strict=True)
        return [np.concatenate(side) for side in (inputs, targets)]

    def pictures(config, paths):
        inputs, targets = held_out(config, training.split_to_show(config), 8)
        return kgen.callbacks.TranslationGrid(
            paths.samples, inputs, targets, every=config.sample_every
        )

    def scoring(config, inputs, targets, metrics, split):
        extractor = config.extractor or "random"
        units = None
        if pairs(config)["source"] in OF_FEW_PICTURES:
            units = np.concatenate([part[2] for part in in_order(config, split, labels=True)])
        return kgen.metrics.TranslationEvaluation(
            inputs, targets, metrics, extractor=extractor, seed=config.seed, units=units
        )

    def evaluation(config, split="validation"):
        return scoring(config, *held_out(config, split, config.held_out), config.evaluate, split)

    def report(config, model, folder):
        inputs, targets = held_out(config, "test", config.held_out)
        kgen.plotting.before_after(
            inputs[:8],
            model.translate(inputs[:8]),
            targets[:8],
            path=folder / "before_after.png",
            clip=True,
        )
        if len(targets) < 2:
            return print(f"No scores: {config.data} has one held-out pair only.")
        # A report on what is too small or too few for a metric leaves that out.
        possible = {"ssim": min(targets.shape[1:3]) >= SSIM_WINDOW, "frechet": len(targets) > 256}
        metrics = [name for name in METRICS if possible.get(name, True)]
        evaluate = scoring(config, inputs, targets, metrics, "test")
        scores = evaluate(model)
        if baseline is not None:
            name, images_of = baseline
            others = evaluate.of(images_of(config, inputs))
            scores |= {f"{name}_{metric}": score for metric, score in others.items()}
        training.write_scores(folder, scores, model)

    return training.Family(load, pictures, evaluation, report)
