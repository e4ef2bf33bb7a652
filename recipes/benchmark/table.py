"""What all tables share: the fields of their configs, and the way from a protocol to the files."""

import dataclasses
import pathlib
from collections.abc import Callable

import tyro

from recipes.benchmark import report, trials


@dataclasses.dataclass(frozen=True)
class Config:
    """The fields that all tables share."""

    trials: int | None = None
    """Trainings of every row; None for the protocol's number. More of them go on with a table."""
    small: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether to run the small protocol, for two cores, instead of the published one."""
    rows: list[str] | None = None
    """Names of the rows to run; None for all."""
    seed: int = 0
    """Seed of the first trial; each further one has the next."""
    processes: int = 1
    """Trials that run at once, each in a process with its share of the cores."""
    out: str | None = None
    """Folder of the results; None for runs/benchmark/<name>. A table goes on where it stopped."""
    fresh: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether to start over: removes the trials that an earlier run has left in the folder."""


@dataclasses.dataclass(frozen=True)
class Table:
    """A published table that is run again.

    Attributes:
        name: Name of the table and of its folder.
        full, small: Protocols, dataclasses with a `seed`, and with `trials`, how many of a row.
        rows: Dict from the name of a row to what it is.
        columns: Tuple of `report.Column`, of which each row has a score.
        published: Tuple of `report.Published`.
        departures: What of the full protocol differs from the published one, a sentence.
        describe: Function of a protocol that returns its sentences.
        train: Function `(protocol, trial)`, see `trials.run`.
        draw: Function `(folder, table, summary)` that writes the picture and returns its path.
    """

    name: str
    full: object
    small: object
    rows: dict
    columns: tuple
    published: tuple
    departures: str
    describe: Callable
    train: Callable
    draw: Callable


@dataclasses.dataclass(frozen=True)
class Result:
    """What a table returns.

    Attributes:
        text: The table as it is printed.
        summary: Dict from each row to what `report.summarise` says of it.
        paths: Dict from `"results"`, `"table"` and `"picture"` to the files.
    """

    text: str
    summary: dict
    paths: dict


def run(table, config, protocol=None):
    """Runs what is missing of a table, prints it beside the published numbers and writes it.

    Args:
        table: `Table`.
        config: `Config`.
        protocol: The protocol to run in place of `table.full` or `table.small`, or `None`.

    Returns:
        A `Result`.

    Raises:
        ValueError: If a field is not as described, or the folder holds another protocol's trials.
    """
    if protocol is None:
        protocol = table.small if config.small else table.full
    # What a config has beyond the shared fields, such as its data, is the protocol's.
    own = {field.name for field in dataclasses.fields(config)} & {
        field.name for field in dataclasses.fields(protocol)
    }
    given = {name: getattr(config, name) for name in own - {"trials"}}
    protocol = dataclasses.replace(protocol, **given)
    count = protocol.trials if config.trials is None else config.trials
    for name, value in (("trials", count), ("processes", config.processes)):
        if value < 1:
            raise ValueError(f"`{name}` must be positive, received {value}.")
    protocol = dataclasses.replace(protocol, trials=count)
    rows = _checked_rows(table, config.rows)
    folder = pathlib.Path(config.out or f"runs/benchmark/{table.name}").expanduser()

    # How many trials there are decides no trial's result.
    identity = dataclasses.replace(protocol, trials=None)
    results = trials.run(folder, identity, rows, count, table.train, config.processes, config.fresh)
    summary = report.summarise(results)
    text = report.text(table, protocol, summary)
    print("\n" + text, flush=True)
    paths = {
        "results": report.write_json(folder, table, protocol, results, summary),
        "table": report.write_text(folder, text),
        "picture": table.draw(folder, table, summary),
    }
    return Result(text, summary, paths)


def _checked_rows(table, rows):
    if rows is None:
        return list(table.rows)
    unknown = sorted(set(rows) - set(table.rows))
    if unknown or not rows:
        raise ValueError(f"`rows` must name rows of {list(table.rows)}, received {rows}.")
    return [row for row in table.rows if row in rows]
