"""Scores in a file, one line of JSON each: every evaluation of a run."""

import datetime
import json
import pathlib

from kgen.metrics.score import Score

_BEGINNING = b'{"name": '


def append_scores(path, scores, **facts):
    """Adds scores to a file of lines of JSON, which is made if missing.

    A last line without an end that begins as one of a score and is none, as a killed process leaves
    it, is cut off; any other stays, with an end.

    Args:
        path: The file.
        scores: Dict from names to `Score`.
        **facts: What else each line is to hold, such as `round=500`.
    """
    path = pathlib.Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    lines = [
        json.dumps({"name": name, **facts, "time": now, **score.as_dict()}, default=_plain) + "\n"
        for name, score in scores.items()
    ]
    with path.open("ab+") as file:
        if not lines:
            return
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if _is_cut(content[whole:]):
            file.truncate(whole)
        elif content[whole:]:
            file.write(b"\n")
        file.write("".join(lines).encode())


def _is_cut(line):
    """Whether a line without an end is the beginning of one of `append_scores`."""
    if line[: len(_BEGINNING)] != _BEGINNING[: len(line)]:
        return False
    try:
        json.loads(line)
    except ValueError:
        return True
    return False


def _plain(value):
    return value.item()  # NumPy's numbers.


def read_scores(path):
    """Returns what a file of scores holds: a list of `(facts, Score)`, in order.

    `facts` is the dict of what a line holds beside the score: `name`, `time` and what was given. A
    last line that was cut off, as a killed process leaves it, is passed over.

    Raises:
        ValueError: If any other line is no score.
    """
    lines = pathlib.Path(path).expanduser().read_text().splitlines(keepends=True)
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            continue
        try:
            content = json.loads(line)
            parts = {key: content.pop(key) for key in ("value", "interval", "deviation", "card")}
            found.append((content, Score.from_dict(parts)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}, line {number}: expected a score, found {line!r}.") from error
    return found
