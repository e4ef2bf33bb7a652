"""A PyTorch worker in the shape of a `Runner`, to be interleaved with the others."""

import os

from kgen.networks.shapes import halvings
from tests.benchmarks import torch_steps
from tests.benchmarks.variants import Timed, Variant


class TorchRunner(Timed):
    """The worker's times, compared like those of a variant; `problem` says why there is none."""

    def __init__(self, like, config, precision, channels_last, python):
        name = "torch channels-last" if channels_last else "torch"
        self.variant = Variant(like.variant.system, name, precision)
        self.batch, self.operations = like.batch, like.operations
        height, width, channels = like.image_shape
        settings = {
            "system": like.variant.system,
            "batch": like.batch,
            "height": height,
            "width": width,
            "channels": channels,
            "stages": halvings(height, width),
            "filters": config.filters,
            "kernel_size": getattr(config, "kernel_size", 4),
            "latent_dim": config.latent_dim,
            "learning_rate": config.learning_rate,
            "critic_updates": getattr(config, "critic_updates", 1),
            "penalty_weight": getattr(config, "penalty_weight", 0.0),
            "precision": precision,
            "channels_last": channels_last,
            "threads": os.cpu_count(),
        }
        self.worker = torch_steps.Worker(python, settings)
        self.problem = self.worker.problem
        self.first_step, self.times = None, []

    def first(self):
        self.first_step = self.worker.steps(2)[0] / 1000.0

    def block(self, steps):
        self.times.extend(self.worker.steps(steps + 1)[1:])

    def close(self):
        self.worker.close()
