"""The numbers: classes of midpoints, attributes that move, and inversion."""

import numpy as np

import kgen.plotting
from kgen.latent import attribute_vector, interpolate, invert, move
from kgen.metrics import psnr, stroke_slant, stroke_thickness
from recipes.latents.section import Found, Skipped

PAIRS = 500
MOVED = 200  # Examples whose attribute is moved.
AMOUNTS = (-3.0, -2.25, -1.5, -0.75, 0.0, 0.75, 1.5, 2.25, 3.0)  # In deviations of the examples.
SHOWN = 8
DECIBELS = 30.0


def midpoints(subject, folder):
    """Share of midpoints between two examples of a class that are of that class."""
    _check_judged(subject, "class of midpoints")
    firsts, seconds = subject.pairs(PAIRS)
    ends = subject.codes[firsts], subject.codes[seconds]
    (middle,) = interpolate(*ends, [0.5], subject.path, subject.labels)
    expected = subject.classes[firsts]
    scores = {
        "ends_in_class": float(np.mean(subject.judge(subject.decode(ends[0])) == expected)),
        "midpoints_in_class": float(np.mean(subject.judge(subject.decode(middle)) == expected)),
    }
    return Found(scores=scores)


def attribute(name, measure):
    """Returns the section of an attribute that `measure` measures of images."""

    def section(subject, folder):
        if subject.images.shape[-1] != 1:
            raise Skipped(f"no {name}.png, as it is measured of grey images.")
        try:
            values = measure(subject.images)
        except ValueError as error:
            raise Skipped(f"no {name}.png, as it cannot be measured: {error}") from error
        # Within its class: a 1 is thinner than an 8, and that is no matter of the hand.
        medians = np.median(values)
        if subject.classes is not None:
            of_class = {c: np.median(values[subject.classes == c]) for c in subject.classes}
            medians = np.array([of_class[c] for c in subject.classes])
        present = values > medians
        if present.all() or not present.any():
            raise Skipped(f"no {name}.png, as it is the same in all examples.")
        vector = attribute_vector(subject.codes, present, "logistic", subject.labels)
        moved = move(subject.codes[:MOVED], vector, AMOUNTS)  # (amounts, examples, ...)
        images = subject.decode(moved)
        shown = np.swapaxes(moved[:, :SHOWN], 0, 1)
        path = kgen.plotting.save_grid(
            subject.decode(shown), folder / f"{name}.png", len(AMOUNTS), clip=True
        )
        scores = {f"{name}_accuracy": vector.accuracy}
        try:
            found = measure(images).reshape(len(AMOUNTS), -1)
        except ValueError:  # An image without a stroke, far out.
            return Found({name: path}, scores)
        scores[f"{name}_by_amount"] = [round(float(v), 3) for v in found.mean(axis=1)]
        scores[f"{name}_rises"] = float(np.mean(np.diff(found, axis=0) > 0.0))
        if subject.judge is not None and subject.classes is not None:
            seen = subject.judge(images).reshape(len(AMOUNTS), -1)
            agreed = np.mean(seen == subject.classes[: seen.shape[1]], axis=1)
            scores[f"{name}_class_by_amount"] = [round(float(v), 3) for v in agreed]
        return Found({name: path}, scores)

    return section


def inversions(subject, folder):
    """How near the model comes to its own images, and to those it has never seen."""
    config, model = subject.config, subject.model
    if not config.inverted:
        raise Skipped("no inversion, as `inverted` is 0.")
    if not subject.draws:
        raise Skipped("no inversion, as the model draws no latents to start from: it encodes.")
    settings = {"steps": config.invert_steps, "seed": config.seed}
    own = np.clip(model.sample(config.inverted, seed=config.seed + 1000), -1.0, 1.0)
    found = invert(model, own, **settings)
    scores = _of("own", found.psnr)
    paths = {"inversion_own": folder / "inversion_own.png"}
    kgen.plotting.before_after(own, found.images, path=paths["inversion_own"], clip=True)
    if subject.held_out is None:
        return Found(paths, scores)
    held_out = subject.held_out[: config.inverted]
    start = subject.codes[: config.inverted] if subject.encodes else None
    found = invert(model, held_out, start=start, **settings)
    scores |= _of("held_out", found.psnr)
    if subject.encodes:
        encoded = subject.decode(start)
        scores["held_out_encoded_psnr"] = round(float(np.mean(psnr(encoded, held_out))), 2)
    paths["inversion_held_out"] = folder / "inversion_held_out.png"
    path = paths["inversion_held_out"]
    kgen.plotting.before_after(held_out, found.images, path=path, clip=True)
    return Found(paths, scores)


def _of(name, decibels):
    return {
        f"{name}_psnr": round(float(np.mean(decibels)), 2),
        f"{name}_least_psnr": round(float(np.min(decibels)), 2),
        f"{name}_within_{DECIBELS:g}_decibels": float(np.mean(decibels >= DECIBELS)),
    }


def _check_judged(subject, what):
    if subject.judge is None or subject.classes is None:
        raise Skipped(
            f"no {what}: kgen's classifier knows the digits of mnist5k and tfds:mnist alone."
        )


SECTIONS = (
    midpoints,
    attribute("thickness", stroke_thickness),
    attribute("slant", stroke_slant),
    inversions,
)
