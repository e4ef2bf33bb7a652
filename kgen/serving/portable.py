"""ONNX and LiteRT files of what a model makes of its inputs, by Keras' own exporters."""

import importlib.util
import pathlib
import warnings

import keras

from kgen.core.leftovers import clear_leftovers
from kgen.core.whole_file import replacing
from kgen.serving.abilities import abilities_of
from kgen.serving.examples import checked_examples
from kgen.serving.inputs import Limits
from kgen.serving.signatures import signatures_of

# What Keras' exporters import beside TensorFlow.
_PACKAGES = {"onnx": ("onnx", "tf2onnx"), "litert": ()}


def export_onnx(model, path, name=None):
    """Writes an ONNX file of one ability, float32, that ONNX Runtime runs without TensorFlow.

    It holds the weights that `sample` uses, and takes batches of any size. Its inputs are named as
    those of the signature of that name; it has one output. What draws, as `sample` and `log_prob`
    do, is not to be had: other runtimes have other random numbers. Needs the extra `onnx`.

    Example:
        kgen.serving.export_onnx(model, "dcgan.onnx")
        session = onnxruntime.InferenceSession("dcgan.onnx")
        (images,) = session.run(None, {session.get_inputs()[0].name: latents})

    Args:
        model: A `kgen.GenerativeModel`.
        path: The file, of the suffix `.onnx`; replaced if it is there, and never seen half, also
            after a power cut.
        name: `"decode"`, `"encode"`, `"reconstruct"`, `"translate"` or `"score"`, or such a one
            with a direction, as `kgen.serving.export` names it; `None` for the first it can do.

    Returns:
        The path, a string.

    Raises:
        ImportError: Without the packages onnx and tf2onnx.
        ValueError: If an argument is not of this form or outputs hold NaN.
    """
    return _export(model, path, name, "onnx", ".onnx")


def export_litert(model, path, name=None):
    """Writes a LiteRT file (TensorFlow Lite) of one ability, as `export_onnx` does.

    An operation that LiteRT has not becomes one of TensorFlow's, for which a runtime needs the
    "flex" delegate, which neither ai-edge-litert nor TensorFlow's package brings. Of kgen's systems
    that is so with BigGAN.

    Args:
        model, name: As of `export_onnx`.
        path: The file, of the suffix `.tflite`.

    Returns:
        The path, a string.

    Raises:
        ValueError: If an argument is not of this form or outputs hold NaN.
    """
    return _export(model, path, name, "litert", ".tflite")


class CalledAbility(keras.Model):
    """A model whose call is one ability."""

    def __init__(self, model, ability):
        super().__init__()
        self.model = model
        self.ability = ability
        self.built = True

    def call(self, *tensors, training=False):
        return self.ability.function(*tensors)


def _export(model, path, name, form, suffix):
    path = pathlib.Path(path).expanduser()
    if path.suffix != suffix:
        raise ValueError(f"`path` must end with {suffix!r}, received {str(path)!r}.")
    able = {a.name: a for a in abilities_of(model) if not _draws(a)}
    name = next(iter(able), None) if name is None else name
    if name not in able:
        raise ValueError(f"`name` must be one of {sorted(able)}, received {name!r}.")
    ability = able[name]
    missing = [package for package in _PACKAGES[form] if not _is_there(package)]
    if missing:
        raise ImportError(
            f"An ONNX file needs {' and '.join(missing)}, not installed here: "
            'pip install "kgen-keras[onnx]".'
        )
    checked_examples(
        model, [ability], signatures_of([ability], Limits(image_margin=model.image_margin))
    )
    signature = [keras.InputSpec(s.dtype.name, tuple(s.shape), name=s.name) for s in ability.inputs]
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(path.parent)
    with replacing(path) as unfinished, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of the converters, about themselves.
        CalledAbility(model, ability).export(
            str(unfinished), format=form, verbose=False, input_signature=signature
        )
    return str(path)


def _is_there(package):
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # Of what is blocked, or half imported.
        return False


def _draws(ability):
    return any(spec.shape.rank == 0 for spec in ability.inputs) or ability.name == "log_prob"
