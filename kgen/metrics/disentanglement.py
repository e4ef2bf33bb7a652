"""Whether each dimension of a code stands for one factor of images whose factors are known.

Codes are taken to be those of a VAE, about 1 large where they say something, as draws from its
prior are; `unused` is in their units.
"""

import warnings

import numpy as np

from kgen.metrics.arrays import checked_integer, checked_number
from kgen.metrics.bootstrap import bootstrap_interval, bootstrap_seeds, mean_interval
from kgen.metrics.card import Card
from kgen.metrics.known_factors import codes_of, known_factors
from kgen.metrics.score import Score

# Variance of a code over all images below which it counts as unused.
UNUSED = 0.05


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
        resamples: Number of resamples of the bootstrap over `test_votes`; 0 for no interval.
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
    used = _used(codes, unused)  # The images of all votes have factors as even as any.
    variances = codes.reshape(len(shared), images, -1).var(axis=1, ddof=1)  # (votes, d)
    shares = np.where(used, variances / np.where(used, codes.var(axis=0), 1.0), np.inf)
    chosen = np.argmin(shares, axis=1)  # (votes,); the first where none is used.
    counts = np.zeros((codes.shape[1], len(source.sizes)), int)
    np.add.at(counts, (chosen[:votes], shared[:votes]), 1)
    right = np.argmax(counts, axis=1)[chosen[votes:]] == shared[votes:]
    settings = {"votes": votes, "images": images, "test_votes": test_votes, "unused": unused}
    return _accuracy("factor_vae_score", right, source, len(codes), settings, resamples, seed)


def mutual_information_gap(
    encode, source, image_size=None, samples=10_000, bins=20, unused=UNUSED, resamples=100, seed=0
):
    """How much more the best code of a factor knows of it than the second best; mean over factors.

    Chen et al. 2018, "Isolating sources of disentanglement in variational autoencoders", section
    4.1, equation 6, arXiv 1802.04942: the mean over factors v of (I(z; v) - I(z'; v)) / H(v), z
    and z' being the dimensions of the largest and the second largest I. In [0, 1]: 1 where every
    factor has a dimension that knows all of it and no other knows any of it.

    Args:
        encode, source, image_size: As of `beta_vae_score`.
        samples: Images, of factors drawn evenly.
        bins: Fewest bins into which each dimension is cut, equally wide from its smallest to its
            largest value: one far outlier leaves few of them to the rest. For a factor of more
            classes there are as many bins as classes, so that a code can tell all of them.
        unused: Variance over all images below which a dimension counts as constant.
        resamples: Number of resamples of the bootstrap over images; 0 for no interval.
        seed: Integer that fixes the images and the resamples.

    Returns:
        `Score`.

    Raises:
        ValueError: If an argument is not as said, or a code is not finite.

    Example:
        score = kgen.metrics.mutual_information_gap(model, "shapes", image_size=32)
    """
    # Differs from the paper: I is that of counts of binned codes, as in Locatello et al. 2019,
    # arXiv 1811.12359, and not that of draws from the posterior q(z | image), of which a function
    # `encode` gives the means. They know a little even where a draw would not: hence `unused`.
    # There 20 bins are all: log(20) is 81 % of what there is to know of a factor of 40 classes.
    source = known_factors(source, image_size)
    samples = checked_integer("samples", samples, 100)
    bins = checked_integer("bins", bins, 2)
    unused = checked_number("unused", unused, at_least=0.0)
    generator = np.random.default_rng([checked_integer("seed", seed, 0), 2])
    factors = source.draw(samples, generator)
    codes = codes_of(encode, source, factors)
    used = _used(codes, unused)
    # For each factor the codes as integers `(n, d)`.
    binned = [_binned(codes, max(bins, size), used) for size in source.sizes.values()]

    def gap(rows):
        gaps = [
            information_gap(of_factor[rows], classes[rows])
            for of_factor, classes in zip(binned, factors.T, strict=True)
        ]
        return float(np.clip(np.mean(gaps), 0.0, 1.0))

    value = gap(slice(None))
    interval = bootstrap_interval(gap, (samples,), value, resamples, seed, 0.0, 1.0)
    settings = {"bins": bins, "unused": unused, "entropy": "Miller-Madow"}
    card = _card("mutual_information_gap", source, samples, settings, resamples, seed)
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


def information_gap(codes, classes):
    """(I(z; v) - I(z'; v)) / H(v) of one factor v and codes that are whole numbers.

    Args:
        codes: Integers `(n, d)` from 0.
        classes: The factor's, integers `(n,)` from 0.
    """
    of_factor = entropy(np.bincount(classes))
    information = [0.0]  # A lone code's second knows nothing.
    for code in codes.T:
        joint = np.bincount(code * (classes.max() + 1) + classes)
        information.append(entropy(np.bincount(code)) + of_factor - entropy(joint))
    second, first = np.sort(np.maximum(information, 0.0))[-2:]
    return (first - second) / of_factor


def entropy(counts):
    """-sum(p log p) in nats of what was counted `counts` times, corrected for the few there are.

    Miller 1955, "Note on the bias of information estimates": the entropy of n counts in k cells is
    too small by about (k - 1) / 2n. Without it codes that are independent of a factor seem to know
    some of it: of 10,000 images, 32 bins and 40 classes 1.6 % of all there is.
    """
    counts = counts[counts > 0]
    shares = counts / np.sum(counts)
    return -np.sum(shares * np.log(shares)) + (len(counts) - 1) / (2 * np.sum(counts))


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


def _used(codes, unused):
    """Which dimensions of codes `(n, d)` vary, booleans `(d,)`."""
    variances = codes.var(axis=0)
    used = (variances >= unused) & (codes.max(axis=0) > codes.min(axis=0))
    if not used.any():
        warnings.warn(
            f"All dimensions of the codes count as unused: their variances are at most "
            f"{variances.max():.3g}, less than unused={unused:g}. Pass a smaller `unused` for "
            "codes that are not about 1 large.",
            stacklevel=3,
        )
    return used


def _binned(codes, bins, used):
    """Codes `(n, d)` as integers from 0 to `bins` - 1; 0 where a dimension is not used."""
    low, high = codes.min(axis=0), codes.max(axis=0)
    places = (codes - low) / np.where(used, high - low, 1.0)
    binned = np.minimum((bins * places).astype(int), bins - 1)
    return np.where(used, binned, 0)


def _accuracy(metric, right, source, samples, settings, resamples, seed):
    """The score of answers of which `right` says which are."""
    card = _card(metric, source, samples, settings, resamples, seed)
    return Score(np.mean(right), card, mean_interval(right, resamples, seed, 0.0, 1.0))


def _card(metric, source, samples, settings, resamples, seed):
    return Card(
        metric,
        samples=samples,
        reference=source.name,
        settings={**source.settings, **settings},
        seeds={"images": seed, **bootstrap_seeds(resamples, seed)},
    )
