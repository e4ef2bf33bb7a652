"""What the classes of a source are called."""

from kgen.data.registry import source_of


def class_names(name_or_path, follow_links=False):
    """Return the names of the classes of a source, in the order of their labels.

    Of a folder these are its subfolders, of a set of TensorFlow Datasets what that calls them.

    Args:
        name_or_path, follow_links: as of `kgen.data.load`.

    Returns:
        List of strings, or None where classes have no names but their numbers, or there are none.

    Raises:
        ValueError: there is no such source.

    Example:
        >>> import kgen.data
        >>> kgen.data.class_names("mnist5k") is None
        True
    """
    name_classes = source_of(name_or_path).name_classes
    return None if name_classes is None else name_classes(follow_links)
