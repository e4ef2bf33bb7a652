"""What a trial's folder remembers: the trainings that are done, and where the one begun is."""

import dataclasses
import json
import os
import pathlib
import shutil

from kgen.core.whole_file import write_text
from kgen.tuning.execution import Execution


class Record:
    """The trainings of a trial, kept in its folder as they end.

    Args:
        folder: The trial's folder; `None` keeps nothing.
        values: Dict of the trial's values: what was kept of others is not read.
        epochs: Epochs of its trainings.

    Attributes:
        executions: List of `Execution`, in the order of their seeds.
        epochs: As given.
    """

    def __init__(self, folder, values, epochs):
        self.folder = None if folder is None else pathlib.Path(folder)
        self.epochs = epochs
        self._identity = json.loads(json.dumps({"values": values, "epochs": epochs}))
        self.executions = []
        content = read(self.folder) if self.folder is not None else None
        if content is None or {name: content[name] for name in self._identity} != self._identity:
            self._forget()
            return
        self.executions = [Execution(**entry) for entry in content["executions"]]

    @property
    def failed(self):
        """Whether a training has failed."""
        return any(execution.failed for execution in self.executions)

    def checkpoints(self, number):
        """Returns the folder of a training's checkpoints."""
        return None if self.folder is None else self.folder / f"execution-{number}"

    def add(self, execution, keep_checkpoints=False):
        """Keeps what came of the next training."""
        number = len(self.executions)
        self.executions.append(execution)
        if self.folder is None:
            return
        self._write()
        if not keep_checkpoints:
            shutil.rmtree(self.checkpoints(number), ignore_errors=True)

    def go_on_from(self, folder):
        """Takes over the checkpoints of another trial, where this one has none yet."""
        for source in sorted(pathlib.Path(folder).glob("execution-*")):
            target = self.folder / source.name
            if target.exists():
                continue
            partial = self.folder / f"partial-{source.name}"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(source, partial)
            os.replace(partial, target)

    def _forget(self):
        """Removes what trials of other values have left, and begins anew."""
        if self.folder is not None:
            remove_checkpoints(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write()

    def _write(self):
        entries = [dataclasses.asdict(execution) for execution in self.executions]
        write_json(self.folder / "record.json", {**self._identity, "executions": entries})


def read(folder):
    """Returns what `record.json` of a trial's folder holds; `None` if there is none, or no JSON.

    Raises:
        OSError: If it is there and cannot be read, which may be better the next moment.
    """
    try:
        content = json.loads((pathlib.Path(folder) / "record.json").read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    wanted = {"values", "epochs", "executions"}
    return content if isinstance(content, dict) and wanted <= set(content) else None


def remove_checkpoints(folder):
    """Removes the checkpoints in a trial's folder."""
    for path in pathlib.Path(folder).glob("*execution-*"):
        shutil.rmtree(path, ignore_errors=True)


def write_json(path, content):
    """Writes a file at once: a killed process leaves it whole, as it was or as it is now."""
    write_text(path, json.dumps(content, indent=2) + "\n")
