"""The signatures of what a model can do: images as floats, as whole numbers and as files."""

import tensorflow as tf

from kgen.serving.abilities import concrete
from kgen.serving.image_bytes import (
    decode_image,
    decode_images,
    encode_images,
    from_levels,
    to_levels,
)

# By what an ability calls images: what a signature of files calls them.
FILES = {"images": "image_bytes", "inputs": "input_bytes"}

_FILE = tf.TensorSpec((1,), "string")


def signatures_of(abilities):
    """Returns a dict from names to concrete functions; `kgen.serving.export` says which."""
    functions = {}
    for ability in abilities:
        functions |= _forms(ability)
    return {"serving_default": functions[abilities[0].name], **functions}


def _forms(ability):
    """Returns the functions of one ability: with images as floats, `..._uint8`, `..._bytes`."""
    traced = concrete(ability.function, ability.inputs)
    functions = {ability.name: _signature(ability.inputs, ability.output, traced)}
    shapes_in = [spec.shape[1:] for spec in ability.inputs if spec.name in FILES]
    shapes_out = []
    if ability.output in FILES:
        shapes_out = [traced.structured_outputs.shape[1:]]
    if not shapes_in + shapes_out or any(shape.rank != 3 for shape in shapes_in + shapes_out):
        return functions
    functions[f"{ability.name}_uint8"] = _of_levels(ability, traced)
    # What a file can hold; and what files can be brought to, which has to be known.
    holds_in = all(shape[-1] in (1, 2, 3, 4) for shape in shapes_in)
    holds_out = all(shape[-1] in (1, 3) for shape in shapes_out)
    sized = all(shape.is_fully_defined() for shape in shapes_in)
    if holds_in and holds_out and sized:
        functions[f"{ability.name}_bytes"] = _of_files(ability, traced)
    elif holds_in and holds_out and shapes_out and len(shapes_in) == 1:
        functions[f"{ability.name}_bytes"] = _of_files_of_any_size(ability)
    return functions


def _of_levels(ability, traced):
    specs = [
        tf.TensorSpec(spec.shape, "uint8", spec.name) if spec.name in FILES else spec
        for spec in ability.inputs
    ]

    def call(*tensors):
        pairs = zip(ability.inputs, tensors, strict=True)
        outputs = traced(*(from_levels(x) if spec.name in FILES else x for spec, x in pairs))
        return tf.cast(to_levels(outputs), "uint8") if ability.output in FILES else outputs

    return _signature(specs, ability.output, call)


def _of_files(ability, traced):
    def call(*tensors):
        pairs = zip(ability.inputs, tensors, strict=True)
        outputs = traced(
            *(decode_images(x, spec.shape[1:]) if spec.name in FILES else x for spec, x in pairs)
        )
        return encode_images(outputs) if ability.output in FILES else outputs

    return _signature(_file_specs(ability), FILES.get(ability.output, ability.output), call)


def _of_files_of_any_size(ability):
    """Each file is worked on by itself, in its own size."""
    shape = ability.inputs[0].shape[1:]

    def call(image_bytes, *others):
        def one(numbered):
            number, contents = numbered
            part = {"part": number} if ability.takes_part else {}
            image = decode_image(contents, shape)[None]
            return encode_images(ability.function(image, *others, **part))

        numbers = tf.range(tf.size(image_bytes))
        return tf.map_fn(one, (numbers, image_bytes), fn_output_signature=_FILE)[:, 0]

    return _signature(_file_specs(ability), FILES[ability.output], call)


def _file_specs(ability):
    return [
        tf.TensorSpec((None,), "string", FILES[spec.name]) if spec.name in FILES else spec
        for spec in ability.inputs
    ]


def _signature(specs, output, function):
    """Returns a concrete function of what the specs name, which returns a named output."""
    return concrete(lambda *tensors: {output: function(*tensors)}, specs)
