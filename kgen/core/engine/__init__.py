"""Gradients, updates and random numbers: the only files that know which backend is running.

Every backend module offers the same functions:

* `run_step(model, play, *args)` adapts Keras' `train_step` and `test_step` to `play(data) -> logs`;
* `minimize(loss_function, variables, optimizer, recording)` makes one optimizer step;
* `record(function, data, variables)` runs what several steps start from, once;
* `input_gradient(function, inputs)` is the gradient of a network's output at its input;
* `batch_norm(inputs, scale, offset, epsilon)` normalises by the batch's moments, fast;
* `normal(shape, seed)` and `uniform(shape, seed)` are stateless random draws;
* `require(condition, message)` ends a training where a condition of its data does not hold;
* `function(step)` compiles a function of tensors into a graph;
* `value_of(variable)` is a variable's value now, also while a graph is traced;
* `mirrored(count)` is a strategy over CPU devices, for tests.
"""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"kgen runs on Keras' TensorFlow backend, but the backend is "
        f"{keras.backend.backend()!r}. Set the environment variable KERAS_BACKEND=tensorflow "
        "before Keras is imported."
    )

from kgen.core.engine.tensorflow import (
    batch_norm,
    function,
    input_gradient,
    minimize,
    mirrored,
    normal,
    record,
    require,
    run_step,
    uniform,
    value_of,
)

__all__ = [
    "batch_norm",
    "function",
    "input_gradient",
    "minimize",
    "mirrored",
    "normal",
    "record",
    "require",
    "run_step",
    "uniform",
    "value_of",
]
