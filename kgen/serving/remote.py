"""TensorFlow Serving's gRPC interface, by the classes of tensorflow-serving-api."""

import math
import pathlib

import numpy as np
import tensorflow as tf

from kgen.serving.errors import ServerError, ServerUnavailableError
from kgen.serving.refusals import sentence_of
from kgen.serving.tensors import is_of_model, spec_of


class GrpcTransport:
    """Speaks to one model of a server by gRPC; arguments as of `RestTransport`.

    Raises:
        ImportError: Without the package tensorflow-serving-api.
    """

    def __init__(self, access, model, version):
        try:
            import grpc  # noqa: F401
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise ImportError(
                "A grpc:// address needs the package tensorflow-serving-api: "
                'pip install "kgen-keras[serving]". An http:// address does not.'
            ) from error
        self.access, self.model, self.version = access, model, version
        options = [
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", access.max_response_bytes),
            # Or a request that is sent again finds the failure of the one before.
            ("grpc.initial_reconnect_backoff_ms", 100),
        ]
        self.channel = _channel(access, options)
        self.metadata = [(name.lower(), value) for name, value in (access.headers or {}).items()]
        self.service = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def signatures(self, deadline):
        """As of `RestTransport`."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        response = self._ask(self.service.GetModelMetadata, request, deadline)

        def parse():
            found = get_model_metadata_pb2.SignatureDefMap()
            if not response.metadata["signature_def"].Unpack(found):
                raise TypeError("expected a SignatureDefMap")
            return {
                name: {
                    "inputs": {key: _spec(info) for key, info in signature.inputs.items()},
                    "outputs": {key: _spec(info) for key, info in signature.outputs.items()},
                }
                for name, signature in found.signature_def.items()
                if is_of_model(name)
            }

        return self.access.read(parse, "signatures that cannot be read")

    def predict(self, signature, inputs, outputs, deadline):
        """As of `RestTransport`."""
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        response = self._ask(self.service.Predict, request, deadline)
        missing = set(outputs) - set(response.outputs)
        if missing:
            raise ServerError(f"{self.access.address} answered without {sorted(missing)}.")

        def parse():
            found = {name: response.outputs[name] for name in outputs}
            # A tensor of one value many times is sent as that value.
            if sum(_bytes(tensor) for tensor in found.values()) > self.access.max_response_bytes:
                raise ServerError(
                    f"{self.access.address} answers arrays of more than `max_response_bytes`, "
                    f"{self.access.max_response_bytes}."
                )
            return {name: np.array(tf.make_ndarray(tensor)) for name, tensor in found.items()}

        return self.access.read(parse, "tensors that cannot be read")

    def close(self):
        """Closes the connection."""
        self.channel.close()

    def _ask(self, method, request, deadline):
        import grpc

        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        try:
            return method(request, timeout=deadline.left(), metadata=self.metadata)
        except grpc.RpcError as error:
            code, details = error.code(), self.access.told(sentence_of(error.details() or ""))
        # Without the chain: what gRPC raises prints as a page of its inner state.
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            raise deadline.passed()
        address = self.access.address
        if code == grpc.StatusCode.UNAVAILABLE:
            raise ServerUnavailableError(f"No server at {address}: {details}.")
        raise ServerError(f"{self.model} at {address} answered {code.name}: {details}")


def _channel(access, options):
    import grpc

    target = access.address.partition("://")[2].rstrip("/")
    if access.scheme == "grpc":
        return grpc.insecure_channel(target, options)
    paths = (access.roots, *reversed(access.identity or (None, None)))
    contents = [None if path is None else pathlib.Path(path).read_bytes() for path in paths]
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(*contents), options)


def _bytes(tensor):
    """The memory that an array of a TensorProto takes; of texts that of references to them."""
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    if min(sizes, default=0) < 0:
        raise ValueError(f"expected sizes, got {sizes}")
    dtype, _ = spec_of(tensor.dtype, sizes)
    return dtype.itemsize * math.prod(sizes)


def _spec(info):
    shape = info.tensor_shape
    return spec_of(info.dtype, None if shape.unknown_rank else [dim.size for dim in shape.dim])
