"""One way of taking a system's train steps, built and timed: `Variant` and its `Runner`."""

import dataclasses
import time
from typing import NamedTuple

import keras
import numpy as np

import kgen.data
from kgen.core.precision import dtype_policy
from recipes import dcgan, vae, wgan_gp
from tests.benchmarks import arithmetic
from tests.benchmarks.loops import LOOPS
from tests.benchmarks.stock_networks import networks
from tests.benchmarks.tutorials import TUTORIALS

RECIPES = {"dcgan": dcgan, "wgan_gp": wgan_gp, "vae": vae}
IMPLEMENTATIONS = ("fit", "loop", "tutorial")
PRECISIONS = ("float32", "mixed_bfloat16")


class Variant(NamedTuple):
    """What is measured; a row of the table."""

    system: str
    implementation: str
    precision: str = "float32"
    xla: bool = False

    @property
    def label(self):
        precision = {"float32": "float32", "mixed_bfloat16": "bfloat16"}[self.precision]
        return f"{self.implementation} {precision}{' XLA' if self.xla else ''}"


class Sizes(NamedTuple):
    """What differs from the recipe's config; `None` is the recipe's value."""

    data: str = "mnist5k"
    image_size: int | None = None
    batch_size: int | None = None
    filters: int | None = None
    critic_updates: int | None = None


RECIPE_SIZES = Sizes()


def config_of(system, sizes, precision="float32", xla=False):
    """The recipe's config with these sizes."""
    config_class = RECIPES[system].Config
    fields = {field.name for field in dataclasses.fields(config_class)}
    changed = {
        name: value
        for name, value in sizes._asdict().items()
        if value is not None and name in fields
    }
    return config_class(precision=precision, jit="on" if xla else "off", **changed)


class Timed:
    """What is timed: `times` holds milliseconds of a step, `first_step` seconds of the first."""

    @property
    def median(self):
        """Milliseconds a step."""
        return float(np.median(self.times))

    @property
    def compile_seconds(self):
        """The first step's seconds beyond a later one's."""
        return max(self.first_step - self.median / 1000.0, 0.0)

    def row(self):
        """What is reported of the variant, to which the table adds ratios."""
        return {
            **self.variant._asdict(),
            "label": self.variant.label,
            "median_ms": self.median,
            "min_ms": float(np.min(self.times)),
            "max_ms": float(np.max(self.times)),
            "steps": len(self.times),
            "images_per_second": 1000.0 * self.batch / self.median,
            "first_step_s": float(self.first_step),
            "compile_s": float(self.compile_seconds),
            "gflop": self.operations / 1e9,
            "gflops": self.operations / self.median / 1e6,
        }


class Runner(Timed):
    """Builds a variant and takes its steps.

    Attributes:
        first_step: Seconds of the first step, with tracing and compiling.
        times: Milliseconds of each later step.
        batch: Images of a step: those of one update times the critic's updates.
        operations: Floating-point operations of a step's convolutions and matrix products.
    """

    def __init__(self, variant, sizes=RECIPE_SIZES):
        self.variant = variant
        config = config_of(variant.system, sizes, variant.precision, variant.xla)
        updates = getattr(config, "critic_updates", 1)
        self.batch = config.batch_size * updates
        load = dict(image_size=config.image_size, batch_size=self.batch, seed=config.seed)
        self.images = kgen.data.load(config.data, **load)
        keras.utils.set_random_seed(config.seed)
        self.image_shape = kgen.data.image_shape(self.images)
        with dtype_policy(variant.precision):
            self.model, self.networks = self._build(config, self.image_shape)
        self.operations = arithmetic.step_cost(
            variant.system,
            variant.implementation,
            self.networks,
            config.batch_size,
            updates,
            getattr(self.model, "prepares_once", False),
        )
        self.step = None
        if variant.implementation == "loop":
            self.step = LOOPS[variant.system](self.model, variant.xla)
            self.batches = iter(self.images.repeat())
        self.first_step, self.times = None, []

    def _build(self, config, image_shape):
        system = self.variant.system
        if self.variant.implementation != "tutorial":
            model = RECIPES[system].build(config, image_shape)
            if system == "vae":
                return model, (model.encoder, model.decoder)
            return model, (model.generator, model.players[0].networks[0])
        pair = networks(system, config, image_shape)
        betas = {"dcgan": {"beta_1": 0.5}, "wgan_gp": {"beta_1": 0.0, "beta_2": 0.9}}
        model = TUTORIALS[system](*pair, config, **betas.get(system, {}))
        model.compile(jit_compile=self.variant.xla)
        return model, pair

    def first(self):
        """Takes the first step, which traces and compiles, and a second one."""
        taken = self._steps(2)
        self.first_step = taken[0] / 1000.0

    def block(self, steps):
        """Takes steps and keeps their times, but for the first, which finds the caches cold."""
        self.times.extend(self._steps(steps + 1)[1:])

    def _steps(self, steps):
        """Takes steps, returns the milliseconds of each."""
        if self.step is None:
            times = StepTimes()
            self.model.fit(
                self.images.repeat(),
                steps_per_epoch=steps,
                shuffle=False,
                verbose=0,
                callbacks=[times],
            )
            return 1000.0 * np.diff(times.stamps)
        stamps = [time.perf_counter()]
        for _ in range(steps):
            losses = self.step(next(self.batches))
            float(losses[0])
            stamps.append(time.perf_counter())
        return 1000.0 * np.diff(stamps)


class StepTimes(keras.callbacks.Callback):
    """The moments between the steps of a `fit`, all that `fit` does for a step between them."""

    def __init__(self):
        super().__init__()
        self.stamps = []

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.stamps.append(time.perf_counter())

    def on_train_batch_end(self, batch, logs=None):
        self.stamps.append(time.perf_counter())
