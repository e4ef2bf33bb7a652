"""A trained model with examples of its latents, the same for models that encode and others."""

import dataclasses
import functools

import numpy as np

import kgen
import kgen.data
import kgen.metrics
from kgen.latent import label_width
from kgen.latent.layout import layout_of
from recipes import conditional

# Sets of digits as large as kgen's classifier knows them.
JUDGED = ("mnist5k", "tfds:mnist")


@dataclasses.dataclass(frozen=True)
class Subject:
    """The model, its data, and examples.

    Attributes:
        model: The `kgen.GenerativeModel`.
        config: The `recipes.latents.Config`.
        styles: Whether latents are StyleGAN's styles w.
        labels: How many of the last numbers of a row are no noise.
        held_out: Held-out images, float32 `(n, height, width, channels)`; `None` without data.
        encodes: Whether the examples are held-out images and their codes, or else samples.
        codes: Latents of the examples.
        images: Images of the examples.
        classes: Classes of the examples, integers `(n,)`; `None` where nothing tells them.
        judge: Function from images to their classes as seen by kgen's classifier; or `None`.
    """

    model: kgen.GenerativeModel
    config: object
    styles: bool
    labels: int
    held_out: np.ndarray | None
    encodes: bool
    codes: np.ndarray
    images: np.ndarray
    classes: np.ndarray | None
    judge: object

    @property
    def draws(self):
        """Whether codes are those of a distribution that the model draws from."""
        return "sample" in self.model.abilities

    @functools.cached_property
    def layout(self):
        """What the numbers of drawn latents are, a `kgen.latent.layout.Layout`."""
        return layout_of(self.model)

    @property
    def uniform(self):
        """Whether what is drawn is uniform in [-1, 1]."""
        return self.draws and self.layout.uniform

    @property
    def normal(self):
        """Whether codes are draws from N(0, 1), beside labels."""
        return self.draws and not self.styles and not self.uniform

    @property
    def path(self):
        """How to interpolate: Gaussian latents on arcs."""
        return "spherical" if self.normal else "linear"

    def decode(self, latents):
        """Returns the images of latents of any leading axes, `(count, height, width, channels)`."""
        rows = latents.reshape(-1, *self.codes.shape[1:])
        images = self.model.synthesise(rows) if self.styles else self.model.decode(rows)
        return np.clip(images, -1.0, 1.0)

    def pairs(self, count):
        """Returns two lists of numbers of examples, of one class each where classes are known."""
        generator = np.random.default_rng([self.config.seed, 2])
        firsts = generator.permutation(len(self.codes))[:count]
        classes = np.zeros(len(self.codes)) if self.classes is None else self.classes
        seconds = []
        for first in firsts:
            others = np.flatnonzero(classes == classes[first])
            others = others[others != first] if len(others) > 1 else others
            seconds.append(generator.choice(others))
        return firsts, np.array(seconds)


def subject_of(model, config, of_run):
    """Returns the `Subject` of a model.

    Args:
        model: `kgen.GenerativeModel` that can decode.
        config: The `recipes.latents.Config`.
        of_run: Dict of the fields of the run's config.

    Raises:
        ValueError: If the data are not there, or are not said for a model that draws no latents.
    """
    data = config.data or of_run.get("data")
    images, classes = (None, None) if data is None else _held_out(model, config, data)
    judge = _judge if data in JUDGED else None
    styles = callable(getattr(model, "map", None))
    labels = 0 if styles else label_width(model)
    rows = codes = None
    if "sample" in model.abilities:
        rows = model.latents(config.examples, seed=config.seed)
    labelled = model.encoded_with == "labels"
    if "encode" in model.abilities and images is not None and not (labelled and classes is None):
        codes = model.encode(images, labels=classes if labelled else None)
        if rows is not None and codes.shape[1:] != rows.shape[1:]:
            codes = None  # An InfoGAN's are of its codes alone.
    encodes = codes is not None
    if not encodes and rows is None:
        raise ValueError(
            f"data: expected images to encode, as {type(model).__name__} draws no latents of its "
            f"own, received {config.data}."
        )
    if not encodes:
        codes = model.map(rows) if styles else rows
        samples = np.clip(model.decode(rows), -1.0, 1.0)
        # An InfoGAN's categories are classes of its own.
        is_asked = model.classes and not hasattr(model, "categories")
        if is_asked:
            classes = rows[:, -model.classes :].argmax(axis=1)
        else:
            classes = None if judge is None else judge(samples)
    shown = images if encodes else samples
    return Subject(model, config, styles, labels, images, encodes, codes, shown, classes, judge)


def _held_out(model, config, data):
    """Held-out images of the model's size and their classes, if they have any."""
    size = tuple(model.image_shape)
    settings = {"image_size": size[:2], "channels": size[2], "labels": conditional.has_labels(data)}
    batches = kgen.data.in_order(data, **settings, limit=config.examples)
    batches = list(batches.as_numpy_iterator())
    if not settings["labels"]:
        return np.concatenate(batches), None
    images, labels = (np.concatenate(side) for side in zip(*batches, strict=True))
    return images, labels


def _judge(images):
    return kgen.metrics.extractor("digits").probabilities(images).argmax(axis=1)
