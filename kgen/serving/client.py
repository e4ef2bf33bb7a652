"""A client of TensorFlow Serving for models that `kgen.serving.export` wrote."""

import numbers
import random
import threading
import time

import numpy as np

from kgen.serving.access import Access
from kgen.serving.deadline import Deadline
from kgen.serving.errors import ServerError, ServerUnavailableError
from kgen.serving.remote import GrpcTransport
from kgen.serving.rest import RestTransport
from kgen.serving.tensors import as_sent

_WAIT = 0.1  # Seconds before a request is sent for the second time, on average; then doubled.
_FORMS = {"float": "", "uint8": "_uint8", "bytes": "_bytes"}


class Client:
    """Asks a server for what a model can do, and returns arrays.

    Images are given as floats in [-1, 1], as uint8 or as a list of files (bytes, PNG or JPEG), and
    come back as they were given: float32 or uint8 `(count, height, width, channels)`, or a list of
    PNG files. Threads may share a client.

    Example:
        client = kgen.serving.Client("http://localhost:8501", model="dcgan")
        images = client.sample(16, seed=0)  # (16, 28, 28, 1) in [-1, 1]
        files = client.sample(16, seed=0, form="bytes")  # PNG
        logits = client("score", images=images)["logits"]  # Any signature, as it is.

    Args:
        address: `"http://<host>:<port>"` or, with TLS, `"https://..."` for REST (TensorFlow
            Serving's port is 8501), `"grpc://<host>:<port>"` or `"grpcs://..."` for gRPC (8500),
            which needs the extra `serving`.
        model: The model's name on the server.
        version: Number of its version; `None` for the newest.
        timeout: Seconds in which the whole answer has to be there, with all tries.
        headers: Dict of texts to send with each request, such as `{"Authorization": "Bearer ..."}`;
            as metadata by gRPC. They are in no message and no representation.
        ca_certificates: Path of a PEM file of the certificates to trust; `None` for those of the
            system.
        client_certificate: Paths of a PEM file of the client's own certificate and of its key, for
            a server that asks for one.
        retries: How often a request is sent again where no server answers or it is too busy, after
            0.1 seconds on average, then 0.2 and so on. To ask a model twice changes nothing.
        max_response_bytes: The most bytes of an answer, and by gRPC of the arrays that it is for; a
            longer one is not read to its end.

    Raises:
        ValueError: If an argument is not of this form.
        ImportError: If gRPC's package is not installed.

    All requests raise `kgen.serving.ServerError` with the server's message where it refuses one;
    of its kinds, `ServerUnavailableError` is a ConnectionError, too: no server answers, and
    `ServerTimeoutError` a TimeoutError: it takes too long. They raise `ValueError` where an
    argument is not what the signature takes. Redirects are not followed.
    """

    def __init__(
        self,
        address,
        model,
        version=None,
        timeout=60.0,
        *,
        headers=None,
        ca_certificates=None,
        client_certificate=None,
        retries=3,
        max_response_bytes=2**30,
    ):
        if not isinstance(model, str) or not model:
            raise ValueError(f"`model` must be the name of a model, received {model!r}.")
        is_count = isinstance(version, numbers.Integral) and not isinstance(version, bool)
        if version is not None and not (is_count and version > 0):
            raise ValueError(f"`version` must be a positive integer or None, received {version!r}.")
        is_number = isinstance(timeout, numbers.Real) and not isinstance(timeout, bool)
        if not is_number or not 0 < timeout < np.inf:
            raise ValueError(f"`timeout` must be a positive number, received {timeout!r}.")
        for name, count, least in (
            ("retries", retries, 0),
            ("max_response_bytes", max_response_bytes, 1),
        ):
            is_count = isinstance(count, numbers.Integral) and not isinstance(count, bool)
            if not is_count or not least <= count < 2**31:
                raise ValueError(
                    f"`{name}` must be an integer, at least {least}, received {count!r}."
                )
        access = Access(
            address, headers, ca_certificates, client_certificate, int(max_response_bytes)
        )
        transport = GrpcTransport if access.scheme.startswith("grpc") else RestTransport
        self.address, self.model, self.version = address, model, version
        self.timeout, self.retries = float(timeout), int(retries)
        self.transport = transport(access, model, version)
        self._known = None
        self._lock = threading.Lock()

    def __call__(self, signature, **inputs):
        """Returns the outputs of a signature, a dict of arrays by name.

        Args:
            signature: Its name.
            **inputs: Its inputs by name.
        """
        deadline = Deadline(self.timeout, self.address)
        known = self._signatures(deadline)
        try:
            sent = _sent(known, signature, inputs)
        except ValueError:
            known = self._signatures(deadline, anew=True)  # A newer version may be served by now.
            sent = _sent(known, signature, inputs)
        outputs = known[signature]["outputs"]
        return self._retried(
            lambda: self.transport.predict(signature, sent, outputs, deadline), deadline
        )

    def signatures(self, anew=False):
        """Returns what the model can do: a dict from names to `inputs` and `outputs`.

        Both are dicts from names to `(NumPy type, shape)`, `None` in a shape for any size. They are
        asked for once, or `anew`.
        """
        return self._signatures(Deadline(self.timeout, self.address), anew)

    def sample(self, count, seed=None, labels=None, form="float", **truncation):
        """Returns `count` new images, those of `model.sample(count, seed)`.

        Args:
            count: How many.
            seed: Integer of 32 bits; `None` draws one.
            labels: Of a conditional model the class of all, an integer, or of each.
            form: `"float"`, `"uint8"` or `"bytes"`.
            **truncation: `psi` of StyleGAN, `truncation` of BigGAN.
        """
        if form not in _FORMS:
            raise ValueError(f"`form` must be one of {list(_FORMS)}, received {form!r}.")
        if isinstance(count, bool | np.bool_):
            raise ValueError(f"`count` must be a positive integer, received {count!r}.")
        inputs = {"seed": np.random.randint(2**31) if seed is None else seed, "count": count}
        if labels is not None:
            inputs["labels"] = np.atleast_1d(labels)
        truncated = {name: value for name, value in truncation.items() if value is not None}
        name = "sample_truncated" if truncated else "sample"
        return _only(self(name + _FORMS[form], **inputs, **truncated))

    def decode(self, latents, form="float"):
        """Returns the images of rows of latents; `form` as of `sample`."""
        if form not in _FORMS:
            raise ValueError(f"`form` must be one of {list(_FORMS)}, received {form!r}.")
        return _only(self("decode" + _FORMS[form], latents=latents))

    def encode(self, images, labels=None):
        """Returns the latents of images; of a conditional model `labels` are as of `sample`."""
        return self._of_images("encode", images, **_one_each(labels, images))

    def reconstruct(self, images, labels=None):
        """Returns images after encoding and decoding; `labels` as of `encode`."""
        return self._of_images("reconstruct", images, **_one_each(labels, images))

    def translate(self, images, direction=None, seed=None):
        """Returns what images become; with a seed, of a model with noise, with noise.

        Args:
            images: The images.
            direction: Of a model with several, the name of one.
            seed: Integer of 32 bits; `None` for no noise.
        """
        name = "translate" if direction is None else f"translate_{direction}"
        if seed is None:
            return self._of_images(name, images)
        return self._of_images(f"{name}_noisy", images, seed=seed)

    def log_prob(self, images, labels=None):
        """Returns log p(image) in nats, `(count,)`; `labels` as of `encode`."""
        return self._of_images("log_prob", images, **_one_each(labels, images))

    def score(self, images, labels=None, inputs=None, domain=None):
        """Returns the discriminator's logits; arguments as of `kgen.GenerativeModel.score`."""
        name = "score" if domain is None else f"score_{domain}"
        given = _one_each(labels, images)
        if inputs is not None:
            given["input_bytes" if _is_files(inputs) else "inputs"] = inputs
        return self._of_images(name, images, **given)

    def classify(self, images):
        """Returns the probabilities of the images' classes, `(count, classes)`."""
        return self._of_images("classify", images)

    def close(self):
        """Closes the connection."""
        self.transport.close()

    def __repr__(self):
        return f"Client({self.address!r}, model={self.model!r}, version={self.version!r})"

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _signatures(self, deadline, anew=False):
        if self._known is not None and not anew:
            return self._known
        if not self._lock.acquire(timeout=deadline.left()):
            raise deadline.passed()
        try:
            if self._known is None or anew:
                self._known = self._retried(lambda: self.transport.signatures(deadline), deadline)
            return self._known
        finally:
            self._lock.release()

    def _retried(self, ask, deadline):
        """Returns what `ask` returns, which is asked again where no server answers."""
        for tried in range(self.retries + 1):
            try:
                return ask()
            except ServerUnavailableError:
                # Of different length, or all clients of a server that comes back come at once.
                wait = _WAIT * 2**tried * random.uniform(0.5, 1.5)
                if tried == self.retries or wait >= deadline.left():
                    raise
            time.sleep(wait)

    def _of_images(self, name, images, **others):
        if _is_files(images):
            return _only(self(f"{name}_bytes", image_bytes=list(images), **others))
        images = np.asarray(images)
        form = "_uint8" if images.dtype == np.uint8 else ""
        return _only(self(name + form, images=images, **others))


def _one_each(labels, images):
    """The input of labels, a label for each image, where there are some."""
    if labels is None:
        return {}
    # A server that joins requests wants as many rows of all inputs.
    return {"labels": labels if np.ndim(labels) else np.full(len(images), labels)}


def _sent(known, signature, inputs):
    """The arrays of a request, once they have proved to be what the signature takes."""
    if signature not in known:
        raise ValueError(f"`signature` must be one of {sorted(known)}, received {signature!r}.")
    specs = known[signature]["inputs"]
    if set(inputs) != set(specs):
        raise ValueError(f"`{signature}` must be given {sorted(specs)}, received {sorted(inputs)}.")
    return {name: as_sent(signature, name, inputs[name], specs[name]) for name in specs}


def _is_files(images):
    if isinstance(images, np.ndarray):
        return images.dtype == object
    return isinstance(images, list | tuple) and len(images) > 0 and isinstance(images[0], bytes)


def _only(outputs):
    """The one output; files as a list."""
    if len(outputs) != 1:
        raise ServerError(f"Expected one output, the server names {sorted(outputs)}.")
    (array,) = outputs.values()
    return list(array) if array.dtype == object else array
