"""Warm-up requests: what TensorFlow Serving runs before a version gets its first request."""

import pathlib

import tensorflow as tf

from kgen.serving.examples import in_form
from kgen.serving.model_card import described


def write_warm_up(folder, name, abilities, signatures, examples):
    """Writes `tf_serving_warmup_requests`: a request of one row for each signature of rows.

    Signatures that take a scalar, such as `sample`, are left out: a server that joins requests
    (`--enable_batching`) refuses those, and with them in the file the whole version.

    Args:
        folder: The version's folder of further files, `assets.extra`.
        name: The model's name on the server.
        abilities: The model's list of `Ability`.
        signatures: Dict from names to concrete functions.
        examples: Dict from abilities' names to inputs that they take; those without have no
            request.

    Returns:
        Whether it was written: not without the package tensorflow-serving-api.
    """
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError:
        return False
    requests = []
    for ability in abilities:
        if ability.name not in examples or any(spec.shape.rank == 0 for spec in ability.inputs):
            continue
        example = {key: value[:1] for key, value in examples[ability.name].items()}
        for form in ("", "uint8", "bytes"):
            signature = f"{ability.name}_{form}" if form else ability.name
            if signature not in signatures:
                continue
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            inputs = in_form(example, form) if form else example
            for key, spec in described(signatures[signature])["inputs"].items():
                proto = tf.make_tensor_proto(inputs[key], spec["dtype"])
                request.inputs[key].CopyFrom(proto)
            requests.append(request)
    path = pathlib.Path(folder) / "tf_serving_warmup_requests"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
    return True
