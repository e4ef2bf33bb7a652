"""A small recipe to be run by several processes, one of which may come to grief.

The environment variable SABOTAGE, such as `1 6 9`, has worker 1 send itself signal 9 after round 6.
Each process leaves its weights, its history and the files that it wrote in `<out>-<rank>.npz`. With
SEVERAL it is several trainings, one after the other, as starting processes takes long; see there.
"""

import dataclasses
import functools
import json
import os
import signal
import sys

import keras
import numpy as np
from keras import layers

import kgen
import kgen.plotting
from kgen import callbacks, models
from recipes import training

SHAPE = (8, 8, 1)
EARLY = 4  # The round of which weights are left, too: a training may not come to its end.


@dataclasses.dataclass(frozen=True)
class Config(training.Config):
    """A GAN with batch norm in both networks; its rows are few, and the last held-out batch odd."""

    data: str = "digits"
    batch_size: int = 14
    steps: int = 12
    log_every: int = 4
    checkpoint_every: int = 4
    sample_every: int = 6
    evaluate: tuple[str, ...] = ("kernel",)
    evaluate_every: int = 12
    extractor: str = "random"
    export: str = "none"
    doctor: str = "off"
    sync_batch_norm: bool = True


class Pictures(callbacks.SampleGrid):
    """Samples, few, and the grief."""

    def on_round_end(self, previous, logs):
        super().on_round_end(previous, logs)
        if self.round == EARLY:
            weights = [np.asarray(variable) for variable in self.model.weights]
            np.savez(f"{self.directory.parent}-early-{rank()}.npz", *weights)
        worker, last, number = map(int, os.environ.get("SABOTAGE", "-1 0 0").split())
        if worker == rank() and self.round == last:
            os.kill(os.getpid(), number)


def rank():
    return json.loads(os.environ.get("TF_CONFIG", '{"task": {"index": 0}}'))["task"]["index"]


def generator():
    latents = keras.Input((4,))
    x = layers.ReLU()(kgen.layers.BatchNormalization()(layers.Dense(8)(latents)))
    x = layers.Activation("tanh")(layers.Dense(64)(x))
    return keras.Model(latents, layers.Reshape(SHAPE)(x))


def discriminator():
    images = keras.Input(SHAPE)
    x = layers.Dense(8)(layers.Flatten()(images))
    x = layers.LeakyReLU(negative_slope=0.2)(kgen.layers.BatchNormalization()(x))
    return keras.Model(images, layers.Dense(1)(x))


def build(config, image_shape):
    model = models.GAN(generator(), discriminator(), ema_momentum=0.9, seed=1)
    # Adam would make steps of the rounding of biases in front of a batch norm, which have no use.
    model.compile(keras.optimizers.SGD())
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


def several(config):
    """Three trainings by the same processes, the last of which loses one of them.

    Ctrl-C comes to the other than the chief after round 9; the same training goes on and ends; one
    with each process's own batch norm, a doctor and an early score is killed after round 6.
    """
    # TensorFlow takes one strategy over processes.
    kgen.distribution.strategy = functools.cache(kgen.distribution.strategy)
    os.environ["SABOTAGE"] = f"1 9 {int(signal.SIGINT)}"
    try:
        run(config)
    except KeyboardInterrupt:
        print("Interrupted.")
    os.environ["SABOTAGE"] = "-1 0 0"
    run(config)
    print("Ended.", flush=True)
    os.environ["SABOTAGE"] = f"1 6 {int(signal.SIGKILL)}"
    return run(dataclasses.replace(config, out=f"{config.out}-apart", **APART))


APART = {"sync_batch_norm": False, "doctor": "rollback", "evaluate_every": EARLY}


@functools.cache
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


def main(*arguments):
    """What a process does with the arguments of its command line."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ignored in a shell's background.
    # The film and the curves are those of any run.
    kgen.plotting.save_gif = kgen.plotting.curves = lambda *arguments: None
    training.main(Config, several if "SEVERAL" in os.environ else run, __doc__, list(arguments))
