"""A small recipe to be run by several processes, one of which may come to grief.

    python -m tests.distribution.worker --out <folder> --strategy multiworker

The environment variable SABOTAGE, such as `1 6 9`, has worker 1 send itself signal 9 after round 6.
Each process leaves its weights, its history and the files that it wrote in `<out>-<rank>.npz`.
"""

import dataclasses
import json
import os
import signal
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from kgen import callbacks, models, networks
from recipes import training

SHAPE = (8, 8, 1)


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A GAN with batch norm in both networks; its rows are few, and the last held-out batch odd."""

    data: str = "digits"
    batch_size: int = 14
    steps: int = 12
    log_every: int = 4
    checkpoint_every: int = 4
    sample_every: int = 6
    evaluate: tuple[str, ...] = ("frechet",)
    evaluate_every: int = 12
    extractor: str = "random"
    export: str = "none"
    doctor: str = "off"
    sync_batch_norm: bool = True


class Pictures(callbacks.SampleGrid):
    """Samples, few, and the grief."""

    def on_round_end(self, previous, logs):
        super().on_round_end(previous, logs)
        worker, last, number = map(int, os.environ.get("SABOTAGE", "-1 0 0").split())
        if worker == rank() and self.round == last:
            os.kill(os.getpid(), number)


def rank():
    return json.loads(os.environ.get("TF_CONFIG", '{"task": {"index": 0}}'))["task"]["index"]


def build(config, image_shape):
    model = models.GAN(
        networks.dcgan_generator(SHAPE, latent_dim=4, filters=2),
        networks.dcgan_discriminator(SHAPE, filters=2),
        ema_momentum=0.9,
        seed=1,
    )
    # Adam would make steps of the rounding of biases in front of a batch norm, which have no use.
    model.compile("sgd")
    return model


def run(config):
    family = training.Family(
        pictures=lambda config, paths: Pictures(paths.samples, 6, count=4),
        held_out=training.held_out_images,
    )
    written = files_written_below(config.out)
    result = training.train(config, build, family=family)
    weights = [np.asarray(v) for v in [*result.model.weights, *result.model.optimizer.variables]]
    facts = json.dumps({"history": result.history, "written": written})
    np.savez(f"{config.out}-{rank()}.npz", *weights, facts=facts)
    return result


def files_written_below(folder):
    """Returns a list that from now on gets the path of each file that Python writes there."""
    written, folder = [], os.path.abspath(folder)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def note(event, arguments):
        if event == "open" and isinstance(arguments[0], str | os.PathLike):
            path = os.path.abspath(arguments[0])
            if path.startswith(folder + os.sep) and (arguments[2] or 0) & writing:
                written.append(os.path.relpath(path, folder))

    sys.addaudithook(note)
    return written


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ignored in a shell's background.
    training.main(Config, run, __doc__)
