"""One check's measurements of a model on the fixed batch, in training mode and without a trace."""

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from kgen.core import engine
from kgen.core.precision import full_precision
from kgen.losses import adversarial_loss
from kgen.models import GAN
from kgen.models.adversarial import AdversarialModel


@dataclasses.dataclass(frozen=True)
class Examination:
    """What the signals are read from.

    Attributes:
        model: The model.
        round: Rounds played.
        first_round: Rounds played when training began.
        last_round: Rounds played when it will have ended; `None` where `fit` does not know.
        real: Real images, float32 `(rows, ...)`.
        samples: The live generator's images of fixed latents, `(rows, ...)`, or `None`.
        gradient: Of a generator with an adversary, the norm of the gradient of an image's loss with
            respect to the image, root of the mean square over the samples; or `None`.
        separation: Of a discriminator with a loss that ends at 0, its loss over that of one that
            cannot tell real from fake; or `None`.
        began: Dict of what weights were when training began, see `average.starting_weights`.
    """

    model: keras.Model
    round: int
    first_round: int
    last_round: int | None
    real: np.ndarray
    samples: np.ndarray | None = None
    gradient: float | None = None
    separation: float | None = None
    began: Any = None

    @property
    def is_finite(self):
        """Whether all that was measured is neither NaN nor Inf."""
        measured = (self.samples, self.gradient, self.separation)
        return all(np.isfinite(one).all() for one in measured if one is not None)


def examiner(model, data, seed):
    """Returns a function without arguments that gives `samples`, `gradient` and `separation`.

    And `real` images as the networks see them, which may be smaller than those of the data.

    Networks run as in training, batch norm by the batch's own moments: those that it has gathered
    say little of what a discriminator answers while it trains. What would move, such as these
    moments and random states, moves in a scope that is then forgotten; the draws are the same at
    every check. A model compiled with `run_eagerly=True` is examined without a graph, too.

    Args:
        model: A `kgen.GenerativeModel`.
        data: What `fixed_batch` returned.
        seed: Integer seed of latents and noise.
    """
    if not hasattr(model, "draw_latents"):
        return dict
    rows = len(keras.tree.flatten(data)[0])
    rows -= rows % model.evaluation_multiple
    if not isinstance(model, AdversarialModel):
        latents = model.latents(rows, seed)
        return lambda: {"samples": model.decode(latents, rows)}
    data = keras.tree.map_structure(lambda array: array[:rows], data)
    generator = next(player for player in model.players if player.name == "generator")

    def measure(data):
        # Unscaled gradients would be lost in float16.
        with undisturbed(model, seed), full_precision(model):
            images, samples, *codes = model.prepare(data, training=True)
            loss = engine.input_gradient(
                lambda x: model.loss_of(generator, (images, x, *codes), training=True)[0], samples
            )
            squares = ops.sum(ops.square(rows * loss), axis=tuple(range(1, len(loss.shape))))
            measured = {"real": images, "samples": samples, "gradient": ops.sqrt(ops.mean(squares))}
            if isinstance(model, GAN) and model.loss != "wasserstein":
                measured["separation"] = separation(model, images, samples, codes)
            return measured

    @functools.lru_cache(maxsize=1)
    def measure_of(structure):
        return measure if model.run_eagerly else engine.function(measure)

    def as_numbers():
        measured = measure_of(model.structure)(data)
        measured = keras.tree.map_structure(ops.convert_to_numpy, measured)
        return {
            name: float(value) if value.ndim == 0 else value for name, value in measured.items()
        }

    return as_numbers


def separation(model, images, samples, codes):
    """Returns a discriminator's loss over that of one which gives all images the same logit.

    `codes` is what else `model.prepare` returned, such as the labels of a conditional model.
    """
    loss = adversarial_loss(model.loss).discriminator
    real, fake = (
        ops.cast(model.judged(model.seen(x, True), codes, training=True)[0], "float32")
        for x in (images, samples)
    )
    # Where its loss is least if real and fake images are the same: between the targets.
    middle = 0.5 if model.loss == "least_squares" else 0.0
    return loss(real, fake) / loss(ops.full_like(real, middle), ops.full_like(fake, middle))


def undisturbed(model, seed):
    """Context in which no variable moves and the model's random draws are those of `seed`."""
    states = [
        (state, np.array([seed % 2**31, number * 2**20], state.dtype))
        for number, state in enumerate(model.random_states)
    ]
    return keras.StatelessScope(states)
