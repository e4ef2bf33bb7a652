"""Pictures of the samples while a model trains."""

import pathlib

from kgen.callbacks.rounds import RoundCallback
from kgen.plotting import save_grid


class SampleGrid(RoundCallback):
    """Writes a grid of the images of the same latents as training goes on.

    The files are `<directory>/step-000500.png`, numbered by rounds; the first shows the start and
    the last the end. Training is not affected: no random state is touched.

    Args:
        directory: Folder to write to; made if missing.
        every: Rounds between two pictures.
        count: Images of a grid.
        seed: Integer seed of the latents.
    """

    def __init__(self, directory, every=500, count=64, seed=0):
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be a positive number of rounds, received {every!r}.")
        self.directory = pathlib.Path(directory)
        self.every = every
        self.count = count
        self.seed = seed

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._latents = self.model.latents(self.count, self.seed)
        self._written = None
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
        path = self.directory / f"step-{self.round:06d}.png"
        save_grid(self.model.decode(self._latents), path)
