"""Training curves from the log of a run."""

import csv
import os
import pathlib

import numpy as np

from kgen.core.whole_file import replacing
from kgen.plotting.grid import png_path

AXES = ("step", "epoch")  # the first that is logged is the x axis
LARGEST = 1e30  # matplotlib's ticks overflow far beyond; such a run has diverged all the same


def curves(history, path):
    """Draw the logged numbers of a run over its steps or epochs, a panel a family.

    Losses share a panel, and so do all other numbers (the components of losses, metrics), except
    that the learning rate and every speed (`images_per_second`) have panels of their own. A
    curve of the validation data is dashed. What is not finite leaves a gap, and the legend says
    how many values that are.

    Args:
        history: dict from log keys to lists of numbers, as `fit(...).history`, or the path of a
            CSV file with the log keys in its first line, as `keras.callbacks.CSVLogger` writes.
            The x axis is `step` where there is one, else `epoch`, else 1, 2, 3 ...
        path: the file, ending in .png; its folder is made if need be.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: `history` is a missing file, has nothing to draw or lists of lengths that do
            not fit together, or `path` is not as described.

    Example:
        >>> import tempfile
        >>> from kgen.plotting import curves
        >>> curves({"loss": [2.0, 1.0], "kl": [0.1, 0.2]}, tempfile.mkdtemp() + "/curves.png").name
        'curves.png'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = png_path(path)
    columns = _columns(history)
    axis_name, axis_values = _axis(columns)
    panels = families(key for key in columns if key not in AXES)
    # The Figure class alone: pyplot would pick a backend and keep the figure for ever.
    figure = Figure(figsize=(8, 3 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (family, keys) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(len(panels), 1, number)
        for key in keys:
            _draw(axes, key, columns[key], _positions(key, axis_values, len(columns[key])))
        axes.set_xlabel(axis_name)
        axes.set_ylabel(family)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    return path


def families(keys):
    """Sort log keys into the families that share a panel.

    Args:
        keys: log keys, such as `"critic_loss"`, `"kl"` or `"images_per_second"`.

    Returns:
        Dict from the name of a family to its keys, losses first, speeds last.

    Example:
        >>> from kgen.plotting.curves import families
        >>> families(["kl", "loss", "images_per_second"])
        {'losses': ['loss'], 'components': ['kl'], 'images_per_second': ['images_per_second']}
    """
    found = {"losses": [], "components": []}
    alone = {}
    for key in keys:
        name = key.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            found["losses"].append(key)
        elif name == "learning_rate" or name.endswith("_per_second"):
            alone.setdefault(name, []).append(key)
        else:
            found["components"].append(key)
    return {family: members for family, members in (found | alone).items() if members}


def _columns(history):
    """Return the history as a dict of float64 arrays, columns without any number left out."""
    is_dict = isinstance(history, dict)
    lists, name = (history, "history") if is_dict else (_read_csv(history), f"{history}")
    columns = {}
    for key, values in lists.items():
        try:
            column = np.asarray(values, np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: expected a list of numbers at {key!r} ({error}).") from error
        if column.ndim != 1:
            raise ValueError(
                f"{name}: expected a list of numbers at {key!r}, got the shape {column.shape}."
            )
        columns[key] = column
    if not any(len(column) for key, column in columns.items() if key not in AXES):
        raise ValueError(f"{name}: expected at least one log key with numbers, got {list(lists)}.")
    return {key: column for key, column in columns.items() if len(column)}


def _read_csv(path):
    """Return the columns of a CSV file as lists of floats, None where a cell is no number."""
    if not (isinstance(path, str | os.PathLike) and os.path.isfile(os.path.expanduser(path))):
        raise ValueError(f"history: expected a dict of lists or a CSV file, got {path!r}.")
    with pathlib.Path(path).expanduser().open(newline="") as file:
        reader = csv.DictReader(file)
        names, rows = reader.fieldnames or (), list(reader)
    columns = {name: [_number(row[name]) for row in rows] for name in names}
    # A column of words, such as a date, is no curve; one of nothing but "nan" is.
    return {
        key: column for key, column in columns.items() if any(value is not None for value in column)
    }


def _number(cell):
    """Return the number in a cell, or None."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _axis(columns):
    """Return the name and the values of the x axis."""
    for name in AXES:
        if name in columns and np.isfinite(columns[name]).all():
            return name, columns[name]
    longest = max(len(column) for column in columns.values())
    return "epoch", np.arange(1.0, longest + 1.0)


def _positions(key, axis_values, count):
    """Return where on the x axis the values of one key lie."""
    if count == len(axis_values):
        return axis_values
    # Validation that runs every k-th epoch logs a k-th of the values.
    every = len(axis_values) // count
    if every >= 1 and len(axis_values) // every == count:
        return axis_values[every - 1 :: every][:count]
    raise ValueError(
        f"history: expected {len(axis_values)} values at {key!r}, as many as on the x axis, "
        f"got {count}."
    )


def _draw(axes, key, values, positions):
    """Draw one curve, with a gap where a value is not finite."""
    drawable = np.abs(values) < LARGEST  # False for NaN too
    missing = np.count_nonzero(~drawable)
    beside = np.pad(drawable, 1)
    axes.plot(
        positions,
        np.where(drawable, values, np.nan),
        label=f"{key} ({missing} no number)" if missing else key,
        linestyle="--" if key.startswith("val_") else "-",
        # A line needs two points: one between two gaps would be invisible.
        marker="o",
        markersize=4,
        markevery=drawable & ~beside[:-2] & ~beside[2:],
        linewidth=1.2,
    )
