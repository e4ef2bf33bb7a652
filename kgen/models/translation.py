"""What systems that translate images have in common."""

from keras import ops

from kgen.core import GenerativeModel, Player
from kgen.core.arrays import fits
from kgen.core.keras_private import flatten_layers
from kgen.layers import Dropout, dropout_from
from kgen.losses.adversarial import float32
from kgen.models.arguments import check_targets, image_network


class PairedTranslation(GenerativeModel):
    """A generator that learns from pairs, maybe against a discriminator, to make y of x.

    A subclass writes `generator_loss` and, if it has a discriminator, `discriminator_loss`; both
    get `(inputs, targets, outputs)`. Calling the model, `predict` included, translates, as
    `translate` does, but without keeping values in [-1, 1].

    Args:
        generator: Built `keras.Model`, images -> images.
        discriminator: Built `keras.Model`, or `None`: then the generator is the only player.
        component: The name in the logs of the generator's loss that is not adversarial.
        **kwargs: `seed`, `name` and `dtype`; see `GenerativeModel`.

    Raises:
        ValueError: If a network is not of this form.
    """

    uses_targets = True

    def __init__(self, generator, discriminator, component, **kwargs):
        alone = discriminator is None
        components = (component,) if alone else ("adversarial", component)
        players = [Player("generator", generator, self.generator_loss, components=components)]
        if not alone:
            players.insert(0, Player("discriminator", discriminator, self.discriminator_loss))
        super().__init__(players, **kwargs)
        self.autocast = False  # A call in half precision would round what outputs keep of inputs.
        image_network("generator", generator)
        self.generator = generator
        self.discriminator = discriminator

    def prepare(self, data, training):
        """Returns `(inputs, targets, outputs)`, the outputs made once for both players."""
        inputs, targets = data
        outputs = self.generate(inputs, training)
        if not fits(outputs.shape[1:], targets.shape[1:]):
            raise ValueError(
                f"Targets must be images of {tuple(outputs.shape[1:])} for inputs of "
                f"{tuple(inputs.shape[1:])}, received {tuple(targets.shape[1:])}."
            )
        return inputs, targets, outputs

    def generate(self, inputs, training):
        """Returns the generator's float32 outputs for a batch of inputs."""
        return ops.cast(self.generator(inputs, training=training), "float32")

    def complete(self, inputs, outputs):
        """Returns the images that become of outputs; by default the outputs."""
        return outputs

    @property
    def call_inputs(self):
        return [("images", self.image_shape)]

    def call(self, inputs, training=False):
        return self.complete(inputs, self.generate(inputs, training))

    def translate_step(self, images, direction, noise):
        return self.complete(images, translated(self.generator, images, noise))

    @property
    def abilities(self):
        judges = self.discriminator is not None
        return [name for name in super().abilities if judges or name != "score"]

    @property
    def scored_with(self):
        """What images are scored together with, `"inputs"` or nothing."""
        judges_pairs = self.discriminator is not None and len(self.discriminator.inputs) == 2
        return "inputs" if judges_pairs else None

    def scored_shape(self, domain):
        return self.generator.output_shape[1:]

    def score_step(self, images, given, domain):
        seen = images if given is None else [given, images]
        return float32(self.discriminator(seen, training=False))

    def check_targets(self, targets):
        check_targets(targets, self.generator.output_shape[1:])

    @property
    def prepares_once(self):
        return self.discriminator is not None

    @property
    def has_translation_noise(self):
        return holds_dropout(self.generator)

    @property
    def image_shape(self):
        """Shape of one image to translate; `None` stands for any height or width."""
        return self.generator.input_shape[1:]


def translated(generator, images, noise):
    """Returns what a generator makes of images outside training, float32 in [-1, 1].

    With `noise`, a `SeededNoise` and not `None`, its `Dropout` layers are on and draw from it.
    """
    with dropout_from(noise):
        outputs = generator(images, training=False)
    return ops.clip(ops.cast(outputs, "float32"), -1.0, 1.0)


def holds_dropout(*networks):
    """Whether a layer of the networks is a `kgen.layers.Dropout` that drops anything."""
    layers = [layer for network in networks for layer in flatten_layers(network)]
    return any(isinstance(layer, Dropout) and layer.rate > 0.0 for layer in layers)
