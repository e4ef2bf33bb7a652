"""The trials of a table: run one by one, each kept as it ends, so that a killed table goes on."""

import concurrent.futures
import contextlib
import dataclasses
import json
import multiprocessing
import os
import pathlib
import platform
import shutil
import subprocess
import time

import numpy as np

from kgen.callbacks import DivergedError
from kgen.core.leftovers import PARTIAL, UNFINISHED, clear_leftovers, unfinished_name
from kgen.core.owner import owned
from kgen.core.whole_file import replacing
from kgen.metrics import Score
from kgen.version import __version__
from recipes import run_folder


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training of one row.

    Attributes:
        row: Name of the row.
        number: Number of the trial, from 0.
        seed: Seed of all its draws.
    """

    row: str
    number: int
    seed: int

    @property
    def name(self):
        return f"{self.row}-{self.number}"


def run(folder, protocol, rows, count, train, processes=1, fresh=False):
    """Runs what is missing of the trials and returns the results of all.

    Args:
        folder: Path of the table's folder.
        protocol: Dataclass of all that decides a trial's result, its `seed` among it; trial i has
            the seed `protocol.seed + i`.
        rows: Names of the rows.
        count: Trials of each row.
        train: Function `(protocol, trial)` that returns a dict of numbers and a dict of arrays for
            the picture; one that can be pickled where `processes` is above 1.
        processes: How many trials run at once, each in a process with its share of the cores.
        fresh: Whether to remove the trials that the folder holds.

    Returns:
        Dict from each row to the list of its results, dicts with the `scores` or how it `failed`,
        the `seed`, the `seconds`, the `version` of kgen, the `commit` and the `hardware`.

    Raises:
        ValueError: If the folder holds trials of another protocol, or is another process's.
    """
    folder = pathlib.Path(folder)
    with owned(folder):
        return _run(folder, protocol, rows, count, train, processes, fresh)


def _run(folder, protocol, rows, count, train, processes, fresh):
    trials = [Trial(row, number, protocol.seed + number) for row in rows for number in range(count)]
    # All rows' first trials before any second: a table that is not done yet says something of all.
    trials.sort(key=lambda trial: trial.number)
    with _claimed(folder, protocol, trials, fresh):
        missing = [trial for trial in trials if read(folder, trial) is None]
        held = len(trials) - len(missing)
        if held:
            print(f"{folder} holds {held} of {len(trials)} trials.", flush=True)
        started = time.monotonic()
        finished = _finish(folder, protocol, missing, train, processes)
        for done, trial in enumerate(finished, start=1):
            result = read(folder, trial)
            outcome = result["failed"] or ", ".join(
                f"{k} {v:.4g}" for k, v in result["scores"].items()
            )
            print(
                f"{done}/{len(missing)} {trial.name}: {outcome}, {result['seconds']:.0f} s "
                f"({time.monotonic() - started:.0f} s in all)",
                flush=True,
            )
    return {row: [read(folder, trial) for trial in trials if trial.row == row] for row in rows}


@contextlib.contextmanager
def _claimed(folder, protocol, trials, fresh):
    """Context in which the folder is that of a protocol, and trials are run in it.

    After an error without a single trial that has ended it is what it was before, also of `fresh`:
    a protocol that cannot be, as one of data that are not there, claims and removes nothing.

    Raises:
        ValueError: If it holds trials of another protocol and not `fresh`; names the fields that
            differ. If what it holds cannot be removed.
    """
    # Trials are to a table what checkpoints are to a run: without their config they are nobody's.
    kept = folder / "trials"
    paths = dataclasses.replace(run_folder.paths(folder), checkpoints=kept)
    if not fresh:
        run_folder.check_config(paths, protocol)
    # What is put back is there already: on a full disk nothing could be written.
    before = folder / unfinished_name(PARTIAL, paths.config.name)
    aside = kept / unfinished_name(UNFINISHED)
    with contextlib.ExitStack() as at_last:
        if paths.config.exists():
            at_last.callback(before.unlink, missing_ok=True)
            shutil.copyfile(paths.config, before)
        try:
            if fresh and kept.exists():
                with run_folder.refused_if_it_stays(folder):
                    aside.mkdir()
                    at_last.callback(shutil.rmtree, aside, ignore_errors=True)
                    _move([*kept.glob("*.json"), *kept.glob("*.npz")], aside)
            run_folder.claim(paths, protocol)
            kept.mkdir(exist_ok=True)
            clear_leftovers(kept)
            yield
        except Exception:
            if not any(read(folder, trial) for trial in trials):
                _put_back(paths, before, aside)
            raise


def _put_back(paths, config, aside):
    """Has a folder be what it was, with the config and the trials of these places, if any."""
    if aside.exists():
        _move(aside.iterdir(), paths.checkpoints)
        aside.rmdir()
    if config.exists():
        os.replace(config, paths.config)
    else:
        paths.config.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            paths.checkpoints.rmdir()


def _move(files, folder):
    for file in files:
        os.replace(file, folder / file.name)


def read(folder, trial):
    """Returns a trial's result, or `None` if it has not ended or its file cannot be read."""
    try:
        result = json.loads(_file(folder, trial).read_text())
    except (OSError, ValueError):
        return None
    return result if isinstance(result, dict) and "scores" in result else None


