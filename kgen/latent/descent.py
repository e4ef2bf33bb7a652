"""Adam on many rows at once, each by itself."""

import dataclasses

import numpy as np
from keras import ops

from kgen.core import engine

# Of Adam; with the shares of the steps below, as in the code of Karras et al. 2020.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8
_RISE, _FALL, _EXPLORATION = 0.05, 0.25, 0.75


@dataclasses.dataclass(frozen=True)
class Descent:
    """How rows are moved to where their losses are small.

    Karras et al. 2020, appendix D, arXiv 1912.04958: a learning rate that rises within the first
    5 % of the steps and falls, as a cosine, within the last 25 %; noise on the rows that falls, as
    a square, within the first 75 %.

    Attributes:
        steps: Adam's steps.
        learning_rate: The largest.
        exploration: Deviation of the noise at first.
        seed: Integer seed of the noise.
    """

    steps: int
    learning_rate: float
    exploration: float
    seed: int

    def run(self, losses, rows, images, space, batch_size):
        """Returns the rows where they have come to, and their losses.

        Args:
            losses: Function from rows and images, tensors, to the loss of each row.
            rows: Array `(count * tries, ...)`, an image's tries one after the other.
            images: Array `(count, ...)`.
            space: `kgen.latent.spaces.Space` of the rows.
            batch_size: Rows moved at once.

        Returns:
            The rows; and `(count * tries, steps + 1)`, the loss before each step, with its noise,
            and after the last.
        """
        tries = len(rows) // len(images)
        step = engine.function(self._step(losses, space, tries))
        size = min(batch_size, len(rows))
        found, history = [], []
        for first in range(0, len(rows), size):
            # The last batch is filled up: an operation may round by the number of rows.
            chosen = np.minimum(np.arange(first, first + size), len(rows) - 1)
            moved, seen = self._moved(step, rows[chosen], images[chosen // tries], chosen % tries)
            found.append(moved[: len(rows) - first])
            history.append(seen[: len(rows) - first])
        return np.concatenate(found), np.concatenate(history)

    def _moved(self, step, rows, images, tries):
        images, tries = ops.convert_to_tensor(images), ops.convert_to_tensor(tries, "int32")
        state = [ops.convert_to_tensor(rows), ops.zeros(rows.shape), ops.zeros(rows.shape)]
        history = []
        for number in range(self.steps + 1):
            *state, loss = step(*state, images, tries, *self._schedule(number))
            history.append(loss)  # The last step is of no size.
        moved = ops.convert_to_numpy(state[0])
        return moved, np.stack([ops.convert_to_numpy(loss) for loss in history], axis=1)

    def _schedule(self, number):
        """The number of a step with its learning rate and the deviation of its noise."""
        share = number / self.steps
        rate = 0.5 - 0.5 * np.cos(np.pi * min(1.0, (1.0 - share) / _FALL))
        rate *= self.learning_rate * min(1.0, (number + 1) / (_RISE * self.steps))
        noise = self.exploration * max(0.0, 1.0 - share / _EXPLORATION) ** 2
        return np.int32(number), np.float32(rate), np.float32(noise)

    def _step(self, losses, space, tries):
        free, explored = np.float32(space.free), np.float32(space.explored)

        def step(rows, mean, square, images, tried, number, rate, deviation):
            seen = rows
            if self.exploration:
                # The same for all images, of which none then depends on its place.
                noise = engine.normal((tries, *rows.shape[1:]), ops.stack([self.seed, number]))
                seen = rows + deviation * explored * ops.take(noise, tried, axis=0)
            loss, gradient = engine.value_and_input_gradient(
                lambda rows: losses(rows, images), seen
            )
            gradient = gradient * free
            mean = _BETA_1 * mean + (1.0 - _BETA_1) * gradient
            square = _BETA_2 * square + (1.0 - _BETA_2) * ops.square(gradient)
            past = ops.cast(number + 1, "float32")
            step = mean / (1.0 - _BETA_1**past)
            step = step / (ops.sqrt(square / (1.0 - _BETA_2**past)) + _EPSILON)
            moved = ops.clip(rows - rate * step, -space.limit, space.limit)
            return space.settled(moved), mean, square, loss

        return step
