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
    return judged_and_penalized(discriminator, real)[1]


def r2_penalty(discriminator, real, fake, noise):
    """E[||grad D(fake)||^2] / 2. Mescheder et al. 2018, eq. 10, arXiv 1801.04406; weight 10."""
    return judged_and_penalized(discriminator, fake)[1]


def judged_and_penalized(discriminator, images, logits=lambda outputs: outputs):
    """Returns discriminator(images) and E[||grad D(images)||^2] / 2, of one and the same pass.

    The penalty is R1 at real images and R2 at fake ones; so these cost a loss, which judges the
    same images, no pass of their own.

    Args:
        discriminator: Function from images to outputs of any structure.
        images: `(batch, ...)`.
        logits: Function from these outputs to the logits `(batch, ...)` among them.
    """
    outputs, gradients = engine.value_and_input_gradient(
        discriminator, images, part=lambda outputs: _score(logits(outputs))
    )
    return outputs, 0.5 * ops.mean(_squared_norm(gradients))


PENALTIES = {
    "gradient": gradient_penalty,
    "dragan": dragan_penalty,
    "r1": r1_penalty,
    "r2": r2_penalty,
}

# Whether a penalty is taken at the images that the loss judges, and which those are.
AT_JUDGED_IMAGES = {"r1": "real", "r2": "fake"}


def squared_gradient_norm(discriminator, images):
    """||grad D(x)||^2 of each image, over all pixels and channels: (batch, ...) -> (batch,)."""
    return _squared_norm(engine.input_gradient(lambda x: _score(discriminator(x)), images))


def gradient_norm(discriminator, images):
    """||grad D(x)|| of each image, with gradient 0 where that is 0: (batch, ...) -> (batch,)."""
    return ops.sqrt(ops.maximum(squared_gradient_norm(discriminator, images), 1e-24))


def _squared_norm(gradients):
    gradients = ops.cast(gradients, keras.backend.result_type(gradients.dtype, "float32"))
    return ops.sum(ops.square(gradients), axis=tuple(range(1, len(gradients.shape))))


def _score(logits):
    """Each image's mean logit, as in the losses. (batch, ...) -> (batch,)."""
    return ops.mean(ops.reshape(logits, (ops.shape(logits)[0], -1)), axis=-1)


def _per_example(images):
    """A shape with one number an image: (batch, 1, ...)."""
    return (ops.shape(images)[0], *(1 for _ in images.shape[1:]))
