"""What the recipes of models that know classes share: labelled data, and how they are scored."""

import keras
import numpy as np
from keras import layers

import kgen.data
import kgen.metrics
from recipes import training

# Sets whose classes kgen's own classifier of digits knows.
DIGITS = ("mnist5k", "digits", "tfds:mnist")


def labelled_images(config, batch_size):
    """The training images and their labels, as a stream of batches."""
    return kgen.data.load(
        config.data, batch_size=batch_size, labels=True, **training.stream_settings(config)
    )


def has_labels(data):
    """Whether a set has classes."""
    try:
        kgen.data.class_count(data)
    except ValueError:
        return False
    return True


def held_out(config, data=None, split="test"):
    """All images of a split and their labels, as two arrays; of `config.data` or other data."""
    batches = kgen.data.in_order(
        config.data if data is None else data,
        config.image_size,
        split=split,
        labels=True,
        on_bad_file=config.on_bad_file,
    )
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def write_scores(folder, scores, model):
    """Prints scores and writes them to `scores.jsonl` of a report's folder."""
    for name, score in scores.items():
        print(f"{name}: {score}")
    path = folder / "scores.jsonl"
    path.unlink(missing_ok=True)
    kgen.metrics.append_scores(path, scores, round=model.rounds_played)


def classifier(images, labels, seed=0, epochs=40):
    """Returns a classifier of images, trained on them alone, moved and turned a little at random.

    Args:
        images: float32 `(n, height, width, channels)` in [-1, 1].
        labels: Integers `(n,)` from 0.
        seed: Integer seed of weights and draws.
        epochs: Passes over the images.

    Returns:
        `keras.Model` from images to probabilities; trained in a minute for sets of digits.
    """
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
            layers.RandomRotation(0.04, fill_mode="nearest"),
            layers.RandomZoom(0.15, 0.15, fill_mode="nearest"),
            layers.GaussianNoise(0.2),
        ]
    )
    for filters in (24, 48):
        network.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        network.add(layers.Conv2D(filters, 3, 2, padding="same", activation="relu"))
    network.add(layers.Flatten())
    network.add(layers.Dropout(0.5))
    network.add(layers.Dense(int(labels.max()) + 1, "softmax"))
    network.compile("adam", "sparse_categorical_crossentropy")
    network.fit(images, labels, batch_size=64, epochs=epochs, verbose=0)
    return network
