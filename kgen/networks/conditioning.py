"""How a network takes a label: what conditional generators and discriminators have in common.

A conditional network has a second input, the one-hot label `(batch, classes)`. What Keras users
write by hand, so that all families do it in the same way.
"""

import keras
from keras import layers

from kgen.core.arrays import is_one_of
from kgen.layers import BatchNormalization, ConditionalBatchNormalization
from kgen.networks.normalization import normalized

CONDITIONS = ("concatenation", "projection", "auxiliary")


def labels_input(classes):
    """Returns the input of one-hot labels, `(batch, classes)`; `None` without classes.

    Raises:
        ValueError: If `classes` is not a positive integer.
    """
    if classes is None:
        return None
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 1:
        raise ValueError(f"`classes` must be a positive integer, received {classes!r}.")
    return keras.Input((classes,), name="labels")


def discriminator_labels(condition, classes):
    """Returns the input of labels that a discriminator needs for a condition, or `None`.

    Raises:
        ValueError: Unless `condition` and `classes` are given both or neither.
    """
    if not is_one_of(condition, (None, *CONDITIONS)):
        raise ValueError(
            f"`condition` must be None or one of {list(CONDITIONS)}, received {condition!r}."
        )
    if (condition is None) != (classes is None):
        raise ValueError(
            f"`classes` must be given with a `condition` and only then, received {classes!r} with "
            f"condition={condition!r}."
        )
    return labels_input(classes if condition in ("concatenation", "projection") else None)


def check_generator_norm(normalization, classes):
    """Raises a ValueError unless a generator can have the normalisation asked for."""
    if not is_one_of(normalization, ("batch", "conditional_batch")):
        raise ValueError(
            f'`normalization` must be "batch" or "conditional_batch", received {normalization!r}.'
        )
    if normalization == "conditional_batch" and classes is None:
        raise ValueError(
            '`classes` must be given with normalization="conditional_batch", received None.'
        )


def generator_norm(normalization, labels):
    """Returns the function that normalises a generator's maps."""
    if normalization == "conditional_batch":
        return lambda x: ConditionalBatchNormalization()([x, labels])
    return lambda x: BatchNormalization()(x)


def with_labels(vectors, labels):
    """Concatenates labels to vectors, `(batch, dimensions + classes)`; without labels, does not."""
    return vectors if labels is None else layers.Concatenate()([vectors, labels])


def inputs(main, labels):
    """The inputs of a network that may take labels, too."""
    return main if labels is None else [main, labels]


def with_label_maps(images, labels):
    """Concatenates labels to images along the channels, as maps that are 1 or 0 everywhere.

    Mirza and Osindero 2014, arXiv 1411.1784, for convolutions: (batch, height, width, channels) ->
    (batch, height, width, channels + classes).
    """
    height, width, _ = images.shape[1:]
    maps = layers.Reshape((1, 1, labels.shape[-1]))(labels)
    maps = layers.UpSampling2D((height, width), interpolation="nearest")(maps)
    return layers.Concatenate(name="images_and_labels")([images, maps])


def judged(
    features,
    labels,
    classes,
    condition,
    normalization=None,
    initializer=None,
    auxiliary_units=None,
    constraint=None,
):
    """Returns the outputs of a discriminator whose last hidden layer is `features`.

    * `"projection"`: the logit is psi(features) + <V labels, features>, psi and V linear. Miyato
      and Koyama 2018, equation 4, arXiv 1802.05637.
    * `"auxiliary"`: two outputs, the logit and the logits of the classes, both linear in the
      features (Odena et al. 2017, arXiv 1610.09585); or the latter in a hidden layer of their own
      (Chen et al. 2016, InfoGAN, arXiv 1606.03657).
    * else the logit alone, linear in the features.

    Args:
        features: `(batch, dimensions)`.
        labels: One-hot labels, `(batch, classes)`, for `"projection"`; `None` otherwise.
        classes: How many classes, for `"auxiliary"`.
        condition: `None` or one of `CONDITIONS`.
        normalization: That of the layers; `"spectral"` normalises the matrices, V too.
        initializer: Function that returns the initializer of a matrix; `None` for Keras' default.
        auxiliary_units: Units of that hidden layer, for `"auxiliary"`; `None` for no such layer.
        constraint: Keras constraint of the matrices, or `None`.

    Returns:
        Logits, float32 `(batch, 1)`; for `"auxiliary"` a list of them and `(batch, classes)`.
    """

    def dense(units, hidden=False, **options):
        if initializer is not None:
            options["kernel_initializer"] = initializer()
        layer = layers.Dense(units, kernel_constraint=constraint, **options)
        return normalized(layer, normalization, first=not hidden)

    def output(x, name):
        return layers.Activation("linear", dtype="float32", name=name)(x)

    logits = dense(1)(features)
    if condition == "projection":
        embedded = dense(features.shape[-1], use_bias=False)(labels)
        logits = layers.Add()([logits, layers.Dot(axes=1)([embedded, features])])
    if condition != "auxiliary":
        return output(logits, "logits")
    if auxiliary_units is not None:
        features = dense(auxiliary_units, hidden=True)(features)
        features = layers.LeakyReLU(negative_slope=0.2)(features)
    return [output(logits, "logits"), output(dense(classes)(features), "class_logits")]
