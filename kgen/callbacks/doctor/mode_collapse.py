"""Signal: samples that are all alike."""

import numpy as np
from scipy.spatial.distance import cdist

from kgen.callbacks.doctor.diagnosis import Reading
from kgen.models.adversarial import AdversarialModel

# Samples start alike and open up as the generator learns: so long as they do, all is well.
OPENING = 1.5


def mode_collapse(examination, memory, thresholds):
    """Reads how varied fixed samples are over how varied real images are, in units of pixels.

    Two measures: their variance, summed over pixels, and the median distance to the nearest other
    sample. The one that is further below its threshold speaks. A measure that has grown 1.5 times
    within `memory["patience"]` checks is a generator still learning; one whose samples have never
    been varied is given as many checks to begin.
    """
    if examination.samples is None:
        return None
    real, fake = diversity(examination.real), diversity(examination.samples)
    names = ("variance", "neighbours")
    ratios = {name: fake[name] / real[name] for name in names if real[name] > 0.0}
    if not ratios:  # All real images are the same one.
        return None
    limits = {name: thresholds[f"mode_collapse_{name}"] for name in ratios}
    name = min(ratios, key=lambda name: ratios[name] / limits[name])
    measured, threshold = ratios[name], limits[name]
    history, patience = memory.setdefault("history", []), memory["patience"]
    memory["opened"] = memory.get("opened", False) or measured >= threshold
    history.append(ratios)
    del history[: -patience - 1]
    opening = len(history) >= patience and measured > OPENING * history[-patience][name]
    young = len(history) <= patience and not memory["opened"]
    if measured >= threshold or opening or young:
        return Reading(measured, threshold)
    what = {
        "variance": "the variance of fixed samples",
        "neighbours": "the distance of a fixed sample to its nearest other one",
    }[name]
    return Reading(
        measured,
        threshold,
        True,
        f"The samples are all alike (mode collapse): {what} is {measured:.2g} of that of real "
        f"images (threshold {threshold:g}).",
        _advice(examination.model, memory["opened"]),
    )


def diversity(images):
    """Returns the variance and the median distance to the nearest other of `(n, ...)` images."""
    flat = images.reshape(len(images), -1).astype("float64")
    distances = cdist(flat, flat)
    np.fill_diagonal(distances, np.inf)
    return {
        "variance": float(flat.var(axis=0).sum()),
        "neighbours": float(np.median(distances.min(axis=1))),
    }


def _advice(model, opened):
    if isinstance(model, AdversarialModel):
        rate = float(np.asarray(model.optimizer.by_player["generator"].learning_rate))
        if not opened:
            return (
                "They have never been varied: raise the `learning_rate` of the generator's "
                f"optimizer, now {rate:g}, or train for longer before judging."
            )
        advice = f"Lower the `learning_rate` of the generator's optimizer, now {rate:g}"
        packing = getattr(model, "packing", None)
        return advice + (
            "." if packing is None else f", or give {type(model).__name__} `packing={packing + 1}`."
        )
    if getattr(model, "beta", 0.0) > 1.0:
        return f"Lower `beta`, now {model.beta:g}: the latents say nothing of the image."
    return "Lower the `learning_rate` of the optimizer."
