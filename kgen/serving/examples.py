"""Examples of a signature's inputs: to look for NaN before an export, and to warm a server up."""

import numpy as np
import tensorflow as tf

from kgen.serving.image_bytes import encode_images, to_levels
from kgen.serving.inputs import FILES

# Of images whose size is free: a network may need more than the first to be halved so often.
SIDES = (64, 256)


def checked_examples(model, abilities, signatures, rows=2):
    """Returns inputs that each ability takes, a dict from its name to a dict of arrays by name.

    An ability of images of free size that takes none of those tried has none.

    Args:
        model: The model.
        abilities: Its list of `Ability`.
        signatures: Dict from names to concrete functions, those of the abilities among them.
        rows: How many rows.

    Raises:
        ValueError: If the outputs for them, or the model's weights, hold NaN.
    """
    examples = {}
    for ability in abilities:
        signature = signatures[ability.name]
        broken = [v.name for v in signature.graph.variables if _holds_nan(v)]
        example, outputs = (None, None) if broken else _tried(model, ability, signature, rows)
        if broken or (outputs is not None and not _is_finite(outputs, ability.output)):
            where = f"the weights {broken[:3]}" if broken else f"its {ability.output}"
            raise ValueError(
                f"`model` must give finite outputs to be exported, received a "
                f"{type(model).__name__} whose `{ability.name}` does not: NaN or infinity in "
                f"{where}."
            )
        if example is not None:
            examples[ability.name] = example
    return examples


def example_of(model, ability, side, rows):
    """Returns inputs of an ability, a dict of arrays by name.

    Args:
        model: The model.
        ability: The `Ability`.
        side: Height and width of images whose size is free.
        rows: How many rows, 1 or 2.
    """
    rng = np.random.default_rng(0)
    values = {"seed": 0, "count": rows, "psi": 0.7, "truncation": 0.5}
    if model.classes is not None:
        values["labels"] = np.linspace(0, model.classes - 1, rows).astype("int32")
    example = {}
    for spec in ability.inputs:
        if spec.name in FILES:
            shape = [side if size is None else size for size in spec.shape[1:]]
            shape[-1:] = [3 if spec.shape[-1] is None else shape[-1]]
            noise = rng.uniform(-1, 1, shape).astype("float32")
            example[spec.name] = np.stack([noise, -np.ones_like(noise)])[:rows]
        elif spec.name == "latents" and "sample" in model.abilities:
            example[spec.name] = model.latents(rows, 0, values.get("labels"))
        elif spec.name == "latents":
            example[spec.name] = rng.normal(size=(rows, *spec.shape[1:])).astype("float32")
        else:
            example[spec.name] = np.asarray(values[spec.name], spec.dtype.as_numpy_dtype)
    return example


def in_form(example, form):
    """Returns an example with images as `"uint8"` or as `"bytes"`, files."""
    found = {}
    for name, value in example.items():
        if name not in FILES:
            found[name] = value
        elif form == "uint8":
            found[name] = to_levels(value).numpy().astype("uint8")
        else:
            found[FILES[name]] = encode_images(tf.constant(value)).numpy()
    return found


def _tried(model, ability, signature, rows):
    """An example that a signature takes, and its outputs; `(None, None)` if none was found."""
    for side in SIDES:
        example = example_of(model, ability, side, rows)
        try:
            outputs = signature(**{name: tf.constant(x) for name, x in example.items()})
        except tf.errors.InvalidArgumentError:
            if not any(None in spec.shape[1:] for spec in ability.inputs):
                raise
            continue  # A size that such a network cannot take.
        return example, outputs[ability.output].numpy()
    return None, None


def _is_finite(outputs, name):
    if name == "log_prob":  # An image may be impossible.
        return not np.isnan(outputs).any()
    return np.isfinite(outputs).all()


def _holds_nan(variable):
    return variable.dtype.is_floating and bool(tf.reduce_any(tf.math.is_nan(variable)))
