"""That a generated example depends on its number alone."""

import numpy as np


def assert_rows_are_pure(rows):
    """A row of a set of 10^9 is the same alone, among others, and in another order."""
    assert rows.count == 10**9
    numbers = np.array([10**9 - 1, 0, 17, 123_456])
    images = rows.examples(numbers)
    for index, number in enumerate(numbers):
        assert np.array_equal(rows.examples(np.array([number]))[0], images[index])
        assert rows.labels(np.array([number]))[0] == rows.labels(numbers)[index]
    assert np.array_equal(rows.examples(numbers[::-1]), images[::-1])
