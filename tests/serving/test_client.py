"""The client against a server on this machine, by REST and by gRPC; and against the real one."""

import http.server
import io
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image

from kgen.serving import (
    Client,
    ServerError,
    ServerTimeoutError,
    ServerUnavailableError,
    write_config,
)
from tests.serving.exports import DRAWS
from tests.systems import CLASSES, SHAPE, SYSTEMS

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not installed")
loopback = pytest.importorskip("tests.serving.loopback")


def served(exports, name):
    """Context in which an export is served."""
    return loopback.serving(exports.folder / name, exports[name].loaded)


@pytest.fixture(scope="module")
def model(exports):
    return exports["projection_gan"].model


@pytest.fixture(scope="module")
def gan(exports, model):
    """The server of the model."""
    with served(exports, "projection_gan") as addresses:
        yield addresses


@pytest.fixture(params=["rest", "grpc"])
def client(request, gan):
    with Client(getattr(gan, request.param), "projection_gan", timeout=30) as client:
        yield client


def pixels_of(files):
    return np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])


def test_samples_are_those_of_the_model(client, model):
    labels = [0, 2, 1, 1, 0]
    expected = model.sample(5, seed=3, labels=labels)
    images = client.sample(5, seed=3, labels=labels)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, expected, atol=1e-5)
    levels = np.rint((expected + 1) * 127.5)
    whole = client.sample(5, seed=3, labels=labels, form="uint8")
    assert whole.dtype == np.uint8 and np.abs(whole - levels).max() <= 1
    files = client.sample(5, seed=3, labels=labels, form="bytes")
    assert [type(file) for file in files] == [bytes] * 5
    np.testing.assert_array_equal(pixels_of(files)[..., None], whole)
    np.testing.assert_array_equal(
        client.sample(2, seed=3, labels=1), client.sample(2, seed=3, labels=[1, 1])
    )
    assert not np.array_equal(client.sample(2, labels=0), client.sample(2, labels=0))


def test_latents_and_scores(client, model):
    latents = model.latents(4, seed=1)
    images = client.decode(latents)
    np.testing.assert_allclose(images, model.decode(latents), atol=1e-5)
    np.testing.assert_allclose(
        client.score(images, labels=[0, 1, 2, 0]), model.score(images, [0, 1, 2, 0]), atol=1e-5
    )
    found = client("score", images=images, labels=[0, 1, 2, 0])
    assert list(found) == ["logits"] and found["logits"].shape == (4, 1)
    files = client.decode(latents, form="bytes")
    whole = client.decode(latents, form="uint8")
    np.testing.assert_allclose(
        client.score(files, labels=[0, 1, 2, 0]), client.score(whole, labels=[0, 1, 2, 0]), 1e-5
    )


ASKED = (("encode", {}), ("reconstruct", {}), ("log_prob", {"samples": DRAWS}))


def test_what_an_autoencoder_can_do(exports):
    model, images = exports["vae"].model, SYSTEMS["vae"].batch()
    with served(exports, "vae") as addresses:
        for address in addresses:
            client = Client(address, "vae", version=1)
            for name, draws in ASKED:
                found, expected = getattr(client, name)(images), getattr(model, name)
                np.testing.assert_allclose(found, expected(images, **draws), rtol=1e-5, atol=1e-5)
            whole = np.rint((images + 1) * 127.5).astype("uint8")
            again = client.reconstruct(whole)
            assert again.dtype == np.uint8 and again.shape == whole.shape


def test_what_a_conditional_autoencoder_is_told(exports):
    model, (images, labels) = exports["conditional_vae"].model, SYSTEMS["conditional_vae"].batch()
    with served(exports, "conditional_vae") as addresses:
        client = Client(addresses.rest, "conditional_vae")
        for name, draws in ASKED:
            for given in (labels, 1):
                found = getattr(client, name)(images, labels=given)
                expected = getattr(model, name)(images, labels=given, **draws)
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        with pytest.raises(ValueError, match=r"must be given \['images', 'labels'\]"):
            client.encode(images)
        with pytest.raises(ServerError, match="labels: expected integers from 0 to 2"):
            client.encode(images, labels=CLASSES)


