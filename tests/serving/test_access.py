"""What a client does with servers that are slow, busy, elsewhere, closed or not to be trusted."""

import concurrent.futures
import contextlib
import functools
import http.server
import json
import socket
import ssl
import threading
import time
import traceback
import types
from typing import NamedTuple

import numpy as np
import pytest
from tensorflow.core.framework import tensor_pb2

from kgen.serving import Client, ServerError, ServerTimeoutError, ServerUnavailableError

SECRET = "s3cret-t0ken"
HEADERS = {"Authorization": f"Bearer {SECRET}"}


def tensor(*sizes):
    dims = [{"size": str(size)} for size in sizes]
    return {"dtype": "DT_FLOAT", "tensor_shape": {"dim": dims}}


DECODE = {"inputs": {"latents": tensor(-1, 2)}, "outputs": {"images": tensor(-1, 2)}}
METADATA = json.dumps({"metadata": {"signature_def": {"signature_def": {"decode": DECODE}}}})
IMAGES = json.dumps({"outputs": [[1.0, 2.0]]})
ASKED = np.zeros((1, 2), "float32")


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives one answer after the other: `(status, headers, body)`, or a function of itself."""

    def answer(self):
        self.server.asked.append((self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answers.pop(0) if self.server.answers else (500, {}, "no answer left")
        if callable(answer):
            return answer(self)
        status, headers, body = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else body)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    """One that is not noisy about clients that go away."""

    def handle_error(self, request, client_address):
        pass


@contextlib.contextmanager
def serving(*answers, context=None):
    """Context in which a server gives some answers; gives the server."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers, server.asked = list(answers), []
        server.address = f"http://127.0.0.1:{server.server_port}"
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.address = server.address.replace("http", "https")
        threading.Thread(target=functools.partial(server.serve_forever, 0.01), daemon=True).start()
        yield server
        server.shutdown()


def good(body):
    return (200, {}, body)


def dripping(start):
    """An answer of which a byte comes each 50 ms, after a start."""

    def answer(handler):
        with contextlib.suppress(OSError):
            handler.wfile.write(start)
            for _ in range(60):
                handler.wfile.write(b"1")
                handler.wfile.flush()
                time.sleep(0.05)

    return answer


def later(seconds, body):
    def answer(handler):
        time.sleep(seconds)
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body.encode())

    return answer


@pytest.mark.parametrize(
    "answers",
    [
        [dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")],
        [dripping(b"HTTP/1.1 200 OK\r\nX-Name: ")],
        [dripping(b"")],
        [later(0.25, METADATA), later(0.25, IMAGES)],
        [later(0.15, METADATA), *[(503, {}, "busy")] * 20],
    ],
    ids=["body", "headers", "start", "two requests", "tries"],
)
def test_one_deadline_for_the_whole_answer(answers):
    with serving(*answers) as server:
        client, start = Client(server.address, "dcgan", timeout=0.4, retries=20), time.monotonic()
        with pytest.raises((ServerTimeoutError, ServerUnavailableError)) as caught:
            client.decode(ASKED)
        assert time.monotonic() - start < 1.5
        if "503" not in str(caught.value):
            assert str(caught.value) == f"No answer from {server.address} within 0.4 s."


def test_redirects_are_not_followed():
    with serving(good(METADATA)) as other:
        for status in (301, 302, 307, 308):
            with serving((status, {"Location": other.address}, "")) as server:
                client = Client(server.address, "dcgan", headers=HEADERS)
                with pytest.raises(ServerError, match=f"{status}, a redirect, which is not foll"):
                    client.signatures()
        assert not other.asked


def test_where_a_redirect_leads_is_not_looked_at():
    for status in (302, 308):
        answers = [
            (status, {"Location": place}, " " * 10**6) for place in ("/other", "http://[::1")
        ]
        with serving(*answers) as server:
            client = Client(server.address, "dcgan", max_response_bytes=1000)
            for _ in answers:
                with pytest.raises(ServerError, match="more than `max_response_bytes`, 1000"):
                    client.signatures()


def test_a_long_answer_is_not_read_to_its_end():
    with serving(good(METADATA), good(" " * 10**6)) as server:
        client = Client(server.address, "dcgan", max_response_bytes=1000)
        with pytest.raises(ServerError, match="more than `max_response_bytes`, 1000"):
            client.decode(ASKED)


def test_a_busy_server_is_asked_again(monkeypatch):
    waits = []
    clock = types.SimpleNamespace(sleep=waits.append)
    monkeypatch.setattr("kgen.serving.client.time", clock)
    monkeypatch.setattr("kgen.serving.client.random.uniform", lambda least, most: 1.0)
    busy = [(status, {}, "busy") for status in (503, 429, 502)]
    broken = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)  # noqa: E731
    with serving(good(METADATA), *busy, good(IMAGES), broken, good(IMAGES)) as server:
        client = Client(server.address, "dcgan")
        np.testing.assert_array_equal(client.decode(ASKED), [[1.0, 2.0]])
        np.testing.assert_allclose(waits, [0.1, 0.2, 0.4])
        assert len(client.decode(ASKED)) == 1
        server.answers[:] = [(503, {}, "busy"), good(IMAGES)]
        client.retries = 0
        with pytest.raises(ServerUnavailableError, match="answered 503: busy"):
            client.decode(ASKED)
        assert len(server.answers) == 1


