"""How a command ends that does not do what it was asked for: a sentence and an exit code."""

import contextlib
import signal
import sys
import threading


@contextlib.contextmanager
def errors_told(place=None, kinds=(ValueError, NotImplementedError, OSError)):
    """Context of a command in which errors of these kinds end it as `leave` says.

    So does, whatever its kind, one of a full disk: libraries have errors of their own for it. A
    closed pipe, which is an `OSError`, is none.

    Args:
        place: Where the command writes, for an error that names no file.
        kinds: Classes of errors whose sentence is all that there is to say.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:
        from kgen.core.whole_file import is_disk_full  # Here, as kgen takes seconds.

        if not isinstance(error, kinds) and not is_disk_full(error):
            raise
        leave(error, place)


def leave(error, place=None):
    """Prints what an error says and ends the process.

    The exit code is 4 where a disk is full, and 2 otherwise.

    Args:
        error: The error.
        place: Where the command writes, for an error that names no file; `None` where it prints.
    """
    from kgen.core.whole_file import is_disk_full  # Here, as kgen takes seconds.

    if not is_disk_full(error):
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    place = getattr(error, "filename", None) or place or "the output"
    print(
        f"error: no space is left for {place}: {getattr(error, 'strerror', None) or error}. With "
        "more of it the same command goes on.",
        file=sys.stderr,
    )
    sys.exit(4)


@contextlib.contextmanager
def at_sigterm():
    """Context in which SIGTERM ends the process by exit code 143, and not where it stands.

    So what is open is closed, and a training can say where it goes on.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
