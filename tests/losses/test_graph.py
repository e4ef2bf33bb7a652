"""Losses as graphs: what one asks of a tensor's value in Python, no training could trace."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen import losses
from kgen.core import SeededNoise, engine
from kgen.losses.likelihood import LIKELIHOODS
from kgen.losses.reconstruction import RECONSTRUCTIONS

RNG = np.random.default_rng(0)
IMAGES, OTHERS = RNG.uniform(-1, 1, (2, 4, 4, 4, 1)).astype("float32")
OUTPUTS = RNG.normal(size=(4, 4, 4, 2)).astype("float32")
LOGITS, LABELS = RNG.normal(size=(4, 3)).astype("float32"), np.eye(4, 3, dtype="float32")
CODES = RNG.uniform(0.1, 0.9, (4, 3)).astype("float32")


def score(x):
    return ops.sum(ops.tanh(x), axis=(1, 2, 3))[:, None]


def codes_of(x):
    return ops.tanh(ops.reshape(x, (-1, 16)))[:, :3]


def calls():
    """Every loss, with what it is called on."""
    for name, loss in losses.ADVERSARIAL_LOSSES.items():
        smoothed = {"smoothing": 0.1} if loss.has_targets else {}
        yield f"{name}_discriminator", lambda r, f, g=loss, s=smoothed: g.discriminator(r, f, **s)
        yield f"{name}_generator", lambda r, f, g=loss: g.generator(*[r, f][not g.relativistic :])


TABLE = {name: (loss, (LOGITS, LOGITS[::-1])) for name, loss in calls()}
TABLE |= {
    name: (lambda r, f, penalty=penalty: penalty(score, r, f, SeededNoise(0)), (IMAGES, OTHERS))
    for name, penalty in losses.PENALTIES.items()
}
TABLE |= {
    f"{name}_log_prob": (
        likelihood.log_prob,
        (IMAGES, OUTPUTS[..., : likelihood.outputs]),
    )
    for name, likelihood in LIKELIHOODS.items()
}
TABLE |= {name: (one.error, (IMAGES, OTHERS)) for name, one in RECONSTRUCTIONS.items()}
TABLE |= {
    "absolute_error": (losses.absolute_error, (IMAGES, OTHERS)),
    "squared_error": (losses.squared_error, (IMAGES, OTHERS)),
    "weighted_squared_error": (losses.weighted_squared_error, (IMAGES, OTHERS, abs(IMAGES))),
    "classification_loss": (losses.classification_loss, (LOGITS, LABELS)),
    "gaussian_kl": (losses.gaussian_kl, (LOGITS, LOGITS[::-1])),
    "l1_sparsity": (losses.l1_sparsity, (CODES,)),
    "kl_sparsity": (lambda codes: losses.kl_sparsity(codes, 0.2), (CODES,)),
    "contractive_penalty": (
        lambda x: losses.contractive_penalty(codes_of, x, 3, SeededNoise(0), 2),
        (IMAGES,),
    ),
    "scale_free_contraction": (
        lambda codes, images: losses.scale_free_contraction(2.0, codes, images),
        (CODES, IMAGES),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_graph_for_any_batch_gives_what_is_given_without_one(name):
    loss, arguments = TABLE[name]
    rows = [tf.TensorSpec((None, *array.shape[1:])) for array in arguments]
    graph = engine.function(loss).get_concrete_function(*rows)
    found = graph(*map(tf.constant, arguments))
    np.testing.assert_allclose(found, loss(*arguments), rtol=1e-5, atol=1e-6)
