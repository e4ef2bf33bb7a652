"""What the recipes of models that know classes share: labelled data, and how they are scored."""

import keras
import numpy as np
from keras import layers

import kgen.data
import kgen.metrics
import kgen.plotting
from recipes import training

# Sets whose classes kgen's own classifier of digits knows.
DIGITS = ("mnist5k", "digits", "tfds:mnist")
CLASSIFIER_STEPS = 2000  # Updates by 64 images.


def labelled_images(config, batch_size):
    """The training images and their labels, as a stream of batches.

    Raises:
        ValueError: If they have no classes.
    """
    if not has_labels(config.data, config.follow_links):
        raise ValueError(
            f"data: expected images with one class each, got {config.data}, which has none: a "
            "folder has them in one subfolder a class, a .npz file under 'y' or 'labels'."
        )
    return kgen.data.load(
        config.data, batch_size=batch_size, labels=True, **training.stream_settings(config)
    )


def held_out_images(config):
    """All images of the validation split and their labels, in order, as a stream of batches."""
    return training.held_out_images(config, labels=True)


def has_labels(data, follow_links=False):
    """Whether a set has classes."""
    try:
        kgen.data.class_count(data, follow_links)
    except ValueError:
        return False
    return True


def class_names(config):
    """What the classes of a config's data are called, a list, or `None`."""
    return kgen.data.class_names(config.data, config.follow_links)


def held_out(config, data=None, split="test", limit=None):
    """Images of a split and their labels, as two arrays; of `config.data` or other data.

    All of them, or at most `limit`, as of `kgen.data.in_order`.
    """
    return arrays(
        config.data if data is None else data,
        split,
        image_size=config.image_size,
        on_bad_file=config.on_bad_file,
        follow_links=config.follow_links,
        limit=limit,
    )


def arrays(data, split, **settings):
    """All images of a split and their labels, two arrays; settings as of `kgen.data.in_order`."""
    batches = kgen.data.in_order(data, split=split, labels=True, **settings)
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def save_classes(model, folder, names=None, columns=10):
    """Writes `classes.png`: a row for each class, a column for each of some latents.

    `names` of the classes are written beside the rows, as of `kgen.data.class_names`.
    """
    rows = [model.latents(columns, seed=0, labels=label) for label in range(model.classes)]
    images = model.decode(np.concatenate(rows))
    kgen.plotting.save_grid(images, folder / "classes.png", columns, clip=True, row_names=names)


def digit_agreement(images, labels):
    """The score of how images of digits agree with their labels, by kgen's own classifier."""
    probabilities = kgen.metrics.extractor("digits").probabilities(images)
    return kgen.metrics.label_agreement(probabilities, labels)


def classifier(images, labels, seed=0):
    """Returns a classifier of light figures on black, trained on these alone.

    They are moved, turned, stretched, sheared and partly erased at random, so that it knows what
    other hands write better than by their positions.

    Args:
        images: float32 `(n, height, width, channels)` in [-1, 1], at least 8 pixels a side.
        labels: Integers `(n,)` from 0.
        seed: Integer seed of weights and draws.

    Returns:
        `keras.Model` from images to probabilities; trained in a minute.
    """
    keras.utils.set_random_seed(seed)
    on_black = {"fill_mode": "constant", "fill_value": -1.0}
    network = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layers.RandomTranslation(0.12, 0.12, **on_black),
            layers.RandomRotation(0.07, **on_black),
            layers.RandomZoom((-0.25, 0.25), (-0.35, 0.25), **on_black),
            layers.RandomShear(0.3, 0.1, **on_black),
            layers.RandomErasing(0.5, (0.02, 0.15), fill_value=-1.0, value_range=(-1, 1)),
            layers.GaussianNoise(0.25),
        ]
    )
    for filters in (32, 64):
        for _ in range(2):
            network.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        network.add(layers.MaxPooling2D())
        network.add(layers.Dropout(0.25))
    network.add(layers.Flatten())
    network.add(layers.Dropout(0.5))
    network.add(layers.Dense(int(labels.max()) + 1, "softmax"))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, CLASSIFIER_STEPS)
    network.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    stream = kgen.data.from_arrays(images, labels, batch_size=min(64, len(images)), seed=seed)
    network.fit(
        stream.repeat(), epochs=1, steps_per_epoch=CLASSIFIER_STEPS, shuffle=False, verbose=0
    )
    return network
