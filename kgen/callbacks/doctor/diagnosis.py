"""What the doctor measures at a check, and what it says."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Reading:
    """One signal's measurement at one check.

    Attributes:
        measured: The number measured.
        threshold: The number that it is held against.
        present: Whether it is beyond that.
        problem: Sentence in plain words of what was found; empty if nothing was.
        advice: Sentence that names the argument to change; empty if nothing was found.
        urgent: Whether once is enough, and it need not last.
    """

    measured: float
    threshold: float
    present: bool = False
    problem: str = ""
    advice: str = ""
    urgent: bool = False


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Something that went wrong in a training.

    Attributes:
        signal: One of `kgen.callbacks.doctor.signals.SIGNALS`, such as `"mode_collapse"`.
        round: Rounds played when it was found.
        measured: The number measured.
        threshold: The number that it was held against.
        message: What is wrong in plain words, with the argument to change at its end.
    """

    signal: str
    round: int
    measured: float
    threshold: float
    message: str
