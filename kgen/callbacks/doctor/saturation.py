"""Signal: a discriminator that nothing the generator makes can fool."""

from kgen.callbacks.doctor.diagnosis import Reading


def saturated_discriminator(examination, memory, thresholds):
    """Reads the discriminator's loss on fixed real and fake images, over that of knowing nothing.

    0.02 is reached where sigmoid(logit) is 0.986 for the real and 0.014 for the fake images, for
    losses with probabilities; where their squares are 0.07 from the targets, with least squares;
    and by hinge once all margins are kept. A Wasserstein critic has no bounds to reach.
    """
    measured, threshold = examination.separation, thresholds["saturated_discriminator"]
    if measured is None:
        return None
    if not measured < threshold:
        return Reading(measured, threshold)
    model = examination.model
    keep = [
        text
        for text, unused in (
            ("`instance_noise=0.1`", not model.instance_noise),
            ('`penalty="r1"`', model.penalty is None),
            ('`augmentation=["translation", "cutout"]` if images are few', not model.augmentation),
        )
        if unused
    ]
    return Reading(
        measured,
        threshold,
        True,
        "The discriminator tells all real images from all fake ones: its loss on a fixed batch is "
        f"{measured:.2g} of that of guessing (threshold {threshold:g}), so the generator has "
        "little to learn from.",
        "Lower the `learning_rate` of the discriminator's optimizer"
        + (f", or give {type(model).__name__} {', or '.join(keep)}." if keep else "."),
    )
