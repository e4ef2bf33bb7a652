"""One process at a time in a folder."""

import contextlib
import getpass
import json
import os
import pathlib
import socket
import time

LOCK, OWNER = ".lock", ".owner.json"


class FolderInUseError(ValueError):
    """Another process has the folder."""


@contextlib.contextmanager
def owned(folder, name=LOCK):
    """Context in which a folder, made if missing, is this process's alone.

    The lock is the system's: it goes with the process, however that ends, and nothing is left to be
    removed by hand.

    Args:
        folder: The folder.
        name: Name of the lock's file, where several may have a part of the folder each.

    Raises:
        FolderInUseError: If another process has it; says which, where and since when.
        ValueError: If the lock's file is a symbolic link.
        OSError: If the folder cannot be made.
    """
    import filelock  # Here, for only what writes folders needs it.

    folder = pathlib.Path(folder)
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock_path = folder / name
    lock = filelock.FileLock(lock_path, timeout=0)
    owner = folder / f"{name.removesuffix(LOCK)}{OWNER}"
    if lock_path.is_symlink():  # It would be another file's lock, and the system refuses it.
        raise ValueError(f"{lock_path} is a symbolic link: expected a file, or none.")
    try:
        lock.acquire()
    except filelock.Timeout:
        raise FolderInUseError(
            f"{folder} is in use by {_who(owner)}. Expected another folder, or the end of that "
            "process, with which the folder is free."
        ) from None
    try:
        with contextlib.suppress(OSError):  # It is for the message alone.
            owner.unlink(missing_ok=True)
            with open(owner, "x", encoding="utf-8") as file:  # Never through a link.
                file.write(json.dumps(_self()))
        yield
    finally:
        with contextlib.suppress(OSError):
            owner.unlink(missing_ok=True)
            if is_new and os.listdir(folder) == [name]:  # Nothing came of it.
                lock_path.unlink()
                folder.rmdir()
        lock.release()


def _self():
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # One that the system has no name for.
        user = str(os.getuid())
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {"process": os.getpid(), "host": socket.gethostname(), "user": user, "since": since}


def _who(path):
    try:
        facts = json.loads(path.read_text())
        return "process {process} of {user} on {host}, since {since}".format(**facts)
    except (OSError, ValueError, KeyError, TypeError):  # It has only just begun, or just ended.
        return "another process"
