"""TensorFlow Serving's REST interface: requests and answers in JSON."""

import base64
import contextlib
import http.client
import http.cookiejar
import json
import urllib.parse

import numpy as np
import requests
import urllib3

from kgen.serving.errors import ServerError, ServerUnavailableError
from kgen.serving.refusals import sentence_of
from kgen.serving.tensors import is_of_model, spec_of

# Too many requests, and a gateway that does not reach the server, or not in time.
_UNAVAILABLE = (429, 502, 503, 504)
_PIECE = 2**16  # Bytes of an answer between two looks at the time.


class RestTransport:
    """Speaks to one model of a server by REST.

    Args:
        access: The `Access` to the server.
        model: The model's name.
        version: Number of its version, or `None` for the newest.
    """

    def __init__(self, access, model, version):
        self.access = access
        start = access.address.rstrip("/")
        self.url = f"{start}/v1/models/{urllib.parse.quote(model, safe='')}"
        if version is not None:
            self.url += f"/versions/{version}"
        self.session = requests.Session()
        # Not compressed, as a small answer could become a large one.
        self.session.headers = {"Accept-Encoding": "identity", **(access.headers or {})}
        self.session.auth = lambda request: request  # And none out of ~/.netrc.
        # Nor a place to go on to, for which all that a redirect says would be read.
        self.session.get_redirect_target = lambda response: None
        self.session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))

    def signatures(self, deadline):
        """Returns a dict from signatures' names to their `inputs` and `outputs` by name.

        Args:
            deadline: The `Deadline` of the answer.
        """

        def parse(answer):
            found = answer["metadata"]["signature_def"]["signature_def"]
            return {
                name: {
                    side: {key: _spec(entry) for key, entry in signature.get(side, {}).items()}
                    for side in ("inputs", "outputs")
                }
                for name, signature in found.items()
                if is_of_model(name)
            }

        return self._ask(parse, f"{self.url}/metadata", deadline)

    def predict(self, signature, inputs, outputs, deadline):
        """Returns a dict of arrays by name.

        Args:
            signature: The signature's name.
            inputs: Dict of arrays by name, of the signature's types.
            outputs: Dict from the outputs' names to their specs.
            deadline: The `Deadline` of the answer.
        """
        request = {
            "signature_name": signature,
            "inputs": {name: _plain(array) for name, array in inputs.items()},
        }

        def parse(answer):
            found = answer["outputs"]
            if len(outputs) == 1:  # Then it comes without its name.
                found = {next(iter(outputs)): found}
            return {name: _array(found[name], spec) for name, spec in outputs.items()}

        return self._ask(parse, f"{self.url}:predict", deadline, request)

    def close(self):
        """Closes the connections."""
        self.session.close()

    def _ask(self, parse, url, deadline, content=None):
        status, body = deadline.of(lambda: self._answer(url, deadline, content))
        if status in _UNAVAILABLE:
            raise ServerUnavailableError(f"{url} answered {status}: {self._message(body)}")
        if 300 <= status < 400:
            raise ServerError(f"{url} answered {status}, a redirect, which is not followed.")
        if status != 200:
            raise ServerError(f"{url} answered {status}: {self._message(body)}")
        return self.access.read(lambda: parse(json.loads(body)), body.decode(errors="replace"))

    def _answer(self, url, deadline, content):
        """Returns the status and the body of an answer."""
        body = None if content is None else json.dumps(content).encode()
        try:
            with self.session.request(
                "GET" if body is None else "POST",
                url,
                data=body,
                headers={"Content-Type": "application/json"},
                stream=True,
                allow_redirects=False,
                timeout=deadline.left(),
                verify=self.access.roots or True,
                cert=self.access.identity,
            ) as response:
                pieces, size = [], 0
                while piece := response.raw.read1(_PIECE):
                    pieces.append(piece)
                    size += len(piece)
                    if size > self.access.max_response_bytes:
                        raise ServerError(
                            f"{url} answers more than `max_response_bytes`, "
                            f"{self.access.max_response_bytes}."
                        )
                    deadline.left()
                return response.status_code, b"".join(pieces)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failure = self._failure(error, deadline)
        raise failure  # Without the chain, whose parts hold the request.

    def _failure(self, error, deadline):
        if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
            return deadline.passed()
        causes = list(_causes(error))
        reason = self.access.told(str(causes[-1]) or type(causes[-1]).__name__)
        if isinstance(error, requests.exceptions.SSLError):
            return ServerError(f"No trusted connection to {self.access.address}: {reason}.")
        for cause in causes:
            if isinstance(cause, http.client.HTTPException) and not isinstance(cause, OSError):
                return ServerError(
                    f"{self.access.address} did not answer as HTTP does ({reason:.100}): is it the "
                    "port for gRPC?"
                )
        return ServerUnavailableError(f"No server at {self.access.address}: {reason}.")

    def _message(self, body):
        with contextlib.suppress(Exception):  # It may be anything.
            return self.access.told(sentence_of(json.loads(body)["error"]))
        return self.access.told(body.decode(errors="replace").strip())


def _causes(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _spec(entry):
    shape = entry["tensor_shape"]
    sizes = None if shape.get("unknown_rank") else [int(d["size"]) for d in shape.get("dim", [])]
    return spec_of(entry["dtype"], sizes)


def _plain(array):
    if array.dtype != object:
        return array.tolist()
    if not array.ndim:
        return {"b64": base64.b64encode(array.item()).decode()}
    return [_plain(np.asarray(row, object)) for row in array]


def _array(value, spec):
    dtype, _ = spec
    if dtype.kind != "O":
        return np.array(value, dtype)
    found = np.empty(len(value), object)  # Files, one an image.
    found[:] = [base64.b64decode(v["b64"]) if isinstance(v, dict) else v.encode() for v in value]
    return found
