"""Image files to images and back, inside a graph."""

import functools

import tensorflow as tf

from kgen.serving.image_files import FORMATS
from kgen.serving.orientation import orientation_of, upright
from kgen.serving.refusals import required

_LUMINANCE = [19595, 38470, 7471]  # / 65536: ITU-R BT.601 in Pillow's whole numbers.


def decode_images(image_bytes, shape, max_pixels):
    """Returns the images in encoded files, float32 `(batch, *shape)`.

    Args:
        image_bytes: Strings `(batch,)`, each a file, as of `decode_image`.
        shape: As of `decode_image`, but height and width are integers.
        max_pixels: As of `decode_image`.
    """
    spec = tf.TensorSpec(shape, "float32")
    # One after the other, or the memory that several need at once would be without a limit.
    return tf.map_fn(
        decoder(tuple(shape), max_pixels),
        image_bytes,
        fn_output_signature=spec,
        parallel_iterations=1,
    )


@functools.cache
def decoder(shape, max_pixels):
    """Returns `decode_image` of a file alone, traced once: its graph is large."""
    traced = tf.function(
        lambda contents: decode_image(contents, shape, max_pixels), autograph=False
    )
    return traced.get_concrete_function(tf.TensorSpec((), "string"))


def decode_image(contents, shape, max_pixels):
    """Returns the image in an encoded file as `kgen.data` reads it, float32 in [-1, 1].

    It is brought upright by its EXIF orientation (one whole number; XMP's does not count),
    transparency and transparent colours (of 16 bits by their upper bytes) are laid on white,
    palettes and CMYK become RGB, 16 bits become 8, colour becomes luminance and grey becomes three
    equal channels, as a network needs it. An image of another size is scaled to cover that of the
    network, bicubic and antialiased, and cropped about the centre. Where it need not be scaled, the
    pixels are those of `kgen.data`, but that CMYK may differ by one level of 255. Scaled ones may,
    too, and by some more at the edges of what is cropped much, where Pillow rounds between the two
    directions in an order of its own.

    Of 2 or 4 channels the last is the mask of what is known: the file must have an alpha channel,
    and pixels more transparent than not are missing: 0, and -1 in the mask, which else is 1.

    Args:
        contents: Scalar string, a PNG, JPEG, WebP or BMP file; a WebP not animated, and a BMP of 8,
            24 or 32 bits, not compressed. Anything else is an `InvalidArgumentError` where the
            graph runs.
        shape: `(height, width, channels)`, channels 1 to 4; height and width `None` to keep those
            of the file.
        max_pixels: The most pixels, height x width, that its header may promise.
    """
    height, width, channels = shape
    pixels, has_alpha = _pixels(contents, max_pixels)
    is_sized, is_masked = None not in (height, width), channels in (2, 4)
    if is_sized:
        pixels, scale, offset = _visible(pixels, (height, width))
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    if is_masked:
        alpha = required(
            alpha,
            has_alpha,
            "image_bytes: expected a PNG with an alpha channel, transparent where pixels are "
            "missing, got an image without.",
        )
    else:
        colours = tf.cond(
            tf.reduce_all(alpha == 255), lambda: colours, lambda: _on_white(colours, alpha)
        )
    if channels < 3:
        grey = tf.reduce_sum(tf.cast(colours, "int32") * _LUMINANCE, axis=-1, keepdims=True)
        colours = (grey + 2**15) // 2**16
    colours, weights = tf.cast(colours, "float32"), tf.cast(alpha >= 128, "float32")
    if is_sized and is_masked:
        # What is missing has no colour to mix in: it weighs nothing.
        both = tf.concat([colours * weights, weights], -1)
        scaled = _scaled(both, (height, width), scale, offset)
        weights = scaled[..., -1:]
        colours = _whole(scaled[..., :-1] / tf.maximum(weights, 0.5))
    elif is_sized:
        # Pillow rounds after each of the two directions.
        across = _whole(_scaled(colours, (None, width), scale, offset))
        colours = _whole(_scaled(across, (height, None), scale, offset))
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


def _pixels(contents, max_pixels):
    """Returns a file's pixels, uint8 `(height, width, 4)`, and whether it has an alpha channel."""

    def reader(form):
        def read():
            sides = form.size(contents)
            height, width = tf.unstack(sides)
            # Each of them, too, as the product of two of 32 bits may be too much for 64, and that
            # with 0 is never too much.
            sides_fit = tf.reduce_all((sides >= 1) & (sides <= max_pixels))
            checked = required(
                contents,
                sides_fit & (height * width <= max_pixels),
                f"image_bytes: expected at least 1 and at most {max_pixels} pixels in a file, got ",
                height,
                " x ",
                width,
                ".",
            )
            pixels, has_alpha = form.pixels(checked)
            return upright(pixels, orientation_of(checked, form.exif(checked))), has_alpha

        return read

    cases = [(form.is_of(contents), reader(form)) for form in FORMATS.values()]
    contents = required(
        contents,
        tf.reduce_any([is_of for is_of, _ in cases]),
        f"image_bytes: expected files of {', '.join(FORMATS)}, got one that is none of these.",
    )
    pixels, has_alpha = tf.case(cases)
    return tf.ensure_shape(pixels, (None, None, 4)), has_alpha


def _on_white(colours, alpha):
    colours, alpha = tf.cast(colours, "int32"), tf.cast(alpha, "int32")
    return tf.cast((colours * alpha + 255 * (255 - alpha) + 127) // 255, "uint8")


def _whole(levels):
    return tf.clip_by_value(tf.floor(levels + 0.5), 0.0, 255.0)


def _visible(pixels, size):
    """Returns what is to be seen of pixels that are scaled to cover a size and cropped.

    Returns:
        The pixels that count, with a margin as wide as the cubic; by how much to scale them; and
        how much to cut off above and to the left then, float64 `(2,)`, in pixels of the result.
    """
    sides, size = tf.cast(tf.shape(pixels)[:2], "float64"), tf.constant(size, "float64")
    scale = tf.reduce_max(size / sides)
    offset = (sides * scale - size) / 2.0
    margin = 2.0 * tf.maximum(1.0 / scale, 1.0) + 1.0
    start = tf.maximum(tf.floor(offset / scale - margin), 0.0)
    end = tf.cast(tf.minimum(tf.math.ceil((offset + size) / scale + margin), sides), "int32")
    (top, left), (bottom, right) = tf.unstack(tf.cast(start, "int32")), tf.unstack(end)
    return pixels[top:bottom, left:right], scale, offset - start * scale


def _scaled(image, size, scale, offset):
    """Returns an image scaled and cropped to a size, bicubic; `None` keeps a side as it is."""
    kept = tf.constant([side is None for side in size])
    sides = tf.constant([side or 0 for side in size])
    return tf.raw_ops.ScaleAndTranslate(
        images=image[None],
        size=tf.where(kept, tf.shape(image)[:2], sides),
        scale=tf.where(kept, 1.0, tf.cast(scale, "float32")),
        translation=tf.where(kept, 0.0, -tf.cast(offset, "float32")),
        kernel_type="keyscubic",
        antialias=True,
    )[0]
