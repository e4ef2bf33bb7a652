"""The schedule of a model that grows: phases in thousands of real images."""

import dataclasses
import math

from keras import ops

from kgen.models.arguments import check_count


@dataclasses.dataclass(frozen=True)
class Phase:
    """One part of the schedule.

    Attributes:
        stage: Number of the networks' stage.
        fading: Whether the stage's block is being faded in.
        start, end: Real images shown in all when it begins, and when it ends; the last has no end,
            `math.inf`.
        batch_size: Images of a batch; `None` for that given to `fit`.
    """

    stage: int
    fading: bool
    start: float
    end: float
    batch_size: int | None

    def alpha(self, images_shown):
        """How far the newest block is faded in, 0 to 1 over a fading phase; a scalar tensor."""
        # An execution of several rounds may go past the end.
        shown = ops.cast(images_shown, "float32")
        return ops.clip((shown - self.start) / (self.end - self.start), 0.0, 1.0)


def schedule(sizes, fade_kimg, stable_kimg, batch_sizes=None, first=0):
    """Returns the phases: each stage after the first is faded in, and then trained as it is.

    Karras et al. 2018, appendix A, arXiv 1710.10196.

    Args:
        sizes: Of the images of each stage, `(height, width)`.
        fade_kimg, stable_kimg: Lengths in thousands of real images.
        batch_sizes: Dict from a stage's height to the images of its batches; `None` for none.
        first: Number of the stage that training starts with.
    """
    batch_sizes = batch_sizes or {}
    phases, start = [], 0.0
    for stage, (height, _) in list(enumerate(sizes))[first:]:
        for fading in (True, False):
            length = 1000.0 * (fade_kimg if fading else stable_kimg)
            last = stage == len(sizes) - 1 and not fading
            if (fading and stage == first) or not (length or last):
                continue
            end = math.inf if last else start + length
            phases.append(Phase(stage, fading, start, end, batch_sizes.get(height)))
            start = end
    return phases


def checked_batch_sizes(batch_sizes, heights):
    """Returns a dict from heights, integers, to batch sizes; or `None` for `None`.

    Args:
        batch_sizes: The argument as given; its keys may be text, as a file has them.
        heights: List of the heights that there are.

    Raises:
        ValueError: If it is not of this form.
    """
    if batch_sizes is None:
        return None
    if not isinstance(batch_sizes, dict):
        raise ValueError(
            f"`batch_sizes` must be a dict from heights to batch sizes, received {batch_sizes!r}."
        )
    # A file has text keys.
    sizes = {int(k) if str(k).isdecimal() else k: size for k, size in batch_sizes.items()}
    for height, size in sizes.items():
        if height not in heights:
            raise ValueError(f"`batch_sizes` must have keys out of {heights}, received {height!r}.")
        check_count(f"batch_sizes[{height}]", size)
    return sizes
