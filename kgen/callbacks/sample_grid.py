"""Pictures of the samples while a model trains."""

from kgen.callbacks.step_pictures import StepPictures
from kgen.plotting import save_grid


class SampleGrid(StepPictures):
    """Writes a grid of the images of the same latents as training goes on.

    The files are `<directory>/step-000500.png`, numbered by rounds; the first shows the start and
    the last the end. Training is not affected: no random state is touched.

    Args:
        directory: Folder to write to; made if missing.
        every: Rounds between two pictures.
        count: Images of a grid.
        seed: Integer seed of the latents.

    Raises:
        ValueError: As the training begins, if the model's samples are no images.
        DivergedError: As the training goes on, if images are not finite.
    """

    def __init__(self, directory, every=500, count=64, seed=0):
        super().__init__(directory, every)
        self.count = count
        self.seed = seed

    def prepare(self):
        self._latents = self.model.latents(self.count, self.seed)
        shape = self.model.image_shape
        if shape is not None and len(shape) != 3:
            raise ValueError(
                f"SampleGrid draws images of the shape (height, width, channels), received a model "
                f"of {tuple(shape)}. Points are measured by kgen.callbacks.Evaluate with the "
                "metrics modes and high_quality."
            )

    def draw(self, path):
        save_grid(self.finite(self.model.decode(self._latents)), path, clip=True)
