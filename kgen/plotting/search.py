"""A picture of a search: how it went on, and what each field had to do with it."""

import math

from kgen.core.whole_file import replacing
from kgen.plotting.grid import png_path

COLUMNS = 3


def search(scores, values, path, name="score", direction="min"):
    """Draw the scores of a search's trials in order, and against the values of each field.

    Trials that failed are crosses at the worst edge. A line shows the best score so far.

    Args:
        scores: list of numbers, one a trial in the order of the trials; None of one that failed.
        values: dict from each field's name to its values, one a trial: numbers, or anything else,
            of which each has a place of its own.
        path: the file, ending in .png; its folder is made if need be.
        name: what the scores are.
        direction: `"min"` or `"max"`, which scores are better.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: an argument is not as described.

    Example:
        >>> import tempfile
        >>> from kgen.plotting import search
        >>> path = tempfile.mkdtemp() + "/search.png"
        >>> search([3.0, None, 2.0], {"filters": [16, 32, 64]}, path).name
        'search.png'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = png_path(path)
    if direction not in ("min", "max"):
        raise ValueError(f"direction: expected 'min' or 'max', got {direction!r}.")
    for field, column in values.items():
        if len(column) != len(scores):
            raise ValueError(
                f"values: expected {len(scores)} values at {field!r}, one a trial, got "
                f"{len(column)}."
            )
    rows = 1 + math.ceil(len(values) / COLUMNS)
    # The Figure class alone: pyplot would pick a backend and keep the figure for ever.
    figure = Figure(figsize=(4 * COLUMNS, 3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(rows, COLUMNS)
    found = [score for score in scores if score is not None]
    edge = _worst_edge(found, direction)
    first = figure.add_subplot(grid[0, :])
    _scatter(first, range(len(scores)), scores, edge)
    _draw_best(first, scores, direction)
    first.set(xlabel="trial", ylabel=name)
    first.xaxis.get_major_locator().set_params(integer=True)
    for number, (field, column) in enumerate(values.items()):
        axes = figure.add_subplot(grid[1 + number // COLUMNS, number % COLUMNS])
        positions, log = _positions(axes, column)
        _scatter(axes, positions, scores, edge)
        axes.set(xlabel=field, ylabel=name)
        if log:
            axes.set_xscale("log")
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        if _spans(found):
            axes.set_yscale("log")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    return path


def _scatter(axes, positions, scores, edge):
    pairs = list(zip(positions, scores, strict=True))
    good = [pair for pair in pairs if pair[1] is not None]
    failed = [position for position, score in pairs if score is None]
    if good:
        axes.scatter(*zip(*good, strict=True), s=25, color="tab:blue", alpha=0.8)
    if failed:
        axes.scatter(failed, [edge] * len(failed), marker="x", color="tab:red", label="failed")
        axes.legend(fontsize="small")


def _draw_best(axes, scores, direction):
    better = min if direction == "min" else max
    best, line = [], []
    for score in scores:
        best = [better([*best, score])] if score is not None else best
        line.append(best[0] if best else math.nan)
    axes.step(range(len(line)), line, where="post", color="tab:orange", label="best so far")
    axes.legend(fontsize="small")


def _positions(axes, column):
    """Return where the values lie on the x axis, and whether that is logarithmic."""
    numbers = [v for v in column if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(column):
        return column, _spans(numbers)
    names = sorted({str(value) for value in column})
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_xlim(-0.5, len(names) - 0.5)
    return [names.index(str(value)) for value in column], False


def _spans(numbers):
    """Whether positive numbers span more than a power of ten."""
    return len(numbers) > 1 and min(numbers) > 0 and max(numbers) > 10 * min(numbers)


def _worst_edge(scores, direction):
    """Return where failed trials are drawn: a little beyond the worst score."""
    if not scores:
        return 1.0
    low, high = min(scores), max(scores)
    if _spans(scores):
        return high * 1.3 if direction == "min" else low / 1.3
    margin = 0.1 * (high - low or abs(high) or 1.0)
    return high + margin if direction == "min" else low - margin
