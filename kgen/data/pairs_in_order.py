"""Every pair of a split once, in a fixed order: what translations are held against."""

from kgen.data.arguments import checked_count, checked_flag, checked_request
from kgen.data.in_order import InOrder, count_of, places_in_order
from kgen.data.pairs import read_pairs


def pairs_in_order(
    source,
    targets=None,
    degradation=None,
    side_by_side=None,
    image_size=None,
    batch_size=64,
    split="test",
    seed=0,
    channels=None,
    value_range=None,
    length=None,
    on_bad_file="error",
    follow_links=False,
    limit=None,
    labels=False,
):
    """Return every pair of a split once, in a fixed order, the last batch smaller.

    With the same seed and batch size, all images of the test split are degraded as
    `pairs` does it.

    Args:
        source, targets, degradation, side_by_side, image_size, seed, channels, value_range, length,
            on_bad_file, follow_links: as of `kgen.data.pairs`.
        batch_size: pairs a batch; the last one holds what is left.
        split: as of `kgen.data.load`.
        limit: most pairs to take, as of `kgen.data.in_order`.
        labels: whether the labels of `source` come with its pairs, `(inputs, targets, labels)`;
            only with a `degradation`.

    Returns:
        `InOrder`, a `tf.data.Dataset` of what `pairs` yields, whose attribute `count` is the number
        of pairs.

    Raises:
        ValueError: an argument or a file is not as described. The message names it.

    Example:
        >>> import kgen.data
        >>> dataset = kgen.data.pairs_in_order("mnist5k", degradation="masked", batch_size=300)
        >>> dataset.count, len(dataset)
        (1000, 4)
    """
    request = checked_request(
        split, image_size, channels, seed, length, None, value_range, on_bad_file, follow_links
    )
    batch_size = checked_count("batch_size", batch_size)
    found = read_pairs(source, targets, degradation, side_by_side, request)

    if checked_flag("labels", labels) and found.labels is None:
        raise ValueError(f"labels: expected False because the pairs of {source} have no labels.")
    place = places_in_order(found.rows.count, limit)

    def batch_of(rows, number):
        (images,) = found.rows.fetch(place(rows))
        made = found.make(images, number)
        return (*made, found.labels(place(rows))) if labels else made

    return InOrder(batch_of, count_of(found.rows.count, limit), batch_size)
