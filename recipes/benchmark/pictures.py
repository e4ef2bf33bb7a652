"""The pictures of the tables: points of the plane, bars, rows of samples."""

import math

from kgen.core.whole_file import replacing
from kgen.plotting import save_grid


def scatter(path, panels, centres, limit):
    """Draws points of the plane, a panel a row of the table.

    Args:
        path: The file, ending in .png.
        panels: Dict from a panel's title to points `(n, 2)`.
        centres: Centres of the modes `(modes, 2)`, drawn behind as rings.
        limit: The axes show [-limit, limit].

    Returns:
        The path.
    """
    columns = min(4, len(panels))
    figure = _figure(3.0 * columns, 3.2 * math.ceil(len(panels) / columns))
    for number, (title, points) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(math.ceil(len(panels) / columns), columns, number)
        axes.scatter(*centres.T, s=60, facecolors="none", edgecolors="tab:red", linewidths=0.6)
        axes.scatter(*points.T, s=1.5, alpha=0.4, color="black", linewidths=0)
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", title=title)
        axes.set(xticks=(), yticks=())
    return _save(figure, path)


def bars(path, values, title, line=None, spread=None):
    """Draws a horizontal bar for each row of the table.

    Args:
        path: The file, ending in .png.
        values: Dict from a row to its number.
        title: What the numbers are.
        line: `(name, number)` of a vertical line to hold them against, or `None`.
        spread: Dict from a row to its deviation or `None`, or `None` for all.

    Returns:
        The path.
    """
    figure = _figure(8.0, 1.2 + 0.35 * len(values))
    axes = figure.add_subplot()
    errors = [(spread or {}).get(row) or 0.0 for row in values]
    axes.barh(list(values), list(values.values()), xerr=errors, color="tab:blue", alpha=0.8)
    axes.invert_yaxis()
    if line is not None:
        name, number = line
        axes.axvline(number, color="tab:red", label=name)
        axes.legend()
    axes.set_xlabel(title)
    axes.grid(alpha=0.3, axis="x")
    return _save(figure, path)


def rows_of_images(path, images):
    """Writes a picture with one row for each row of the table.

    Args:
        path: The file, ending in .png.
        images: List of arrays `(n, height, width, channels)` in [-1, 1], all of one shape.

    Returns:
        The path.
    """
    columns = len(images[0])
    return save_grid([image for row in images for image in row], path, columns, clip=True)


def _figure(width, height):
    # The Figure class alone: pyplot would pick a backend and keep the figure for ever.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure, path):
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    return path
