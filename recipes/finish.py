"""What a finished training leaves: the model first, and then whatever else can be made of it."""

import dataclasses
import pathlib
import warnings

import kgen.metrics
import kgen.plotting
import kgen.serving
from kgen.callbacks import checkpoint_file
from kgen.callbacks.best_effort import or_warned_of
from kgen.core.whole_file import is_disk_full, replacing
from recipes import run_data, run_folder

COMFORT = "The model is written."


def finish(config, model, paths, family, recipe):
    """Writes the model, its pictures, curves, report and export, and marks the run as finished.

    The model comes first, whole or not at all. Of pictures, curves and report what cannot be made
    is warned of and left out; an export that fails can be asked for elsewhere.

    Args:
        config: The recipe's config.
        model: The trained model.
        paths: The run's `Paths`.
        family: The recipe's `Family`.
        recipe: Name of the recipe's module, or `None`.

    Returns:
        The `Paths`, with that of the export.

    Raises:
        OSError: If the model or the export cannot be written.
    """
    save(model, paths)
    with or_warned_of(paths.gif, Exception, COMFORT):
        # By number: of more digits than most is after 999,999 rounds.
        steps = sorted(paths.samples.glob("step-*.png"), key=lambda path: (len(path.stem), path))
        kgen.plotting.save_gif(steps, paths.gif)
    with or_warned_of(paths.curves, Exception, COMFORT):
        kgen.plotting.curves(paths.history, paths.curves)
    if family.report is not None:
        with or_warned_of(paths.report, Exception, COMFORT):
            paths.report.mkdir(exist_ok=True)
            family.report(config, model, paths.report)
    folder = run_folder.export_folder(config)
    if folder is not None:
        settings, scores = run_data.card_of(paths, config), newest_scores(paths)
        export = kgen.serving.export(model, folder, settings, scores, config.new_architecture)
        paths = dataclasses.replace(paths, export=pathlib.Path(export))
    run_folder.finish(paths, recipe)
    return paths


def save(model, paths):
    """Writes the model's file; where the disk is full, in the place of all checkpoints but one."""
    try:
        _save(model, paths.model)
    except Exception as error:
        if not is_disk_full(error):
            raise
        newest = checkpoint_file.newest_first(paths.checkpoints)[:1]
        finite = [checkpoint_file.read(path)[1].get("finite") for path in newest]
        checkpoint_file.tidy(paths.checkpoints, 1, *finite)
        _save(model, paths.model)


def newest_scores(paths):
    """Returns the newest score of each name, with its facts, of a run's training and report.

    A file that cannot be read is warned of and left out.
    """
    newest = {}
    for path in (paths.scores, paths.report / "scores.jsonl"):
        try:
            found = kgen.metrics.read_scores(path) if path.exists() else []
        except (ValueError, OSError) as error:
            warnings.warn(f"The scores in {path} are left out: {error}", stacklevel=2)
            continue
        newest |= {facts["name"]: (facts, score) for facts, score in found if "name" in facts}
    return list(newest.values())


def _save(model, path):
    with replacing(path) as partial:
        model.save(partial)
