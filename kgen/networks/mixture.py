"""The pair for points of the plane, after PacGAN (Lin et al. 2018, arXiv 1712.04086, section 4.1).

The sizes are those of the experiments that its authors published with the paper.
"""

import keras
from keras import layers

from kgen.core.arrays import is_one_of
from kgen.core.numbers import is_count, plain_arguments
from kgen.layers import BatchNormalization, Maxout


@plain_arguments
def mixture_generator(
    dimensions=2, latent_dim=2, units=400, hidden_layers=4, normalization="batch"
):
    """Returns the generator: latents `(batch, latent_dim)` -> points `(batch, dimensions)`.

    Hidden layers of rectified linear units, and a linear output: points have the units of their
    data, any real numbers.

    Args:
        dimensions: Size of a point; 2 in the paper.
        latent_dim: Size of the latents; 2 in the paper.
        units: Units of each hidden layer; 400 in the paper.
        hidden_layers: How many; 4 in the paper.
        normalization: `"batch"` as in the paper; `None` for none: a batch's own mean and deviation
            shift its points by more than narrow modes are wide.

    Raises:
        ValueError: If an argument is not as described.
    """
    _check_positive(
        dimensions=dimensions, latent_dim=latent_dim, units=units, hidden_layers=hidden_layers
    )
    if not is_one_of(normalization, ("batch", None)):
        raise ValueError(f'`normalization` must be "batch" or None, received {normalization!r}.')
    latents = keras.Input((latent_dim,), name="latents")
    x = latents
    for _ in range(hidden_layers):
        # Differs from the paper: He's initial weights and not N(0, 0.02^2), which start far closer
        # to a constant.
        make = layers.Dense(units, use_bias=not normalization, kernel_initializer="he_normal")
        x = make(x)
        x = layers.ReLU()(BatchNormalization(momentum=0.95)(x) if normalization else x)
    x = layers.Dense(dimensions)(x)
    points = layers.Activation("linear", dtype="float32", name="points")(x)
    return keras.Model(latents, points, name="generator")


@plain_arguments
def mixture_discriminator(dimensions=2, units=200, pieces=5, hidden_layers=3):
    """Returns the discriminator: points `(batch, dimensions)` -> logits `(batch, 1)`.

    Hidden layers of maxout units, without a norm: it suits every penalty.

    Args:
        dimensions: Size of what is judged at once; with packing k, k times that of a point.
        units: Units of each hidden layer; 200 in the paper.
        pieces: Linear pieces of each maxout unit; 5 in the paper.
        hidden_layers: How many; 3 in the paper.

    Raises:
        ValueError: If an argument is no positive integer.
    """
    _check_positive(dimensions=dimensions, units=units, pieces=pieces, hidden_layers=hidden_layers)
    points = keras.Input((dimensions,), name="points")
    x = points
    for index in range(hidden_layers):
        # Differs from the paper: random offsets, and weights of a scale that maxout keeps, and not
        # 0 and N(0, 0.02^2). With offsets of 0 every piece of the plane begins at the origin.
        first = keras.initializers.RandomNormal(stddev=0.1)
        later = keras.initializers.VarianceScaling(0.5, "fan_in", "normal")
        x = Maxout(
            units,
            pieces,
            kernel_initializer=later if index else first,
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
        )(x)
    x = layers.Dense(1)(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(points, logits, name="discriminator")


def _check_positive(**arguments):
    for name, value in arguments.items():
        if not is_count(value):
            raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")
