"""Random numbers that are a function of their place: any row's, without drawing the rows before."""

import hashlib

import numpy as np

_GAMMA = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio, odd: Steele et al. 2014, section 3


def uniforms(seed, stream, rows, count):
    """Draw uniform numbers that depend on the seed, the stream, the row and their index alone.

    Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators": a SplitMix64
    over the rows, keyed by the seed and the stream, whose every output starts a SplitMix64 over
    the numbers of that row.

    Args:
        seed: any Python integer.
        stream: a name; streams of other names are independent.
        rows: int64 array `(k,)` of row numbers of at least 0.
        count: numbers a row.

    Returns:
        float64 array `(k, count)` in [0, 1), multiples of 2^-53.

    Example:
        >>> from kgen.data.hashing import uniforms
        >>> bool(uniforms(0, "a", [7], 2)[0, 1] == uniforms(0, "a", [3, 7], 5)[1, 1])
        True
    """
    return (_bits(seed, stream, rows, count) >> np.uint64(11)) * 2.0**-53


def normals(seed, stream, rows, count):
    """Draw from N(0, 1) as `uniforms` draws from U[0, 1): the same arguments, the same shape.

    Returns:
        float64 array `(k, count)`, finite: at most 8.2 in absolute value.
    """
    from scipy.special import ndtri

    # Midpoints of 2^52 intervals, so never 0 or 1, where the inverse is infinite.
    return ndtri(((_bits(seed, stream, rows, count) >> np.uint64(12)) + 0.5) * 2.0**-52)


def _bits(seed, stream, rows, count):
    """Return 64 random bits a number: uint64 `(k, count)`."""
    digest = hashlib.blake2b(f"{int(seed)} {stream}".encode(), digest_size=8).digest()
    key = np.frombuffer(digest, "<u8").astype(np.uint64)  # (1,)
    rows = np.asarray(rows).astype(np.uint64)  # (k,)
    starts = _mix(key + (rows + np.uint64(1)) * np.uint64(_GAMMA))  # (k,)
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GAMMA)  # (count,)
    return _mix(starts[:, None] + steps)  # (k, count)


def _mix(bits):
    """Scramble 64 bits, one to one: the finaliser of SplitMix64. Arrays wrap without a warning."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
