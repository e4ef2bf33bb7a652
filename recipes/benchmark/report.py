"""A table's means and deviations, how they are printed beside the published numbers, its files."""

import dataclasses
import json

import numpy as np

from kgen.core import whole_file
from kgen.version import __version__


@dataclasses.dataclass(frozen=True)
class Column:
    """A score and how it is printed.

    Attributes:
        name: Name of the score in a trial's results.
        title: What stands above it.
        digits: Digits after the point.
        scale: What it is multiplied by for printing, as 100 for a share in per cent.
    """

    name: str
    title: str
    digits: int = 1
    scale: float = 1.0

    def format(self, value):
        return f"{self.scale * value:.{self.digits}f}"


@dataclasses.dataclass(frozen=True)
class Published:
    """A published row.

    Attributes:
        name: Name of the method in the source.
        scores: Dict from a column's name to the number as it is printed in the source.
        source: Where it stands.
        row: The row of ours that it belongs beside, or `None`.
    """

    name: str
    scores: dict
    source: str
    row: str | None = None


def summarise(results):
    """Returns each row's means.

    Args:
        results: Dict from each row to its trials' results, as `trials.run` returns it.

    Returns:
        Dict from each row to a dict of `trials`, how many; `failed`, how many of them did; `seeds`;
        `seconds`, the mean of a trial; `mean` and `deviation`, dicts from the name of a score to
        the mean and the standard deviation (of a sample; `None` of one) over trials that did not
        fail, empty if all did.
    """
    summary = {}
    for row, trials in results.items():
        scores = [trial["scores"] for trial in trials if trial["failed"] is None]
        values = {name: [entry[name] for entry in scores] for name in (scores[0] if scores else ())}
        summary[row] = {
            "trials": len(trials),
            "failed": len(trials) - len(scores),
            "seeds": [trial["seed"] for trial in trials],
            "seconds": float(np.mean([trial["seconds"] for trial in trials])),
            "mean": {name: float(np.mean(entry)) for name, entry in values.items()},
            "deviation": {
                name: float(np.std(entry, ddof=1)) if len(entry) > 1 else None
                for name, entry in values.items()
            },
        }
    return summary


def text(table, protocol, summary):
    """Returns the table as it is printed.

    Args:
        table: `table.Table`.
        protocol: The protocol that was run.
        summary: What `summarise` returned.
    """
    header = ["row", *(column.title for column in table.columns), "trials", "s a trial"]
    header += ["published", *(column.title for column in table.columns)]
    lines = [header]
    for row, entry in summary.items():
        ours = [_cell(column, entry) for column in table.columns]
        failed = f" ({entry['failed']} failed)" if entry["failed"] else ""
        lines.append([row, *ours, f"{entry['trials']}{failed}", f"{entry['seconds']:.0f}"])
        first, *more = [entry for entry in table.published if entry.row == row] or [None]
        lines[-1] += _published(table, first)
        lines += [[""] * (len(ours) + 3) + _published(table, entry) for entry in more]
    for entry in table.published:
        if entry.row not in summary:
            lines.append([""] * (len(table.columns) + 3) + _published(table, entry))
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    rows = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    seeds = sorted({seed for entry in summary.values() for seed in entry["seeds"]})
    sources = sorted({entry.source for entry in table.published})
    return "\n".join(
        [
            f"{table.name}",
            *table.describe(protocol),
            f"Without --small: {table.departures}",
            f"Mean and standard deviation over trials of seeds {seeds[0]} to {seeds[-1]}. "
            f"Published: {'; '.join(sources)}.",
            "",
            *rows,
        ]
    )


def write_json(folder, table, protocol, results, summary):
    """Writes `results.json`: the protocol, every trial and the summary. Returns its path."""
    content = {
        "table": table.name,
        "version": __version__,
        "protocol": dataclasses.asdict(protocol),
        "description": table.describe(protocol),
        "summary": summary,
        "published": [dataclasses.asdict(entry) for entry in table.published],
        "results": results,
    }
    return write_text(folder, json.dumps(content, indent=2), "results.json")


def write_text(folder, content, name="table.md"):
    """Writes a file at once and returns its path."""
    path = folder / name
    whole_file.write_text(path, content + "\n")
    return path


def _cell(column, entry):
    if column.name not in entry["mean"]:
        return "-"
    deviation = entry["deviation"][column.name]
    spread = "" if deviation is None else f" +- {column.format(deviation)}"
    return column.format(entry["mean"][column.name]) + spread


def _published(table, entry):
    if entry is None:
        return ["-"] * (len(table.columns) + 1)
    return [entry.name, *(str(entry.scores.get(column.name, "-")) for column in table.columns)]
