"""Second-order gradients are checked along one direction, half precisions by turns."""

import pytest

from tests.one_direction import one_direction

__all__ = ["half_precision", "one_direction"]


def half_precision(names):
    """Parametrizes `name` and `dtype`: each network with one of the two by default."""
    return pytest.mark.parametrize(
        ("name", "dtype"),
        [
            pytest.param(name, dtype, marks=[] if (number + other) % 2 else pytest.mark.slow)
            for number, name in enumerate(names)
            for other, dtype in enumerate(("float16", "bfloat16"))
        ],
    )
