"""Signal: a generator that gets no gradient from its adversary."""

import numpy as np

from kgen.callbacks.doctor.diagnosis import Reading


def vanished_gradient(examination, memory, thresholds):
    """Reads the gradient of the generator's loss at its images, over the median of earlier checks.

    Or finds it below 1e-6 an image whatever it was before: a loss per unit of an image in [-1, 1],
    which over a batch is lost beside Adam's epsilon of 1e-7.
    """
    norm = examination.gradient
    if norm is None:
        return None
    earlier = memory.setdefault("earlier", [])
    usual = float(np.median(earlier)) if earlier else norm
    ratio = norm / usual if usual > 0.0 else 0.0
    threshold, least = thresholds["vanished_gradient"], thresholds["vanished_gradient_norm"]
    if ratio >= threshold and norm >= least:
        earlier.append(norm)
        return Reading(ratio, threshold)
    compared = f" (threshold {least:g})"
    if norm >= least:
        compared = f", {ratio:.2g} of the median before (threshold {threshold:g})"
    return Reading(
        *((ratio, threshold) if norm >= least else (norm, least)),
        True,
        f"The generator's gradient has vanished: its norm at an image is {norm:.2g}{compared}.",
        _advice(examination.model),
    )


def _advice(model):
    if getattr(model, "loss", None) == "minimax":
        return 'Use `loss="non_saturating"`, which does not vanish where the discriminator is sure.'
    if getattr(model, "loss", None) == "wasserstein" and model.penalty is None:
        return 'Raise `weight_clipping`, or use `penalty="gradient"` in its place.'
    adversary = next(p for p in model.players if model.generator not in p.networks)
    return (
        f"Lower the `learning_rate` of the {adversary.name}'s optimizer, or "
        f"`{adversary.name}_updates`."
    )
