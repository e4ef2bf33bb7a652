"""The file of a checkpoint: arrays and facts, written whole or not at all, with a checksum."""

import hashlib
import io
import json
import pathlib
import re

import numpy as np

from kgen.core import whole_file

_DIGEST_SIZE = hashlib.sha256().digest_size
_FACTS = "facts"
_NAME = re.compile(r"round-(\d+)\.checkpoint")
# Also what earlier versions wrote.
_LEFTOVER = re.compile(r"\.partial-.*\.checkpoint|round-\d+\.checkpoint\.partial")
DAMAGED = ".damaged"


class DamagedCheckpointError(ValueError):
    """The file is not what was written."""


def path_of(directory, rounds):
    """Returns the path of the checkpoint after a number of rounds."""
    return pathlib.Path(directory) / f"round-{rounds:08d}.checkpoint"


def rounds_of(path):
    """Returns the number of rounds in the name of a checkpoint."""
    return int(_NAME.fullmatch(path.name)[1])


def newest_first(directory):
    """Returns the paths of the checkpoints in a folder, those of most rounds first."""
    return sorted(_entries(directory, _NAME.fullmatch), key=rounds_of, reverse=True)


def write(path, arrays, facts):
    """Writes a checkpoint, so that at any moment `path` is what it was before or the whole new one.

    The file is an `.npz` of the arrays, with the facts as JSON text, and its SHA-256 behind it.

    Args:
        path: Where to write; a file there is replaced.
        arrays: Dict from name to NumPy array.
        facts: What JSON can hold.

    Raises:
        OSError: If it cannot be written; then nothing has changed.
    """
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    np.savez(buffer, **arrays, **{_FACTS: text})
    content = buffer.getbuffer()
    with whole_file.replacing(path) as partial, open(partial, "wb") as file:
        file.write(content)
        file.write(hashlib.sha256(content).digest())


def read(path):
    """Returns the arrays and the facts of a checkpoint.

    Raises:
        DamagedCheckpointError: If the content is not what its checksum says.
    """
    content = pathlib.Path(path).read_bytes()
    payload, digest = content[:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
    if hashlib.sha256(payload).digest() != digest:
        raise DamagedCheckpointError(f"{path} is damaged: its checksum does not fit its content.")
    with np.load(io.BytesIO(payload), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(arrays.pop(_FACTS).tobytes())


def tidy(directory, keep, finite=None):
    """Removes all but the `keep` newest checkpoints, and what killed writers left behind.

    Args:
        directory: Folder of the checkpoints, which no other process writes to.
        keep: How many to keep.
        finite: Rounds of one that is kept in any case; `None` for none.
    """
    kept = {*newest_first(directory)[:keep], path_of(directory, finite or 0)}
    leftovers = _entries(directory, _LEFTOVER.fullmatch)
    for path in [*newest_first(directory), *leftovers]:
        if path not in kept:
            path.unlink(missing_ok=True)


def clear(directory):
    """Removes all checkpoints in a folder, damaged ones and leftovers too, and nothing else."""
    damaged = _entries(directory, lambda name: _NAME.fullmatch(name.removesuffix(DAMAGED)))
    for path in [*damaged, *_entries(directory, _LEFTOVER.fullmatch)]:
        path.unlink(missing_ok=True)


def _entries(directory, wanted):
    directory = pathlib.Path(directory)
    return [path for path in directory.iterdir() if wanted(path.name)] if directory.is_dir() else []
