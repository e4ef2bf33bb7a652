"""Files that are there whole or not at all, whatever happens while they are written."""

import contextlib
import errno
import os
import pathlib

from kgen.core.leftovers import PARTIAL, unfinished_name
from kgen.core.sync_folder import sync_folder


@contextlib.contextmanager
def replacing(path):
    """Context that yields the path of a file to write, which in the end takes the place of `path`.

    Up to the end `path` is what it was before, and after an error stays so; then it is the whole
    new file, also after a power cut. The name to write to ends as `path` does.

    Raises:
        OSError: If it cannot be written; it names `path` where the system names no file.
    """
    path = pathlib.Path(path)
    partial = path.with_name(unfinished_name(PARTIAL, path.name))
    try:
        yield partial
        sync_file(partial)
        os.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        is_nameless = getattr(error, "filename", path) in (None, str(partial), partial)
        if is_nameless and error.errno is not None:
            error.filename = str(path)
        raise
    sync_folder(path.parent)


def write_text(path, text):
    """Writes a text file in UTF-8, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sync_file(path):
    """Makes what a file holds outlive a power cut."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_log(path):
    """Makes a file that grows outlive a power cut with what it holds now, and its name."""
    sync_file(path)
    sync_folder(pathlib.Path(path).parent)


def is_disk_full(error):
    """Whether an error says that there is no space left; libraries say it in words alone."""
    numbers = (errno.ENOSPC, errno.EDQUOT)
    words = [os.strerror(number) for number in numbers]
    return getattr(error, "errno", None) in numbers or any(word in str(error) for word in words)