def arrays(folder, row, number=0):
    """Returns the dict of arrays that a trial has left for the picture; empty if it has failed."""
    path = folder / "trials" / f"{row}-{number}.npz"
    if not path.exists():
        return {}
    with np.load(path) as content:
        return dict(content)


def check_finite(samples):
    """Returns samples, NumPy arrays.

    Raises:
        DivergedError: If one is not finite.
    """
    if not np.isfinite(samples).all():
        raise DivergedError("diverged: samples are not finite")
    return samples


def hardware():
    """Returns the processor, the number of cores and the system in one line."""
    processor = platform.processor() or platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else processor}, {cores()} cores, {platform.system()}"


def cores():
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def commit():
    """Returns the commit of the code that runs, with `+` if files differ.

    `None` of code that was installed without its repository, also where it lies within another one.
    """
    file = pathlib.Path(__file__).resolve()
    root = file.parents[2]
    questions = (
        ["rev-parse", "--show-toplevel"],
        ["rev-parse", "--short", "HEAD"],
        ["status", "--porcelain"],
        ["ls-files", "--error-unmatch", str(file)],
    )
    try:
        top, found, changed, _ = (
            subprocess.run(
                ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
            ).stdout.strip()
            for arguments in questions
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    if pathlib.Path(top) != root:
        return None
    return found + ("+" if changed else "")


def _finish(folder, protocol, trials, train, processes):
    """Runs trials and yields each as it ends."""
    if processes == 1 or len(trials) < 2:
        for trial in trials:
            yield _run_one(folder, protocol, trial, train)
        return
    share = max(1, cores() // processes)
    with concurrent.futures.ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), _set_threads, (share,)
    ) as pool:
        jobs = [pool.submit(_run_one, folder, protocol, trial, train) for trial in trials]
        try:
            for job in concurrent.futures.as_completed(jobs):
                yield job.result()
        except BaseException:
            # Those that run write their results yet, while the folder is still this table's.
            pool.shutdown(cancel_futures=True)
            raise


def _set_threads(count):
    """Bounds the threads of TensorFlow, which reads this when it first computes."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(count)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"


def _run_one(folder, protocol, trial, train):
    started = time.monotonic()
    scores, failed, left = {}, None, {}
    try:
        scores, left = train(protocol, trial)
    except DivergedError as error:
        failed = str(error)
    if left:
        _write(_file(folder, trial, ".npz"), lambda file: np.savez_compressed(file, **left))
    result = {
        **dataclasses.asdict(trial),
        "scores": {name: float(value) for name, value in scores.items()},
        "cards": {
            name: dataclasses.asdict(value.card)
            for name, value in scores.items()
            if isinstance(value, Score)
        },
        "failed": failed,
        "seconds": time.monotonic() - started,
        "version": __version__,
        "commit": commit(),
        "hardware": hardware(),
    }
    # Last, as it stands for the whole.
    _write(_file(folder, trial), lambda file: file.write(json.dumps(result, indent=2).encode()))
    return trial


def _file(folder, trial, suffix=".json"):
    return pathlib.Path(folder) / "trials" / (trial.name + suffix)


def _write(path, write):
    """Writes a file at once: it is whole or not there."""
    with replacing(path) as partial, partial.open("wb") as file:
        write(file)
