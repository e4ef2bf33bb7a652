"""Whether each dimension of a code stands for one factor of images whose factors are known.

Codes are taken to be those of a VAE, about 1 large where they say something, as draws from its
prior are; `unused` is in their units.
"""

import numpy as np

from kgen.metrics.arrays import checked_integer, checked_number
from kgen.metrics.bootstrap import (
    centred_interval,
    mean_interval,
    resampling_generator,
)
from kgen.metrics.information_gap import mutual_information_gap
from kgen.metrics.known_factors import (
    UNUSED,
    card_of,
    codes_of,
    known_factors,
    used_dimensions,
)
from kgen.metrics.score import Score


def beta_vae_score(
    encode, source, image_size=None, groups=600, pairs=64, test_groups=400, resamples=100, seed=0
):
    """The accuracy with which a linear classifier tells which factor pairs of images share.

    Higgins et al. 2017, "beta-VAE: learning basic visual concepts with a constrained variational
    framework", appendix A.4. For each group a factor is drawn, and then pairs of images which share
    that factor's class, all others being drawn for each image; the mean over the pairs of the
    absolute differences of their codes is what the classifier is told. In [0, 1], 1 for codes that
    know all factors linearly and apart; one that knows nothing of the images gets 1 / factors. The
    penalty on the classifier's weights takes codes to be about 1 large.

    Args:
        encode: Function from float32 images in [-1, 1] to codes `(n, d)`, or a model with a method
            `encode`, of a VAE the means.
        source: `"shapes"` or a `KnownFactors`.
        image_size: Of the shapes, in pixels; see `known_factors`.
        groups: Groups that the classifier learns from.
        pairs: Pairs of a group.
        test_groups: Further groups, of which it is the accuracy.
        resamples: Number of resamples of the bootstrap over `test_groups`; 0 for no interval.
        seed: Integer that fixes the images and the resamples.

    Returns:
        `Score`.

    Raises:
        ValueError: If an argument is not as said, or a code is not finite.

    Example:
        score = kgen.metrics.beta_vae_score(model, "shapes", image_size=32)
    """
    from sklearn.linear_model import LogisticRegression

    # Differs from the paper: scikit-learn's logistic regression, with its penalty on the weights,
    # instead of steps of Adagrad.
    source = known_factors(source, image_size)
    if len(source.sizes) < 2:
        raise ValueError(f"`source` must have at least 2 factors, received {list(source.sizes)}.")
    groups = checked_integer("groups", groups, 2)
    pairs = checked_integer("pairs", pairs, 1)
    test_groups = checked_integer("test_groups", test_groups, 1)
    generator = np.random.default_rng([checked_integer("seed", seed, 0), 0])
    shared = generator.integers(len(source.sizes), size=groups + test_groups)
    if len(np.unique(shared[:groups])) < 2:
        raise ValueError(
            f"`groups` must be more for a classifier to learn from: the {groups} received are all "
            "of one factor."
        )
    factors = _sharing(source, np.repeat(shared, pairs), 2, generator)
    codes = codes_of(encode, source, factors.reshape(-1, factors.shape[-1]))
    codes = codes.reshape(len(shared), pairs, 2, -1)
    differences = np.abs(codes[:, :, 0] - codes[:, :, 1]).mean(axis=1)  # (groups, d)
    classifier = LogisticRegression(max_iter=10_000)
    classifier.fit(differences[:groups], shared[:groups])
    right = classifier.predict(differences[groups:]) == shared[groups:]
    settings = {"groups": groups, "pairs": pairs, "test_groups": test_groups}
    samples = len(shared) * pairs * 2
    return _accuracy("beta_vae_score", right, source, samples, settings, resamples, seed)


