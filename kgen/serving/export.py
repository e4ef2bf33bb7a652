"""Exporting a model as a SavedModel that needs neither Keras nor kgen."""

import pathlib
import shutil
import tempfile

import tensorflow as tf

from kgen.serving.signatures import signatures_of


def export(model, directory):
    """Writes `model` as the next version of a servable, `<directory>/<version>/`.

    The SavedModel has, of a model that can sample, the signatures

    * `serving_default`: `latents` float32 `(count, ...)` -> `images` float32 in [-1, 1];
    * `sample`: scalars `seed` int32 and `count` int32 -> `images`, those of `model.sample(count,
      seed)`; of a conditional model also `labels` int32, `(count,)` or `(1,)` for all: the classes;
    * `sample_truncated`, of a model with a mean style: `sample` with a scalar `psi` float32.

    Of one that can translate it has

    * `translate`: `images` float32 `(count, height, width, channels)` -> `images` float32 in
      [-1, 1]; it is `serving_default` if the model cannot sample;
    * `translate_bytes`: `image_bytes`, strings `(count,)`, each a PNG or JPEG file (or BMP, GIF,
      WebP) -> `image_bytes`, PNG files. `kgen.serving.image_bytes.decode_image` says how files
      become the network's size and channels; if it takes any size, each image keeps its own. For
      inpainting, PNG files are transparent where pixels are missing.
    * if it has noise, `translate_noisy` and `translate_noisy_bytes`, which take a scalar `seed`
      int32, too.

    Of a model with several directions these are `translate_<direction>`,
    `translate_<direction>_bytes` and so on. TensorFlow Serving's REST interface takes and gives
    what is named `..._bytes` as base64.

    The weights are those that `sample` uses: the moving average where the model has one. A version
    is written under another name and then renamed, so a server never sees half of one.

    Example:
        path = kgen.serving.export(model, "saved_models/dcgan")
        served = tf.saved_model.load(path)
        images = served.signatures["sample"](seed=tf.constant(0), count=tf.constant(16))["images"]

    Args:
        model: A `kgen.GenerativeModel` that can sample or translate.
        directory: Folder of the servable, made if missing; versions are counted from 1.

    Returns:
        The path of the version's folder, a string.

    Raises:
        NotImplementedError: If the model can do neither.
    """
    functions = signatures_of(model)
    module = tf.Module()
    module.functions = functions
    signatures = {name: function.get_concrete_function() for name, function in functions.items()}
    # Only the variables that the signatures read: no optimizer and no discriminator.
    used = {id(v): v for s in signatures.values() for v in s.graph.variables}
    module.used_variables = list(used.values())
    return _write_next_version(
        directory, lambda path: tf.saved_model.save(module, path, signatures=signatures)
    )


def load(path):
    """Loads a SavedModel that `export` wrote.

    Returns:
        Dict from a signature's name to a function of keyword arguments that takes and returns
        NumPy arrays by name, such as `load(path)["sample"](seed=0, count=16)["images"]`.
    """
    served = tf.saved_model.load(path)
    return {name: _on_arrays(served, name) for name in served.signatures}


def _on_arrays(served, name):
    def call(**inputs):
        signature = served.signatures[name]  # `served` has to outlive its functions.
        types = signature.structured_input_signature[1]
        tensors = {key: tf.constant(value, types[key].dtype) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in signature(**tensors).items()}

    return call


def _write_next_version(directory, write):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = tempfile.mkdtemp(prefix=".unfinished-", dir=directory)
    try:
        write(unfinished)
        pathlib.Path(unfinished).chmod(0o755)  # mkdtemp's folders are for their owner alone.
        versions = [int(path.name) for path in directory.iterdir() if path.name.isdecimal()]
        version = directory / str(max(versions, default=0) + 1)
        pathlib.Path(unfinished).rename(version)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return str(version)
