"""Pictures of how a model reconstructs images while it trains."""

import numpy as np

from kgen.callbacks.step_pictures import StepPictures
from kgen.plotting import before_after


class ReconstructionGrid(StepPictures):
    """Writes a picture of the same images and their reconstructions as training goes on.

    The files are `<directory>/step-000500.png`, numbered by rounds; the first shows the start and
    the last the end. Each row is an image and its reconstruction; of a model that denoises, a
    corrupted image, what it makes of that, and the clean one. Training is not affected: no random
    state is touched.

    Args:
        directory: Folder to write to; made if missing.
        images: Clean images, float array `(n, height, width, channels)` in [-1, 1], best held-out
            ones.
        every: Rounds between two pictures.
        count: How many of the images are shown at most; the first.
        seed: Integer seed of the corruption.

    Raises:
        ValueError: If an argument is not of this form.
        DivergedError: As the training goes on, if reconstructions are not finite.
    """

    def __init__(self, directory, images, every=500, count=8, seed=0):
        super().__init__(directory, every)
        before_after(images, images, count=count)  # Refuses now what it would later.
        self.images = np.asarray(images)[:count]
        self.seed = seed

    def draw(self, path):
        inputs, targets = self.images, None
        if hasattr(self.model, "corrupt"):
            inputs, targets = self.model.corrupt(self.images, self.seed), self.images
        outputs = self.finite(self.model.reconstruct(inputs))
        before_after(inputs, outputs, targets, path, len(self.images), clip=True)
