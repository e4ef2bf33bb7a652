"""A server on 127.0.0.1 around an exported SavedModel, by gRPC and by REST.

The gRPC side is made of tensorflow-serving-api's own service classes; the REST side speaks the JSON
that TensorFlow Serving documents, rows (`instances`) and columns (`inputs`). Both end with the
context that they were started in.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import pathlib
import threading
from typing import NamedTuple

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.python.tools import saved_model_utils
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)


class RefusedError(Exception):
    """A request that TensorFlow Serving would refuse; holds its message."""


class Addresses(NamedTuple):
    """Where a server is."""

    grpc: str
    rest: str


class Servable:
    """The newest version in a folder, by the name of the folder."""

    def __init__(self, folder, model=None):
        folder = pathlib.Path(folder)
        self.name = folder.name
        self.version = max(int(p.name) for p in folder.iterdir() if p.name.isdecimal())
        path = str(folder / str(self.version))
        self.model = tf.saved_model.load(path) if model is None else model
        graph = saved_model_utils.get_meta_graph_def(path, "serve")
        self.definitions = graph.signature_def

    def check(self, name, version):
        if name != self.name or version not in (None, self.version):
            raise RefusedError(f"Servable not found for request: Specific({name}, {version})")

    def predict(self, signature, inputs):
        """Returns a dict of arrays; the inputs are functions of the type that is expected."""
        if signature not in self.model.signatures:
            raise RefusedError(f'Serving signature key "{signature}" not found.')
        function = self.model.signatures[signature]
        specs = function.structured_input_signature[1]
        if set(inputs) != set(specs):
            raise RefusedError(
                f"input size does not match signature: {set(inputs)} != {set(specs)}"
            )
        try:
            tensors = {name: tf.constant(inputs[name](specs[name].dtype)) for name in specs}
            return {name: x.numpy() for name, x in function(**tensors).items()}
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise RefusedError(getattr(error, "message", str(error))) from error


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """TensorFlow Serving's prediction service."""

    def __init__(self, servable):
        self.servable = servable

    def Predict(self, request, context):  # noqa: N802
        self._check(request, context)
        inputs = {
            name: lambda dtype, proto=proto: tf.make_ndarray(proto)
            for name, proto in request.inputs.items()
        }
        try:
            found = self.servable.predict(request.model_spec.signature_name, inputs)
        except RefusedError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for name, array in found.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
        return response

    def GetModelMetadata(self, request, context):  # noqa: N802
        self._check(request, context)
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        found = get_model_metadata_pb2.SignatureDefMap(signature_def=self.servable.definitions)
        response.metadata["signature_def"].Pack(found)
        return response

    def _check(self, request, context):
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        try:
            self.servable.check(spec.name, version)
        except RefusedError as error:
            context.abort(grpc.StatusCode.NOT_FOUND, str(error))


def rest_handler(servable):
    """Returns the class that answers REST requests."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self._answer("/metadata", lambda: _metadata(servable))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(":predict", lambda: _predicted(servable, json.loads(body)))

        def _answer(self, ending, content):
            path = self.path.removeprefix("/v1/models/").removesuffix(ending)
            name, _, version = path.partition("/versions/")
            try:
                servable.check(name, int(version) if version else None)
            except RefusedError as error:
                return self._send(404, {"error": str(error)})
            try:
                self._send(200, content())
            except RefusedError as error:
                self._send(400, {"error": str(error)})

        def _send(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextlib.contextmanager
def serving(folder, model=None):
    """Context in which the newest version in a folder is served; gives its `Addresses`.

    `model` is what `tf.saved_model.load` returns for it, if it has been loaded.
    """
    servable = Servable(folder, model)
    rpc = grpc.server(
        concurrent.futures.ThreadPoolExecutor(8),
        options=[(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(servable), rpc)
    port = rpc.add_insecure_port("127.0.0.1:0")
    rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), rest_handler(servable))
    thread = threading.Thread(target=rest.serve_forever, daemon=True)
    rpc.start()
    thread.start()
    try:
        yield Addresses(f"grpc://127.0.0.1:{port}", f"http://127.0.0.1:{rest.server_port}")
    finally:
        rest.shutdown()
        rest.server_close()
        thread.join(10)
        rpc.stop(None).wait(10)


def _metadata(servable):
    found = {}
    for name, definition in servable.definitions.items():
        found[name] = json_format.MessageToDict(
            definition,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": found}}}


def _predicted(servable, request):
    name = request.get("signature_name", "serving_default")
    if ("instances" in request) == ("inputs" in request):
        raise RefusedError("Missing 'inputs' or 'instances' key")
    by_rows = "instances" in request
    inputs = _of_rows(request["instances"]) if by_rows else request["inputs"]
    definition = servable.definitions.get(name)
    if not isinstance(inputs, dict):  # One input may come without its name.
        inputs = {next(iter(definition.inputs)): inputs} if definition else {}
    found = servable.predict(
        name,
        {key: lambda dtype, value=value: _from_json(value, dtype) for key, value in inputs.items()},
    )
    plain = {key: _to_json(value) for key, value in found.items()}
    if not by_rows:
        return {"outputs": plain if len(plain) > 1 else next(iter(plain.values()))}
    if len(plain) == 1:
        return {"predictions": next(iter(plain.values()))}
    rows = zip(*plain.values(), strict=True)
    return {"predictions": [dict(zip(plain, row, strict=True)) for row in rows]}


def _of_rows(instances):
    if isinstance(instances[0], dict) and set(instances[0]) != {"b64"}:
        return {name: [row[name] for row in instances] for name in instances[0]}
    return instances


def _from_json(value, dtype):
    if dtype != tf.string:
        return np.array(value, dtype.as_numpy_dtype)
    if isinstance(value, list):
        return np.array([_from_json(entry, dtype) for entry in value], object)
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode()


def _to_json(array):
    if array.dtype != object:
        return array.tolist()
    return [{"b64": base64.b64encode(entry).decode()} for entry in array]
