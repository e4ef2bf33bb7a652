"""Finds the layers of a network whose gradient of a gradient is wrong."""

import warnings

import keras
import numpy as np
from keras import ops

from kgen.core.engine import input_gradient
from kgen.core.keras_private import flatten_layers
from kgen.core.second_order import known_wrong, layers_and_operations
from kgen.testing.float64_copy import (
    float64,
    float64_copy,
    is_float,
    names_in,
    random_inputs,
    record_calls,
)

DIRECTIONS = 3
# The penalty of a piecewise-linear network jumps where a unit crosses a kink, so that a difference
# over such a point is off; the smaller the step, the rarer that is, but the more digits are lost.
STEPS = (1e-6, 1e-7, 1e-8, 1e-5)


def check_second_order_gradients(network, tolerance=1e-5, seed=0):
    """Raises if a gradient penalty over this network would be trained with a wrong gradient.

    For every operation of the network by itself, and for the whole network, takes the penalty
    P = sum((df/dx)^2) of f(x) = sum(r * tanh(operation(a * x))), with r random, and compares its
    derivative along random directions of a and of the weights with central differences, in float64.
    Layers and the network are tried with `training=True` and, where that matters, `training=False`.

    It works on a float64 copy of the network with slightly disturbed weights; the network itself
    stays as it is. The copy is made through `get_config`, so custom layers have to support that. A
    layer which casts to float32 by itself is too inexact to be checked and will be reported.
    An operation that is used inside a layer's `call` shows up under the name of that layer.

    Args:
        network: A built `keras.Model`: functional, Sequential or subclassed.
        tolerance: Float, the largest relative error that is still right.
        seed: Integer that fixes all random choices.

    Returns:
        Dict `{name: relative error}` of all operations tried and, last, of the network.

    Raises:
        AssertionError: If a relative error is larger than `tolerance` or a gradient is missing;
            names each such operation, its error and its replacement.
        ValueError: If `network` is not a built `keras.Model` or cannot be copied.

    Example:
    >>> critic = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> sorted(check_second_order_gradients(critic))
    ['dense', 'sequential']
    """
    with float64():
        generator = np.random.default_rng(seed)
        copy = float64_copy(network, generator)
        state = [(variable, ops.copy(variable.value)) for variable in copy.variables]
        inputs = random_inputs(network, copy, generator)
        trials = _Trials(names_in(network, copy), state, tolerance, generator)
        for training in (True, False):
            trials.run(copy, inputs, training)
    wrong = [row for row in trials.rows.values() if not row["error"] <= tolerance]
    # A layer is blamed for its sublayers only where none of them is wrong by itself.
    blamed = [
        row
        for row in wrong
        if not any(
            other is not row and _holds(row["operation"], other["operation"]) for other in wrong
        )
    ]
    if blamed:
        raise AssertionError(
            f"The second-order gradients of {network.name!r} are wrong (relative error of the "
            "gradient of sum((df/dx)^2), analytic against central differences in float64):\n"
            + "\n".join(_describe(row) for row in blamed)
        )
    return {name: row["error"] for name, row in trials.rows.items()}


class _Trials:
    """The results so far: for each operation the larger error of its trials."""

    def __init__(self, names, state, tolerance, generator):
        self.names, self.state, self.tolerance = names, state, tolerance
        self.generator = generator
        self.rows = {}

    def run(self, copy, inputs, training):
        calls, inexact = record_calls(copy, inputs, training, self.state)
        for operation, args, kwargs in calls:
            if any(_holds(operation, other) for other in inexact):
                continue
            is_layer = isinstance(operation, keras.layers.Layer)
            if not training and not (is_layer and _minds_training(operation, calls)):
                continue
            if is_layer:
                kwargs = {**kwargs, "training": training}
            weights = operation.trainable_variables if is_layer else []
            self._try(operation, (args, kwargs), weights)
        if inexact:
            names = ", ".join(repr(self.names.get(id(one), one.name)) for one in inexact)
            warnings.warn(
                f"Not checked, as TensorFlow has no float64 kernel: {names}", stacklevel=3
            )
        else:
            self._try(copy, ((inputs,), {"training": training}), copy.trainable_variables)

    def _try(self, operation, call, weights):
        name = self.names.get(id(operation), operation.name)
        while name in self.rows and self.rows[name]["operation"] is not operation:
            name += "'"  # the same name in another nested model
        error, message = _relative_error(
            operation, call, weights, self.state, self.tolerance, self.generator
        )
        row = self.rows.pop(name, {"error": 0.0})
        if error is not None:
            larger = {"name": name, "operation": operation, "error": error, "message": message}
            self.rows[name] = row if row["error"] > error else larger


