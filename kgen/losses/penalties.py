"""Gradient penalties: on the gradient of a discriminator's output with respect to its input.

All have one signature, `penalty(discriminator, real, fake, noise)`: a function from images to
logits `(batch, ...)`, whose mean is an image's score D(x), two float32 batches of one shape, and
random draws (`kgen.core.Noise`). All return a float32 scalar, the mean over the batch, to be
multiplied by a `penalty_weight`. Where the discriminator is a `keras.Model` with a mixed precision
policy, run them inside `full_precision(discriminator)`.
"""

import keras
from keras import ops

from kgen.core import engine


def gradient_penalty(discriminator, real, fake, noise):
    """E[(||grad D(x)|| - 1)^2], x uniform on lines between a real and a fake image each.

    Gulrajani et al. 2017 (WGAN-GP), eq. 3, arXiv 1704.00028; its weight there is 10.
    """
    alpha = noise.uniform(_per_example(real))
    points = alpha * real + (1.0 - alpha) * fake
    return ops.mean(ops.square(gradient_norm(discriminator, points) - 1.0))


def dragan_penalty(discriminator, real, fake, noise):
    """E[(||grad D(x)|| - 1)^2], x near the real images.

    Kodali et al. 2017 (DRAGAN), arXiv 1705.07215; its weight there is 10. The data's deviation is
    that of the batch of one replica.
    """
    # Differs from the paper: it writes x = real + N(0, c); its authors' experiments, whose form
    # later comparisons use, move along uniform noise half as large as the data's deviation.
    away = 0.5 * ops.std(real) * noise.uniform(ops.shape(real))
    points = real + noise.uniform(_per_example(real)) * away
    return ops.mean(ops.square(gradient_norm(discriminator, points) - 1.0))


def r1_penalty(discriminator, real, fake, noise):
    """E[||grad D(real)||^2] / 2. Mescheder et al. 2018, eq. 9, arXiv 1801.04406; weight 10."""
    return 0.5 * ops.mean(squared_gradient_norm(discriminator, real))


def r2_penalty(discriminator, real, fake, noise):
    """E[||grad D(fake)||^2] / 2. Mescheder et al. 2018, eq. 10, arXiv 1801.04406; weight 10."""
    return 0.5 * ops.mean(squared_gradient_norm(discriminator, fake))


PENALTIES = {
    "gradient": gradient_penalty,
    "dragan": dragan_penalty,
    "r1": r1_penalty,
    "r2": r2_penalty,
}


def squared_gradient_norm(discriminator, images):
    """||grad D(x)||^2 of each image, over all pixels and channels: (batch, ...) -> (batch,)."""
    gradients = engine.input_gradient(lambda x: _score(discriminator(x)), images)
    gradients = ops.cast(gradients, keras.backend.result_type(gradients.dtype, "float32"))
    return ops.sum(ops.square(gradients), axis=tuple(range(1, len(gradients.shape))))


def gradient_norm(discriminator, images):
    """||grad D(x)|| of each image, with gradient 0 where that is 0: (batch, ...) -> (batch,)."""
    return ops.sqrt(ops.maximum(squared_gradient_norm(discriminator, images), 1e-24))


def _score(logits):
    """Each image's mean logit, as in the losses. (batch, ...) -> (batch,)."""
    return ops.mean(ops.reshape(logits, (ops.shape(logits)[0], -1)), axis=-1)


def _per_example(images):
    """A shape with one number an image: (batch, 1, ...)."""
    return (ops.shape(images)[0], *(1 for _ in images.shape[1:]))
