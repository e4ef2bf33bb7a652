"""What a run remembers of its data: whether they are still the same, and what classes are called.

As a training goes on, its checkpoint says of its own part of them whether they changed.
"""

import warnings

from kgen.data import fingerprint
from recipes import run_folder

# The fields of configs that name data.
_SOURCES = ("data", "second", "targets")


def remember(paths, config, class_names):
    """Writes what a run that begins, or goes on, is trained on.

    Args:
        paths: The run's `Paths`.
        config: The run's config.
        class_names: What the classes of its labels are called, a list of strings, or `None`.
    """
    content = {"fingerprints": _fingerprints(run_folder.as_json(config))}
    if class_names is not None:
        content["class_names"] = class_names
    run_folder.write_json(paths.data, content)


def warn_if_changed(paths, fields):
    """Warns if a run's data are others than when it was trained last.

    Args:
        paths: The run's `Paths`.
        fields: Dict of the fields of its config.
    """
    before = (run_folder.read_json(paths.data) or {}).get("fingerprints")
    if not isinstance(before, dict):
        return  # Of an earlier kgen.
    now = _fingerprints(fields)
    changed = [str(fields[name]) for name in now if name in before and before[name] != now[name]]
    if changed:
        warnings.warn(
            f"The data of {paths.config.parent} have changed since it was trained: "
            f"{' and '.join(changed)}. Scores are of the images there are now, of which some may "
            "have been trained on; a run in another folder, or --fresh, trains on them.",
            stacklevel=2,
        )


def class_names(paths):
    """Returns what the classes of a run's labels are called; `None` where nothing tells."""
    names = (run_folder.read_json(paths.data) or {}).get("class_names")
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list else None


def card_of(paths, config):
    """Returns what a model card says of a run: its config, and what its classes are called."""
    names = class_names(paths)
    return run_folder.as_json(config) | ({} if names is None else {"class_names": names})


def _fingerprints(fields):
    """A config's fingerprints by field; `None` of sets with a name and of what is gone."""
    found = {}
    for name in _SOURCES:
        if isinstance(fields.get(name), str):
            try:
                found[name] = fingerprint.of_place(fields[name], bool(fields.get("follow_links")))
            except (ValueError, OSError):
                found[name] = None
    return found
