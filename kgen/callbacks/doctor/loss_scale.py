"""Signal: a loss scale that float16 gradients have driven down to nothing."""

import numpy as np

from kgen.callbacks.doctor.diagnosis import Reading


def loss_scale_underflow(examination, memory, thresholds):
    """Reads the smallest loss scale of the players' `LossScaleOptimizer`s.

    Below 1 gradients overflow float16 even as they are; it began at 32,768 and is halved, and the
    move skipped, whenever one is not finite. Falling from check to check is a symptom too.
    """
    optimizers = examination.model.optimizer.by_player
    scales = {
        name: float(np.asarray(optimizer.dynamic_scale))
        for name, optimizer in optimizers.items()
        if hasattr(optimizer, "dynamic_scale")
    }
    if not scales:
        return None
    threshold = thresholds["loss_scale_underflow"]
    before = memory.get("scales", scales)
    memory["scales"] = scales
    falling = [name for name, scale in scales.items() if scale < before.get(name, scale)]
    name = min(falling or scales, key=scales.get)
    if scales[name] >= threshold and not falling:
        return Reading(scales[name], threshold)
    how = "has fallen below" if scales[name] < threshold else "falls at every check towards"
    return Reading(
        scales[name],
        threshold,
        True,
        f"The loss scale of the {name} is {scales[name]:g} and {how} {threshold:g}: its gradients "
        "overflow float16 and its moves are skipped.",
        f"Lower the `learning_rate` of the {name}'s optimizer or the weights in its loss "
        '(`penalty_weight`, `beta`), or use the dtype policy "mixed_bfloat16".',
        urgent=scales[name] < threshold,
    )
