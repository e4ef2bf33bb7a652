"""A client of TensorFlow Serving for models that `kgen.serving.export` wrote."""

import numbers
import threading
import urllib.parse

import numpy as np

from kgen.serving.remote import GrpcTransport
from kgen.serving.rest import RestTransport
from kgen.serving.tensors import as_sent

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
        address: `"http://<host>:<port>"` or `"https://..."` for REST (TensorFlow Serving's port is
            8501), `"grpc://<host>:<port>"` for gRPC (8500), which needs the extra `serving`.
        model: The model's name on the server.
        version: Number of its version; `None` for the newest.
        timeout: Seconds that an answer may take.

    Raises:
        ValueError: If an argument is not of this form.
        ImportError: If gRPC's package is not installed.

    All requests raise `kgen.serving.ServerError` with the server's message where it refuses one,
    `ConnectionError` where no server answers, `TimeoutError` where it takes too long, and
    `ValueError` where an argument is not what the signature takes.
    """

    def __init__(self, address, model, version=None, timeout=60.0):
        transport = _transport(address)
        if not isinstance(model, str) or not model:
            raise ValueError(f"`model` must be the name of a model, received {model!r}.")
        is_count = isinstance(version, numbers.Integral) and not isinstance(version, bool)
        if version is not None and not (is_count and version > 0):
            raise ValueError(f"`version` must be a positive integer or None, received {version!r}.")
        is_number = isinstance(timeout, numbers.Real) and not isinstance(timeout, bool)
        if not is_number or not 0 < timeout < np.inf:
            raise ValueError(f"`timeout` must be a positive number, received {timeout!r}.")
        self.transport = transport(address, model, version, float(timeout))
        self._known = None
        self._lock = threading.Lock()

    def __call__(self, signature, **inputs):
        """Returns the outputs of a signature, a dict of arrays by name.

        Args:
            signature: Its name.
            **inputs: Its inputs by name.
        """
        known = self.signatures()
        try:
            sent = _sent(known, signature, inputs)
        except ValueError:
            known = self.signatures(anew=True)  # A newer version may be served by now.
            sent = _sent(known, signature, inputs)
        return self.transport.predict(signature, sent, known[signature]["outputs"])

    def signatures(self, anew=False):
        """Returns what the model can do: a dict from names to `inputs` and `outputs`.

        Both are dicts from names to `(NumPy type, shape)`, `None` in a shape for any size. They are
        asked for once, or `anew`.
        """
        with self._lock:
            if self._known is None or anew:
                self._known = self.transport.signatures()
            return self._known

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

    def close(self):
        """Closes the connection."""
        self.transport.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

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


def _transport(address):
    try:
        parts = urllib.parse.urlsplit(address)
        port = parts.port  # Raises where it is no number.
    except (ValueError, AttributeError, TypeError):
        parts = port = None
    schemes = {"http": RestTransport, "https": RestTransport, "grpc": GrpcTransport}
    if (
        parts is None
        or parts.scheme not in schemes
        or not parts.hostname
        or (parts.scheme == "grpc" and (port is None or parts.path.strip("/")))
    ):
        raise ValueError(
            '`address` must be "http://<host>:<port>", "https://<host>:<port>" or '
            f'"grpc://<host>:<port>", received {address!r}.'
        )
    return schemes[parts.scheme]


def _is_files(images):
    if isinstance(images, np.ndarray):
        return images.dtype == object
    return isinstance(images, list | tuple) and len(images) > 0 and isinstance(images[0], bytes)


def _only(outputs):
    """The one output; files as a list."""
    (array,) = outputs.values()
    return list(array) if array.dtype == object else array
