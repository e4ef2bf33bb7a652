"""Penalties on an autoencoder's codes `(batch, d)`: that few are active, that they hardly move.

All return a float32 scalar, to be multiplied by a weight.
"""

import math

import keras
from keras import ops

from kgen.core import engine


def l1_sparsity(codes):
    """E[sum |h|], the mean over the batch of each code's L1 norm. Olshausen and Field 1996."""
    return ops.mean(ops.sum(ops.abs(ops.cast(codes, "float32")), axis=-1))


def kl_sparsity(codes, target):
    """sum_j KL(target || mean activation of unit j), in nats, of codes in [0, 1].

    Lee, Ekanadham and Ng 2008 keep each unit's mean activation near a target; the divergence of two
    Bernoulli distributions is the form of Ng's lecture notes, CS294A (2011), section 3. The means
    are over the rows of all replicas; one of 0 or 1, where the divergence is infinite, counts as
    1e-6 away from that.
    """
    means = engine.mean_over_rows(ops.cast(codes, "float32"))  # (d,)
    means = ops.clip(means, 1e-6, 1.0 - 1e-6)
    return ops.sum(
        target * (math.log(target) - ops.log(means))
        + (1.0 - target) * (math.log1p(-target) - ops.log1p(-means))
    )


def scale_free_contraction(contraction, codes, images):
    """E[||dh/dx||_F^2] Var(x) / Var(h), variances being sums over elements: a number without unit.

    A code half as large, of which a decoder makes twice as much, has the same. Of d orthonormal
    projections it is d over the share of the images' variance that they hold. 0 where images or
    codes do not differ, as in a batch of one.

    Args:
        contraction: E[||dh/dx||_F^2], as of `contractive_penalty`.
        codes: `(batch, d)`; variances are over the rows of all replicas.
        images: `(batch, ...)`, what the codes are of.
    """
    of_codes, of_images = _variance(codes), _variance(images)
    ratio = of_images / ops.where(of_codes > 0.0, of_codes, 1.0)
    return ops.where(of_codes > 0.0, contraction * ratio, 0.0)


def _variance(rows):
    """The sum of the variances of elements, 0 where it is rounding."""
    rows = ops.cast(rows, "float32")
    means = engine.mean_over_rows(rows)
    variance = ops.sum(engine.mean_over_rows(ops.square(rows - means)))
    return ops.where(variance > 1e-12 * ops.sum(ops.square(means)), variance, 0.0)


def contractive_penalty(encoder, images, dimensions, noise=None, projections=None):
    """E[||dh/dx||_F^2], the squared Frobenius norm of the Jacobian of codes by images.

    Rifai et al. 2011, eqs. 1 and 2, which is this for any encoder: each row's own Jacobian, so the
    encoder must not mix rows, as batch norm does.

    Args:
        encoder: Function from images to codes `(batch, d)`.
        images: `(batch, ...)`.
        dimensions: d.
        noise: Random draws (`kgen.core.Noise`), for `projections`.
        projections: `None` for the whole Jacobian, at the price of d passes; k for an estimate
            without bias from k of them: E[||v' J||^2] = ||J||_F^2 for v of random signs (Hutchinson
            1990).
    """
    count = ops.shape(images)[0]
    if projections is None:
        directions = ops.broadcast_to(
            ops.eye(dimensions), (count, dimensions, dimensions)
        )  # (batch, d, d)
    else:
        draws = noise.uniform((count, projections, dimensions))
        directions = ops.where(draws < 0.5, -1.0, 1.0) / math.sqrt(projections)  # (batch, k, d)
    passes = directions.shape[1]
    repeated = ops.repeat(images, passes, axis=0)  # (batch * passes, ...)
    directions = ops.reshape(directions, (-1, dimensions))

    def projected(x):
        codes = encoder(x)
        return ops.sum(codes * ops.cast(directions, codes.dtype), axis=-1)

    gradients = engine.input_gradient(projected, repeated)
    gradients = ops.cast(gradients, keras.backend.result_type(gradients.dtype, "float32"))
    return ops.sum(ops.square(gradients)) / ops.cast(count, gradients.dtype)
