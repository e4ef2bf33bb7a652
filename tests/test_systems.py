"""Every common check over every row of the table of systems."""

import pytest

from kgen.testing.checks import CHECKS
from tests.systems import SYSTEMS


def cases():
    for system_name, system in SYSTEMS.items():
        for check_name in CHECKS:
            reason = system.known_failures.get(check_name)
            marks = [pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError)]
            yield pytest.param(
                system,
                CHECKS[check_name],
                id=f"{system_name}-{check_name}",
                marks=marks if reason else (),
            )


@pytest.mark.parametrize(("system", "check"), list(cases()))
def test_system(system, check):
    check(system.make, system.batch())


def test_known_failures_name_checks():
    named = {name for system in SYSTEMS.values() for name in system.known_failures}
    assert named <= set(CHECKS)
