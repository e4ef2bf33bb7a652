"""Signal: a moving average of weights that does not follow them."""

import numpy as np

from kgen.callbacks.doctor.diagnosis import Reading

# What the average moves between two checks, over what the live weights do. One whose steps are lost
# in rounding comes to 0; the slowest of use, early in a training, to 1e-4.
STANDSTILL = 1e-5

# A sample of the weights is enough to measure distances by, and light to keep.
SAMPLE = 20_000


def lagging_average(examination, memory, thresholds):
    """Reads an average's distance to the live weights, over how far these have come in training.

    It starts at 1 and shrinks as the average follows. kgen's own, which warms up, is a ninth of the
    rounds behind at most; of one by a momentum alone it is 0.5 after 1.6 / (1 - momentum) rounds on
    a straight way, and samples are near to the start's. Held against its threshold from half of the
    planned rounds on, and only where training was watched from its first round. At any time, an
    average that moves less than 1e-5 of what the live weights move between two checks is a symptom.
    """
    model, began = examination.model, examination.began
    threshold = thresholds["lagging_average"]
    if not began:
        return None
    readings = []
    for name, start in began.items():
        average, live = weights_of_average(model, name)
        moved = _distance(live, start)
        lag = _distance(average, live) / moved if moved > 0.0 else 0.0
        before = memory.setdefault("before", {}).get(name)
        memory["before"][name] = [average, live]
        still = before is not None and _distance(live, before[1]) * STANDSTILL > _distance(
            average, before[0]
        )
        late = examination.first_round == 0 and _half_over(examination) and lag > threshold
        readings.append(_reading(model, name, lag, threshold, still, late))
    return max(readings, key=lambda reading: (reading.present, reading.measured))


def starting_weights(model):
    """Returns the live weights of each network of the model that has an average, by its name."""
    return {name: weights_of_average(model, name)[1] for name in averaged_networks(model)}


def averaged_networks(model):
    """Returns the names of the model's networks `<name>` that have a `<name>_average`."""
    names = [name.removesuffix("_average") for name in vars(model) if name.endswith("_average")]
    return [name for name in names if getattr(model, f"{name}_average") is not None]


def weights_of_average(model, name):
    """Returns a sample of an average's weights and of the live ones, `(n,)` each, parameters only.

    Every so many-th weight of each variable, so that they are about 20,000.
    """
    average, live = getattr(model, f"{name}_average"), getattr(model, name)
    parameters = {id(variable) for variable in live.trainable_variables}
    stride = -(-live.count_params() // SAMPLE)
    pairs = [
        [np.asarray(one, "float64").ravel()[::stride] for one in (mean, variable)]
        for mean, variable in zip(average.weights, live.weights, strict=True)
        if id(variable) in parameters
    ]
    return [np.concatenate(side) for side in zip(*pairs, strict=True)]


def _half_over(examination):
    first, last = examination.first_round, examination.last_round
    return last is not None and examination.round - first >= 0.5 * (last - first)


def _distance(one, other):
    return float(np.linalg.norm(one - other))


def _reading(model, name, lag, threshold, still, late):
    if not still and not late:
        return Reading(lag, threshold)
    how = (
        "has stopped moving while they move"
        if still
        else f"is {lag:.2g} of their whole way behind them (threshold {threshold:g})"
    )
    momentum = getattr(model, "ema_momentum", None)
    now = "" if momentum is None else f", now {momentum:g}"
    return Reading(
        lag,
        threshold,
        True,
        f"The moving average of the {name}'s weights does not follow them: it {how}.",
        f"Lower `ema_momentum`{now}: 1 / (1 - ema_momentum) rounds should be a small part of "
        "the training's.",
    )
