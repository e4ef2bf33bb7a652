"""The same pictures wherever an export runs: without Keras and kgen, by a command, from C."""

import ctypes
import glob
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kgen.serving import export
from tests.serving.exports import DRAWS, Exported
from tests.serving.translator import Translator
from tests.serving.without_keras import WITHOUT_KERAS

# Keras and kgen are found, but cannot be imported; every signature is asked, and all is kept.
SCRIPT = (
    WITHOUT_KERAS
    + """
import pathlib
import numpy as np
import tensorflow as tf

for name in ("keras", "kgen", "kgen.layers", "keras.src.layers"):
    try:
        __import__(name)
    except ImportError as error:
        print(error)
folder, *paths = sys.argv[1:]
for number, path in enumerate(paths):
    served = tf.saved_model.load(path)
    given = np.load(f"{folder}/given-{number}.npz", allow_pickle=True)
    found = {}
    for name, signature in served.signatures.items():
        specs = signature.structured_input_signature[1]
        inputs = {key: tf.constant(given[f"{name}.{key}"], specs[key].dtype) for key in specs}
        for key, value in signature(**inputs).items():
            found[f"{name}.{key}"] = value.numpy()
    np.savez(f"{folder}/made-{number}.npz", **found)

# The command, which is this function.
from tensorflow.python.tools.saved_model_cli import main
sys.argv = ["saved_model_cli", "run", "--dir", paths[0], "--tag_set", "serve"]
sys.argv += ["--signature_def", "decode", "--inputs", f"latents={folder}/latents.npy"]
sys.argv += ["--outdir", folder]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
loaded = {name.split(".")[0] for name in sys.modules} & {"keras", "kgen", "tf_keras"}
print("loaded:", sorted(loaded))
"""
)


@pytest.fixture(scope="module")
def exported(exports):
    found = exports["dcgan"]
    assert np.ptp(found.model.sample(8, seed=0), axis=0).max() > 0.5
    return found


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    model = Translator()
    return Exported(model, export(model, tmp_path_factory.mktemp("served") / "translator"))


def given_to(exported):
    """Inputs of every signature, by `<signature>.<name>`."""
    model = exported.model
    images = images_for(model)
    levels = np.rint((images + 1) * 127.5).astype("uint8")
    values = {"seed": 5, "count": 4, "image_bytes": tf.io.encode_png(levels).numpy()}
    if "decode" in model.abilities:
        values["latents"] = model.latents(3, seed=1)
    given = {}
    for name, signature in exported.loaded.signatures.items():
        for key in signature.structured_input_signature[1]:
            as_levels = {"images": levels if name.endswith("_uint8") else images}
            given[f"{name}.{key}"] = {**values, **as_levels}[key]
    return given


def images_for(model):
    """Three images of whole levels."""
    levels = np.random.default_rng(1).integers(0, 256, (3, *model.image_shape), np.uint8)
    return (levels / 127.5 - 1.0).astype("float32")


@pytest.fixture(scope="module")
def made(exported, exports, translator, tmp_path_factory):
    """What another process, in which Keras and kgen cannot be imported, made; and its folder."""
    folder = tmp_path_factory.mktemp("made")
    asked = [exported, exports["vae"], translator]
    for number, one in enumerate(asked):
        np.savez(folder / f"given-{number}.npz", **given_to(one))
    np.save(folder / "latents.npy", exported.model.latents(3, seed=1))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), *(one.path for one in asked)],
        capture_output=True, text=True, cwd=folder, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    refused = ["keras is blocked", "kgen is blocked", "kgen is blocked", "keras is blocked"]
    assert done.stdout.splitlines()[:4] == refused
    assert done.stdout.splitlines()[-1] == "loaded: []"
    return [
        dict(np.load(folder / f"made-{number}.npz", allow_pickle=True)) for number in range(3)
    ], folder


