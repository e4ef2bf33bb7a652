"""Kills a training with SIGKILL at random moments, and compares where it ends.

    python -m tests.stress.kill_resume --kills 20

Every third kill falls into the writing of a checkpoint. After each, the same training is started
again; in the end the weights, the optimizers and the history have to be those of a training that
nobody disturbed, bit for bit.
"""

import dataclasses
import pathlib
import random
import sys
import tempfile
import time

import numpy as np
import tyro

from tests.forking import Forks
from tests.stress.training import EPOCHS, ROUNDS_AN_EPOCH, SYSTEMS

SLOW_DISK = 0.03  # Seconds of a sync, so that a kill can fall into a write.
ROUNDS = EPOCHS * ROUNDS_AN_EPOCH  # Of each system.


@dataclasses.dataclass(frozen=True)
class Config:
    """How often to kill."""

    kills: int = 20
    """Kills in all, spread over the training of a GAN, a WGAN-GP and a VAE with dropout."""
    seed: int = 0
    """Seed of the moments."""


@dataclasses.dataclass(frozen=True)
class Kill:
    """One kill: in which system, after how many rounds of that life, and whether in a write."""

    system: str
    rounds: int
    mid_write: bool


def run(config, folder, say=print):
    """Kills and starts again; returns the kills, and the systems that ended elsewhere."""
    undisturbed, disturbed = folder / "undisturbed", folder / "disturbed"
    draw = random.Random(config.seed)
    kills = []
    with Forks("tests.stress.training") as forks:
        for number in range(config.kills):
            process = forks.start(str(disturbed), SLOW_DISK)
            kill = live_and_die(process, disturbed, draw, config, kills, number % 3 == 2)
            if kill is None:
                break  # It had ended before.
            kills.append(kill)
            place = "while a checkpoint was written" if kill.mid_write else "between two writes"
            say(f"kill {number + 1:3}: {kill.system:8} after {kill.rounds:3} rounds, {place}")
        # Whatever the process of the tests sets up in TensorFlow, these are started alike.
        for folder_of_last in (disturbed, undisturbed):
            last = forks.start(str(folder_of_last))
            said = last.wait()
            if last.returncode:
                raise RuntimeError(f"The last start failed:\n{said}")
    return kills, [name for name in SYSTEMS if not same(undisturbed / name, disturbed / name)]


def live_and_die(process, folder, draw, config, earlier, mid_write):
    """Lets a training play some rounds and kills it; None if it ended before."""
    quota = -(-config.kills // len(SYSTEMS))  # Kills in each system.
    # So few that a system does not end before it has had its kills.
    patience = draw.randint(1, max(1, ROUNDS // (quota + 1)))
    system, rounds = None, 0
    for line in process.stdout:
        if line.strip() in SYSTEMS:
            system, rounds = line.strip(), 0
        elif sum(kill.system == system for kill in earlier) < quota:
            rounds += 1
            if rounds >= patience:
                break
    else:
        process.wait()
        return None
    partial = folder / system / "checkpoints"
    if mid_write:
        deadline = time.monotonic() + 20.0
        while not any(partial.glob(".partial-*")) and time.monotonic() < deadline:
            time.sleep(0.0005)
    else:
        time.sleep(draw.uniform(0.0, 0.02))
    process.kill()
    return Kill(system, rounds, any(partial.glob(".partial-*")))


def same(one, other):
    """Whether two trainings ended at the same bits, and logged the same."""
    with np.load(one / "weights.npz") as a, np.load(other / "weights.npz") as b:
        weights = a.files == b.files and all(np.array_equal(a[key], b[key]) for key in a.files)
    histories = (one / "history.csv").read_text() == (other / "history.csv").read_text()
    return weights and histories


def main(config):
    with tempfile.TemporaryDirectory() as folder:
        kills, different = run(config, pathlib.Path(folder))
    in_writes = sum(kill.mid_write for kill in kills)
    print(f"{len(kills)} kills, {in_writes} of them while a checkpoint was written.")
    for name in SYSTEMS:
        count = sum(kill.system == name for kill in kills)
        verdict = "DIFFERENT weights or history" if name in different else "the same bits"
        print(f"{name:8} {count:3} kills: {verdict} as undisturbed")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
