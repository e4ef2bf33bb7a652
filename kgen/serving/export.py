"""Exporting a model as a SavedModel that needs neither Keras nor kgen."""

import math
import pathlib

import numpy as np
import tensorflow as tf

from kgen.core.interface import GenerativeInterface
from kgen.core.numbers import plain
from kgen.serving import versions
from kgen.serving.abilities import abilities_of
from kgen.serving.examples import SIDES, checked_examples
from kgen.serving.inputs import FILES, Limits
from kgen.serving.model_card import architecture_of, model_card
from kgen.serving.refusals import sentence_of
from kgen.serving.server_config import write_config
from kgen.serving.signatures import signatures_of
from kgen.serving.tensors import as_sent
from kgen.serving.warm_up import write_warm_up


def export(
    model,
    directory,
    config=None,
    scores=None,
    new_architecture=False,
    max_pixels=Limits.max_pixels,
    max_count=Limits.max_count,
):
    """Writes `model` as the next version of a servable, `<directory>/<version>/`.

    The SavedModel has a signature for each thing that the model can do:

    | signature | inputs | output |
    |---|---|---|
    | `decode` | `latents` float32 `(count, ...)` | `images` |
    | `sample` | `seed`, `count` int32 scalars; with classes `labels` int32, `(count,)`, or `(1,)` \
for all | `images`, those of `model.sample` |
    | `sample_truncated` | those of `sample`, and a float32 scalar, `psi` (StyleGAN) or \
`truncation` (BigGAN) | `images` |
    | `encode` | `images` | `latents` float32 `(count, ...)` |
    | `reconstruct` | `images` | `images` |
    | `translate` | `images` | `images` |
    | `translate_noisy` | `images`, `seed`; where a translation has noise | `images` |
    | `log_prob` | `images` | `log_prob` float32 `(count,)`, nats: of 128 draws and seed 0 |
    | `score` | `images`, and what they are judged with, `labels` or `inputs` | `logits` float32 \
`(count, ...)` of the discriminator or critic |
    | `classify` | `images`; of an auxiliary classifier | `probabilities` float32 `(count, \
classes)` |

    `encode`, `reconstruct` and `log_prob` of a conditional model take `labels`, too, as `sample`
    does. `serving_default` is the first of these that there is: `decode`, or else `translate`. Of a
    model with several directions there are `translate_<direction>` and so on; of one with several
    discriminators `score_<domain>`. Rows do not depend on the other rows of a request, but for the
    noise of `sample`, whose first rows are those of any smaller count, and of `translate_noisy`.

    Images are float32 `(count, height, width, channels)` in [-1, 1]. Each of these signatures has
    two more forms, where its images have height, width and channels:

    * `<name>_uint8`: images are uint8, 0 for -1 and 255 for 1;
    * `<name>_bytes`: images are files, strings `(count,)`, named `image_bytes` and `input_bytes`:
      PNG, JPEG, WebP or BMP in, PNG out. They are read by the rules of `kgen.data`: upright by
      EXIF, transparency on white, 16 bits as 8, scaled to cover the network's size and cropped;
      `kgen.serving.image_bytes.decode_image` has all of them. If a translation takes any size, each
      image keeps its own. For inpainting, PNG files are transparent where pixels are missing.
      TensorFlow Serving's REST interface takes and gives what is named `..._bytes` as base64.

    A request is refused with one sentence, and before anything is computed or decoded, where images
    are not in [-1, 1], latents or points are NaN or infinite, labels are no classes, the count is
    not from 1 to `max_count`, there are more files than that, or a file's header promises more than
    `max_pixels`.

    The weights are those that `sample` uses: the moving average where the model has one. A version
    is written under another name, flushed and then renamed, so a server never sees half of one. It
    holds `assets.extra/model_card.json`: the system, which weights, `config`, `scores` with their
    cards, the versions of kgen, Keras and TensorFlow, and the types and shapes of all signatures;
    and, where tensorflow-serving-api is installed (the extra `serving`), warm-up requests of the
    signatures of rows. `<directory>` gets a `models.config` and a `batching.config` (see
    `kgen.serving.write_config`), unless it has a `models.config` already.

    Example:
        path = kgen.serving.export(model, "saved_models/dcgan")
        served = tf.saved_model.load(path)
        images = served.signatures["sample"](seed=tf.constant(0), count=tf.constant(16))["images"]

    Args:
        model: A `kgen.GenerativeModel`.
        directory: Folder of the servable, made if missing; versions are counted from 1. Its name is
            that of the model on a server.
        config: For the card: a recipe's config or a dict of settings.
        scores: For the card: dict from names to `kgen.metrics.Score`, or what
            `kgen.metrics.read_scores` returns.
        new_architecture: Whether the version may be of another system or network than the one
            before it.
        max_pixels: The most pixels, height x width, of a file: 4,096 x 4,096 by default.
        max_count: The most images that a request may sample, and the most files that it may hold.

    Returns:
        The path of the version's folder, a string.

    Raises:
        NotImplementedError: If the model can do nothing that could be served.
        ValueError: If its outputs for some examples or its weights hold NaN, the newest version is
            of another architecture, or an argument is not of this form. Nothing is written then.
    """
    directory = pathlib.Path(directory).expanduser()
    if not isinstance(model, GenerativeInterface):
        raise ValueError(f"`model` must be a kgen.GenerativeModel, received {model!r}.")
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"`directory` must be a folder, received the file {str(directory)!r}.")
    if not new_architecture:
        check_architecture(model, directory)
    limits = Limits(plain(max_pixels), plain(max_count), model.image_margin)
    abilities = abilities_of(model)
    _check_room(limits, abilities)
    signatures = signatures_of(abilities, limits)
    examples = checked_examples(model, abilities, signatures, rows=min(2, limits.max_count))
    card = model_card(model, signatures, limits, config, scores)
    module = tf.Module()
    # Only the variables that the signatures read: no optimizer and nothing of training.
    used = {id(v): v for s in signatures.values() for v in s.graph.variables}
    module.used_variables = list(used.values())

    def write(folder):
        tf.saved_model.save(module, folder, signatures=signatures)
        extra = pathlib.Path(folder) / "assets.extra"
        extra.mkdir()
        (extra / "model_card.json").write_text(card, encoding="utf-8")
        write_warm_up(extra, directory.resolve().name, abilities, signatures, examples)

    version = versions.write_next_version(directory, write)
    if not (directory / "models.config").exists():
        write_config(directory)
    return version


