"""Second-order gradients are checked along one direction."""

from tests.one_direction import one_direction

__all__ = ["one_direction"]
