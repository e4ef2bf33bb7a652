"""Pictures at the start, every so many rounds and at the end of a training."""

import pathlib

import numpy as np

from kgen.callbacks.best_effort import or_warned_of
from kgen.callbacks.rounds import RoundCallback


class DivergedError(ValueError):
    """A training whose images are no numbers any more: a result, and not a mistake."""


class StepPictures(RoundCallback):
    """Base of callbacks that write pictures as training goes on.

    The files are `<directory>/step-000500.png`, numbered by rounds; the first shows the start and
    the last the end. A subclass writes `draw(path)`, and `prepare()` if it has something to do
    once as training begins. Neither may touch the training. Of several hosts the chief draws. A
    picture that cannot be written, as on a full disk, is warned of and left out.

    Args:
        directory: Folder to write to; made if missing.
        every: Rounds between two pictures.
    """

    def __init__(self, directory, every=500):
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be a positive number of rounds, received {every!r}.")
        self.directory = pathlib.Path(directory).expanduser()
        self.every = every

    def prepare(self):
        """Called as training begins, before the first picture."""

    def draw(self, path):
        """Writes the picture of the model as it is."""
        raise NotImplementedError

    def finite(self, images):
        """Returns images, NumPy arrays.

        Raises:
            DivergedError: If one is not finite.
        """
        if not np.isfinite(images).all():
            raise DivergedError(
                f"The training has diverged: the model's images are not finite after round "
                f"{self.round}. A smaller learning rate may help, and the doctor's rollback."
            )
        return images

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._written = None
        if not self.model.is_chief:
            return
        self.prepare()
        # A training that goes on has shown its start.
        if self.round == 0 or not any(self.directory.glob("step-*.png")):
            self._write()

    def on_round_end(self, previous, logs):
        if self.passed(previous, self.every):
            self._write()

    def on_train_end(self, logs=None):
        if self._written != self.round:
            self._write()

    def _write(self):
        self._written = self.round
        if not self.model.is_chief:
            return
        path = self.directory / f"step-{self.round:06d}.png"
        with or_warned_of(path):
            self.directory.mkdir(parents=True, exist_ok=True)
            self.draw(path)
