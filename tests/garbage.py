"""Spares tests the collections of garbage that the code under test asks for between models.

Each goes through all objects of the process, which takes up to a second; what a test leaves is
collected in any case, when there is enough of it.
"""

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def garbage_is_left():
    """For a conftest.py, or a file of tests, to import."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gc, "collect", lambda *generation: 0)
        yield