@pytest.mark.parametrize(("number", "signatures"), [(0, 10), (1, 16)])
def test_every_signature_where_keras_and_kgen_cannot_be_imported(
    number, signatures, made, exported, exports
):
    model, made = (exported, exports["vae"])[number].model, made[0][number]
    assert len(made) == signatures
    decoded, sampled = model.decode(model.latents(3, seed=1)), model.sample(4, seed=5)
    np.testing.assert_allclose(made["serving_default.images"], decoded, atol=1e-5)
    np.testing.assert_allclose(made["decode.images"], decoded, atol=1e-5)
    np.testing.assert_allclose(made["sample.images"], sampled, atol=1e-5)
    images = images_for(model)
    if number == 0:
        np.testing.assert_allclose(made["score.logits"], model.score(images), atol=1e-5)
    else:
        for name, key in (("encode", "latents"), ("reconstruct", "images"), ("log_prob",) * 2):
            draws = {"samples": DRAWS} if name == "log_prob" else {}
            expected = getattr(model, name)(images, **draws)
            np.testing.assert_allclose(made[f"{name}.{key}"], expected, rtol=1e-5, atol=1e-5)
    expected = np.rint((sampled + 1) * 127.5)
    assert np.abs(made["sample_uint8.images"] - expected).max() <= 1
    found = [tf.io.decode_png(file).numpy() for file in made["sample_bytes.image_bytes"]]
    np.testing.assert_array_equal(found, made["sample_uint8.images"])


def test_files_are_translated_where_keras_and_kgen_cannot_be_imported(made, translator):
    model, made = translator.model, made[0][2]
    names = {name.partition(".")[0] for name in made}
    assert names == {"serving_default", "translate", "translate_bytes", "translate_uint8"}
    expected = model.translate(images_for(model))
    np.testing.assert_allclose(made["translate.images"], expected, atol=1e-5)
    found = [tf.io.decode_png(file).numpy() for file in made["translate_bytes.image_bytes"]]
    assert np.abs(found - np.rint((expected + 1) * 127.5)).max() <= 1


def test_saved_model_cli(made, exported):
    model, folder = exported.model, made[1]
    expected = model.decode(np.load(folder / "latents.npy"))
    np.testing.assert_allclose(np.load(folder / "images.npy"), expected, atol=1e-5)


# ---------------------------------------------------------------- the C API


class Output(ctypes.Structure):
    """TF_Output of TensorFlow's C API: an operation and the number of its output."""

    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


