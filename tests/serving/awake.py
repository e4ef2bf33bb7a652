"""Weights that make pictures of all sorts: what networks begin with makes nearly black ones."""

import numpy as np


def awake(model, seed=0):
    """Returns the model with new weights: those of an average differ from what it is an average of.

    A comparison to 1e-5 says something only where values are of the order of 1.
    """
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32" and len(weight.shape) >= 2:
            deviation = 1.5 / np.sqrt(np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0.0, deviation, weight.shape))
    return model
