"""One set of exports for all tests of a process."""

import pytest

from tests.serving.exports import Exports


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    return Exports(tmp_path_factory.mktemp("served"))