def c_library():
    """TensorFlow's C API out of the wheel, with the types of the functions used here."""
    folder = pathlib.Path(tf.__file__).parent
    names = sorted(glob.glob(str(folder / "libtensorflow_cc*")))
    if not names:
        pytest.skip("this TensorFlow has no libtensorflow_cc")
    library = ctypes.CDLL(names[0])
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("TF_NewStatus", pointer, ()),
        ("TF_DeleteStatus", None, (pointer,)),
        ("TF_GetCode", ctypes.c_int, (pointer,)),
        ("TF_Message", text, (pointer,)),
        ("TF_NewGraph", pointer, ()),
        ("TF_DeleteGraph", None, (pointer,)),
        ("TF_NewSessionOptions", pointer, ()),
        ("TF_DeleteSessionOptions", None, (pointer,)),
        ("TF_LoadSessionFromSavedModel", pointer,
         (pointer, pointer, text, ctypes.POINTER(text), ctypes.c_int, pointer, pointer, pointer)),
        ("TF_GraphOperationByName", pointer, (pointer, text)),
        ("TF_AllocateTensor", pointer,
         (ctypes.c_int, ctypes.POINTER(ctypes.c_int64), ctypes.c_int, ctypes.c_size_t)),
        ("TF_TensorData", pointer, (pointer,)),
        ("TF_TensorByteSize", ctypes.c_size_t, (pointer,)),
        ("TF_NumDims", ctypes.c_int, (pointer,)),
        ("TF_Dim", ctypes.c_int64, (pointer, ctypes.c_int)),
        ("TF_DeleteTensor", None, (pointer,)),
        ("TF_SessionRun", None,
         (pointer, pointer, ctypes.POINTER(Output), ctypes.POINTER(pointer), ctypes.c_int,
          ctypes.POINTER(Output), ctypes.POINTER(pointer), ctypes.c_int, pointer, ctypes.c_int,
          pointer, pointer)),
        ("TF_CloseSession", None, (pointer, pointer)),
        ("TF_DeleteSession", None, (pointer, pointer)),
    ):  # fmt: skip
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class CSession:
    """A SavedModel in a session of TensorFlow's C API."""

    def __init__(self, path):
        self.library = c_library()
        self.status = self.library.TF_NewStatus()
        self.graph = self.library.TF_NewGraph()
        options = self.library.TF_NewSessionOptions()
        tags = (ctypes.c_char_p * 1)(b"serve")
        self.session = self.library.TF_LoadSessionFromSavedModel(
            options, None, path.encode(), tags, 1, self.graph, None, self.status
        )
        self.library.TF_DeleteSessionOptions(options)
        self._check()

    def run(self, output, inputs):
        """Returns a float32 output; tensors are named as in the file, `<operation>:<number>`."""
        library = self.library
        feeds = (Output * len(inputs))(*(self._place(name) for name in inputs))
        values = [self._tensor(array) for array in inputs.values()]
        tensors = (ctypes.c_void_p * len(values))(*values)
        fetch, found = (Output * 1)(self._place(output)), (ctypes.c_void_p * 1)()
        library.TF_SessionRun(
            self.session, None, feeds, tensors, len(values), fetch, found, 1, None, 0, None,
            self.status,
        )  # fmt: skip
        self._check()
        shape = [library.TF_Dim(found[0], n) for n in range(library.TF_NumDims(found[0]))]
        size = library.TF_TensorByteSize(found[0])
        data = ctypes.string_at(library.TF_TensorData(found[0]), size)
        for tensor in (*values, found[0]):
            library.TF_DeleteTensor(tensor)
        return np.frombuffer(data, "float32").reshape(shape)

    def close(self):
        self.library.TF_CloseSession(self.session, self.status)
        self.library.TF_DeleteSession(self.session, self.status)
        self.library.TF_DeleteGraph(self.graph)
        self.library.TF_DeleteStatus(self.status)

    def _place(self, name):
        operation, index = name.split(":")
        found = self.library.TF_GraphOperationByName(self.graph, operation.encode())
        assert found, f"no operation {operation}"
        return Output(found, int(index))

    def _tensor(self, array):
        array = np.array(array, order="C")
        kind = tf.dtypes.as_dtype(array.dtype).as_datatype_enum
        shape = (ctypes.c_int64 * array.ndim)(*np.shape(array))
        tensor = self.library.TF_AllocateTensor(kind, shape, array.ndim, array.nbytes)
        ctypes.memmove(self.library.TF_TensorData(tensor), array.ctypes.data, array.nbytes)
        return tensor

    def _check(self):
        message = self.library.TF_Message(self.status).decode()
        assert self.library.TF_GetCode(self.status) == 0, message


def test_the_c_api(exported):
    from tensorflow.python.tools import saved_model_utils

    model, path = exported.model, exported.path
    definitions = saved_model_utils.get_meta_graph_def(path, "serve").signature_def
    session = CSession(path)
    try:
        latents = model.latents(3, seed=1)
        images = model.sample(3, seed=2)
        for name, inputs, expected in (
            ("decode", {"latents": latents}, model.decode(latents)),
            ("serving_default", {"latents": latents}, model.decode(latents)),
            ("sample", {"seed": np.array(5, "int32"), "count": np.array(4, "int32")},
             model.sample(4, seed=5)),
            ("score", {"images": images}, model.score(images)),
        ):  # fmt: skip
            definition = definitions[name]
            (output,) = definition.outputs.values()
            fed = {definition.inputs[key].name: value for key, value in inputs.items()}
            np.testing.assert_allclose(session.run(output.name, fed), expected, atol=1e-5)
    finally:
        session.close()
