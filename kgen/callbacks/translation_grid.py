"""Pictures of what becomes of images while a model trains."""

import numpy as np

from kgen.callbacks.step_pictures import StepPictures
from kgen.plotting import before_after


class TranslationGrid(StepPictures):
    """Writes a picture of the same images and what the model makes of them as training goes on.

    The files are `<directory>/step-000500.png`, numbered by rounds; the first shows the start and
    the last the end. Each row is an input, its translation and, if given, its target. Training is
    not affected: images are translated without noise, and no random state is touched.

    Example:
        inputs, targets = next(iter(kgen.data.pairs_in_order("photos", degradation="edges")))
        callback = kgen.callbacks.TranslationGrid("runs/mine", inputs, targets)
        model.fit(pairs, epochs=20, callbacks=[callback])

    Args:
        directory: Folder to write to; made if missing.
        inputs: Images to translate, float array `(n, height, width, channels)` in [-1, 1], best
            held-out ones.
        targets: What they should become, `(n, ...)`, or `None`.
        every: Rounds between two pictures.
        direction: As of the model's `translate`.
        count: How many of the images are shown at most; the first.

    Raises:
        ValueError: If an argument is not of this form.
        DivergedError: As the training goes on, if images are not finite.
    """

    def __init__(self, directory, inputs, targets=None, every=500, direction=None, count=8):
        super().__init__(directory, every)
        before_after(inputs, inputs, targets, count=count)  # Refuses now what it would later.
        self.inputs = np.asarray(inputs)[:count]
        self.targets = None if targets is None else np.asarray(targets)[:count]
        self.direction = direction
        self.count = count

    def draw(self, path):
        outputs = self.finite(self.model.translate(self.inputs, self.direction))
        before_after(self.inputs, outputs, self.targets, path, self.count, clip=True)