def factor_vae_score(
    encode,
    source,
    image_size=None,
    votes=800,
    images=100,
    test_votes=800,
    unused=UNUSED,
    resamples=100,
    seed=0,
):
    """The accuracy with which the code that varies least tells which factor images share.

    Kim and Mnih 2018, "Disentangling by factorising", section 4, arXiv 1802.05983. For each vote a
    factor is drawn, and then images which share that factor's class; the vote is for the dimension
    whose variance over them, divided by its variance over all images, is the smallest. Each
    dimension stands for the factor for which it got most votes. In [0, 1], 1 where every factor
    has a dimension that knows it alone; one that knows nothing of the images gets 1 / factors.

    Args:
        encode, source, image_size: As of `beta_vae_score`.
        votes: Votes that say what dimensions stand for; 800 in the authors' code.
        images: Images of a vote.
        test_votes: Further votes, of which it is the accuracy.
        unused: Variance over all images below which a dimension is left out, as the paper does
            with those whose posterior has become the prior, N(0, 1).
        resamples: Number of resamples of the bootstrap over both kinds of votes; 0 for no interval.
        seed: Integer that fixes the images and the resamples.

    Returns:
        `Score`.

    Raises:
        ValueError: If an argument is not as said, or a code is not finite.

    Example:
        score = kgen.metrics.factor_vae_score(model, "shapes", image_size=32)
    """
    source = known_factors(source, image_size)
    votes = checked_integer("votes", votes, 1)
    images = checked_integer("images", images, 2)
    test_votes = checked_integer("test_votes", test_votes, 1)
    unused = checked_number("unused", unused, at_least=0.0)
    generator = np.random.default_rng([checked_integer("seed", seed, 0), 1])
    shared = generator.integers(len(source.sizes), size=votes + test_votes)
    factors = _sharing(source, shared, images, generator)
    codes = codes_of(encode, source, factors.reshape(-1, factors.shape[-1]))
    used = used_dimensions(codes, unused)  # The images of all votes have factors as even as any.
    variances = codes.reshape(len(shared), images, -1).var(axis=1, ddof=1)  # (votes, d)
    shares = np.where(used, variances / np.where(used, codes.var(axis=0), 1.0), np.inf)
    chosen = np.argmin(shares, axis=1)  # (votes,); the first where none is used.

    def is_right(learned):
        """Which of the further votes are for what the rows learned from say, `(test_votes,)`."""
        counts = np.zeros((codes.shape[1], len(source.sizes)), int)
        np.add.at(counts, (chosen[learned], shared[learned]), 1)
        return np.argmax(counts, axis=1)[chosen[votes:]] == shared[votes:]

    value = np.mean(is_right(np.arange(votes)))
    # Others to learn from are drawn out of all, which say best what votes there are.
    interval = _interval_of_learned(is_right, (len(shared), votes), value, resamples, seed)
    settings = {"votes": votes, "images": images, "test_votes": test_votes, "unused": unused}
    card = card_of("factor_vae_score", source, len(codes), settings, resamples, seed)
    return Score(value, card, interval)


def disentanglement_scores(encode, source, image_size=None, unused=UNUSED, resamples=100, seed=0):
    """Returns all three scores, a dict of `Score`; arguments as of each.

    Example:
        scores = kgen.metrics.disentanglement_scores(model, "shapes", image_size=32)
    """
    common = {"image_size": image_size, "resamples": resamples, "seed": seed}
    return {
        "beta_vae_score": beta_vae_score(encode, source, **common),
        "factor_vae_score": factor_vae_score(encode, source, unused=unused, **common),
        "mutual_information_gap": mutual_information_gap(encode, source, unused=unused, **common),
    }


def _interval_of_learned(is_right, drawn, value, resamples, seed):
    """The 95 % interval of the accuracy of what is learned from rows, or `None`.

    Args:
        is_right: Function from the rows that are learned from to booleans `(tests,)`.
        drawn: Number of rows that there are, and of those that are learned from.
        value: The accuracy.
        resamples, seed: As of the scores.
    """
    generator = resampling_generator(resamples, seed)
    if generator is None:
        return None
    count, learned = drawn
    rows = generator.integers(count, size=(resamples, learned))
    right = np.stack([is_right(chosen) for chosen in rows])  # (resamples, tests)
    tests = right.shape[1]
    replicates = np.array([row[generator.integers(tests, size=tests)].mean() for row in right])
    # What is learned of other rows differs on these tests by chance even where it is as good.
    chance = right.var(axis=0).mean() / tests
    kept = np.sqrt(max(0.0, 1.0 - chance / max(replicates.var(), chance, 1e-12)))
    return centred_interval(value, kept * replicates, 0.0, 1.0)


def _sharing(source, shared, images, generator):
    """Draws the factors of groups of images, each of which shares the class of one factor.

    Args:
        source: `KnownFactors`.
        shared: The factor that each group shares, integers `(groups,)`.
        images: Images of a group.
        generator: NumPy's.

    Returns:
        Integers `(groups, images, factors)`.
    """
    groups = np.arange(len(shared))
    factors = source.draw(len(shared) * images, generator).reshape(len(shared), images, -1)
    of_first = factors[groups, 0, shared]
    factors[groups[:, None], np.arange(images), shared[:, None]] = of_first[:, None]
    return factors


def _accuracy(metric, right, source, samples, settings, resamples, seed):
    """The score of answers of which `right` says which are."""
    card = card_of(metric, source, samples, settings, resamples, seed)
    return Score(np.mean(right), card, mean_interval(right, resamples, seed, 0.0, 1.0))
