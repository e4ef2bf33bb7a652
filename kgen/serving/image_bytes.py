"""PNG and JPEG bytes to images and back, inside a graph."""

import tensorflow as tf

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_LUMINANCE = [0.299, 0.587, 0.114]  # ITU-R BT.601, as where kgen.data makes images grey.


def decode_images(image_bytes, shape):
    """Returns the images in encoded files, float32 `(batch, *shape)`.

    Args:
        image_bytes: Strings `(batch,)`, each a file, as of `decode_image`.
        shape: As of `decode_image`, but height and width are integers.
    """
    spec = tf.TensorSpec(shape, "float32")
    return tf.map_fn(lambda one: decode_image(one, shape), image_bytes, fn_output_signature=spec)


def decode_image(contents, shape):
    """Returns the image in an encoded file as `kgen.data` would read it, float32 in [-1, 1].

    Transparency is laid on white, palettes become RGB, 16 bits become 8, colour becomes luminance
    and grey becomes three equal channels, as a network needs it. An image of another size is scaled
    to cover that of the network, bicubic and antialiased, and cropped about the centre.

    Of 2 or 4 channels the last is the mask of what is known: the file must have an alpha channel,
    and pixels more transparent than not are missing: 0, and -1 in the mask, which else is 1.

    Unlike `kgen.data`, TensorFlow passes over the orientation in a JPEG's EXIF data.

    Args:
        contents: Scalar string, a PNG, JPEG, BMP, GIF or WebP file. Anything else is an
            `InvalidArgumentError` where the graph runs.
        shape: `(height, width, channels)`, channels 1 to 4; height and width `None` to keep those
            of the file.
    """
    height, width, channels = shape
    pixels = _pixels(contents)  # (h, w, 1 to 4), the even ones with alpha
    stored = tf.shape(pixels)[-1]
    has_alpha = stored % 2 == 0
    alpha = tf.where(has_alpha, pixels[..., -1:] / 255.0, 1.0)
    colours = pixels[..., : stored - tf.cast(has_alpha, "int32")]
    colours = tf.broadcast_to(colours, tf.concat([tf.shape(pixels)[:2], [3]], 0))
    is_masked = channels in (2, 4)
    if is_masked:
        tf.debugging.Assert(
            has_alpha,
            ["image_bytes: expected a PNG with an alpha channel, transparent where pixels are "
             "missing, got an image without, of so many channels:", stored],
        )  # fmt: skip
        weights = tf.cast(alpha >= 0.5, "float32")
    else:
        weights = tf.ones_like(alpha)
        colours = tf.round(alpha * colours + (1.0 - alpha) * 255.0)
    if channels < 3:
        colours = tf.round(tf.reduce_sum(colours * _LUMINANCE, axis=-1, keepdims=True))
    if None not in (height, width):
        # What is missing has no colour to mix in: it weighs nothing.
        scaled = _fitted(tf.concat([colours * weights, weights], -1), (height, width))
        weights = scaled[..., -1:]
        colours = tf.clip_by_value(
            tf.round(scaled[..., :-1] / tf.maximum(weights, 0.5)), 0.0, 255.0
        )
    images = from_levels(colours)
    if is_masked:
        known = weights >= 0.5
        mask = tf.where(known, tf.ones_like(weights), -1.0)
        images = tf.concat([tf.where(known, images, 0.0), mask], -1)
    return tf.ensure_shape(images, shape)


def encode_images(images):
    """Returns PNG files, strings `(batch,)`, of images `(batch, height, width, 1 or 3)`."""
    return tf.io.encode_png(tf.cast(to_levels(images), "uint8"))


def from_levels(levels):
    """Returns the images in [-1, 1] of whole numbers 0..255."""
    return tf.cast(levels, "float32") / 127.5 - 1.0


def to_levels(images):
    """Returns the nearest whole numbers 0..255 of images, which are clipped to [-1, 1]."""
    return tf.round((tf.clip_by_value(images, -1.0, 1.0) + 1.0) * 127.5)


def _pixels(contents):
    """Returns the whole numbers 0..255 in a file, float32 `(height, width, channels)`."""

    def of_png():
        # With 16 bits: a file that has them would lose the lower 8, where kgen.data rounds.
        levels = tf.io.decode_png(contents, dtype="uint16")
        return tf.round(tf.cast(levels, "float32") / 257.0)

    def of_jpeg():
        # TensorFlow's own choice is the fast one, which Pillow and kgen.data do not take.
        return tf.cast(tf.io.decode_jpeg(contents, dct_method="INTEGER_ACCURATE"), "float32")

    def of_others():
        return tf.cast(tf.io.decode_image(contents, expand_animations=False), "float32")

    def starts_with(signature):
        return tf.strings.substr(contents, 0, len(signature)) == signature

    cases = [(starts_with(_PNG), of_png), (starts_with(_JPEG), of_jpeg)]
    return tf.ensure_shape(tf.case(cases, of_others), (None, None, None))


def _fitted(image, size):
    """Returns an image scaled to cover a size and cropped about the centre, as Pillow's `fit`."""
    sides, size = tf.cast(tf.shape(image)[:2], "float32"), tf.constant(size, "float32")
    scale = tf.reduce_max(size / sides)
    beyond = (sides * scale - size) / 2.0
    return tf.raw_ops.ScaleAndTranslate(
        images=image[None],
        size=tf.cast(size, "int32"),
        scale=tf.stack([scale, scale]),
        translation=-beyond,
        kernel_type="keyscubic",
        antialias=True,
    )[0]
