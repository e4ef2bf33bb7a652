"""Output that nobody reads on: `kgen list | head -1`."""

import contextlib
import os
import sys


@contextlib.contextmanager
def ends_quietly():
    """Context of a whole command: it ends without a word where its output's reader has gone.

    With the exit code of a program that SIGPIPE has ended, 141.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # What Python still holds would be written, and fail, as the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + 13)
