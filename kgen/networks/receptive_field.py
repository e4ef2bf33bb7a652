"""How large a region of the image one output of a network sees."""

import math
from typing import NamedTuple

import keras

from kgen.core.keras_private import call_of
from kgen.networks.layer_geometry import (
    EVERYTHING,
    interval_before,
    is_known,
    period_after,
    unwrapped,
)


def receptive_field(network):
    """Returns the height and width in pixels of the region of the image that one output sees.

    It is computed from kernels, strides and dilations, back from an output to the images, over all
    paths; where outputs differ, as after a transposed convolution, it is the largest. Regions may
    reach beyond the borders: a patch of 70 pixels is 70 on a smaller image too. A layer that makes
    an image into anything else, such as flattening, sees the whole image.

    Norms are left out of account: instance and layer norm let every output see the statistics of
    the whole image, batch norm those of the batch.

    Args:
        network: A functional or Sequential `keras.Model` with one or more inputs `(batch, height,
            width, channels)`, of which the largest region counts; other inputs may be there, too.

    Returns:
        `(height, width)`, integers.

    Raises:
        ValueError: If it has no such input, or holds a layer that is not known here; of one that
            sees the whole image, if that has no known size.

    Example:
    >>> network = kgen.networks.patchgan_discriminator((256, 256, 3), receptive_field=34, filters=1)
    >>> kgen.networks.receptive_field(network)
    (34, 34)
    """
    if not _is_graph(network):
        raise ValueError(
            "`network` must be a functional or a built Sequential keras.Model, received "
            f"{network!r}."
        )
    images = [tensor for tensor in network.inputs if _is_image(tensor)]
    if not images:
        raise ValueError(
            "`network` must have an input (batch, height, width, channels), received "
            f"{network.name!r} with inputs of the shapes {[one.shape for one in network.inputs]}."
        )
    unknown = [layer for layer in _layers_between_images(network) if not is_known(layer)]
    if unknown:
        names = ", ".join(f"{one.name!r} ({type(one).__name__})" for one in unknown)
        raise ValueError(
            "`network` must be made of layers whose receptive field is known, received "
            f"{network.name!r} with {names}."
        )
    return tuple(_largest(network, images, axis) for axis in (0, 1))


class _Call(NamedTuple):
    """A call of a layer in the network's graph."""

    layer: keras.Operation
    inputs: list
    outputs: list


def _largest(network, images, axis):
    largest = 1
    periods = _periods(network, axis, {})
    for output in network.outputs:
        for position in range(periods.get(id(output), 1)):
            start = (position, position) if _is_image(output) else EVERYTHING
            seen = _seen(network, axis, {id(output): start})
            for tensor in images:
                first, last = seen.get(id(tensor), (0, 0))
                size = tensor.shape[axis + 1] if last == math.inf else last - first + 1
                if size is None:
                    raise ValueError(
                        f"`network` sees the whole of {tensor.name!r}, whose height and width must "
                        f"then be known, received the shape {tensor.shape}."
                    )
                largest = max(largest, size)
    return largest


def _seen(network, axis, seen):
    """Goes back from the intervals seen of some tensors, by id, to those of all before them."""
    for layer, inputs, outputs in reversed(_calls(network)):
        after = [seen.get(id(tensor)) for tensor in outputs]
        if not any(after):
            continue
        if _is_graph(layer):
            own = {id(t): one for t, one in zip(layer.outputs, after, strict=True) if one}
            own = _seen(layer, axis, own)
            before = [own.get(id(tensor)) for tensor in layer.inputs]
        else:
            before = [_before(layer, tensor, outputs[0], axis, after[0]) for tensor in inputs]
        for tensor, interval in zip(inputs, before, strict=True):
            if interval is not None:
                first, last = seen.get(id(tensor), interval)
                seen[id(tensor)] = (min(first, interval[0]), max(last, interval[1]))
    return seen


def _before(layer, tensor, output, axis, interval):
    if not (_is_image(tensor) and _is_image(output)):
        return EVERYTHING
    sizes = tensor.shape[axis + 1], output.shape[axis + 1]
    return interval_before(unwrapped(layer), axis, interval, *sizes)


def _periods(network, axis, periods):
    """Goes forward from the periods of the inputs, by id and 1 by default, to those of all."""
    for layer, inputs, outputs in _calls(network):
        before = [periods.get(id(tensor), 1) for tensor in inputs]
        if _is_graph(layer):
            own = {id(t): one for t, one in zip(layer.inputs, before, strict=True)}
            own = _periods(layer, axis, own)
            after = [own.get(id(tensor), 1) for tensor in layer.outputs]
        else:
            after = [period_after(unwrapped(layer), axis, math.lcm(*before))] * len(outputs)
        periods.update({id(t): one for t, one in zip(outputs, after, strict=True)})
    return periods


def _layers_between_images(network):
    """The layers and operations that make images of images, however deep."""
    for layer, inputs, outputs in _calls(network):
        if _is_graph(layer):
            yield from _layers_between_images(layer)
        elif any(map(_is_image, inputs)) and any(map(_is_image, outputs)):
            yield unwrapped(layer)


def _calls(network):
    """The calls in the network's graph, each after those that its inputs come from."""
    calls, done, waiting = [], {id(tensor) for tensor in network.inputs}, list(network.outputs)
    while waiting:
        tensor = waiting[-1]
        if id(tensor) in done:
            waiting.pop()
            continue
        call = _Call(*call_of(tensor))
        missing = [one for one in call.inputs if id(one) not in done]
        waiting += missing
        if not missing:
            done |= {id(one) for one in call.outputs}
            calls.append(call)
    return calls


def _is_graph(layer):
    return isinstance(layer, keras.Model) and bool(getattr(layer, "inputs", None))


def _is_image(tensor):
    return len(tensor.shape) == 4
