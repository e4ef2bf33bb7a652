"""`kgen evaluate <model>`: scores a trained model against real images."""

import dataclasses
from typing import Literal

import tyro

from recipes.ending import errors_told


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Scores a trained model against real images and prints each score with its protocol."""

    model: tyro.conf.Positional[str]
    """A run's folder, such as runs/dcgan, or a .keras file."""
    metrics: list[str] = dataclasses.field(default_factory=lambda: ["frechet"])
    """What to measure: frechet, kernel (also of few images), precision, recall, density, coverage,
    inception, diversity, modes, reverse_kl, high_quality, nll, l1, psnr, ssim, multi_scale_ssim."""
    data: str | None = None
    """Real images, whatever `kgen.data.load` takes; None for those of the run."""
    image_size: int | tuple[int, int] | None = None
    """Pixels to scale real images to: one number for squares, or height and width; None for the
    run's, and the model's with other data."""
    split: Literal["test", "validation", "train"] = "test"
    """The part of the real images; of those of test no model was chosen by."""
    samples: int | None = None
    """Samples to draw; None for as many as there are real images, but at most 10,000."""
    extractor: Literal["digits", "random", "inception"] | None = None
    """Network whose features are compared; None for the run's, or digits with the sets of digits
    and random with all others."""
    seed: int = 0
    """Seed of the samples; of translations, which draw nothing, the run's own counts."""
    out: str | None = None
    """File of JSON lines that the scores are added to; None for none."""


def main(arguments):
    """Prints the scores.

    Raises:
        ValueError: If a field is not as described, or the model cannot be scored by a metric.
    """
    config = tyro.cli(Evaluate, prog="kgen evaluate", args=arguments)
    # Not above: `--help` need not wait for TensorFlow.
    import kgen.metrics
    from recipes.command_line.saved import load_model, run_config, warn_if_data_changed

    model, of_run = load_model(config.model), run_config(config.model)
    data = config.data or of_run.get("data")
    if data is None:
        raise ValueError("data: expected with a model that is in no run's folder, received none.")
    of_own = data == of_run.get("data") and config.split == "validation"
    if of_own and of_run.get("split") != "train":
        raise ValueError(
            f"split: {config.model} was trained on its validation images, too; expected test."
        )
    if config.out is not None:
        kgen.metrics.append_scores(config.out, {})  # Now, should it not be possible.
    if data == of_run.get("data"):
        warn_if_data_changed(config.model)
    extractor = config.extractor
    if extractor is None and data == of_run.get("data"):
        extractor = of_run.get("extractor")
    if "sample" not in model.abilities and "translate" in model.abilities:
        scores = of_translations(model, config, of_run | {"data": data, "extractor": extractor})
        return show(scores, model, config.out)
    image_size = config.image_size
    if image_size is None and data == of_run.get("data"):
        image_size = of_run.get("image_size")
    elif image_size is None and len(model.image_shape or ()) == 3:
        image_size = model.image_shape[:2]
    evaluation = kgen.metrics.Evaluation(
        data,
        config.metrics,
        extractor,
        samples=config.samples,
        split=config.split,
        image_size=image_size,
        on_bad_file=of_run.get("on_bad_file", "error"),
        follow_links=of_run.get("follow_links", False),
        seed=config.seed,
    )
    show(evaluation(model), model, config.out)


def of_translations(model, config, fields):
    """Returns the scores of a model that translates, on held-out images as its recipe takes them.

    Args:
        model: The model.
        config: The `Evaluate`.
        fields: Dict of the fields of the run's config, its data and extractor those asked for.
    """
    from kgen.tuning.fields import check_value, field_types
    from recipes import registry, run_folder

    name = run_folder.recipe_of(run_folder.paths(config.model))
    if name is None or config.split == "train":
        raise ValueError(
            f"model: a {type(model).__name__} translates, which is scored on the test or the "
            f"validation split as its recipe says: expected a run's folder, received "
            f"{config.model!r} with the {config.split} split."
        )
    # The file may come from anywhere: what it names is imported only where it is one of kgen's.
    recipe = registry.imported(name.removeprefix("recipes."), f"model: recipe of {config.model}")
    asked = {"image_size": config.image_size, "held_out": config.samples}
    fields |= {field: value for field, value in asked.items() if value is not None}
    fields |= {"evaluate": config.metrics}
    known = field_types(recipe.Config)
    if config.samples is not None and "held_out" not in known:
        raise ValueError(f"samples: {name} takes all held-out images, received {config.samples}.")
    fields = {field: fields[field] for field in set(known) & set(fields)}
    for field, value in fields.items():
        check_value(f"model: config.json of {config.model}", field, value, known[field])
    settings = recipe.Config(**fields)
    return recipe.FAMILY.evaluation(settings, config.split)(model)


def show(scores, model, out):
    """Prints scores and adds them to a file, or `None` for none."""
    import kgen.metrics

    for score in scores.values():
        print(score)
    if out is not None:
        with errors_told(out):
            kgen.metrics.append_scores(out, scores, round=model.rounds_played)
