"""All signals by name, in the order in which one explains another."""

from kgen.callbacks.doctor.average import lagging_average
from kgen.callbacks.doctor.loss_scale import loss_scale_underflow
from kgen.callbacks.doctor.mode_collapse import mode_collapse
from kgen.callbacks.doctor.penalty import exploding_penalty
from kgen.callbacks.doctor.saturation import saturated_discriminator
from kgen.callbacks.doctor.vanished_gradient import vanished_gradient

# Function `(examination, memory, thresholds)` each, which returns a `Reading`, or `None` where the
# signal has no meaning; `memory` is a dict of plain data and arrays that lasts from check to check.
CHECKS = {
    "loss_scale_underflow": loss_scale_underflow,
    "exploding_penalty": exploding_penalty,
    "saturated_discriminator": saturated_discriminator,
    "vanished_gradient": vanished_gradient,
    "mode_collapse": mode_collapse,
    "lagging_average": lagging_average,
}
SIGNALS = ("not_finite", *CHECKS)

# A signal's symptom that another explains: a generator without a gradient stays as it began.
EXPLAINED_BY = {"mode_collapse": "vanished_gradient"}

THRESHOLDS = {
    "saturated_discriminator": 0.02,
    "vanished_gradient": 1e-3,
    "vanished_gradient_norm": 1e-6,
    "mode_collapse_variance": 0.02,
    "mode_collapse_neighbours": 0.02,
    "exploding_penalty": 100.0,
    "loss_scale_underflow": 1.0,
    "lagging_average": 0.5,
}
