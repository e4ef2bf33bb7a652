"""What a server reads beside the SavedModel: warm-up requests and its config."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf import wrappers_pb2 as _wrappers  # noqa: F401  (Known to the pool.)

from kgen import models
from kgen.serving import export, write_config
from tests.serving.points import points_gan


def batching_parameters():
    """The message that a server reads: session_bundle_config.proto is in no wheel."""
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto", package="kgen_tests", syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )  # fmt: skip
    message = file.message_type.add(name="BatchingParameters")
    names = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    for number, name in enumerate(names, start=1):
        message.field.add(
            name=name, number=number, label=1, type=11, type_name=".google.protobuf.Int64Value"
        )
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("kgen_tests.BatchingParameters")
    )()


def warm_up_requests(path):
    """The requests that a server runs before it takes others."""
    from tensorflow_serving.apis import prediction_log_pb2

    records = tf.data.TFRecordDataset(f"{path}/assets.extra/tf_serving_warmup_requests")
    for record in records:
        yield prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request


def model_configs(path):
    pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not installed")
    from tensorflow_serving.config import model_server_config_pb2

    with open(path, encoding="utf-8") as file:
        found = text_format.Parse(file.read(), model_server_config_pb2.ModelServerConfig())
    return [(c.name, c.base_path, c.model_platform) for c in found.model_config_list.config]


def test_an_export_brings_its_config(tmp_path):
    model = points_gan()
    export(model, tmp_path / "gan")
    path = tmp_path / "gan" / "models.config"
    assert model_configs(path) == [("gan", "/models/gan", "tensorflow")]
    with open(tmp_path / "gan" / "batching.config") as file:
        found = text_format.Parse(file.read(), batching_parameters())
    assert found.max_batch_size.value == 64 and found.batch_timeout_micros.value == 2000
    path.write_text("# My own.\n")
    export(model, tmp_path / "gan")
    assert path.read_text() == "# My own.\n"


def test_a_config_of_several_servables(tmp_path):
    for name in ("b", 'a "quoted" \\ name', "ü"):
        (tmp_path / name / "1").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    path = write_config(tmp_path, base_path="/srv/", max_batch_size=8)
    names = ['a "quoted" \\ name', "b", "ü"]
    assert model_configs(path) == [(name, f"/srv/{name}", "tensorflow") for name in names]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "`directory` must hold versions"),
        ({"directory": "nowhere"}, "`directory`.*nowhere"),
        ({"base_path": "models"}, "`base_path`.*'models'"),
        ({"max_batch_size": 0}, "`max_batch_size`.*0"),
        ({"batch_timeout_micros": 0.5}, "`batch_timeout_micros`.*0.5"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_config(**{"directory": tmp_path, **arguments})


def test_warm_up_requests_are_answered(exports):
    pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not installed")
    served = exports["context_encoder"].served
    names = []
    for request in warm_up_requests(exports["context_encoder"].path):
        assert request.model_spec.name == "context_encoder"
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        assert {len(value) for value in inputs.values()} == {1}
        for value in served[request.model_spec.signature_name](**inputs).values():
            assert value.dtype == object or np.isfinite(value).all()
        names.append(request.model_spec.signature_name)
    # Not those with a scalar, which a server that joins requests refuses.
    kinds = [
        f"{name}{form}" for name in ("translate", "score") for form in ("", "_uint8", "_bytes")
    ]
    assert sorted(names) == sorted(kinds)


def test_without_the_package_there_is_no_warm_up(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    path = export(points_gan(), tmp_path / "gan")
    extra = tf.io.gfile.listdir(f"{path}/assets.extra")
    assert extra == ["model_card.json"]


def test_warm_up_images_of_free_size_are_such_as_the_network_takes(tmp_path):
    """Seven halvings take no 64 pixels: a request of so few would cost the whole version."""
    pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not installed")
    images = keras.Input((None, None, 1))
    levels = [images]
    for _ in range(7):
        levels.append(keras.layers.AveragePooling2D(2)(levels[-1]))
    x = levels.pop()
    while levels:
        x = keras.layers.UpSampling2D()(x)
        x = keras.layers.Add()([x, levels.pop()])  # Of another size where a halving rounded down.
    network = keras.Model(images, keras.layers.Conv2D(1, 1)(x))
    path = export(models.Pix2Pix(network, seed=0), tmp_path / "pix2pix")
    requests = list(warm_up_requests(path))
    assert {request.model_spec.signature_name for request in requests} == {
        "translate", "translate_uint8", "translate_bytes",
    }  # fmt: skip
    assert requests[0].inputs["images"].tensor_shape.dim[1].size == 256