def test_what_a_server_refuses_it_is_not_asked_again():
    refusal = json.dumps({"error": "assertion failed: [count: expected 1.]\n\t [[{{node A}}]]"})
    with serving(good(METADATA), (400, {}, refusal), good(IMAGES)) as server:
        with pytest.raises(ServerError, match=r"answered 400: count: expected 1\.$"):
            Client(server.address, "dcgan").decode(ASKED)
        assert len(server.answers) == 1


def of_integers(*names):
    """Metadata of a model whose output, or outputs, are integers."""
    whole = {**tensor(-1), "dtype": "DT_INT32"}
    found = {**DECODE, "outputs": dict.fromkeys(names, whole)}
    return json.dumps({"metadata": {"signature_def": {"signature_def": {"decode": found}}}})


@pytest.mark.parametrize(
    ("metadata", "answer"),
    [
        ("[" * 200_000, IMAGES),
        (b"\xff", IMAGES),
        ("", IMAGES),
        ('{"metadata": 1}', IMAGES),
        (METADATA.replace("DT_FLOAT", "DT_SINK"), IMAGES),
        (METADATA.replace('"2"', f'"{"9" * 5000}"'), IMAGES),
        (METADATA, "[" * 200_000),
        (METADATA, '{"outputs": [[1.0, [2.0]]]}'),
        (METADATA, '{"outputs": {"b64": "AAAA"}}'),
        (of_integers("images"), json.dumps({"outputs": [10**30]})),
        (of_integers("images", "more"), json.dumps({"outputs": {"images": [1]}})),
    ],
)
def test_whatever_a_server_answers_is_its_error(metadata, answer):
    with serving(good(metadata), good(answer)) as server:
        message = f"^{server.address} did not answer as TensorFlow Serving does, but .+[.]$"
        with pytest.raises(ServerError, match=message) as caught:
            Client(server.address, "dcgan").decode(ASKED)
        assert len(str(caught.value)) < 250 and "Traceback" not in shown(caught.value)[9:]


@pytest.mark.parametrize("outputs", [(), ("images", "more")])
def test_other_than_one_output_is_the_servers_error(outputs):
    answers = of_integers(*outputs), json.dumps({"outputs": {name: [1] for name in outputs}})
    with serving(*map(good, answers)) as server:
        client = Client(server.address, "dcgan")
        with pytest.raises(ServerError, match="Expected one output, the server names"):
            client.decode(ASKED)


def test_a_refusal_may_be_anything():
    long = json.dumps({"error": " " * 10**6 + "no"})
    for body, message in (("[" * 200_000, r"answered 400: \[\["), (long, "answered 400:  +")):
        with serving((400, {}, body)) as server:
            with pytest.raises(ServerError, match=message) as caught:
                Client(server.address, "dcgan", timeout=20).signatures()
            assert len(str(caught.value)) < 1200


# ---------------------------------------------------------------- credentials


def shown(error):
    return "".join(traceback.format_exception(error))


def no_http(handler):
    handler.wfile.write(b"no HTTP\r\n\r\n")


def test_headers_are_sent_and_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else")
    echo = (403, {"Set-Cookie": "a=b; Path=/"}, f"not allowed: Bearer {SECRET}")
    with serving(good(METADATA), echo, echo, no_http) as server:
        client = Client(server.address, "dcgan", headers=HEADERS, timeout=1)
        for message in (
            "answered 403: not allowed: ...$",
            "answered 403",
            "is it the port for gRPC",
        ):
            with pytest.raises(ServerError, match=message) as caught:
                client.decode(ASKED)
            assert SECRET not in shown(caught.value)
        for _, headers in server.asked:
            assert headers["Authorization"] == f"Bearer {SECRET}" and "Cookie" not in headers
    assert SECRET not in repr(client) + repr(client.transport.access)
    assert repr(client) == f"Client({server.address!r}, model='dcgan', version=None)"


