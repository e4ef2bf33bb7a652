"""What a GAN asks of its networks and its settings."""

import math

from kgen.augmentation import check_policies
from kgen.core.keras_private import flatten_layers
from kgen.layers import MinibatchStandardDeviation
from kgen.losses import ADVERSARIAL_LOSSES, adversarial_loss
from kgen.models.arguments import check_count, check_share, is_number, network_shapes
from kgen.networks.conditioning import CONDITIONS


def check_conditional(generator, judge, condition, packing=1, name="discriminator"):
    """Raises a ValueError unless both networks are of the form that `condition` needs.

    Args:
        generator, judge: The built networks; the judge is the discriminator or critic.
        condition: One of `CONDITIONS`.
        packing: Images that the judge is shown at once.
        name: The judge's, for the message.
    """
    takes_labels = condition != "auxiliary"
    of_judge = network_shapes(name, judge)
    inputs, outputs = map(len, of_judge)
    form = "take [images, labels]" if takes_labels else "return [logits, class logits]"
    if (inputs, outputs) != ((2, 1) if takes_labels else (1, 2)):
        raise ValueError(
            f"`{name}` must {form} for condition={condition!r}, received a network of "
            f"{inputs} inputs and {outputs} outputs. `kgen.networks` makes one with `classes` and "
            "`condition`."
        )
    if not takes_labels and packing > 1:
        raise ValueError(
            f"`packing` must be 1 with condition='auxiliary', which classifies single images; "
            f"received {packing}."
        )
    labels = of_judge[0 if takes_labels else 1][1]
    if len(labels) != 1:
        raise ValueError(
            f"`{name}` must {form} for condition={condition!r}, labels being rows (classes,), "
            f"received {labels}."
        )
    (width,) = labels
    if width % packing:
        raise ValueError(
            f"`{name}` must take the labels of {packing} images at once, received one that "
            f"takes {width} numbers."
        )
    classes = width // packing
    shapes, _ = network_shapes("generator", generator)
    as_one = len(shapes) == 1 and len(shapes[0]) == 1 and shapes[0][0] > classes
    if not as_one and (len(shapes[0]) != 1 or shapes[1:] != [(classes,)]):
        raise ValueError(
            f"`generator` must take [latents, labels], labels being ({classes},) as for the "
            f"{name}, or one row of both; received inputs of {shapes}."
        )


def check_unconditional(generator, judge, name="discriminator"):
    """Raises a ValueError unless the networks know of images and latents alone."""
    for own, network in (("generator", generator), (name, judge)):
        inputs, outputs = map(len, network_shapes(own, network))
        if (inputs, outputs) != (1, 1):
            raise ValueError(
                f"`{own}` must have one input and one output without a `condition`, received a "
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
    check_share("label_smoothing", smoothing)
    if smoothing and not adversarial_loss(loss).has_targets:
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
    (shape,) = network_shapes("generator", generator)[1]
    if len(shape) != 3:
        raise ValueError(
            "`augmentation` needs images (height, width, channels), received a generator of "
            f"{shape}."
        )


def check_clipping(limit):
    """Raises a ValueError unless the limit that weights are clipped to is one."""
    is_limit = is_number(limit) and 0.0 < limit < math.inf
    if limit is not None and limit != "auto" and not is_limit:
        raise ValueError(
            f'`weight_clipping` must be None, "auto" or a positive number, received {limit!r}.'
        )


def check_shapes(generator, judge, packing=1, name="discriminator"):
    """Raises a ValueError unless the judge takes packs of the generator's images."""
    check_count("packing", packing)
    (latents, *_), (images, *more) = network_shapes("generator", generator)
    if more or len(latents) != 1:
        raise ValueError(
            "`generator` must make one image of one row of latents (dimensions,), received a "
            f"network from {latents} to {[images, *more]}."
        )
    *pixels, channels = images
    expected = (*pixels, packing * channels)
    found = network_shapes(name, judge)[0][0]
    if found != expected:
        at_once = "" if packing == 1 else f", {packing} at once along the channels"
        raise ValueError(
            f"`{name}` must take the generator's images {images}{at_once}: expected input "
            f"{expected}, received {found}."
        )
