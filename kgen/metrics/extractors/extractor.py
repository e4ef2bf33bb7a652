"""A network that turns images into the features that distances are taken between."""

import contextlib
import hashlib
import json
import random

import keras
import numpy as np
from keras import ops

from kgen.core.keras_private import flatten_layers
from kgen.core.precision import dtype_policy

# Luminance of red, green and blue, ITU-R BT.601, as where kgen.data makes images grey.
_LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")


class Extractor:
    """Images in [-1, 1] of any size -> features `(n, d)`, float32, through a `keras.Model`.

    Images of another size than the network's are resized to it, stretched where the sides differ,
    by bicubic interpolation with antialiasing (Parmar et al. 2022, arXiv 2104.11222, show what
    scores lose without). Grey images become colour by repetition, colour grey by luminance.

    Attributes:
        name: Name for the card.
        hash: Hash of the network's architecture and weights, and of the classifier's.

    Args:
        network: Built `keras.Model` from images in [-1, 1] `(n, height, width, channels)` to
            features, which are flattened to `(n, d)`.
        name: Name for the card; the network's by default.
        classifier: `None`, or a built `keras.Model` from the same images to probabilities of
            classes, for the Inception score and for counting modes.
        batch_size: Images computed at once.

    Raises:
        ValueError: If the network is not of this form.
    """

    def __init__(self, network, name=None, classifier=None, batch_size=256):
        for name_of, given in (("extractor", network), ("classifier", classifier)):
            if given is not None and not (isinstance(given, keras.Model) and given.built):
                raise ValueError(f"`{name_of}` must be a built keras.Model, received {given!r}.")
        # A subclass of keras.Model does not say what it takes: images are given to it as they are.
        shape = getattr(network, "input_shape", None) or (None, None, None, None)
        if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] not in (1, 3, None):
            raise ValueError(
                "`extractor` must be a built keras.Model of images (batch, height, width, channels)"
                f" with 1 or 3 channels; received {network!r} with the input {shape}."
            )
        self._shape = shape[1:]
        self.network = network
        self.name = network.name if name is None else name
        self.classifier = classifier
        self.batch_size = batch_size

    @property
    def hash(self):
        # As the weights are now: a network may be trained after it was given.
        networks = [self.network] if self.classifier is None else [self.network, self.classifier]
        return hashlib.sha256("".join(map(hash_of, networks)).encode()).hexdigest()[:12]

    def __call__(self, images):
        """Returns the features `(n, d)` of images in [-1, 1]."""
        features = self._in_batches(self.network, images)
        return features.reshape(len(features), -1)

    def features_step(self, images):
        """Returns the features `(n, d)` of a tensor of images, through which gradients flow."""
        features = self.network(self._fitted(images), training=False)
        return ops.reshape(ops.cast(features, "float32"), (ops.shape(images)[0], -1))

    def probabilities(self, images):
        """Returns the probabilities of classes, `(n, classes)`, of images in [-1, 1].

        Raises:
            ValueError: If the extractor has no classifier.
        """
        if self.classifier is None:
            raise ValueError(f"The extractor {self.name!r} has no classes.")
        return self._in_batches(self.classifier, images)

    def resizer(self, image_shape):
        """Returns the card's word for how images of a shape come to the network's size."""
        size = self._shape[:2]
        return "none" if size in (tuple(image_shape[:2]), (None, None)) else "bicubic, antialiased"

    def _in_batches(self, network, images):
        images = checked_images(images)
        starts = range(0, len(images), self.batch_size)
        batches = (self._fitted(images[start : start + self.batch_size]) for start in starts)
        return np.concatenate([np.asarray(network.predict_on_batch(b), "float32") for b in batches])

    def _fitted(self, images):
        """Images, an array or a tensor, of the network's channels and size."""
        height, width, channels = self._shape
        if channels is not None and images.shape[-1] != channels:
            grey = images if images.shape[-1] == 1 else ops.matmul(images, _LUMINANCE[:, None])
            images = grey if channels == 1 else ops.repeat(grey, 3, axis=-1)
        if self.resizer(images.shape[1:]) != "none":
            images = ops.image.resize(
                images, (height, width), interpolation="bicubic", antialias=True,
                data_format="channels_last",
            )  # fmt: skip
            images = ops.clip(images, -1.0, 1.0)
        return images


@contextlib.contextmanager
def in_float32():
    """Context in which an extractor's network is made: in float32 whatever the policy, without a
    trace in Python's random state, from which Keras seeds what has no seed.
    """
    state = random.getstate()
    try:
        with dtype_policy("float32"):
            yield
    finally:
        random.setstate(state)


def extractor_facts(extractor, image_shape):
    """Returns the fields of a card that say whose features or classes were taken of images.

    Args:
        extractor: An extractor, or `None`: then there are none.
        image_shape: `(height, width, channels)`.
    """
    if extractor is None:
        return {}
    return {
        "extractor": extractor.name,
        "extractor_hash": extractor.hash,  # Of all its weights: once for all metrics.
        "resizer": extractor.resizer(image_shape),
    }


def checked_images(images):
    """Returns images as float32 `(n, height, width, channels)`; refuses what is not in [-1, 1]."""
    images = np.asarray(images)
    if images.ndim != 4 or not len(images) or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have the shape (n, height, width, 1 or 3) with n at least 1, received "
            f"{images.shape}."
        )
    if images.dtype.kind != "f":
        raise ValueError(f"`images` must be floats in [-1, 1], received {images.dtype}.")
    least, most = float(images.min()), float(images.max())  # NaN shows in both.
    if not -1.001 <= least <= most <= 1.001:
        raise ValueError(f"`images` must lie in [-1, 1], received values in [{least}, {most}].")
    return images.astype("float32", copy=False)


def hash_of(network):
    """Returns a hash of a network's architecture and weights, which its layers' names do not touch.

    A network without a config of its own, as one with a custom layer, is hashed by its class and
    what it makes of some noise; a subclass of keras.Model, whose input's size is not known, by its
    class.

    Returns:
        String of 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    names = {layer.name: f"layer {i}" for i, layer in enumerate(flatten_layers(network))}
    try:
        config = network.get_config()
        if "layers" not in config and len(names) > 1:
            raise NotImplementedError
    except NotImplementedError:
        config = [type(network).__qualname__]
        if getattr(network, "input_shape", None):
            sides = [side or 64 for side in network.input_shape[1:]]
            noise = np.random.default_rng(0).uniform(-1.0, 1.0, (2, *sides)).astype("float32")
            config.append(np.asarray(network.predict_on_batch(noise)).tolist())
    digest.update(json.dumps(_renamed(config, names), sort_keys=True, default=str).encode())
    for variable in network.weights:
        array = np.asarray(variable)
        digest.update(repr((array.dtype.name, array.shape)).encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _renamed(value, names):
    if isinstance(value, dict):
        entries = {str(key): entry for key, entry in value.items() if key != "trainable"}
        return {key: _renamed(entry, names) for key, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [_renamed(entry, names) for entry in value]
    return names.get(value, value) if isinstance(value, str) else value
