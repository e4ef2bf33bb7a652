"""What a GAN asks of its networks and its settings."""

from kgen.augmentation import check_policies
from kgen.core.flatten import flatten_layers
from kgen.layers import MinibatchStandardDeviation
from kgen.losses import ADVERSARIAL_LOSSES
from kgen.models.arguments import check_count
from kgen.networks.conditioning import CONDITIONS


def check_conditional(generator, discriminator, condition, packing):
    """Raises a ValueError unless both networks are of the form that `condition` needs.

    Args:
        generator, discriminator: The built networks.
        condition: One of `CONDITIONS`.
        packing: Images that the discriminator judges at once.
    """
    takes_labels = condition != "auxiliary"
    inputs, outputs = len(discriminator.inputs), len(discriminator.outputs)
    if (inputs, outputs) != ((2, 1) if takes_labels else (1, 2)):
        form = "take [images, labels]" if takes_labels else "return [logits, class logits]"
        raise ValueError(
            f"`discriminator` must {form} for condition={condition!r}, received a network of "
            f"{inputs} inputs and {outputs} outputs. `kgen.networks` makes one with `classes` and "
            "`condition`."
        )
    if not takes_labels and packing > 1:
        raise ValueError(
            f"`packing` must be 1 with condition='auxiliary', which classifies single images; "
            f"received {packing}."
        )
    width = label_width(discriminator, condition)
    if width % packing:
        raise ValueError(
            f"`discriminator` must take the labels of {packing} images at once, received one that "
            f"takes {width} numbers."
        )
    classes = width // packing
    shapes = [tuple(x.shape[1:]) for x in generator.inputs]
    as_one = len(shapes) == 1 and len(shapes[0]) == 1 and shapes[0][0] > classes
    if not as_one and shapes[1:] != [(classes,)]:
        raise ValueError(
            f"`generator` must take [latents, labels], labels being ({classes},) as for the "
            f"discriminator, or one row of both; received inputs of {shapes}."
        )


def check_unconditional(generator, discriminator):
    """Raises a ValueError unless the networks know of images and latents alone."""
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        inputs, outputs = len(network.inputs), len(network.outputs)
        if (inputs, outputs) != (1, 1):
            raise ValueError(
                f"`{name}` must have one input and one output without a `condition`, received a "
                f"network of {inputs} inputs and {outputs} outputs. For one that knows of classes "
                f"give the condition, one of {list(CONDITIONS)}."
            )


def compares_images(discriminator):
    """Whether the logits of an image depend on the other images of its batch."""
    layers = flatten_layers(discriminator)
    return any(isinstance(layer, MinibatchStandardDeviation) for layer in layers)


def label_width(discriminator, condition):
    """How many numbers the labels of a discriminator have."""
    network = discriminator.outputs if condition == "auxiliary" else discriminator.inputs
    return network[1].shape[1]


def check_smoothing(smoothing, loss):
    """Raises a ValueError unless the label smoothing is one that the loss can do."""
    if not isinstance(smoothing, int | float) or not 0.0 <= smoothing < 1.0:
        raise ValueError(f"`label_smoothing` must lie in [0, 1), received {smoothing!r}.")
    if smoothing and not ADVERSARIAL_LOSSES[loss].has_targets:
        with_targets = [name for name, entry in ADVERSARIAL_LOSSES.items() if entry.has_targets]
        raise ValueError(
            f"`label_smoothing` needs a loss with targets, one of {with_targets}; received "
            f"label_smoothing={smoothing} with loss={loss!r}."
        )


def check_augmentation(augmentation, generator):
    """Raises a ValueError unless the augmentation is one that the images can have."""
    if augmentation is None:
        return
    check_policies(augmentation)
    if len(generator.output_shape) != 4:
        raise ValueError(
            "`augmentation` needs images (height, width, channels), received a generator of "
            f"{generator.output_shape[1:]}."
        )


def check_shapes(generator, discriminator, packing):
    """Raises a ValueError unless the discriminator takes packs of the generator's images."""
    check_count("packing", packing)
    *pixels, channels = generator.output_shape[1:]
    expected = (*pixels, packing * channels)
    found = tuple(discriminator.inputs[0].shape[1:])
    if found != expected:
        raise ValueError(
            f"`discriminator` must take the generator's images {(*pixels, channels)}, {packing} at "
            f"once along the channels: expected input {expected}, received {found}."
        )
