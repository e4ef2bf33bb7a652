"""The schedule of growing, by hand."""

import math

from kgen.models.growth_schedule import Phase, schedule


def test_schedule_by_hand():
    assert schedule([(4, 4), (8, 8)], fade_kimg=2, stable_kimg=3, batch_sizes={8: 16}) == [
        Phase(0, False, 0.0, 3000.0, None),
        Phase(1, True, 3000.0, 5000.0, 16),
        Phase(1, False, 5000.0, math.inf, 16),
    ]
    # Without a fade, or without a phase between two fades.
    assert [p.fading for p in schedule([(4, 4), (8, 8), (16, 16)], 0, 1)] == [False] * 3
    assert [(p.stage, p.fading) for p in schedule([(4, 4), (8, 8), (16, 16)], 1, 0)] == [
        (1, True), (2, True), (2, False),
    ]  # fmt: skip
    assert schedule([(4, 4), (8, 8), (16, 16)], 2, 3, {4: 9, 16: 5}, first=1) == [
        Phase(1, False, 0.0, 3000.0, None),
        Phase(2, True, 3000.0, 5000.0, 5),
        Phase(2, False, 5000.0, math.inf, 5),
    ]
    fade = Phase(1, True, 3000.0, 5000.0, None)
    # An execution of several rounds may go past its end.
    assert [float(fade.alpha(shown)) for shown in (3000, 3500, 5000, 6000)] == [0.0, 0.25, 1.0, 1.0]
