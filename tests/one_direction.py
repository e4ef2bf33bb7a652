"""Second-order gradients are checked along one direction, which costs a third of three."""

import pytest

from kgen.testing import second_order


@pytest.fixture(autouse=True)
def one_direction(monkeypatch):
    """The median of three is for kinks, that a direction may cross; an error is one along any."""
    monkeypatch.setattr(second_order, "DIRECTIONS", 1)