def test_signatures_are_told(client):
    found = client.signatures()["sample"]
    assert found["inputs"] == {
        "seed": (np.int32, ()), "count": (np.int32, ()), "labels": (np.int32, (None,)),
    }  # fmt: skip
    assert found["outputs"] == {"images": (np.float32, (None, *SHAPE))}


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda c: c("dream"), ValueError, "`signature` must be one of .*'sample'.*'dream'"),
        (lambda c: c("decode", z=[[0.0]]), ValueError, r"`decode` must be given \['latents'\]"),
        (lambda c: c.sample(2), ValueError, "must be given.*labels"),
        (lambda c: c.decode(np.zeros((2, 3))), ValueError, r"`latents`.*\(any, 7\).*\(2, 3\)"),
        (lambda c: c.sample(2, seed=2**40, labels=0), ValueError, "`seed`.*int32"),
        (lambda c: c.sample(2, labels=0.5), ValueError, "`labels`.*int32.*0.5"),
        (lambda c: c.sample(2, labels=0, form="jpeg"), ValueError, "`form`.*'jpeg'"),
        (lambda c: c("score", images=np.zeros((1, *SHAPE), "uint8"), labels=[0]), ValueError,
         "score_uint8"),
        (lambda c: c("score_bytes", image_bytes=["x"], labels=[0]), ValueError, "must be files"),
        (lambda c: c.sample(2, labels=CLASSES), ServerError, "labels: expected integers"),
        (lambda c: c.sample(0, labels=[0]), ServerError, "count: expected a positive"),
        (lambda c: c.score([b"no image"], labels=0), ServerError, "expected files of PNG"),
    ],
)  # fmt: skip
def test_bad_requests(client, ask, error, message):
    with pytest.raises(error, match=message):
        ask(client)


def test_the_wrong_model(gan):
    for address in gan:
        with pytest.raises(ServerError, match="not found.*nobody"):
            Client(address, "nobody").sample(1)
        with pytest.raises(ServerError, match="not found.*9"):
            Client(address, "projection_gan", version=9).sample(1)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_and_a_slow_one(scheme):
    # Two ports: gRPC waits a while before it tries one again that refused it.
    with socket.socket() as nobody, socket.socket() as silent:
        for listener in (nobody, silent):
            listener.bind(("127.0.0.1", 0))
        silent.listen()  # And never answers.
        port = nobody.getsockname()[1]
        with pytest.raises(ServerUnavailableError, match=f"127.0.0.1:{port}") as caught:
            Client(f"{scheme}://127.0.0.1:{port}", "dcgan", timeout=20).sample(1)
        assert isinstance(caught.value, ServerError) and isinstance(caught.value, ConnectionError)
        port = silent.getsockname()[1]
        with pytest.raises(ServerTimeoutError, match=r"within 0.5 s") as caught:
            Client(f"{scheme}://127.0.0.1:{port}", "dcgan", timeout=0.5).sample(1)
        assert isinstance(caught.value, ServerError) and isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8501",
        "ftp://host:1",
        "http://",
        "grpc://host",
        "grpcs://host",
        "http://host:port",
        "",
        None,
        3,
    ],
)
def test_bad_addresses(address):
    with pytest.raises(ValueError, match="`address` must be .*received"):
        Client(address, "dcgan")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": ""}, "`model`"),
        ({"model": "m", "version": 0}, "`version`.*0"),
        ({"model": "m", "version": 1.5}, "`version`.*1.5"),
        ({"model": "m", "timeout": 0}, "`timeout`.*0"),
        ({"model": "m", "timeout": "1"}, "`timeout`.*'1'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Client("http://localhost:8501", **arguments)


# ---------------------------------------------------------------- REST by hand, and the real server


def ask(address, content):
    body = json.dumps(content).encode()
    url = f"{address}/v1/models/projection_gan:predict"
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:
        return json.loads(response.read())


def check_rest(address, model):
    """Requests by rows and by columns, as one types them."""
    latents = model.latents(2, seed=0)
    rows = ask(address, {"instances": latents.tolist()})["predictions"]
    np.testing.assert_allclose(rows, model.decode(latents), atol=1e-5)
    files = ask(address, {"signature_name": "decode_bytes", "instances": latents.tolist()})
    assert [set(file) for file in files["predictions"]] == [{"b64"}] * 2
    scores = ask(address, {"signature_name": "score_bytes", "instances": [
        {"image_bytes": file, "labels": 1} for file in files["predictions"]
    ]})["predictions"]  # fmt: skip
    assert np.shape(scores) == (2, 1)
    inputs = {"seed": 0, "count": 2, "labels": [1]}
    images = ask(address, {"signature_name": "sample", "inputs": inputs})["outputs"]
    np.testing.assert_allclose(images, model.sample(2, 0, labels=1), atol=1e-5)


def test_requests_by_rows_and_by_columns(gan, model):
    check_rest(gan.rest, model)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.mark.skipif(
    shutil.which("tensorflow_model_server") is None,
    reason="tensorflow_model_server is not on the PATH",
)
@pytest.mark.parametrize("batching", [False, True])
def test_the_real_server(batching, exports, model, tmp_path):
    folder = exports.folder
    config = write_config(folder, base_path=folder)
    rpc, rest = free_ports(2)
    command = ["tensorflow_model_server", f"--port={rpc}", f"--rest_api_port={rest}"]
    command.append(f"--model_config_file={config}")
    if batching:
        batching_file = folder / "batching.config"
        command += ["--enable_batching", f"--batching_parameters_file={batching_file}"]
    with open(tmp_path / "log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{rest}/v1/models/projection_gan", server)
        for address in (f"http://127.0.0.1:{rest}", f"grpc://127.0.0.1:{rpc}"):
            client = Client(address, "projection_gan", timeout=60)
            latents = model.latents(5, seed=2)
            np.testing.assert_allclose(client.decode(latents), model.decode(latents), atol=1e-5)
            if not batching:  # Which refuses scalars.
                expected = model.sample(3, seed=1, labels=2)
                np.testing.assert_allclose(client.sample(3, 1, labels=2), expected, atol=1e-5)
        if not batching:
            check_rest(f"http://127.0.0.1:{rest}", model)
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url, server):
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                states = json.loads(response.read())["model_version_status"]
            if any(state["state"] == "AVAILABLE" for state in states):
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"the server did not serve {url}")