TOKEN, COOKIE = f"{SECRET}/a-{SECRET}==", 'session="s3ss!on-id"; theme=l1ght-theme'


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, f"Bearer {TOKEN}"),
        ({"Authorization": f"Bearer {TOKEN}"}, TOKEN),
        ({"Authorization": f"Bearer {TOKEN}"}, TOKEN.rstrip("=")),
        ({"Cookie": COOKIE}, COOKIE),
        ({"Cookie": COOKIE}, "s3ss!on-id"),
        ({"Cookie": COOKIE}, "l1ght-theme"),
        ({"X-Key": 'a"quoted" \\ one'}, 'a"quoted" \\ one'),
    ],
)
def test_no_part_of_a_header_is_shown(header, secret):
    echoes = [{"pad": "x" * pad, "told": secret} for pad in range(0, 110, 5)]
    answers = [json.dumps(echo) for echo in echoes]
    answers += [answer.replace("/", "\\/") for answer in answers[:2]]
    answers += [json.dumps({"outputs": secret}), json.dumps({"outputs": [[secret]]})]
    refusals = [(403, {}, secret), (403, {}, json.dumps({"error": secret}))]
    with serving(good(METADATA), *map(good, answers), *refusals) as server:
        client = Client(server.address, "dcgan", headers=header)
        for _ in (*answers, *refusals):
            with pytest.raises(ServerError) as caught:
                client.decode(ASKED)
            for start in range(len(secret) - 5):  # Nor what is cut off.
                assert secret[start : start + 6] not in shown(caught.value).replace("\\", "")
        assert not server.answers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"headers": {"Authorization": f"{SECRET}\n"}}, "`headers`.*that of 'Authorization'"),
        ({"headers": {"Authorization": f"\u2026{SECRET}"}}, "`headers`.*that of 'Authorization'"),
        ({"headers": {"Authorization": SECRET.encode()}}, "`headers`.*that of 'Authorization'"),
        ({"headers": {"a name": SECRET}}, "`headers` must be named.*'a name'"),
        ({"address": f"http://user:{SECRET}@host:1"}, "`address`.*go into `headers`"),
        ({"address": f"grpc://user:{SECRET}@host"}, "`address`.*go into `headers`"),
        ({"address": f"http://host:1/?token={SECRET}"}, "`address`.*go into `headers`"),
        ({"address": f"ftp://user:{SECRET}@host"}, "`address` must be"),
        ({"ca_certificates": "missing.pem"}, "must be files, received 'missing.pem'"),
        ({"ca_certificates": __file__}, "Certificates need an `address` of https://"),
        ({"client_certificate": (__file__,)}, "`client_certificate` must be two files"),
        ({"retries": -1}, "`retries` must be an integer, at least 0, received -1"),
        ({"max_response_bytes": 0}, "`max_response_bytes` must be .* at least 1, received 0"),
    ],
)
def test_bad_arguments_without_their_secrets(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        Client(**{"address": "http://localhost:8501", "model": "dcgan", **arguments})
    assert SECRET not in str(caught.value)


# ---------------------------------------------------------------- TLS


class Certificate(NamedTuple):
    """Paths of PEM files."""

    authority: str
    certificate: str
    key: str


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Paths of an authority's certificate, and of one of 127.0.0.1 by it with its key."""
    trustme = pytest.importorskip("trustme", reason="trustme is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return Certificate(*(str(folder / f"{name}.pem") for name in Certificate._fields))


def test_https(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate[1:])
    with serving(good(METADATA), context=context) as server:
        with pytest.raises(ServerError, match="No trusted connection to https.*CERTIFICATE_VERIFY"):
            Client(server.address, "dcgan", headers=HEADERS).signatures()
        assert not server.asked
        client = Client(
            server.address, "dcgan", headers=HEADERS, ca_certificates=certificate.authority
        )
        assert list(client.signatures()) == ["decode"]
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate.authority)
    trusting = {"ca_certificates": certificate.authority, "timeout": 5}
    with serving(good(METADATA), context=context) as server:
        with pytest.raises(ServerError):
            Client(server.address, "dcgan", retries=0, **trusting).signatures()
        client = Client(server.address, "dcgan", client_certificate=certificate[1:], **trusting)
        assert list(client.signatures()) == ["decode"]


# ---------------------------------------------------------------- gRPC


@contextlib.contextmanager
def serving_rpc(answers, certificate=None):
    """Context of a gRPC server; gives its port.

    Its answers are codes to fail with, None, bytes to send as signatures, or a TensorProto.
    """
    grpc = pytest.importorskip("grpc")
    apis = pytest.importorskip("tensorflow_serving.apis.prediction_service_pb2_grpc")
    from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

    class Service(apis.PredictionServiceServicer):
        def GetModelMetadata(self, request, context):  # noqa: N802
            asked.append(dict(context.invocation_metadata()))
            answer = answers.pop(0)
            if answer is not None and not isinstance(answer, bytes):
                context.abort(answer, f"not for {SECRET}")
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            found = get_model_metadata_pb2.SignatureDefMap()
            found.signature_def["decode" * 100].inputs["latents"].dtype = 1
            response.metadata["signature_def"].Pack(found)
            if answer is not None:
                response.metadata["signature_def"].value = answer
            return response

        def Predict(self, request, context):  # noqa: N802
            response = predict_pb2.PredictResponse()
            response.outputs["images"].CopyFrom(answers.pop(0))
            return response

    asked = []
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    apis.add_PredictionServiceServicer_to_server(Service(), server)
    if certificate is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        with open(certificate.key, "rb") as key, open(certificate.certificate, "rb") as chain:
            credentials = grpc.ssl_server_credentials([(key.read(), chain.read())])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield f"127.0.0.1:{port}", asked
    server.stop(None).wait(10)


def test_grpc_with_tls_and_headers(certificate):
    with serving_rpc([None], certificate) as (address, asked):
        trusting = {"ca_certificates": certificate.authority, "headers": HEADERS, "timeout": 20}
        with Client(f"grpcs://{address}", "dcgan", **trusting) as client:
            assert len(client.signatures()) == 1
        assert asked[0]["authorization"] == HEADERS["Authorization"]
        client = Client(f"grpcs://{address}", "dcgan", headers=HEADERS, retries=0)
        with client, pytest.raises(ServerUnavailableError):
            client.signatures()
        assert len(asked) == 1 and SECRET not in repr(client)


def test_grpc_is_asked_again_and_its_answers_are_limited():
    import grpc

    unavailable, denied = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED
    with serving_rpc([unavailable, unavailable, None, denied, None, None]) as (address, asked):
        with Client(f"grpc://{address}", "dcgan", headers=HEADERS, timeout=20) as client:
            assert len(client.signatures()) == 1 and len(asked) == 3
            with pytest.raises(ServerError, match="PERMISSION_DENIED: not for ...$") as caught:
                client.signatures(anew=True)
            assert SECRET not in shown(caught.value)
        client = Client(f"grpc://{address}", "dcgan", max_response_bytes=100, timeout=20)
        with client, pytest.raises(ServerError, match="RESOURCE_EXHAUSTED.*larger than max"):
            client.signatures()


def signature_map(dtype=1):
    """A SignatureDefMap of `decode`, whose output is of a type, bytes."""
    apis = pytest.importorskip("tensorflow_serving.apis.get_model_metadata_pb2")
    found = apis.SignatureDefMap()
    decode = found.signature_def["decode"]
    decode.inputs["latents"].dtype, decode.outputs["images"].dtype = 1, dtype
    for size in (-1, 2):
        decode.inputs["latents"].tensor_shape.dim.add(size=size)
    decode.outputs["images"].tensor_shape.unknown_rank = True
    return found.SerializeToString()


def proto(sizes, dtype=1, **values):
    """A TensorProto."""
    found = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in sizes:
        found.tensor_shape.dim.add(size=size)
    return found


def test_whatever_a_server_answers_by_grpc_is_its_error():
    limit, many, texts = 10**6, "arrays of more than `max_response_bytes`, 1000000", 7
    cases = [
        ([b"\xff\xff"], "but signatures that cannot be read"),
        ([signature_map(dtype=999)], "but signatures that cannot be read"),
        ([signature_map(), proto([1, 2], dtype=999)], "but tensors that cannot be read"),
        ([signature_map(), proto([1, 2], tensor_content=b"abc")], "but tensors that cannot"),
        ([signature_map(), proto([-1, -1], float_val=[1.0])], "but tensors that cannot be read"),
        ([signature_map(), proto([2**40], float_val=[1.0])], many),
        ([signature_map(), proto([2**32, 2**32], float_val=[1.0])], many),
        ([signature_map(), proto([2**20], texts, string_val=[b"a"])], many),
    ]
    with serving_rpc([answer for answers, _ in cases for answer in answers]) as (address, _):
        for _, message in cases:
            client = Client(f"grpc://{address}", "dcgan", max_response_bytes=limit, timeout=20)
            with client, pytest.raises(ServerError, match=message) as caught:
                client.decode(ASKED)
            assert "Traceback" not in shown(caught.value)[9:]


def test_one_value_may_stand_for_many():
    answers = [signature_map(), proto([2, 3], float_val=[7.0]), proto([2], 7, string_val=[b"a"])]
    with serving_rpc(answers) as (address, _), Client(f"grpc://{address}", "dcgan") as client:
        np.testing.assert_array_equal(client.decode(ASKED), np.full((2, 3), 7, "float32"))
        assert client.decode(ASKED) == [b"a", b"a"]
