"""A score: a number that carries its card and refuses to be compared across protocols."""

import dataclasses
import math
import operator

from kgen.metrics.card import Card


class Score(float):
    """A float with the card of its protocol.

    It goes wherever a float goes. Comparing or subtracting two scores whose cards differ in more
    than their seeds raises; with plain numbers there is nothing to compare. `difference` says which
    fields may differ.

    Attributes:
        card: `Card`.
        interval: `(low, high)` of 95 % by the bootstrap, or `None`.
        deviation: Standard deviation that the metric itself gives, as over the blocks of the kernel
            distance or the splits of the Inception score, or `None`.

    Example:
        >>> from kgen.metrics import Card, Score
        >>> print(Score(12.3456, Card("frechet_distance", samples=1000, version="1"), (11.9, 12.8)))
        frechet_distance 12.35 (11.9 to 12.8)
          samples 1,000; version 1
    """

    def __new__(cls, value, card=None, interval=None, deviation=None):
        if card is None:  # As `statistics.mean` makes its result.
            return float(value)
        return super().__new__(cls, value)

    def __init__(self, value, card=None, interval=None, deviation=None):
        self.card = card
        self.interval = None if interval is None else tuple(float(end) for end in interval)
        self.deviation = None if deviation is None else float(deviation)

    def described(self, **fields):
        """Returns the same score with fields of its card replaced."""
        card = dataclasses.replace(self.card, **fields)
        return Score(float(self), card, self.interval, self.deviation)

    def difference(self, other, but_for=()):
        """Returns this score less another as a plain float.

        Args:
            other: `Score`.
            but_for: Names of the card's fields that may differ, as `("weights",)`.

        Raises:
            ValueError: If the cards differ in other fields, which are named, or `other` has none.
        """
        if not isinstance(other, Score):
            raise ValueError(f"`other` must be a Score, received {other!r}.")
        self._check_card(other, but_for)
        return float(self) - float(other)

    def as_dict(self):
        """Returns the score as plain data, which JSON can hold and `from_dict` takes."""
        return {
            # JSON has no word for infinity.
            "value": float(self) if math.isfinite(self) else str(float(self)),
            "interval": None if self.interval is None else list(self.interval),
            "deviation": self.deviation,
            "card": dataclasses.asdict(self.card),
        }

    @classmethod
    def from_dict(cls, content):
        """Returns the score that `as_dict` was called on."""
        card = Card(**content["card"])
        return cls(float(content["value"]), card, content["interval"], content["deviation"])

    def __str__(self):
        parts = [f"{self.card.metric} {float(self):.4g}"]
        if self.deviation is not None:
            parts.append(f"+- {self.deviation:.2g}")
        if self.interval is not None:
            parts.append("({:.4g} to {:.4g})".format(*self.interval))
        return " ".join(parts) + f"\n  {self.card}"

    def __repr__(self):
        return f"Score({float(self):.6g}, {self.card!r}, {self.interval}, {self.deviation})"

    def __reduce__(self):
        return Score, (float(self), self.card, self.interval, self.deviation)

    def _check_card(self, other, but_for=()):
        differences = self.card.differences(other.card, but_for)
        if differences:
            raise ValueError(
                f"Two scores of unlike cards cannot be compared: {'; '.join(differences)}. "
                "Expected the same protocol, or difference(other, but_for=...) to say what may "
                "differ."
            )

    # A float's formatting, where a format is asked for; `print` and f"{score}" show the card.
    def __format__(self, specification):
        return format(float(self), specification) if specification else str(self)

    __hash__ = float.__hash__


def _of_like_cards(operation):
    def operate(self, other):
        if isinstance(other, Score):
            self._check_card(other)
        if not isinstance(other, int | float):
            return NotImplemented
        return operation(float(self), float(other))

    return operate


for _name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__", "__sub__"):
    setattr(Score, _name, _of_like_cards(getattr(operator, _name)))
