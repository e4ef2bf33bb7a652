"""Measures train steps: kgen's `fit`, a hand-written loop, a tutorial's model, and PyTorch.

DCGAN, WGAN-GP and VAE at their recipes' sizes. In every round each variant of a system takes a few
steps, so that all see the same weather on the machine; medians with minimum and maximum are of all
steps. A variant's speed-up is over the tutorial in float32 without XLA; its GFLOP/s count the
convolutions and matrix products that its step has to do, and the ceiling is the fastest of some
large convolutions, run between the rounds.
"""

import dataclasses
import gc
import importlib.metadata
import importlib.util
import json
import logging
import os
import pathlib
import platform
import sys
import time
from typing import Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tyro

from tests.benchmarks import report
from tests.benchmarks.arithmetic import Ceiling
from tests.benchmarks.growth import measure_growth
from tests.benchmarks.memory import peak_memory
from tests.benchmarks.torch_runner import TorchRunner
from tests.benchmarks.variants import IMPLEMENTATIONS, Runner, Sizes, Variant, config_of

System = Literal["dcgan", "wgan_gp", "vae"]
Precision = Literal["float32", "mixed_bfloat16"]


@dataclasses.dataclass(frozen=True)
class Config:
    """Train steps of kgen, hand-written loops, tutorials and PyTorch, timed in turns."""

    systems: tuple[System, ...] = ("dcgan", "wgan_gp", "vae")
    """Which recipes."""
    precisions: tuple[Precision, ...] = ("float32", "mixed_bfloat16")
    """In which precisions."""
    rounds: int = 15
    """Rounds in which each variant takes a block of steps."""
    block: int = 2
    """Steps of a block."""
    xla: bool = True
    """Whether to measure the variants compiled with XLA too."""
    xla_rounds: int = 4
    """Rounds of those, which are slow on a CPU."""
    torch: bool = True
    """Whether to measure PyTorch, if it is there (extra `bench`)."""
    torch_python: str = sys.executable
    """The Python that has PyTorch."""
    memory: bool = True
    """Whether to measure peak memory, each variant without XLA in a process of its own."""
    growth: bool = True
    """Whether to measure how a step grows with batch size, image size and critic updates."""
    growth_rounds: int = 3
    """Rounds of that."""
    data: str = "mnist5k"
    """Images: as in the recipes."""
    batch_size: int | None = None
    """Images of an update; None for the recipe's."""
    filters: int | None = None
    """Maps of the networks; None for the recipe's."""
    critic_updates: int | None = None
    """Updates of WGAN-GP's critic in a round; None for the recipe's."""
    out: str | None = None
    """A JSON file for all numbers."""

    @property
    def sizes(self):
        return Sizes(self.data, None, self.batch_size, self.filters, self.critic_updates)


def run(config=Config()):
    """Measures, prints and returns all numbers as a dict."""
    begin = time.perf_counter()
    results = {"config": dataclasses.asdict(config), "machine": machine(), "systems": {}}
    print(json.dumps(results["machine"]))
    for system in config.systems:
        rows, ceilings = measure_system(system, config)
        results["systems"][system] = {"rows": rows, "ceilings": ceilings}
        speeds = ", ".join(f"{name} {speed:.0f} GFLOP/s" for name, speed in ceilings.items())
        print(f"\n{system}: convolution ceiling {speeds}")
        print(report.step_table(rows, ceilings), flush=True)
    if config.growth:
        arguments = (config.systems, config.sizes, config.growth_rounds, config.block)
        results["growth"] = measure_growth(*arguments)
        print("\nfit float32, one setting changed")
        print(report.growth_table(results["growth"]))
    results["seconds"] = time.perf_counter() - begin
    print(f"\n{results['seconds']:.0f} s")
    if config.out:
        pathlib.Path(config.out).write_text(json.dumps(results, indent=1) + "\n")
    return results


def measure_system(system, config):
    """Returns the table's rows, and the ceiling of each precision measured between the rounds."""
    plain = [
        Variant(system, implementation, precision)
        for precision in config.precisions
        for implementation in IMPLEMENTATIONS
    ]
    ceilings = [Ceiling(precision) for precision in config.precisions]
    runners = [Runner(variant, config.sizes) for variant in plain]
    runners += torch_runners(runners[0], config)
    take_rounds(runners, ceilings, config.rounds, config.block)
    rows = [runner.row() for runner in runners]
    for runner in runners:
        if isinstance(runner, TorchRunner):
            runner.close()
    runners = []
    if config.xla:
        keras.backend.clear_session()
        compiled = [Runner(variant._replace(xla=True), config.sizes) for variant in plain]
        # The plain tutorial again, as a link between the two sets of rounds.
        link = Runner(Variant(system, "tutorial", config.precisions[0]), config.sizes)
        take_rounds([*compiled, link], ceilings, config.xla_rounds, config.block)
        rows += [runner.row() for runner in compiled]
        rows.append({**link.row(), "label": f"{link.variant.label} again", "xla": True})
        del compiled, link
    if config.memory:
        measured = peak_memory(plain, config.sizes)
        for row in rows:
            variant = Variant(system, row["implementation"], row["precision"], row["xla"])
            row["memory"] = measured.get(variant, {})
    keras.backend.clear_session()
    gc.collect()
    return rows, {ceiling.precision: ceiling.gflops for ceiling in ceilings}


def take_rounds(runners, ceilings, rounds, block):
    """Each runner's first step, then rounds in which each takes a block, in the same order."""
    for runner in runners:
        runner.first()
    for _ in range(rounds):
        for ceiling in ceilings:
            ceiling.measure()
        for runner in runners:
            runner.block(block)


def torch_runners(like, config):
    """PyTorch eager in each precision and memory format, or none and a word why."""
    if not config.torch:
        return []
    if config.torch_python == sys.executable and importlib.util.find_spec("torch") is None:
        print("PyTorch is missing: pip install -e '.[bench]', or give --torch-python", flush=True)
        return []
    runners = []
    for precision in config.precisions:
        for channels_last in (False, True):
            recipe = config_of(like.variant.system, config.sizes, precision)
            runner = TorchRunner(like, recipe, precision, channels_last, config.torch_python)
            if runner.problem:
                print(f"PyTorch does not run: {runner.problem}", flush=True)
                return []
            runners.append(runner)
    return runners


def machine():
    """What the numbers were measured on."""
    versions = {name: importlib.metadata.version(name) for name in ("tensorflow", "keras")}
    return {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        **versions,
    }


if __name__ == "__main__":
    # Of many models in one process it warns that they are traced again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    run(tyro.cli(Config, description=__doc__))
