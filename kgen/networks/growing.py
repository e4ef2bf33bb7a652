"""What networks that grow have in common: stages of rising resolution, and the fade between two."""

import inspect

import keras

from kgen.core import engine
from kgen.core.numbers import plain_arguments
from kgen.core.precision import dtype_policy
from kgen.layers import FadeIn
from kgen.networks import shapes
from kgen.networks.arguments import check_positive


class GrowingNetwork(keras.Model):
    """A network whose blocks are used one after the other (Karras et al. 2018, arXiv 1710.10196).

    At stage s it works on images of `sizes[s]`, each size twice the one before, with its first
    s + 1 blocks. All blocks are there from the start, so that an optimizer that knows the network
    once knows it for good. While `alpha` is below 1 the newest block is blended with the path
    around it (figure 2).

    Stage and alpha are weights, saved with the network, and new networks are at the last stage. The
    graph of a call is that of the `structure` it was traced with: whoever compiles one makes it
    anew when the structure changes.

    Args:
        image_shape: `(height, width, channels)` of the last stage; height and width divisible by 4.
        **kwargs: `name` and `dtype`, as for any `keras.Model`.

    Raises:
        ValueError: If `image_shape` is not of this form.
    """

    def __init__(self, image_shape, **kwargs):
        super().__init__(**kwargs)
        height, width, channels = shapes.check_image_shape(image_shape, divisor=4)
        self.image_shape = (height, width, channels)
        last = shapes.halvings(height, width)
        self.sizes = [(height // 2**n, width // 2**n) for n in reversed(range(last + 1))]
        self.fade = FadeIn(dtype="float32")
        self.stage_variable = self.add_weight(
            shape=(),
            dtype="int32",
            initializer=keras.initializers.Constant(last),
            trainable=False,
            aggregation="only_first_replica",
            name="stage",
        )
        with dtype_policy(self.dtype_policy):  # Also where a file made with another one is read.
            self.make_layers()
        self.built = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = plain_arguments(cls.__init__)

    def make_layers(self):
        """Makes and builds the layers of all stages."""
        raise NotImplementedError

    @property
    def inputs(self):
        """What it takes at the last stage, as of a functional model: `keras.KerasTensor`s."""
        raise NotImplementedError

    @property
    def outputs(self):
        """What it returns at the last stage, as `inputs`."""
        raise NotImplementedError

    @property
    def input_shape(self):
        """The shape of the first of `inputs`, with the batch."""
        return self.inputs[0].shape

    @property
    def output_shape(self):
        """The shape of the first of `outputs`, with the batch."""
        return self.outputs[0].shape

    # Methods, as Keras looks for what to save in properties, too.

    def active_layers(self):
        """Returns the layers that the present structure uses."""
        raise NotImplementedError

    def active_variables(self):
        """Returns the trainable variables of the `active_layers`."""
        return [v for layer in self.active_layers() for v in layer.trainable_variables]

    def rgb_in_use(self, layers):
        """Returns those of a list of layers, one a stage, that the present structure uses."""
        stage = self.stage
        return layers[stage - 1 if self.fading else stage : stage + 1]

    @property
    def stage(self):
        """Number of the present stage, from 0."""
        return int(engine.value_of(self.stage_variable))

    @property
    def fading(self):
        """Whether the newest block is blended with the path around it."""
        return bool(engine.value_of(self.fade.alpha) < 1.0)

    @property
    def structure(self):
        """What the graph of a call depends on: `(stage, fading)`."""
        return self.stage, self.fading

    def grow_to(self, stage, alpha=1.0):
        """Sets the stage, and how far its newest block is faded in.

        Args:
            stage: Integer from 0 to `len(sizes) - 1`.
            alpha: In [0, 1]; 1 at stage 0, which has nothing before it.

        Raises:
            ValueError: If an argument is not of this form.
        """
        if not 0 <= stage < len(self.sizes):
            raise ValueError(
                f"`stage` must be from 0 to {len(self.sizes) - 1}, received {stage!r}."
            )
        if not 0.0 <= alpha <= 1.0 or (stage == 0 and alpha < 1.0):
            raise ValueError(
                f"`alpha` must lie in [0, 1], and be 1 at stage 0, received {alpha!r} at stage "
                f"{stage}."
            )
        self.stage_variable.assign(stage)
        self.fade.alpha.assign(alpha)

    def get_config(self):
        parameters = inspect.signature(type(self).__init__).parameters.values()
        names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
        arguments = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **arguments, "image_shape": list(self.image_shape)}


# Maps of the convolutions times the image's size, where no `max_filters` holds them: the authors'
# `fmap_base` of 8192, divided by half the size.
_MAPS_TIMES_SIZE = 2 * 8192


def stage_filters(filters, max_filters, sizes):
    """Returns the maps of each stage: `filters` at the last, twice as many at each before.

    Args:
        filters: A number, or `"auto"` for the authors' rule, by which maps follow from the size
            alone: 16 at 1024 x 1024, 512 from 32 x 32 on downwards.
        max_filters: The most of any stage.
        sizes: Of the stages' images, `(height, width)`.

    Raises:
        ValueError: If an argument is not of this form.
    """
    check_positive(max_filters=max_filters)
    if filters == "auto":
        return [min(max(_MAPS_TIMES_SIZE // max(size), 1), max_filters) for size in sizes]
    check_positive(filters=filters)
    return [min(filters * 2**n, max_filters) for n in reversed(range(len(sizes)))]
