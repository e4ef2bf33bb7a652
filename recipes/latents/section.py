"""What a part of the report leaves."""

import dataclasses


class Skipped(Exception):  # noqa: N818  Nothing went wrong.
    """One sentence: why the model has no such part."""


@dataclasses.dataclass(frozen=True)
class Found:
    """The files and the numbers of a part.

    Attributes:
        paths: Dict from a picture's name to its file.
        scores: Dict from a number's name to it, a float or a list of floats.
    """

    paths: dict = dataclasses.field(default_factory=dict)
    scores: dict = dataclasses.field(default_factory=dict)
