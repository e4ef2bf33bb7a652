"""The checkpoints in a folder: which of them to go on from, and which to keep."""

import pathlib
import time
import warnings

import numpy as np

from kgen.callbacks import checkpoint_file
from kgen.callbacks.best_effort import or_warned_of
from kgen.callbacks.checkpoint_file import DAMAGED, DamagedCheckpointError
from kgen.core.whole_file import is_disk_full

PAUSES = (0.1, 0.5, 2.0)  # Seconds before a file that could not be read is tried again.


class CheckpointFolder:
    """Keeps the newest checkpoints, and in any case the last one whose numbers are all finite.

    Args:
        directory: The folder.
        keep: How many to keep.

    Attributes:
        finite: Rounds of the last finite one; `None` where none is known.
    """

    def __init__(self, directory, keep):
        self.directory = pathlib.Path(directory).expanduser()
        self.keep = keep
        self.finite = None

    @property
    def newest_round(self):
        """Rounds that the newest one has behind it; 0 if there is none."""
        paths = checkpoint_file.newest_first(self.directory)
        return checkpoint_file.rounds_of(paths[0]) if paths else 0

    def write(self, rounds, arrays, facts):
        """Writes a checkpoint; one that cannot be written is warned of.

        Where the disk is full the oldest ones go, but neither the newest nor the last finite one.
        """
        is_finite = _is_finite(arrays)
        finite = rounds if is_finite else self.finite
        path = checkpoint_file.path_of(self.directory, rounds)
        with or_warned_of(path, comfort="Training goes on; the newest checkpoint is as it was."):
            self._write(path, arrays, {**facts, "finite": finite})
            self.finite = finite
            self.tidy()

    def tidy(self):
        """Removes those that are not kept."""
        self.directory.mkdir(parents=True, exist_ok=True)
        checkpoint_file.tidy(self.directory, self.keep, self.finite)

    def newest(self, check, is_chief):
        """Returns rounds, arrays and facts of the newest one that can be read; `None` of no file.

        A damaged one is passed over, with a warning, and kept as `*.damaged`; one that cannot be
        read at the moment is passed over and stays what it is.

        Args:
            check: Function `(arrays, facts, path)` that raises if they are of another training.
            is_chief: Whether this process may rename files.

        Raises:
            OSError: If none is left, and one cannot be read.
            ValueError: If all are damaged.
        """
        self.finite = None
        damaged, unread = [], None
        for path in checkpoint_file.newest_first(self.directory):
            try:
                arrays, facts = _read(path)
            except DamagedCheckpointError as error:
                damaged.append(path)
                warnings.warn(f"{error} The one before it is tried.", stacklevel=2)
                continue
            except OSError as error:
                unread = error
                warnings.warn(
                    f"{path} cannot be read: {error}. It stays; the one before it is tried.",
                    stacklevel=2,
                )
                continue
            check(arrays, facts, path)
            for other in damaged if is_chief else ():
                other.rename(other.with_name(other.name + DAMAGED))
            self._note_finite(path, arrays, facts)
            return checkpoint_file.rounds_of(path), arrays, facts
        if unread is not None:
            raise unread
        if damaged:
            raise ValueError(
                f"{self.directory} holds damaged checkpoints only ({len(damaged)}). Remove them to "
                "start over."
            )
        return None

    def _note_finite(self, path, arrays, facts):
        rounds = checkpoint_file.rounds_of(path)
        is_finite = _is_finite(arrays)
        self.finite = rounds if is_finite else facts.get("finite")
        if is_finite:
            return
        last = "none that is finite is known"
        if self.finite is not None:
            last = f"{checkpoint_file.path_of(self.directory, self.finite)} is the last without"
        warnings.warn(
            f"{path} holds NaN or infinity; {last}. To go on from another, remove those after it.",
            stacklevel=2,
        )

    def _write(self, path, arrays, facts):
        while True:
            try:
                checkpoint_file.write(path, arrays, facts)
                return
            except OSError as error:
                if not is_disk_full(error) or not self._has_made_room():
                    raise

    def _has_made_room(self):
        _, *older = checkpoint_file.newest_first(self.directory) or [None]
        older = [path for path in older if checkpoint_file.rounds_of(path) != self.finite]
        if not older:
            return False
        older[-1].unlink()
        return True


def _read(path):
    """Reads a checkpoint, again where reading has failed: a disk on a network has its moments."""
    for pause in (*PAUSES, None):
        try:
            return _read_twice(path)
        except OSError:
            if pause is None:
                raise
            time.sleep(pause)


def _read_twice(path):
    try:
        return checkpoint_file.read(path)
    except DamagedCheckpointError:  # It, or what came of it on the way.
        return checkpoint_file.read(path)


def _is_finite(arrays):
    """Whether the model and its optimizers are; what callbacks and metrics keep does not count."""
    return all(
        np.isfinite(array).all()
        for name, array in arrays.items()
        if name.startswith(("model/", "optimizer/"))
        and (array.dtype.kind == "f" or array.dtype.name == "bfloat16")
    )
