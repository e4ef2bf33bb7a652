"""TensorFlow Serving's gRPC interface, by the classes of tensorflow-serving-api."""

import numpy as np
import tensorflow as tf

from kgen.serving.tensors import ServerError, is_of_model, spec_of


class GrpcTransport:
    """Speaks to one model of a server by gRPC; arguments as of `RestTransport`.

    Raises:
        ImportError: Without the package tensorflow-serving-api.
    """

    def __init__(self, address, model, version, timeout):
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise ImportError(
                "A grpc:// address needs the package tensorflow-serving-api: "
                'pip install "kgen-keras[serving]". An http:// address does not.'
            ) from error
        self.address, self.model, self.version = address, model, version
        self.timeout = timeout
        unlimited = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]
        self.channel = grpc.insecure_channel(address.removeprefix("grpc://"), unlimited)
        self.service = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def signatures(self):
        """As of `RestTransport`."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        response = self._ask(self.service.GetModelMetadata, request)
        found = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(found)
        return {
            name: {
                "inputs": {key: _spec(info) for key, info in signature.inputs.items()},
                "outputs": {key: _spec(info) for key, info in signature.outputs.items()},
            }
            for name, signature in found.signature_def.items()
            if is_of_model(name)
        }

    def predict(self, signature, inputs, outputs):
        """As of `RestTransport`."""
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        response = self._ask(self.service.Predict, request)
        return {name: np.array(tf.make_ndarray(response.outputs[name])) for name in outputs}

    def close(self):
        """Closes the connection."""
        self.channel.close()

    def _ask(self, method, request):
        import grpc

        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        try:
            return method(request, timeout=self.timeout)
        except grpc.RpcError as error:
            code, details = error.code(), error.details()
        # Without the chain: what gRPC raises prints as a page of its inner state.
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            raise TimeoutError(f"No answer from {self.address} within {self.timeout} s.")
        if code == grpc.StatusCode.UNAVAILABLE:
            raise ConnectionError(f"No server at {self.address}: {details}.")
        raise ServerError(f"{self.model} at {self.address} answered {code.name}: {details}")


def _spec(info):
    shape = info.tensor_shape
    return spec_of(info.dtype, None if shape.unknown_rank else [dim.size for dim in shape.dim])
