"""A search asks for a collection of garbage before every trial."""

from tests.garbage import garbage_is_left  # noqa: F401
