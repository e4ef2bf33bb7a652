"""The card of a score: what was measured, on what and how; without it a number means nothing."""

import dataclasses

from kgen.version import __version__

# What may differ between two scores of one protocol: another draw of the same, and what a network,
# which its hash knows, happens to be called.
_MAY_DIFFER = ("seeds", "extractor")


@dataclasses.dataclass(frozen=True)
class Card:
    """The protocol of a score. `None` stands for what was not told or has no meaning here.

    Attributes:
        metric: Name of the metric, such as `"frechet_distance"`.
        samples: Number of samples scored.
        reference: What they are held against, such as `"mnist5k"` or the hash of an array.
        split: The reference's split, as of `kgen.data.load`.
        reference_samples: Number of the reference's samples.
        resizer: How images came to the size that the extractor takes.
        extractor: Name of the feature network.
        extractor_hash: Hash of its architecture and weights.
        weights: `"averaged"` or `"raw"`: which of a model's weights made the samples.
        settings: Dict of the metric's own settings, such as its number of neighbours.
        seeds: Dict from what was drawn to the integer seed it was drawn from.
        version: Version of kgen.
    """

    metric: str
    samples: int | None = None
    reference: str | None = None
    split: str | None = None
    reference_samples: int | None = None
    resizer: str | None = None
    extractor: str | None = None
    extractor_hash: str | None = None
    weights: str | None = None
    settings: dict = dataclasses.field(default_factory=dict)
    seeds: dict = dataclasses.field(default_factory=dict)
    version: str = __version__

    def differences(self, other, but_for=()):
        """Returns the fields in which another card differs, as sentences.

        Args:
            other: `Card`.
            but_for: Names of fields that may differ, besides `seeds` and `extractor`, whose hash
                decides.

        Raises:
            ValueError: If `but_for` names no field.
        """
        fields = [field.name for field in dataclasses.fields(self)]
        but_for = [but_for] if isinstance(but_for, str) else but_for
        unknown = sorted(set(but_for) - set(fields))
        if unknown:
            raise ValueError(f"`but_for` must name fields of a card, {fields}; received {unknown}.")
        return [
            f"{name} is {getattr(self, name)!r} and {getattr(other, name)!r}"
            for name in fields
            if name not in (*_MAY_DIFFER, *but_for) and getattr(self, name) != getattr(other, name)
        ]

    def __str__(self):
        parts = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "metric" or value in (None, {}):
                continue
            if isinstance(value, dict):
                value = ", ".join(f"{key}={entry}" for key, entry in value.items())
            elif isinstance(value, int):
                value = f"{value:,}"
            parts.append(f"{field.name.replace('_', ' ')} {value}")
        return "; ".join(parts)
