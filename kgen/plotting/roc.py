"""The curve of true against false positives of a score."""

import numpy as np

from kgen.core.whole_file import replacing
from kgen.plotting.grid import png_path


def roc(curves, path, threshold=None):
    """Draw ROC curves: the share of positives found against that of false alarms.

    Args:
        curves: dict from a curve's name to `(scores, labels)`: numbers `(n,)`, higher for what is
            thought positive, and booleans or 0 and 1 `(n,)`, 1 being positive. The legend has the
            area under each curve.
        path: the file, ending in .png; its folder is made if need be.
        threshold: a score, whose point is marked on each curve; None for none.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: there is no curve, one lacks positives or negatives or is not finite, or `path`
            is not as described.

    Example:
        >>> import tempfile
        >>> from kgen.plotting import roc
        >>> roc({"mine": ([0.1, 0.4, 0.8], [0, 0, 1])}, tempfile.mkdtemp() + "/roc.png").name
        'roc.png'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from sklearn.metrics import auc, roc_curve

    path = png_path(path)
    if not isinstance(curves, dict) or not curves:
        raise ValueError(
            "curves: expected a dict from names to (scores, labels), at least one, got "
            f"{type(curves).__name__} of {np.size(curves)}."
        )
    # The Figure class alone: pyplot would pick a backend and keep the figure for ever.
    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":", linewidth=1)
    for name, curve in curves.items():
        scores, labels = _checked(name, curve)
        false_positives, true_positives, _ = roc_curve(labels, scores)
        area = auc(false_positives, true_positives)
        (line,) = axes.plot(false_positives, true_positives, label=f"{name}: {area:.3f}")
        if threshold is not None:
            found = scores > threshold
            axes.plot(found[~labels].mean(), found[labels].mean(), "o", color=line.get_color())
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="lower right", title="area under the curve")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    return path


def _checked(name, curve):
    """Return a curve's scores and its labels as booleans."""
    if not isinstance(curve, tuple | list) or len(curve) != 2:
        raise ValueError(f"curves: expected (scores, labels) of {name!r}, got {curve!r:.80}.")
    scores, labels = curve
    scores, labels = np.asarray(scores, float), np.asarray(labels)
    if labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
        raise ValueError(f"curves: expected labels of {name!r} of 0 and 1, got {labels!r:.80}.")
    labels = labels.astype(bool)
    if scores.ndim != 1 or scores.shape != labels.shape or not np.isfinite(scores).all():
        raise ValueError(
            f"curves: expected finite scores (n,) and labels (n,) of {name!r}, got shapes "
            f"{scores.shape} and {labels.shape}."
        )
    if labels.all() or not labels.any():
        raise ValueError(f"curves: expected positives and negatives of {name!r}, got one kind.")
    return scores, labels
