"""Ranges that a search takes the values of a config's fields from."""

import dataclasses
import json
import math
import numbers

from kgen.tuning.fields import check_name, check_value, choices, described, field_types, fits

# Fields that are no search's to decide, each with the reason.
_LEFT = "it changes nothing in the training"
_HELD = "scores on other data or features do not compare"
ON_ONE_DEVICE = ("strategy", "replicas", "sync_batch_norm")
NOT_SEARCHED = {
    **dict.fromkeys(("out", "fresh", "export", "new_architecture"), _LEFT),
    **dict.fromkeys(("evaluate", "evaluate_every"), _LEFT),
    **dict.fromkeys(("sample_every", "log_every", "checkpoint_every"), _LEFT),
    **dict.fromkeys(("data", "second", "image_size", "extractor", "held_out"), _HELD),
    **dict.fromkeys(ON_ONE_DEVICE, "each trial trains on one device"),
    "doctor": "a search has one of its own, which ends the trials that fail",
    "seed": "a good seed is luck; a search repeats its trials with `seeds`",
    "steps": "it is the length of a trial, fixed by `config`",
}


@dataclasses.dataclass(frozen=True)
class Float:
    """Numbers from `low` to `high`.

    Args:
        low, high: Finite numbers, `low` below `high`; both may be drawn.
        log: Whether to draw their logarithm evenly, as for a learning rate; `low` above 0.
        step: Distance between two values, or with `log` their ratio; `None` for all between.

    Raises:
        ValueError: If an argument is not of this form.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self):
        _check_range(self, numbers.Real, "a number")

    def declare(self, name, hp, default):
        given = float(default) if _is_drawn(self, default) else None
        sampling = "log" if self.log else "linear"
        return hp.Float(name, float(self.low), float(self.high), self.step, sampling, given)

    def value(self, drawn):
        # KerasTuner's Bayesian search rounds past the end.
        return min(max(float(drawn), float(self.low)), float(self.high))

    def check(self, name, annotation):
        if not fits(0.5, annotation):
            _refuse_range(self, name, annotation)


@dataclasses.dataclass(frozen=True)
class Int:
    """Integers from `low` to `high`.

    Args:
        low, high: Integers, `low` below `high`; both may be drawn.
        log: Whether to draw their logarithm evenly, as for a width; `low` above 0.
        step: Distance between two values, or with `log` their ratio: `Int(16, 128, True, 2)` is 16,
            32, 64 or 128. `None` for every integer between.

    Raises:
        ValueError: If an argument is not of this form.
    """

    low: int
    high: int
    log: bool = False
    step: int | None = None

    def __post_init__(self):
        _check_range(self, numbers.Integral, "an integer")

    def declare(self, name, hp, default):
        given = int(default) if _is_drawn(self, default) else None
        sampling = "log" if self.log else "linear"
        return hp.Int(name, int(self.low), int(self.high), self.step, sampling, given)

    def value(self, drawn):
        # KerasTuner's Bayesian search reaches `high + 1`.
        return min(max(int(drawn), int(self.low)), int(self.high))

    def check(self, name, annotation):
        if not fits(int(self.low), annotation) or choices(annotation) is not None:
            _refuse_range(self, name, annotation)


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of a list of values: numbers, strings, `None`, lists; whatever the field takes.

    Args:
        values: List of at least two different values.

    Raises:
        ValueError: If `values` is no such list.
    """

    values: list

    def __post_init__(self):
        if not isinstance(self.values, list | tuple) or len(self.values) < 2:
            raise ValueError(
                f"`values` must be a list of at least two values, received {self.values!r}."
            )
        object.__setattr__(self, "values", list(self.values))
        try:
            texts = [json.dumps(value) for value in self.values]
        except TypeError as error:
            raise ValueError(
                f"`values` must be what JSON can hold, received {self.values!r}: {error}."
            ) from error
        if len(set(texts)) < len(texts):
            raise ValueError(f"`values` must differ, received {self.values!r}.")

    def declare(self, name, hp, default):
        drawn = {json.dumps(value): self._as_drawn(value) for value in self.values}
        return hp.Choice(name, list(drawn.values()), default=drawn.get(json.dumps(default)))

    def value(self, drawn):
        return drawn if self._is_plain else json.loads(drawn)

    def check(self, name, annotation):
        for value in self.values:
            check_value("`space`", name, value, annotation)

    @property
    def _is_plain(self):
        return {type(value) for value in self.values} in ({int}, {str})

    def _as_drawn(self, value):
        # KerasTuner takes no None and no list, and its gRPC rounds floats, which are then none of
        # the choices, and makes integers of bools.
        return value if self._is_plain else json.dumps(value)


def checked_space(space, config_class):
    """Returns a dict from names of fields to `Float`, `Int` or `Choice`.

    Args:
        space: Dict from names of fields to such a range, a list of values, or `"all"` for a field
            that has finitely many.
        config_class: The recipe's config, a dataclass.

    Raises:
        ValueError: If it is not of this form, or a range does not fit its field.
    """
    if not isinstance(space, dict) or not space:
        raise ValueError(
            f"`space` must be a dict from names of fields to ranges, received {space!r}."
        )
    annotations = field_types(config_class)
    checked = {}
    for name, given in space.items():
        check_name("`space`", name, config_class)
        if name in NOT_SEARCHED:
            raise ValueError(
                f"`space`: {name!r} cannot be searched for, as {NOT_SEARCHED[name]}. Expected "
                f"names out of {[n for n in annotations if n not in NOT_SEARCHED]}."
            )
        checked[name] = _range(name, given, annotations[name])
        checked[name].check(name, annotations[name])
    return checked


def _range(name, given, annotation):
    if isinstance(given, Float | Int | Choice):
        return given
    if isinstance(given, list):
        try:
            return Choice(given)
        except ValueError as error:
            raise ValueError(f"`space`: {name!r}: {error}") from error
    found = choices(annotation) if isinstance(given, str) and given == "all" else None
    if found is None:
        raise ValueError(
            f"`space`: {name!r} must be a Float, an Int, a Choice, a list of values, or 'all' for "
            f"a field of finitely many; received {given!r}, and the field is "
            f"{described(annotation)}."
        )
    return Choice(found)


def _check_range(given, kind, words):
    for name in ("low", "high"):
        value = getattr(given, name)
        if not isinstance(value, kind) or isinstance(value, bool) or not math.isfinite(value):
            raise ValueError(f"`{name}` must be {words}, received {value!r}.")
    if not given.low < given.high:
        raise ValueError(f"`low` must be below `high`, received {given.low!r} and {given.high!r}.")
    if not isinstance(given.log, bool):
        raise ValueError(f"`log` must be True or False, received {given.log!r}.")
    if given.log and not given.low > 0:
        raise ValueError(f"`low` must be above 0 with log=True, received {given.low!r}.")
    step, least = given.step, 1 if given.log else 0
    if step is None:
        return
    if not isinstance(step, kind) or isinstance(step, bool) or not step > least:
        raise ValueError(f"`step` must be {words} above {least}, or None; received {step!r}.")


def _is_drawn(given, default):
    """Whether a range has a default; a step may not lead to it."""
    is_number = isinstance(default, numbers.Real) and not isinstance(default, bool)
    return is_number and given.step is None and given.low <= default <= given.high


def _refuse_range(given, name, annotation):
    raise ValueError(
        f"`space`: {name!r} must be {described(annotation)}, received the range {given}."
    )
