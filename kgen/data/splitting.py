"""Fixed splits into train and test rows: they depend on the data alone, never on a seed."""

import numpy as np


def stratified_rows(labels, split, test_count):
    """Return the rows of one split, every class in its share, classes mixed.

    Args:
        labels: integer array `(n,)`.
        split: `"train"` or `"test"`.
        test_count: number of rows in the test split.

    Returns:
        Integer array of row numbers, in an order that never changes.

    Example:
        >>> from kgen.data.splitting import stratified_rows
        >>> len(stratified_rows([0, 1] * 10, "test", test_count=4))
        4
    """
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(len(labels)), test_size=test_count, stratify=labels, random_state=0
    )
    return train if split == "train" else test


def held_out_rows(count, split, source):
    """Return the rows of one split where every tenth row of a fixed random order is for test.

    Args:
        count: number of rows; `count // 10` of them are for test.
        split: `"train"` or `"test"`.
        source: the file or folder, for the error message.

    Returns:
        Integer array of row numbers, in an order that never changes.

    Raises:
        ValueError: the test split is asked for and has no rows.

    Example:
        >>> from kgen.data.splitting import held_out_rows
        >>> len(held_out_rows(25, "test", "photos")), len(held_out_rows(25, "train", "photos"))
        (2, 23)
    """
    if split == "test" and count < 10:
        raise ValueError(
            f"split='test' of {source} is empty: every tenth image is held out for test and there "
            f"are {count} images; expected at least 10, or a train/ and a test/ part."
        )
    # RandomState and not default_rng: NumPy promises that its stream never changes.
    order = np.random.RandomState(0).permutation(count)
    is_test = np.arange(count) % 10 == 9
    return order[is_test if split == "test" else ~is_test]
