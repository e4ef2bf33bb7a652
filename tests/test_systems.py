"""Every common check over every row of the table of systems."""

import pytest

from kgen.testing.checks import CHECKS
from tests.systems import SYSTEMS

# Checks that trace a system in yet another way.
TRACING = (
    "evaluate_changes_nothing",
    "loaded_model_continues_identically",
    "mixed_bfloat16_is_finite",
    "mixed_float16_is_finite",
    "steps_per_execution",
    "two_replicas_match_one",
    "xla_matches_graph_mode",
)


def cases():
    for system_name, system in SYSTEMS.items():
        for check_name in CHECKS:
            reason = system.known_failures.get(check_name)
            marks = []
            if reason:
                marks.append(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))
            if system.is_variant and check_name in TRACING:
                marks.append(pytest.mark.slow)
            yield pytest.param(
                system,
                CHECKS[check_name],
                id=f"{system_name}-{check_name}",
                marks=marks,
            )


@pytest.mark.parametrize(("system", "check"), list(cases()))
def test_system(system, check):
    check(system.make, system.batch())


def test_known_failures_name_checks():
    named = {name for system in SYSTEMS.values() for name in system.known_failures}
    assert {*named, *TRACING} <= set(CHECKS)
