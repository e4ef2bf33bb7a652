"""Everything in a model and its process that decides how a training goes on."""

import random

import numpy as np

from kgen.core.keras_private import global_seed_state


def get_state(model):
    """Returns a dict of arrays: weights, averages, optimizers, loss scales, random states, metrics.

    `model.variables` lists the states of all random generators too, Dropout's among them. Beside
    the model's own there are those of keras.random without a seed, from which a layer may draw, and
    NumPy's and Python's, from which a callback may.
    """
    arrays = {
        f"{group}/{index}": np.asarray(variable)
        for group, variables in groups(model).items()
        for index, variable in enumerate(variables)
    }
    arrays["keras"] = np.asarray(global_seed_state())
    _, keys, position, has_gauss, gauss = np.random.get_state()
    arrays["numpy/keys"] = keys
    arrays["numpy/rest"] = np.array([position, has_gauss, gauss], "float64")
    version, integers, gauss = random.getstate()
    arrays["python/integers"] = np.array([version, *integers], "uint64")
    arrays["python/gauss"] = np.array([np.nan if gauss is None else gauss])
    return arrays


def check_state(model, arrays, source):
    """Raises if `arrays` are not those of such a model and its optimizers.

    Args:
        model: A compiled `keras.Model`.
        arrays: What `get_state` returned.
        source: Where they come from, for the message.

    Raises:
        ValueError: Names the first variable that does not fit.
    """
    for group, variables in groups(model).items():
        count = sum(name.startswith(f"{group}/") for name in arrays)
        if count != len(variables):
            raise ValueError(
                f"{source} holds {count} variables of the {group}, but there are "
                f"{len(variables)} now: it is of another training. "
                "Give this one a folder of its own."
            )
        for index, variable in enumerate(variables):
            shape = arrays[f"{group}/{index}"].shape
            if shape != tuple(variable.shape):
                raise ValueError(
                    f"{source} holds a variable of the shape {shape} where this {group} has "
                    f"{variable.path!r} of the shape {tuple(variable.shape)}: it is of another "
                    "training. Give this one a folder of its own."
                )


def set_state(model, arrays):
    """Gives the model and the process back what `get_state` returned."""
    for group, variables in groups(model).items():
        for index, variable in enumerate(variables):
            _assign(variable, arrays[f"{group}/{index}"])
    global_seed_state().assign(arrays["keras"])
    position, has_gauss, gauss = arrays["numpy/rest"]
    np.random.set_state(("MT19937", arrays["numpy/keys"], int(position), int(has_gauss), gauss))
    version, *integers = (int(value) for value in arrays["python/integers"])
    gauss = float(arrays["python/gauss"][0])
    random.setstate((version, tuple(integers), None if np.isnan(gauss) else gauss))


def groups(model):
    """Returns a dict from what a state is made of to the lists of its variables."""
    return {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": [variable for metric in model.metrics for variable in metric.variables],
    }


def _assign(variable, array):
    # A NumPy file keeps bfloat16 as bytes without a name.
    dtype = np.dtype(variable.dtype)
    variable.assign(array.view(dtype) if array.dtype.kind == "V" else array)