def test_answers_that_are_none_of_tensorflow_servings(gan):
    port = gan.grpc.rpartition(":")[2]
    with pytest.raises(ServerError, match="is it the port for gRPC"):
        Client(f"http://127.0.0.1:{port}", "projection_gan", timeout=5).sample(1)

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ServerError, match="did not answer as TensorFlow Serving does.*status"):
            Client(f"http://127.0.0.1:{server.server_port}", "dcgan").sample(1)
        server.shutdown()


def test_a_newer_version_with_other_inputs_is_asked_for(monkeypatch):
    client = Client("http://127.0.0.1:1", "dcgan")
    specs = iter([4, 8])

    def signatures(deadline):
        latents = (np.dtype("float32"), (None, next(specs)))
        return {"decode": {"inputs": {"latents": latents}, "outputs": {}}}

    monkeypatch.setattr(client.transport, "signatures", signatures)
    monkeypatch.setattr(client.transport, "predict", lambda name, inputs, outputs, deadline: inputs)
    assert client("decode", latents=np.zeros((2, 4)))["latents"].shape == (2, 4)
    assert client("decode", latents=np.zeros((2, 8)))["latents"].shape == (2, 8)


def test_one_label_is_sent_for_each_image(monkeypatch):
    client = Client("http://127.0.0.1:1", "sagan")
    monkeypatch.setattr(Client, "__call__", lambda self, name, **inputs: inputs)
    monkeypatch.setattr("kgen.serving.client._only", lambda outputs: outputs)
    images = np.zeros((3, 8, 8, 1), "float32")
    np.testing.assert_array_equal(client.score(images, labels=2)["labels"], [2, 2, 2])
    np.testing.assert_array_equal(client.score(images, labels=[0, 1, 2])["labels"], [0, 1, 2])
    assert "labels" not in client.score(images)
