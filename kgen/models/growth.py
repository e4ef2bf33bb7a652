"""Growing while training: a model that follows a schedule in thousands of images."""

import dataclasses
import functools
import math

import keras
from keras import ops

from kgen.core import engine
from kgen.core.averaged import averaged
from kgen.layers import repeat_pixels
from kgen.models.arguments import check_choice, check_flag, check_weight
from kgen.models.growth_schedule import checked_batch_sizes, schedule
from kgen.networks.growing import GrowingNetwork


class Growing:
    """What models that grow have in common; to be put before the class that trains.

    Real images shown so far, a weight, decide the phase of each round: batches are averaged down to
    its size and faded as the fakes are, with the same alpha; the players move the variables that
    are in use; a graph is traced once a phase. Optimizers begin anew with each phase, as the
    authors' code has it: Adam, which counts its steps for all variables together, would make a new
    block's first ones longer than its own count would, by 1 / sqrt(1 - beta_2). So does a schedule
    of the learning rate; the rate itself stays as it is. The average of the weights warms up anew
    with each new block, which begins as worthless as the first. A model that is saved, or killed
    and resumed, goes on in the same phase with the same alpha.

    Samples have the last stage's size all along, small ones by repetition of pixels.

    A class that takes this calls `grow_by` at the end of its constructor.
    """

    def grow_by(self, fade_kimg, stable_kimg, batch_sizes, progressive, first_size=None):
        """Stores the schedule's arguments, those of `ProGAN`, and puts the networks to its begin.

        Raises:
            ValueError: If an argument is not of the form that `ProGAN` describes.
        """
        check_weight("fade_kimg", fade_kimg)
        check_weight("stable_kimg", stable_kimg)
        check_flag("progressive", progressive)
        sizes = self.generator.sizes
        heights = [height for height, _ in sizes]
        self.fade_kimg = fade_kimg
        self.stable_kimg = stable_kimg
        self.batch_sizes = checked_batch_sizes(batch_sizes, heights)
        self.progressive = progressive
        check_choice("first_size", first_size, [None, *heights])
        self.first_size = first_size
        first = 0 if first_size is None else heights.index(first_size)
        self.phases = schedule(sizes, fade_kimg, stable_kimg, self.batch_sizes, first)
        if not progressive:
            self.phases = [dataclasses.replace(self.phases[-1], start=0.0)]
        self.images_shown = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="images_shown",
        )
        self._enter(self.phases[0])

    # ------------------------------------------------------------------ the phase

    @property
    def phase(self):
        """The phase of the next round."""
        shown = int(engine.value_of(self.images_shown))
        return next(phase for phase in self.phases if shown < phase.end)

    @property
    def kimg(self):
        """Thousands of real images shown so far."""
        return int(engine.value_of(self.images_shown)) / 1000.0

    @property
    def structure(self):
        """What the graph of sampling depends on beside the variables: `(stage, fading)`."""
        return self.generator.structure

    def growing_networks(self):  # No property, in which Keras would look for what to save.
        """Returns all networks that change with the phase."""
        networks = [network for player in self.players for network in player.networks]
        return [n for n in (*networks, self.generator_average) if n is not None]

    def _enter(self, phase):
        """Puts the networks to a phase, where they are not in it, and restarts what moves them."""
        if self.compiled and self.generator.structure != (phase.stage, phase.fading):
            self.optimizer.restart()
        if self.generator_average is not None and self.generator.stage != phase.stage:
            self.averaged_rounds.assign(ops.minimum(self.averaged_rounds, 1))
        for network in self.growing_networks():
            if network.structure != (phase.stage, phase.fading):
                network.grow_to(phase.stage, 0.0 if phase.fading else 1.0)

    # ------------------------------------------------------------------ training

    def fit(self, x=None, y=None, batch_size=None, epochs=1, **kwargs):
        self._check_images(x)
        for height, size in (self.batch_sizes or {}).items():
            if size % self.replicas:
                raise ValueError(
                    f"`batch_sizes` must be divisible by the {self.replicas} replicas, received "
                    f"{size} for {height}."
                )
        if self.batch_sizes and not hasattr(x, "starting_at"):
            raise ValueError(
                "`batch_sizes` needs a set of kgen.data, whose batches can be made anew "
                "(`kgen.data.load`, or `kgen.data.from_arrays` for arrays), received "
                f"{type(x).__name__}."
            )
        return super().fit(x, y, batch_size, epochs, **kwargs)

    def _check_images(self, x):
        """Raises a ValueError if images are not of the last size, where that can be seen."""
        images = keras.tree.flatten(getattr(x, "element_spec", x))[0]
        shape = tuple(getattr(images, "shape", (None, *self.image_shape)))[1:]
        if shape != tuple(self.image_shape):
            raise ValueError(
                f"Images must be of the networks' image_shape {tuple(self.image_shape)}, received "
                f"{shape}."
            )

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            make = super().make_train_function
            self.train_function = _renewed(self, "train_function", make, self._structure_to_train)

    def make_test_function(self, force=False):
        if self.test_function is None or force:
            make = super().make_test_function
            self.test_function = _renewed(self, "test_function", make, lambda: self.structure)

    def make_predict_function(self, force=False):
        if self.predict_function is None or force:
            make = super().make_predict_function
            self.predict_function = _renewed(self, "predict_function", make, lambda: self.structure)
        return self.predict_function

    def _structure_to_train(self):
        phase = self.phase
        self._enter(phase)
        return phase

    def play_round(self, data):
        phase = self.phase
        if self.run_eagerly:  # Where a phase may end within an execution.
            self._enter(phase)
        data = keras.tree.map_structure(lambda leaf: self._of_known_shape(leaf, phase), data)
        if phase.fading:
            alpha = phase.alpha(self.images_shown)
            for network in self.growing_networks():
                network.fade.alpha.assign(alpha)
        logs = super().play_round(data)
        rows = ops.shape(keras.tree.flatten(data)[0])[0]
        self.images_shown.assign_add(ops.cast(rows * self.replicas, "int64"))
        return logs

    def _of_known_shape(self, leaf, phase):
        """Images or labels of a phase: of several phases they come as of an unknown shape."""
        rows, *rest = leaf.shape
        if phase.batch_size is not None:
            rows = phase.batch_size // self.replicas
        if None in rest:
            rest = (*self.generator.sizes[phase.stage], *self.image_shape[2:])
        known = (-1 if rows is None else rows, *rest)
        return leaf if known == tuple(leaf.shape) else ops.reshape(leaf, known)

    def prepare(self, data, training):
        images, *others = super().prepare(data, training)
        return (self.shrunk(images), *others)

    def position_variables(self):
        growth = [(n.stage_variable, n.fade.alpha) for n in self.growing_networks()]
        return [self.images_shown, *(variable for pair in growth for variable in pair)]

    def variables_of(self, player):
        return [v for network in player.networks for v in network.active_variables()]

    def shrunk(self, images):
        """Returns real images as the networks see them: of the stage's size, and faded alike."""
        network = self.generator
        images = ops.cast(images, "float32")
        height = images.shape[1] or self.image_shape[0]  # Of the last stage, or of this one.
        images = averaged(images, height // network.sizes[network.stage][0])
        return network.fade([averaged(images, 2), images]) if network.fading else images

    def batches_from(self, data, starting_at):
        """The images in the order of the set, already of the size that each phase trains.

        With `batch_sizes`, what was read by batches of one size is cut anew, so that every image is
        shown once a pass.
        """
        of_kgen = hasattr(data, "starting_at")
        given = keras.tree.flatten(data.element_spec)[0].shape[0] if of_kgen else None
        if given is None:  # What others make is shrunk by each round.
            return super().batches_from(data, starting_at)

        def part(position, played, phase, size, rounds):
            shrink = self.image_shape[0] // self.generator.sizes[phase.stage][0]
            if self.batch_sizes:
                batches = starting_at(position // given, shrink=shrink).unbatch()
                batches = batches.skip(position % given).batch(size, drop_remainder=True)
            else:
                batches = starting_at(played, shrink=shrink)
            return batches if rounds is None else batches.take(rounds)

        parts, position = [], int(engine.value_of(self.images_shown))
        played = self.rounds_played
        for phase, size, rounds in self._plan(given, position):
            parts.append(functools.partial(part, position, played, phase, size, rounds))
            position, played = position + size * (rounds or 0), played + (rounds or 0)
        return engine.in_turn(parts).prefetch(2)

    def rounds_until(self, phase, batch_size):
        """Returns how many rounds a whole training plays before a phase.

        Args:
            phase: One of `phases`.
            batch_size: Images of a batch as given to `fit`.
        """
        plan = self._plan(batch_size, position=0)
        return sum(rounds for other, _, rounds in plan if other.start < phase.start)

    def _plan(self, given, position):
        """Yields phases from a number of images on, their batch sizes, and rounds; `None` no end.

        A phase begins with an execution, which plays `steps_per_execution` rounds, or eagerly with
        a round.
        """
        together = 1 if self.run_eagerly else self.steps_per_execution
        for phase in self.phases:
            if position >= phase.end:
                continue
            size, rounds = phase.batch_size or given, None
            if phase.end < math.inf:
                rounds = together * math.ceil((phase.end - position) / (size * together))
                position += size * rounds
            yield phase, size, rounds

    # ------------------------------------------------------------------ sampling

    def call(self, latents, training=False):
        images = super().call(latents, training=training)
        return images if training else self.enlarged(images)

    def enlarged(self, images):
        """Returns images of any stage in the last one's size, float32 in [-1, 1]."""
        factor = self.image_shape[0] // images.shape[1]
        return repeat_pixels(ops.clip(ops.cast(images, "float32"), -1.0, 1.0), factor)


def check_growing(**networks):
    """Raises a ValueError unless all are `GrowingNetwork`s of one image shape."""
    for name, network in networks.items():
        if not isinstance(network, GrowingNetwork):
            raise ValueError(
                f"`{name}` must be a growing network, such as those of kgen.networks.progressive, "
                f"received {network!r}."
            )
    shapes = {name: network.image_shape for name, network in networks.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"The networks must have one image_shape, received {shapes}.")


def _renewed(model, name, make, structure):
    """Returns a function that has Keras make the model's function `name` for each structure.

    Args:
        model: The model.
        name: Attribute that Keras calls: `"train_function"` and the like.
        make: Keras' method that sets the attribute to a new function.
        structure: Function that returns what the graph depends on.
    """

    @functools.lru_cache(maxsize=1)
    def made_for(_):
        make(force=True)
        made = getattr(model, name)
        setattr(model, name, function)
        return made

    def function(*args):
        return made_for(structure())(*args)

    return function
