"""Gradients, updates and random numbers: the only files that know which backend is running.

Every backend module offers the same functions:

* `run_step(model, play, data, uneven)` adapts Keras' `train_step` and `test_step` to
  `play(data) -> logs`;
* `minimize(loss_function, variables, optimizer, recording)` makes one optimizer step;
* `record(function, data, variables)` runs what several steps start from, once;
* `input_gradient(function, inputs)` is the gradient of a network's output at its input,
  `value_and_input_gradient` both of one pass;
* `batch_norm(inputs, scale, offset, epsilon)` normalises by the batch's moments, fast;
  `synchronized_batch_norm` by those of the rows of all replicas;
* `mean_over_replicas(tensors)` is the mean of what each replica has; `mean_over_rows(rows)` that of
  the rows of all replicas, of which each may have another number;
* `normal(shape, seed)` and `uniform(shape, seed)` are stateless random draws;
* `rows_of_all(tensor)` are the rows that all replicas together have;
* `require(condition, message, tensor)` is a tensor, or the end of a training where a condition of
  its data does not hold;
* `function(step)` compiles a function of tensors into a graph;
* `is_tracing()` says whether a graph is being traced;
* `value_of(variable)` is a variable's value now, also while a graph is traced;
* `in_turn(makers)` is a dataset of several, each made as its turn comes;
* `first_batch_shown(dataset, look)` shows the first batch of a dataset as it passes;
* `python_calls(function, inputs, types)` calls a Python function from a graph; what it raises
  comes out of `errors_as_raised()`, a context, and of the iterator `naming_errors(iterator)` as it
  was;
* `FILE_ERRORS` are the errors of files that cannot be read or written, `VERSION` the backend's;
* of several devices and hosts, what `strategies.py` and `agreement.py` say.
"""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"kgen runs on Keras' TensorFlow backend, but the backend is "
        f"{keras.backend.backend()!r}. Set the environment variable KERAS_BACKEND=tensorflow "
        "before Keras is imported."
    )

from kgen.core.engine import retracing  # noqa: F401  It has TensorFlow warn of others alone.
from kgen.core.engine.agreement import (
    WorkerLostError,
    largest,
    lost_workers_named,
    told_by_chief,
)
from kgen.core.engine.first_batch import first_batch_shown
from kgen.core.engine.in_turn import in_turn
from kgen.core.engine.python_calls import errors_as_raised, naming_errors, python_calls
from kgen.core.engine.strategies import (
    is_chief,
    is_multiworker,
    is_shared,
    make_strategy,
    mirrored,
    replicas,
    shared,
)
from kgen.core.engine.tensorflow import (
    FILE_ERRORS,
    VERSION,
    batch_norm,
    function,
    input_gradient,
    is_tracing,
    mean_over_replicas,
    mean_over_rows,
    minimize,
    normal,
    record,
    require,
    rows_of_all,
    run_step,
    synchronized_batch_norm,
    uniform,
    value_and_input_gradient,
    value_of,
)

__all__ = [
    "FILE_ERRORS",
    "VERSION",
    "WorkerLostError",
    "batch_norm",
    "errors_as_raised",
    "first_batch_shown",
    "function",
    "in_turn",
    "input_gradient",
    "is_chief",
    "is_multiworker",
    "is_shared",
    "is_tracing",
    "largest",
    "lost_workers_named",
    "make_strategy",
    "mean_over_replicas",
    "mean_over_rows",
    "minimize",
    "mirrored",
    "naming_errors",
    "normal",
    "python_calls",
    "record",
    "replicas",
    "require",
    "rows_of_all",
    "run_step",
    "shared",
    "synchronized_batch_norm",
    "told_by_chief",
    "uniform",
    "value_and_input_gradient",
    "value_of",
]
