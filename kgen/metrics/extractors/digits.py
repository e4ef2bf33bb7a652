"""A small classifier of handwritten digits, trained where it is needed first, and kept."""

import functools

import keras
from keras import layers

import kgen.data
from kgen.metrics import cache
from kgen.metrics.extractors.extractor import Extractor, in_float32

FEATURES = 64
EPOCHS = 24
# Part of the file's name: to be raised with every change to the network or its training.
_REVISION = 1


@functools.cache
@in_float32()
def digits():
    """Returns the extractor `"digits"`: `(n, 64)` features of grey 28 x 28 images, and 10 classes.

    Trained on all digits of `"mnist5k"` but those of the test split, shifted at random, in under a
    minute, to 98.6 % of the held-out digits; the features are the layer before the classes. The
    weights are kept in the cache folder (see `kgen.metrics.cache_folder`). Training repeats bit for
    bit on one kind of machine, not across them: to compare scores across machines, whose cards hold
    the weights' hash, copy the file. It leaves no trace in the process's random states.
    """
    path = cache.cache_folder() / f"digits-{_REVISION}.npz"
    classifier = _network()
    if not _load(classifier, path):
        print(f"Training kgen's classifier of digits, once, for {path} (under a minute).")
        _train(classifier)
        # Another process may have been first: all then take the same.
        if not _load(classifier, path):
            arrays = {f"weight_{i}": w for i, w in enumerate(classifier.get_weights())}
            cache.write_arrays(path, path.stem, arrays)
    features = keras.Model(classifier.input, classifier.get_layer("features").output, name="digits")
    return Extractor(features, "digits", classifier)


def _network():
    # Seeds and names are given: Keras would draw the first and count the second.
    def convolution(filters, index):
        kernel = keras.initializers.HeNormal(seed=index)
        name = f"convolution_{index}"
        return layers.Conv2D(
            filters, 3, padding="same", activation="relu", kernel_initializer=kernel, name=name
        )

    def dense(units, activation, index, name):
        kernel = keras.initializers.GlorotUniform(seed=index)
        return layers.Dense(units, activation, kernel_initializer=kernel, name=name)

    images = keras.Input((28, 28, 1), name="images")
    x = layers.MaxPooling2D(name="pooling_0")(convolution(24, 0)(images))  # (14, 14, 24)
    x = layers.MaxPooling2D(name="pooling_1")(convolution(48, 1)(x))  # (7, 7, 48)
    x = layers.MaxPooling2D(name="pooling_2")(convolution(96, 2)(x))  # (3, 3, 96)
    x = layers.Dropout(0.5, seed=5, name="dropout")(layers.Flatten(name="flatten")(x))
    # Not rectified: dead units would leave the features' covariance singular.
    x = dense(FEATURES, "leaky_relu", 3, "features")(x)
    return keras.Model(images, dense(10, "softmax", 4, "classes")(x), name="digits_classifier")


def _train(classifier):
    digits = kgen.data.load(
        "mnist5k", split="train+validation", labels=True, augmentations={"shift": 0.07}
    )
    steps = EPOCHS * digits.steps_per_pass
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    adam = keras.optimizers.Adam(schedule, name="digits_adam")
    classifier.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)
    classifier.fit(digits, epochs=EPOCHS, verbose=0, shuffle=False)


def _load(classifier, path):
    arrays = cache.read_arrays(path, path.stem)
    if arrays is None:
        return False
    shapes = [tuple(w.shape) for w in classifier.weights]
    weights = [arrays.get(f"weight_{i}") for i in range(len(shapes))]
    if [getattr(weight, "shape", None) for weight in weights] != shapes:
        return False
    classifier.set_weights(weights)
    return True
