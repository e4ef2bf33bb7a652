"""How many classes the labels of a source tell apart."""

import numpy as np

from kgen.data.registry import source_of
from kgen.data.rows import Request


def class_count(name_or_path, follow_links=False):
    """Return the number of classes of a source: its labels are 0 .. that number - 1.

    It is the largest label of all splits and 1, of a folder the number of subfolders that are
    classes, and no image is decoded for it.

    Args:
        name_or_path, follow_links: as of `kgen.data.load`.

    Returns:
        Integer.

    Raises:
        ValueError: there is no such source, or its images have not one class each.

    Example:
        >>> import kgen.data
        >>> kgen.data.class_count("mnist5k")
        10
    """
    source = source_of(name_or_path)
    count = (source.count_classes or (lambda _: _largest_label(source)))(follow_links)
    if count is None:
        raise ValueError(
            "name_or_path: expected a source with one class an image, got "
            f"{name_or_path}, which has no labels or several an image."
        )
    return count


def _largest_label(source):
    """Return the largest label of all splits and 1, or None if images have not one label each."""
    largest = 0
    for split in ("train+validation", "test"):
        rows = source.read(Request(split))
        if rows.labels is None or (callable(rows.labels) and rows.label_shape):
            return None
        labels = rows.labels(np.arange(rows.count)) if callable(rows.labels) else rows.labels
        largest = max(largest, int(np.max(labels)))
    return largest + 1
