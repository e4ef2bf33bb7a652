"""The signatures of what a model can do: images as floats, as whole numbers and as files."""

import tensorflow as tf

from kgen.serving.abilities import concrete
from kgen.serving.image_bytes import (
    decode_images,
    decoder,
    encode_images,
    from_levels,
    to_levels,
)
from kgen.serving.inputs import FILES, checked_inputs

_FILE = tf.TensorSpec((1,), "string")


def signatures_of(abilities, limits):
    """Returns a dict from names to concrete functions; `kgen.serving.export` says which.

    Args:
        abilities: List of `Ability`; the first is the default.
        limits: The `Limits` of a request.
    """
    functions = {}
    for ability in abilities:
        functions |= _forms(ability, limits)
    return {"serving_default": functions[abilities[0].name], **functions}


def _forms(ability, limits):
    """Returns the functions of one ability: with images as floats, `..._uint8`, `..._bytes`."""
    traced = concrete(ability.function, ability.inputs)
    functions = {ability.name: _signature(ability.inputs, ability.output, traced, limits)}
    shapes_in = [spec.shape[1:] for spec in ability.inputs if spec.name in FILES]
    shapes_out = []
    if ability.output in FILES:
        shapes_out = [traced.structured_outputs.shape[1:]]
    if not shapes_in + shapes_out or any(shape.rank != 3 for shape in shapes_in + shapes_out):
        return functions
    functions[f"{ability.name}_uint8"] = _of_levels(ability, traced, limits)
    # What a file can hold; and what files can be brought to, which has to be known.
    holds_in = all(shape[-1] in (1, 2, 3, 4) for shape in shapes_in)
    holds_out = all(shape[-1] in (1, 3) for shape in shapes_out)
    sized = all(shape.is_fully_defined() for shape in shapes_in)
    if holds_in and holds_out and sized:
        functions[f"{ability.name}_bytes"] = _of_files(ability, traced, limits)
    elif holds_in and holds_out and shapes_out and len(shapes_in) == 1:
        functions[f"{ability.name}_bytes"] = _of_files_of_any_size(ability, limits)
    return functions


def _of_levels(ability, traced, limits):
    specs = [
        tf.TensorSpec(spec.shape, "uint8", spec.name) if spec.name in FILES else spec
        for spec in ability.inputs
    ]

    def call(*tensors):
        pairs = zip(ability.inputs, tensors, strict=True)
        outputs = traced(*(from_levels(x) if spec.name in FILES else x for spec, x in pairs))
        return tf.cast(to_levels(outputs), "uint8") if ability.output in FILES else outputs

    return _signature(specs, ability.output, call, limits)


def _of_files(ability, traced, limits):
    def call(*tensors):
        pairs = zip(ability.inputs, tensors, strict=True)
        outputs = traced(
            *(
                decode_images(x, spec.shape[1:], limits.max_pixels) if spec.name in FILES else x
                for spec, x in pairs
            )
        )
        return encode_images(outputs) if ability.output in FILES else outputs

    output = FILES.get(ability.output, ability.output)
    return _signature(_file_specs(ability), output, call, limits)


def _of_files_of_any_size(ability, limits):
    """Each file is worked on by itself, in its own size."""
    shape = ability.inputs[0].shape[1:]

    def call(image_bytes, *others):
        def one(numbered):
            number, contents = numbered
            part = {"part": number} if ability.takes_part else {}
            image = decoder(tuple(shape), limits.max_pixels)(contents)[None]
            return encode_images(ability.function(image, *others, **part))

        numbered = (tf.range(tf.size(image_bytes)), image_bytes)
        files = tf.map_fn(one, numbered, fn_output_signature=_FILE, parallel_iterations=1)
        return files[:, 0]

    return _signature(_file_specs(ability), FILES[ability.output], call, limits)


def _file_specs(ability):
    return [
        tf.TensorSpec((None,), "string", FILES[spec.name]) if spec.name in FILES else spec
        for spec in ability.inputs
    ]


def _signature(specs, output, function, limits):
    """Returns a concrete function of what the specs name, which returns a named output."""

    def call(*tensors):
        return {output: function(*checked_inputs(specs, tensors, limits))}

    return concrete(call, specs)
