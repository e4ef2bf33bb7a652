"""What a model can do, as functions of named and typed tensors."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from kgen.core.noise import ImageNoise, SeededNoise
from kgen.serving.refusals import required

# Draws per image of a served `log_prob`, and their seed: those of the method.
_SAMPLES, _DRAWS = 128, 0

_SEED = tf.TensorSpec((), "int32", "seed")
_COUNT = tf.TensorSpec((), "int32", "count")
_LABELS = tf.TensorSpec((None,), "int32", "labels")


@dataclasses.dataclass(frozen=True)
class Ability:
    """One thing that a model can do.

    Attributes:
        name: The name of its signature.
        function: Of tensors, those of `inputs` in their order; returns one float32 tensor.
        inputs: `tf.TensorSpec`s with names; what is named `images` or `inputs` are images.
        output: Name of what it returns: `images`, `latents`, `log_prob`, `logits` or
            `probabilities`.
        takes_part: Whether the function has an argument `part`, a number that tells apart the draws
            of images which are worked through one by one.
    """

    name: str
    function: Callable
    inputs: tuple
    output: str
    takes_part: bool = False


def abilities_of(model):
    """Returns what a model can do, a list of `Ability`; the first is that asked for by default.

    Raises:
        NotImplementedError: If it can do nothing, or says no shape that it could be served with.
    """
    model.before_use()
    found = [
        *_sampling(model),
        *_translation(model),
        *_encoding(model),
        *_scoring(model),
        *_classification(model),
    ]
    if not found:
        raise NotImplementedError(
            f"`model` must be able to do something to be exported, received a "
            f"{type(model).__name__}, which can: {', '.join(model.abilities) or 'nothing'}; and "
            f"its image_shape is {model.image_shape}."
        )
    return found


def concrete(function, specs):
    """Traces a function of tensors, once: a `tf.function` that is saved would be traced again."""
    traced = tf.function(function, input_signature=list(specs), autograph=False)
    return traced.get_concrete_function()


def images_spec(shape, name="images"):
    """The spec of images of a shape, which may have `None` in it."""
    return tf.TensorSpec((None, *shape), "float32", name)


def _sampling(model):
    shape = _latent_shape(model)
    if "decode" not in model.abilities or shape is None:
        return
    latents = tf.TensorSpec((None, *shape), "float32", "latents")
    decode = concrete(_float32(model.decode_step), [latents])
    yield Ability("decode", decode, (latents,), "images")
    if "sample" not in model.abilities:
        return
    labels = () if model.classes is None else (_LABELS,)

    def drawn(seed, count, labels):
        return model.draw_latents(count, SeededNoise(seed), *_labels(model, count, labels))

    def sample(seed, count, *labels):
        return decode(drawn(seed, count, labels))

    yield Ability("sample", sample, (_SEED, _COUNT, *labels), "images")
    name = model.truncation_name
    if name is None:
        return

    def sample_truncated(seed, count, truncation, *labels):
        if name == "truncation":  # A limit of the latents' size; psi is any number.
            expected = "truncation: expected a positive number, got "
            truncation = required(truncation, truncation > 0.0, expected, truncation, ".")
        return _float32(model.truncated_step)(drawn(seed, count, labels), truncation)

    inputs = (_SEED, _COUNT, tf.TensorSpec((), "float32", name), *labels)
    yield Ability("sample_truncated", sample_truncated, inputs, "images")


def _translation(model):
    if "translate" not in model.abilities:
        return
    for direction in model.directions:
        name = "translate" if len(model.directions) == 1 else f"translate_{direction}"
        images = images_spec(model.translation_shape(direction) or (None, None, None))

        def translated(images, noise, direction=direction):
            outputs = model.translate_step(images, direction, noise)
            return tf.clip_by_value(tf.cast(outputs, "float32"), -1.0, 1.0)

        def quiet(images, translated=translated):
            return translated(images, None)

        def noisy(images, seed, part=0, translated=translated):
            return translated(images, SeededNoise(seed, part))

        yield Ability(name, quiet, (images,), "images")
        if model.has_translation_noise:
            yield Ability(f"{name}_noisy", noisy, (images, _SEED), "images", takes_part=True)


def _encoding(model):
    if model.image_shape is None:
        return
    given = (_LABELS,) if model.encoded_with == "labels" else ()
    inputs = (images_spec(model.image_shape), *given)

    def checked(step):
        def call(images, *labels):
            return step(images, *_labels(model, tf.shape(images)[0], labels))

        return _float32(call)

    def log_prob(images, *labels):
        return model.log_prob_step(images, ImageNoise(_DRAWS, images), _SAMPLES, *labels)

    for name, output in (("encode", "latents"), ("reconstruct", "images")):
        if name in model.abilities:
            yield Ability(name, checked(getattr(model, f"{name}_step")), inputs, output)
    if "log_prob" in model.abilities:
        yield Ability("log_prob", checked(log_prob), inputs, "log_prob")


def _scoring(model):
    if "score" not in model.abilities:
        return
    for domain in model.score_domains:
        shape = model.scored_shape(domain)
        if shape is None:
            continue
        given = {
            None: (),
            "labels": (_LABELS,),
            "inputs": (images_spec(model.image_shape or (), "inputs"),),
        }[model.scored_with]

        def score(images, *given, domain=domain):
            if model.scored_with == "labels":
                given = _labels(model, tf.shape(images)[0], given)
            return model.score_step(images, *(given or [None]), domain)

        name = "score" if len(model.score_domains) == 1 else f"score_{domain}"
        yield Ability(name, _float32(score), (images_spec(shape), *given), "logits")


def _classification(model):
    if "classify" in model.abilities and model.image_shape is not None:
        images = images_spec(model.image_shape)
        yield Ability("classify", _float32(model.classify_step), (images,), "probabilities")


def _latent_shape(model):
    """The shape of one row of latents; `None` where nothing tells it."""
    if "sample" in model.abilities:
        return model.latents(1, seed=0).shape[1:]
    if "encode" not in model.abilities or model.image_shape is None:
        return None
    encode = concrete(model.encode_step, [images_spec(model.image_shape)])
    return tuple(encode.structured_outputs.shape[1:])


def _labels(model, count, labels):
    """Returns a list of one tensor of labels, checked and one an image; of none where none is."""
    return [_checked_labels(model, count, given) for given in labels]


def _checked_labels(model, count, labels):
    labels = required(
        labels,
        tf.reduce_all((labels >= 0) & (labels < model.classes)),
        f"labels: expected integers from 0 to {model.classes - 1}, got ",
        labels,
        ".",
    )
    given = tf.size(labels)
    labels = required(
        labels,
        (given == 1) | (given == count),
        "labels: expected one, or as many as images, ",
        count,
        ", got ",
        given,
        ".",
    )
    return tf.broadcast_to(labels, [count])


def _float32(step):
    return lambda *tensors: tf.cast(step(*tensors), "float32")
