"""The functions of a model that a SavedModel offers, by their names."""

import tensorflow as tf

from kgen.core.noise import SeededNoise
from kgen.serving.image_bytes import decode_image, decode_images, encode_images

_SEED = tf.TensorSpec((), "int32", "seed")
_COUNT = tf.TensorSpec((), "int32", "count")
_PSI = tf.TensorSpec((), "float32", "psi")
_LABELS = tf.TensorSpec((None,), "int32", "labels")
_IMAGE_BYTES = tf.TensorSpec((None,), "string", "image_bytes")
_FILE = tf.TensorSpec((1,), "string")


def signatures_of(model):
    """Returns a dict from names to `tf.function`s; `kgen.serving.export` says which.

    Raises:
        NotImplementedError: If the model can neither sample nor translate.
    """
    translates = hasattr(model, "translate_step")
    samples = hasattr(model, "draw_latents") or not translates  # It then says what it can do.
    functions = {**(_sampling(model) if samples else {})}
    for direction in model.directions if translates else ():
        name = "translate" if len(model.directions) == 1 else f"translate_{direction}"
        functions |= _translation(model, direction, name)
    return {"serving_default": next(iter(functions.values())), **functions}


def _sampling(model):
    latents = tf.TensorSpec((None, *model.latents(1, seed=0).shape[1:]), "float32", "latents")
    labels = [] if getattr(model, "classes", None) is None else [_LABELS]

    @tf.function(input_signature=[latents])
    def decode(latents):
        return {"images": model.decode_step(latents)}

    def drawn(seed, count, labels):
        """Latents; `labels` is a list of one tensor or of none."""
        return model.draw_latents(count, SeededNoise(seed), *_labels(model, count, labels))

    @tf.function(input_signature=[_SEED, _COUNT, *labels])
    def sample(seed, count, *labels):
        return {"images": model.decode_step(drawn(seed, count, labels))}

    @tf.function(input_signature=[_SEED, _COUNT, _PSI, *labels])
    def sample_truncated(seed, count, psi, *labels):
        return {"images": model.truncated_step(drawn(seed, count, labels), psi)}

    functions = {"serving_default": decode, "sample": sample}
    if hasattr(model, "truncated_step"):
        functions["sample_truncated"] = sample_truncated
    return functions


def _labels(model, count, labels):
    """Returns a list of one tensor of labels, checked and one an image; of none where none is."""
    for given in labels:
        tf.debugging.Assert(
            tf.reduce_all((given >= 0) & (given < model.classes)),
            [f"labels: expected integers from 0 to {model.classes - 1}, got", given],
        )
        tf.debugging.Assert(
            (tf.size(given) == 1) | (tf.size(given) == count),
            ["labels: expected one, or as many as count", count, "got", given],
        )
    return [tf.broadcast_to(given, [count]) for given in labels]


def _translation(model, direction, name):
    """Returns the functions of one direction: of images and of files, without and with noise."""
    shape = model.translation_shape(direction) or (None, None, None)
    images = tf.TensorSpec((None, *shape), "float32", "images")

    def translated(images, noise):
        outputs = model.translate_step(images, direction, noise)
        return tf.clip_by_value(tf.cast(outputs, "float32"), -1.0, 1.0)

    def translated_bytes(image_bytes, noise_of):
        if None not in shape:
            return encode_images(translated(decode_images(image_bytes, shape), noise_of(0)))

        def translated_file(numbered):  # Each has a size of its own.
            number, contents = numbered
            return encode_images(translated(decode_image(contents, shape)[None], noise_of(number)))

        numbers = tf.range(tf.size(image_bytes))
        files = tf.map_fn(translated_file, (numbers, image_bytes), fn_output_signature=_FILE)
        return files[:, 0]

    @tf.function(input_signature=[images])
    def translate(images):
        return {"images": translated(images, None)}

    @tf.function(input_signature=[images, _SEED])
    def translate_noisy(images, seed):
        return {"images": translated(images, SeededNoise(seed))}

    @tf.function(input_signature=[_IMAGE_BYTES])
    def translate_bytes(image_bytes):
        return {"image_bytes": translated_bytes(image_bytes, lambda part: None)}

    @tf.function(input_signature=[_IMAGE_BYTES, _SEED])
    def translate_noisy_bytes(image_bytes, seed):
        return {"image_bytes": translated_bytes(image_bytes, lambda part: SeededNoise(seed, part))}

    functions = {name: translate, f"{name}_bytes": translate_bytes}
    if model.has_translation_noise:
        functions |= {
            f"{name}_noisy": translate_noisy,
            f"{name}_noisy_bytes": translate_noisy_bytes,
        }
    if shape[-1] is None:  # Files cannot be brought to channels that nobody knows.
        functions = {key: value for key, value in functions.items() if not key.endswith("_bytes")}
    return functions
