"""Samples gone through once, batch by batch: what the metrics need of them and no more."""

import dataclasses

import numpy as np

from kgen.metrics.moments import Moments
from kgen.metrics.reference import KEPT

# A model draws the latents of one call all at once: so many.
CHUNK = 10_000
# Images kept for the metrics that look at images.
KEPT_IMAGES = 1_000


@dataclasses.dataclass
class Samples:
    """What is left of samples.

    Attributes:
        count: Samples in all.
        moments: `Moments` of the features of all.
        features: float32 `(min(count, KEPT), d)`, of the first.
        probabilities: float32 `(min(count, KEPT), classes)`, of the first.
        labels: `(count,)`, the class, or with several channels one number made of their classes.
        images: float32, the first `KEPT_IMAGES`; points of the plane: all.
    """

    count: int = 0
    moments: Moments | None = None
    features: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    labels: np.ndarray | None = None
    images: np.ndarray | None = None

    @property
    def all_features(self):
        """The features if those of all samples were kept, else their moments."""
        return self.features if len(self.features) == self.count else self.moments


class NotFiniteError(ValueError):
    """Samples hold NaN or infinity, as those of a model that has diverged do."""


def drawn(model, count, seed, batch_size):
    """Yields `count` samples of a model by batches, the first `CHUNK` as `sample` draws them."""
    for index, start in enumerate(range(0, count, CHUNK)):
        # A seed a chunk, far from those that a user would take next.
        latents = model.latents(min(CHUNK, count - start), seed=seed + index * 2**32)
        for row in range(0, len(latents), 4 * batch_size):
            yield model.decode(latents[row : row + 4 * batch_size], batch_size)


def go_through(batches, extractor, needs):
    """Returns the `Samples` that batches of arrays come down to.

    Args:
        batches: Iterable of arrays of images in [-1, 1] or points.
        extractor: An extractor, or `None` if no need asks for one.
        needs: Set of the names of attributes of `Samples` to fill.

    Raises:
        ValueError: If there are no samples; a `NotFiniteError` if they hold NaN or infinity.
    """
    samples, parts = Samples(), {name: [] for name in needs}
    for batch in batches:
        batch = np.asarray(batch)
        if not np.isfinite(batch).all():
            raise NotFiniteError("`samples` must be finite, received NaN or infinity among them.")
        if "features" in needs:
            features = extractor(batch)
            if samples.moments is None:
                samples.moments = Moments(features.shape[1])
            samples.moments.update(features)
            parts["features"].append(features[: max(0, KEPT - samples.count)])
        if "probabilities" in needs and samples.count < KEPT:
            kept = batch[: KEPT - samples.count]
            parts["probabilities"].append(extractor.probabilities(kept))
        if "labels" in needs:
            parts["labels"].append(labels_by_channel(batch, extractor))
        if "images" in needs:
            room = len(batch) if batch.ndim == 2 else max(0, KEPT_IMAGES - samples.count)
            parts["images"].append(batch[:room].astype("float32"))
        samples.count += len(batch)
    if not samples.count:
        raise ValueError("`samples` must hold at least one batch, received none.")
    for name, arrays in parts.items():
        setattr(samples, name, np.concatenate(arrays))
    return samples


def labels_by_channel(images, extractor):
    """Returns one number for the classes that each channel shows, the first channel's foremost.

    (n, height, width, c) -> (n,) in 0 .. classes^c - 1, as `kgen.data`'s stacked digits count.
    """
    labels = 0
    for channel in range(images.shape[-1]):
        probabilities = extractor.probabilities(images[..., channel : channel + 1])
        labels = labels * probabilities.shape[1] + np.argmax(probabilities, axis=1)
    return labels
