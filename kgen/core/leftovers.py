"""Names of what is being written, and the removal of what writers that died have left."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import time

PARTIAL, UNFINISHED = ".partial", ".unfinished"  # A file; a folder.
A_DAY = 24 * 3600.0
# Also what earlier versions wrote, which names no owner.
_NAME = re.compile(r"\.(?:partial|unfinished)-(?:(?P<host>\w+)-(?P<process>\d+)-)?.*")


def unfinished_name(kind, name=""):
    """Returns a name that says who writes, ends as `name` does and is no other writer's."""
    return f"{kind}-{_host()}-{os.getpid()}-{os.urandom(4).hex()}{name and '-' + name}"


def clear_leftovers(folder):
    """Removes what writers that are gone have left in a folder.

    Gone is a process of this host that has ended, and of others one that has not written for a day.
    """
    folder = pathlib.Path(folder)
    for path in folder.iterdir() if folder.is_dir() else ():
        named = _NAME.fullmatch(path.name)
        if named and _is_left(path, named["host"], named["process"]):
            with contextlib.suppress(OSError):  # Another one may clear up at the same moment.
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_left(path, host, process):
    if host == _host():
        return not _is_alive(int(process))
    try:
        return time.time() - _last_written(path) > A_DAY
    except OSError:
        return False


def _last_written(path):
    """When anything in a folder was written last; of a file, when it was."""
    inside = path.rglob("*") if path.is_dir() else ()
    return max(entry.stat().st_mtime for entry in (path, *inside))


def _is_alive(process):
    if os.name != "posix":  # Where to ask a process ends it.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # Another user's.
        return True
    return True


def _host():
    """Host, and the part of it whose processes have numbers of their own, as a container's."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return re.sub(r"\W", "_", f"{socket.gethostname()}_{space}", flags=re.ASCII)
