"""The account of image files that were left out because they could not be read."""

import threading
import warnings


class UnreadableFileError(ValueError):
    """An image file that cannot be read; `path` says which."""

    def __init__(self, path, reason):
        super().__init__(f"{path}: cannot be read as an image ({reason}).")
        self.path = str(path)


class SkippedFiles:
    """Files left out so far, counted once each, from any thread.

    Attributes:
        paths: list of the files left out, as strings, in the order in which they were met.
    """

    def __init__(self):
        self.paths = []
        self._total = 0
        self._known = set()
        self._lock = threading.Lock()

    def expect(self, total):
        """Say that so many more files are about to be read."""
        self._total += total

    def add(self, path, announce=False):
        """Note a file; with `announce` warn at the first, the tenth, the hundredth and so on."""
        with self._lock:
            if path in self._known:
                return
            self._known.add(path)
            self.paths.append(path)
            count = len(self.paths)
        if announce and str(count).strip("0") == "1":
            self.report("so far ")

    def __contains__(self, path):
        return path in self._known

    def report(self, when=""):
        """Warn of the files left out, if there are any: how many of how many, and the first few."""
        if not self.paths:
            return
        first = ", ".join(self.paths[:3]) + (", ..." if len(self.paths) > 3 else "")
        warnings.warn(
            f"Left out {when}{len(self.paths)} of {self._total} image files: {first}", stacklevel=2
        )
