"""The inputs of the layers that a style controls."""


def style_shapes(layer, input_shape):
    """Returns the shapes of maps and styles; a ValueError names the layer if they are not two.

    Args:
        layer: Keras layer, for its name.
        input_shape: What its `build` is given: should be those of maps `(batch, height, width,
            channels)` and of styles `(batch, style dimensions)`.
    """
    if len(input_shape) == 2 and all(isinstance(one, (tuple, list)) for one in input_shape):
        maps, styles = (tuple(one) for one in input_shape)
        if len(maps) == 4 and len(styles) == 2:
            return maps, styles
    raise ValueError(
        f"{type(layer).__name__}: expected a list of two inputs, maps (batch, height, width, "
        f"channels) and styles (batch, style dimensions). Received: input shape {input_shape}"
    )
