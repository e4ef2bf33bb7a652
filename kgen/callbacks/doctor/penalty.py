"""Signal: a penalty that grows beyond all bounds."""

import numpy as np

from kgen.callbacks.doctor.diagnosis import Reading

# Of the median of earlier intervals: a penalty may be large by choice of its weight.
GROWTH = 10.0


def exploding_penalty(examination, memory, thresholds):
    """Reads the mean of each `<player>_penalty` since the last check, the largest of them.

    100 is a gradient's norm of 11 where a gradient penalty asks for 1, and of 14 for R1, which
    asks for 0. It also has to be 10 times the median of earlier intervals.
    """
    model, threshold = examination.model, thresholds["exploding_penalty"]
    players = [player for player in model.players if "penalty" in player.components]
    readings = [_reading(player, model, memory, threshold) for player in players]
    readings = [reading for reading in readings if reading is not None]
    return max(readings, key=lambda r: (r.present, r.measured), default=None)


def forget_means(memory):
    """Has the next interval begin with the metrics, which start anew at each epoch."""
    memory["sums"] = {}


def _reading(player, model, memory, threshold):
    mean = _mean_since(f"{player.name}_penalty", model, memory)
    if mean is None:
        return None
    earlier = memory.setdefault("earlier", {}).setdefault(player.name, [])
    usual = float(np.median(earlier)) if earlier else 0.0
    if mean <= max(threshold, GROWTH * usual):
        earlier.append(mean)
        return Reading(mean, threshold)
    rate = float(np.asarray(model.optimizer.by_player[player.name].learning_rate))
    return Reading(
        mean,
        threshold,
        True,
        f"The penalty of the {player.name} explodes: `{player.name}_penalty` was {mean:.3g} in the "
        f"mean since the last check, {usual:.2g} before (threshold {threshold:g}).",
        f"Lower the `learning_rate` of the {player.name}'s optimizer, now {rate:g}, or change "
        "`penalty_weight`.",
        urgent=True,
    )


def _mean_since(name, model, memory):
    """The mean of a metric since the last check or, if later, since its epoch began."""
    metric = model.trackers[name]
    total, count = float(np.asarray(metric.total)), float(np.asarray(metric.count))
    sums = memory.setdefault("sums", {})
    earlier_total, earlier_count = sums.get(name, (0.0, 0.0))
    sums[name] = (total, count)
    if count == earlier_count:
        return None
    return (total - earlier_total) / (count - earlier_count)
