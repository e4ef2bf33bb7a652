"""TensorFlow Serving's REST interface: requests and answers in JSON."""

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

from kgen.serving.tensors import ServerError, is_of_model, spec_of


class RestTransport:
    """Speaks to one model of a server by REST.

    Args:
        address: `http://<host>:<port>` or `https://...`.
        model: The model's name.
        version: Number of its version, or `None` for the newest.
        timeout: Seconds that an answer may take.
    """

    def __init__(self, address, model, version, timeout):
        self.address = address
        self.url = f"{address.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}"
        if version is not None:
            self.url += f"/versions/{version}"
        self.timeout = timeout

    def signatures(self):
        """Returns a dict from signatures' names to their `inputs` and `outputs` by name."""
        answer = self._ask(f"{self.url}/metadata")
        try:
            found = answer["metadata"]["signature_def"]["signature_def"]
        except (KeyError, TypeError) as error:
            raise self._strange(answer) from error
        return {
            name: {
                side: {key: _spec(entry) for key, entry in signature.get(side, {}).items()}
                for side in ("inputs", "outputs")
            }
            for name, signature in found.items()
            if is_of_model(name)
        }

    def predict(self, signature, inputs, outputs):
        """Returns a dict of arrays by name.

        Args:
            signature: The signature's name.
            inputs: Dict of arrays by name, of the signature's types.
            outputs: Dict from the outputs' names to their specs.
        """
        request = {
            "signature_name": signature,
            "inputs": {name: _plain(array) for name, array in inputs.items()},
        }
        answer = self._ask(f"{self.url}:predict", request)
        try:
            found = answer["outputs"]
            if len(outputs) == 1:  # Then it comes without its name.
                found = {next(iter(outputs)): found}
            return {name: _array(found[name], spec) for name, spec in outputs.items()}
        except (KeyError, TypeError) as error:
            raise self._strange(answer) from error

    def close(self):
        """Does nothing: there is a connection for each request."""

    def _ask(self, url, content=None):
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                message = _message(error.read()) or error.reason
            raise ServerError(f"{self.url} answered {error.code}: {message}") from error
        except TimeoutError as error:
            raise self._late() from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self._late() from error
            raise ConnectionError(f"No server at {self.address}: {error.reason}.") from error
        except http.client.HTTPException as error:
            raise ServerError(
                f"{url} did not answer as HTTP does ({error!r:.100}): is it the port for gRPC?"
            ) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ServerError(f"{url} did not answer JSON: {error}.") from error

    def _strange(self, answer):
        return ServerError(
            f"{self.url} did not answer as TensorFlow Serving does, but {answer!r:.100}."
        )

    def _late(self):
        return TimeoutError(f"No answer from {self.address} within {self.timeout} s.")


def _message(body):
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()


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