def check_architecture(model, directory):
    """Raises a ValueError if the newest version in a folder is of another architecture.

    That is another system, or networks whose weights have other shapes; `export` asks so, too.

    Example:
        kgen.serving.check_architecture(model, "saved_models/dcgan")  # Before it is trained.
    """
    versions.check_architecture(directory, type(model).__name__, architecture_of(model))


def load(path):
    """Loads a SavedModel that `export` wrote.

    A SavedModel is a program: TensorFlow runs what its graph says, which may read and write files
    of whoever loads it. Load only what comes from somebody you trust, and anything else in a
    sandbox. (A `.keras` file is data: in Keras' safe mode, the default, no code of its own runs.)

    Returns:
        Dict from a signature's name to a function of keyword arguments that takes and returns
        NumPy arrays by name, such as `load(path)["sample"](seed=0, count=16)["images"]`. They raise
        a ValueError where an input is not of the signature's type or shape, or is refused.

    Raises:
        ValueError: If `path` is not the folder of one version, such as `saved_models/dcgan/1`.
    """
    path = pathlib.Path(path).expanduser()
    if not tf.saved_model.contains_saved_model(path):
        raise ValueError(
            "`path` must be the folder of one version of a SavedModel, such as "
            f"saved_models/dcgan/1, received {str(path)!r}, which is none."
        )
    served = tf.saved_model.load(path)
    return {name: _on_arrays(served, name) for name in served.signatures}


def _check_room(limits, abilities):
    """Raises where a file may not even have the size of the images that the model takes."""
    needed = max(
        (
            math.prod(side or SIDES[-1] for side in spec.shape[1:3])
            for ability in abilities
            for spec in ability.inputs
            if spec.name in FILES and spec.shape.rank == 4
        ),
        default=1,
    )
    if limits.max_pixels < needed:
        raise ValueError(
            f"`max_pixels` must be at least {needed}, those of an image that the model takes, "
            f"received {limits.max_pixels}."
        )


def _on_arrays(served, name):
    def call(**inputs):
        signature = served.signatures[name]  # `served` has to outlive its functions.
        types = signature.structured_input_signature[1]
        if set(inputs) != set(types):
            raise ValueError(f"`{name}` must be given {sorted(types)}, received {sorted(inputs)}.")
        tensors = {
            key: tf.constant(as_sent(name, key, value, _spec(types[key])), types[key].dtype)
            for key, value in inputs.items()
        }
        try:
            return {key: value.numpy() for key, value in signature(**tensors).items()}
        except tf.errors.InvalidArgumentError as error:
            message = f"`{name}` refuses its inputs: {sentence_of(error.message)}"
        raise ValueError(message)  # Without the chain, which prints the graph's operations.

    return call


def _spec(tensor_spec):
    return np.dtype(tensor_spec.dtype.as_numpy_dtype), tuple(tensor_spec.shape)