def _relative_error(operation, call, weights, state, tolerance, generator):
    """Returns the relative error (`None`: nothing to differentiate) and a message or `None`."""
    leaves = keras.tree.flatten(call)
    slots = [i for i, leaf in enumerate(leaves) if is_float(leaf)]

    def apply(tensors, weight_values):
        for slot, tensor in zip(slots, tensors, strict=True):
            leaves[slot] = tensor
        args, kwargs = keras.tree.pack_sequence_as(call, leaves)
        # In the scope all variables have the same values in each evaluation, random states too.
        moved = zip(weights, weight_values, strict=True)
        with keras.StatelessScope([*state, *moved]):
            outputs = keras.tree.flatten(operation(*args, **kwargs))
        return [output for output in outputs if is_float(output)]

    own = {id(variable): value for variable, value in state}
    values = [own[id(weight)] for weight in weights]
    # Random inputs show an error at its largest; some operations accept only the recorded ones.
    recorded = [ops.convert_to_numpy(leaves[slot]) for slot in slots]
    for point in ([1.0 + generator.standard_normal(x.shape) for x in recorded], recorded):
        outputs = _finite_outputs(apply, point, values)
        if outputs is not None:
            break
    if not slots or not outputs:
        return None, None
    scales = [np.sqrt(np.mean(np.square(output))) + 1e-12 for output in outputs]
    mixes = [generator.standard_normal(output.shape) for output in outputs]

    def score(tensors, weight_values):
        parts = zip(mixes, apply(tensors, weight_values), scales, strict=True)
        return sum(ops.sum(mix * ops.tanh(output / scale)) for mix, output, scale in parts)

    try:
        errors = [
            _compare(_penalty(score, point, values, generator), tolerance)
            for _ in range(DIRECTIONS)
        ]
    except Exception as exception:  # a missing gradient raises, of whatever class
        return float("inf"), f"{type(exception).__name__}: {str(exception).splitlines()[0]}"
    return float(np.median(errors)), None


def _penalty(score, point, values, generator):
    """Returns P as a function of the way t along a random direction of inputs and weights."""
    lengths = [np.sqrt(np.mean(np.square(value))) or 1.0 for value in values]
    weight_ways = [
        length * generator.standard_normal(value.shape)
        for length, value in zip(lengths, values, strict=True)
    ]
    # The inputs travel as one vector, because `input_gradient` takes one tensor.
    ends = np.cumsum([x.size for x in point])

    def split(vector):
        parts = ops.split(vector, ends[:-1]) if len(point) > 1 else [vector]
        return [ops.reshape(x, like.shape) for x, like in zip(parts, point, strict=True)]

    operand = np.concatenate([np.ravel(x) for x in point])  # a * x at t = 0
    slope = input_gradient(lambda vector: score(split(vector), values), operand)
    # The gradient of a normalisation sums to zero, and so does what an error in its mean adds; an
    # `a` that sides with the gradient's sign, and a common part in its way, bring it out.
    start = 1.0 + 0.5 * np.sign(slope) * generator.uniform(0.5, 1.0, operand.shape)
    way = 1.0 + generator.standard_normal(operand.shape)
    vector = ops.convert_to_tensor(operand / start)

    def penalty(t):
        moved = [value + t * one for value, one in zip(values, weight_ways, strict=True)]
        return ops.sum(
            ops.square(input_gradient(lambda x: score(split(x * (start + t * way)), moved), vector))
        )

    return penalty


def _compare(penalty, tolerance):
    """Relative error of the derivative of `penalty` at 0: the best of several step lengths."""
    here = float(penalty(ops.zeros((), "float64")))
    analytic = float(input_gradient(penalty, ops.zeros((), "float64")))
    best = float("inf")
    for step in STEPS:
        ahead, behind = (float(penalty(ops.full((), t, "float64"))) for t in (step, -step))
        numeric = (ahead - behind) / (2.0 * step)
        size = max(abs(numeric), abs(analytic), 1e-4 * here)
        best = min(best, abs(analytic - numeric) / size if size else 0.0)
        if best <= 0.1 * tolerance:
            break
    return best


def _describe(row):
    text = f"  {row['name']} ({type(row['operation']).__name__}): {row['error']:.1e}"
    if row["message"]:
        text += f", {row['message']}"
    known = known_wrong(row["operation"])
    return text if known is None else f"{text}; {known.reason}; use {known.replacement}"


def _holds(operation, other):
    """Whether `other` is `operation` itself or works inside of it."""
    is_layer = isinstance(operation, keras.layers.Layer)
    inside = layers_and_operations(operation) if is_layer else [operation]
    return any(one is other for one in inside)


def _minds_training(layer, calls):
    inside = {id(one) for one in flatten_layers(layer)}
    return any("training" in kwargs and id(one) in inside for one, _, kwargs in calls)


def _finite_outputs(apply, point, values):
    """The outputs at `point` as arrays, or `None` where the operation refuses such inputs."""
    try:
        outputs = apply([ops.convert_to_tensor(x) for x in point], values)
    except Exception:  # whatever the operation raises for inputs outside of its domain
        return None
    outputs = [ops.convert_to_numpy(output) for output in outputs]
    return outputs if all(np.isfinite(output).all() for output in outputs) else None
