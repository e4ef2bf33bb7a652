"""Mean and covariance of features that stream by: a million rows never sit in memory."""

import numpy as np

from kgen.metrics.arrays import checked_integer, checked_rows

# Numbers that one step takes into float64: 64 MiB.
_CHUNK = 2**23


class Moments:
    """Count, mean and covariance of rows seen in batches of any size, in float64.

    Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1: means and
    scatters about the mean of two sets of rows give those of both, without the cancellation of a
    sum of squares. Memory grows with the square of `dimensions` and not with the rows.

    Args:
        dimensions: Length of a row.

    Attributes:
        count: Number of rows seen.
        mean: Their mean, float64 `(dimensions,)`; zeros before the first row.
        covariance: Their covariance with divisor count - 1, float64 `(dimensions, dimensions)`;
            fewer than 2 rows have none, which raises.

    Example:
        >>> import numpy as np
        >>> from kgen.metrics import Moments
        >>> moments = Moments(1)
        >>> for batch in ([[1.0], [2.0]], [[6.0]]):
        ...     moments.update(np.array(batch))
        >>> moments.count, moments.mean, moments.covariance
        (3, array([3.]), array([[7.]]))
    """

    def __init__(self, dimensions):
        self.dimensions = checked_integer("dimensions", dimensions, 1)
        self.count = 0
        self.mean = np.zeros(self.dimensions)
        self._scatter = np.zeros((self.dimensions, self.dimensions))

    @classmethod
    def of(cls, features):
        """Returns the moments of an array of features `(n, d)`.

        Raises:
            ValueError: If it is no array of finite rows.
        """
        features = np.asarray(features)
        # One row is looked at for the width; `update` looks at all, chunk by chunk.
        moments = cls(checked_rows("features", features[:1], minimum=1).shape[1])
        moments.update(features)
        return moments

    def update(self, features):
        """Takes in features `(n, dimensions)`, n from 0 on.

        Raises:
            ValueError: If they have another shape, or NaN or Inf; rows before these may have been
                taken in.
        """
        features = np.asarray(features)
        if features.ndim != 2 or features.shape[1] != self.dimensions:
            raise ValueError(
                f"`features` must have shape (n, {self.dimensions}); received {features.shape}."
            )
        rows = max(1, _CHUNK // self.dimensions)
        for start in range(0, len(features), rows):
            chunk = checked_rows("features", features[start : start + rows], minimum=1)
            # Sums run over what is left about the first row, which keeps their rounding small.
            first = chunk[0]
            centred = chunk - first
            shift = centred.mean(axis=0)
            centred -= shift
            self._combine(len(chunk), first + shift, centred.T @ centred)

    def merge(self, other):
        """Takes in the rows that other moments have seen.

        Args:
            other: `Moments` of the same dimensions.

        Raises:
            ValueError: If it is none.
        """
        if not isinstance(other, Moments) or other.dimensions != self.dimensions:
            raise ValueError(
                f"`other` must be Moments of {self.dimensions} dimensions; received "
                f"{getattr(other, 'dimensions', other)!r}."
            )
        self._combine(other.count, other.mean, other._scatter)

    @property
    def covariance(self):
        if self.count < 2:
            raise ValueError(f"A covariance needs at least 2 rows; received {self.count}.")
        return self._scatter / (self.count - 1)

    def as_arrays(self):
        """Returns the state as a dict of arrays, as `np.savez(path, **moments.as_arrays())`."""
        return {
            "count": np.array(self.count, "int64"),
            "mean": self.mean.copy(),
            "scatter": self._scatter.copy(),
        }

    @classmethod
    def from_arrays(cls, arrays):
        """Returns the moments that `as_arrays` was called on.

        Args:
            arrays: Mapping as it gives it, such as `np.load(path)`.

        Raises:
            ValueError: If it is no such mapping.
        """
        lacking = {"count", "mean", "scatter"} - set(arrays)
        if lacking:
            raise ValueError(
                f"`arrays` must hold count, mean and scatter; received none for {sorted(lacking)}."
            )
        count = checked_integer("count", np.asarray(arrays["count"]).item(), 0)
        mean = checked_rows("mean", np.asarray(arrays["mean"])[None], minimum=1)[0]
        scatter = checked_rows("scatter", arrays["scatter"], minimum=1)
        if scatter.shape != (len(mean), len(mean)):
            raise ValueError(
                f"`arrays` must hold a scatter of shape {(len(mean),) * 2}, as its mean has "
                f"{len(mean)} dimensions; received {scatter.shape}."
            )
        moments = cls(len(mean))
        moments._combine(count, mean, scatter)
        return moments

    def _combine(self, count, mean, scatter):
        if not count:
            return
        total = self.count + count
        apart = mean - self.mean
        between = self.count * (count / total)  # 0 for the first rows
        self._scatter = self._scatter + scatter + between * np.outer(apart, apart)
        self.mean = self.mean + (count / total) * apart if self.count else np.array(mean)
        self.count = total
