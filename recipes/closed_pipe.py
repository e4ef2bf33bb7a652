"""Output that nobody reads, or no more: `kgen list >&-`, `kgen list | head -1`."""

import contextlib
import os
import sys

from recipes.ending import leave


@contextlib.contextmanager
def ends_quietly():
    """Context of a whole command: it ends without a word where its output's reader has gone.

    With the exit code of a program that SIGPIPE has ended, 141. Where there has never been one,
    what it prints goes nowhere; where the output's disk is full, it ends as `leave` says.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  It is the process's.
    try:
        try:
            yield
        finally:
            _flush(sys.exc_info()[1])
    except BrokenPipeError:
        _print_no_more()
        sys.exit(128 + 13)


def _flush(ending):
    """Writes what Python still holds; `ending` is what the command ends by, `None` of a return."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _print_no_more()
        if ending is None or getattr(ending, "code", 1) in (None, 0):
            leave(error)


def _print_no_more():
    """Else what Python still holds would be written, and fail, as the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
