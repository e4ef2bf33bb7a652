"""Files that a training can do without."""

import contextlib
import functools
import warnings

import keras

from kgen.core import engine

_HOOKS = ("set_model", *(name for name in vars(keras.callbacks.Callback) if name.startswith("on_")))


@contextlib.contextmanager
def or_warned_of(what, errors=OSError, comfort="Training goes on."):
    """Context in which a file that cannot be written is warned of.

    Args:
        what: The file's path, or who writes it.
        errors: The error, or a tuple of them, that becomes a warning.
        comfort: What it does not affect, a sentence.
    """
    try:
        yield
    except errors as error:
        reason = str(error).rstrip(".") or type(error).__name__
        warnings.warn(f"{what} could not be written: {reason}. {comfort}", stacklevel=3)


def best_effort(callback):
    """Returns a callback whose files that cannot be written are warned of, and end no training.

    One that cannot begin, as its file cannot be opened, is left out from there on. It stays the
    object that it is, so that a `Checkpoint` keeps its state.
    """
    begun = True

    def forgiving(name, hook):
        @functools.wraps(hook)
        def called(*arguments, **settings):
            nonlocal begun
            if not begun and name != "set_model":
                return
            is_written = False
            with or_warned_of(f"What {type(callback).__name__} logs", engine.FILE_ERRORS):
                hook(*arguments, **settings)
                is_written = True
            begun = begun and (is_written or name not in ("set_model", "on_train_begin"))

        return called

    for name in _HOOKS:
        if getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name):
            setattr(callback, name, forgiving(name, getattr(callback, name)))
    return callback
