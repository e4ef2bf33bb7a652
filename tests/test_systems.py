"""Every common check over every row of the table of systems."""

import pytest

from kgen.testing.checks import CHECKS
from tests.systems import (
    COMES_WITH,
    EXCUSED,
    FEATURES,
    REPRESENTATIVES,
    SYSTEMS,
    features_of,
    is_default,
    served_features_of,
)


def cases():
    for system_name, system in SYSTEMS.items():
        for check_name in CHECKS:
            reason = system.known_failures.get(check_name)
            marks = []
            if reason:
                marks.append(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))
            if not is_default(system_name, check_name):
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


def test_representatives_have_the_features_of_all():
    """A system that needs something else of the engine needs a representative that does, too."""
    models = {name: system.make() for name, system in SYSTEMS.items()}
    assert set(FEATURES).union(*COMES_WITH.values()) <= set().union(
        *map(features_of, models.values())
    )
    for check, names in REPRESENTATIVES.items():
        needs = served_features_of if check == "export_round_trip" else features_of
        excused = set(EXCUSED.get(check, ()))
        represented = excused.union(*(COMES_WITH.get(feature, ()) for feature in excused))
        represented |= set().union(*(needs(models[name]) for name in names))
        missing = {name: sorted(needs(model) - represented) for name, model in models.items()}
        missing = {name: features for name, features in missing.items() if features}
        assert not missing, f"{check!r} has no representative in tests/systems.py with {missing}"


def test_a_feature_that_no_representative_has_is_seen():
    vae = SYSTEMS["vae"].make()

    class Unheard(type(vae)):
        def finish_round(self):
            pass

    seen = features_of(Unheard(vae.encoder, vae.decoder))
    assert seen - features_of(vae) == {"its own `finish_round`"}


def test_known_failures_and_representatives_name_checks():
    named = {name for system in SYSTEMS.values() for name in system.known_failures}
    assert {*named, *REPRESENTATIVES} <= set(CHECKS)
