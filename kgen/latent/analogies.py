"""Arithmetic on latents: a man with glasses, less a man, plus a woman."""

import numpy as np

from kgen.latent.arguments import finite_rows


def analogy(a, b, c):
    """Returns mean(a) - mean(b) + mean(c): what is to c as a is to b.

    Radford et al. 2016, section 6.3.2 and figure 7, arXiv 1511.06434, who take the mean of three
    latents for each, as single ones are unstable. Of latents from N(0, 1), means of three leave the
    result about as long as one latent.

    Labels at the end of rows are added up, too: with all of one class they stay, and so do those of
    c where a and b are of one.

    Args:
        a, b, c: Arrays `(n, ..., d)`, each of its own n of at least 1: rows of latents, or styles,
            whose images have something in common.

    Returns:
        float32 array `(..., d)`, one row.

    Raises:
        ValueError: If an argument is not of this form.

    Example:
        >>> from kgen.latent import analogy
        >>> analogy([[1.0, 4.0], [3.0, 4.0]], [[2.0, 0.0]], [[5.0, 1.0]]).tolist()
        [5.0, 5.0]
    """
    sides = {"a": finite_rows("a", a, axes=2)}
    for name, rows in (("b", b), ("c", c)):
        sides[name] = finite_rows(name, rows, axes=2)
        if sides[name].shape[1:] != sides["a"].shape[1:]:
            raise ValueError(
                f"`{name}` must have rows of the shape of those of `a`, {sides['a'].shape[1:]}, "
                f"received {sides[name].shape[1:]}."
            )
    means = {name: np.mean(rows, axis=0) for name, rows in sides.items()}
    return (means["a"] - means["b"] + means["c"]).astype("float32")
