"""What a search leaves: its table, a picture of it, all of it as JSON, and the best fields."""

import dataclasses
import json

import kgen.plotting
import kgen.tuning
from kgen.version import __version__
from recipes.benchmark.report import write_text

FILES = {
    "table": "table.md",
    "results": "results.json",
    "picture": "search.png",
    "best": "best.json",
}


@dataclasses.dataclass(frozen=True)
class Result:
    """What a search returns.

    Attributes:
        trials: List of `kgen.tuning.Trial`, best first; `None` of a worker.
        text: The table as it is printed.
        paths: Dict from `"table"`, `"results"`, `"picture"` and, if a trial has ended well,
            `"best"` to the files.
    """

    trials: list | None
    text: str
    paths: dict


def write(folder, name, tuner):
    """Prints the table of a search and writes its files. Returns a `Result`."""
    trials = kgen.tuning.results(tuner)
    printed = text(name, tuner, trials)
    print(f"\n{printed}\n", flush=True)
    objective = tuner.oracle.objective
    content = {
        "recipe": name,
        "version": __version__,
        "objective": {"name": objective.name, "direction": objective.direction},
        "search": json.loads(tuner.identity_path.read_text()),
        "trials": [dataclasses.asdict(trial) for trial in trials],
    }
    paths = {
        "table": write_text(folder, printed, FILES["table"]),
        "results": write_text(folder, json.dumps(content, indent=2), FILES["results"]),
    }
    in_order = sorted(trials, key=lambda trial: trial.number)
    paths["picture"] = kgen.plotting.search(
        [trial.score for trial in in_order],
        {field: [trial.values[field] for trial in in_order] for field in tuner.hypermodel.space},
        folder / FILES["picture"],
        objective.name,
        objective.direction,
    )
    if trials and trials[0].score is not None:
        best = kgen.tuning.best_fields(tuner)
        paths["best"] = write_text(folder, json.dumps(best, indent=2), FILES["best"])
    return Result(trials, printed, paths)


def text(name, tuner, trials):
    """Returns the table as it is printed: best first, failed trials last and in words."""
    objective, hypermodel = tuner.oracle.objective, tuner.hypermodel
    epochs = ["epochs"] if hypermodel.epochs > 1 else []
    header = ["trial", objective.name, *epochs, *hypermodel.space, "s"]
    lines = [header]
    for trial in trials:
        line = [str(trial.number), _score(trial)]
        line += [str(trial.epochs)] if epochs else []
        line += [_value(trial.values[field]) for field in hypermodel.space]
        lines.append([*line, f"{trial.seconds:.0f}"])
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    failed = sum(trial.failed is not None for trial in trials)
    better = {"min": "lower", "max": "higher"}[objective.direction]
    # The epochs of a trial that has not ended are those it would have.
    longest = max((t.epochs for t in trials if t.ended), default=hypermodel.epochs)
    rounds = hypermodel.rounds * longest
    seeds = "one seed" if hypermodel.seeds == 1 else f"{hypermodel.seeds} seeds, their mean"
    return "\n".join(
        [
            f"{name}: {len(trials)} trials, {failed} failed; {objective.name}, {better} is better, "
            f"after {rounds:,} rounds; {seeds}.",
            "",
            *(
                "| "
                + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
                + " |"
                for line in lines
            ),
        ]
    )


def _score(trial):
    if not trial.ended:
        return "not ended"
    if trial.failed is not None:
        return f"failed: {trial.failed}"
    if len(trial.scores) < 2:
        return f"{trial.score:.4g}"
    mean, deviation = trial.score, trial.deviation
    return f"{mean:.4g} +- {deviation:.2g}"


def _value(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)
