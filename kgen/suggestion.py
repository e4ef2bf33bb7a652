"""The name that was meant, where one was given that nothing has."""

import difflib


def did_you_mean(name, known):
    """Returns ` Did you mean 'mnist5k'?`, for the end of a message, or nothing if none is like it.

    Args:
        name: What was given.
        known: The names that there are.

    Example:
        >>> from kgen.suggestion import did_you_mean
        >>> did_you_mean("minst5k", ["digits", "mnist5k"])
        " Did you mean 'mnist5k'?"
    """
    found = difflib.get_close_matches(name, list(known), 1) if isinstance(name, str) else []
    return f" Did you mean {found[0]!r}?" if found else ""
