"""Size and channels of images: scaled to cover, cropped about the centre, grey or RGB."""

import numpy as np


def fit_image(image, image_size):
    """Scale a Pillow image to cover `(height, width)` and crop it about its centre.

    Args:
        image: `PIL.Image.Image` of mode L, RGB or F.
        image_size: `(height, width)` in pixels.

    Returns:
        `PIL.Image.Image`; bicubic, antialiased when made smaller.
    """
    from PIL import Image, ImageOps

    height, width = image_size
    if image.size == (width, height):
        return image
    return ImageOps.fit(image, (width, height), method=Image.Resampling.BICUBIC)


def fit_array(images, image_size=None, channels=None):
    """Bring an array of images to a size and a number of channels.

    Args:
        images: array `(n, height, width, c)`, uint8 in 0..255 or float32 in [-1, 1], c 1 or 3.
        image_size: `(height, width)` in pixels, or None to keep it.
        channels: 1 (luminance), 3, or None to keep them.

    Returns:
        Array `(n, height, width, channels)` of the same dtype and range.

    Example:
        >>> import numpy as np
        >>> from kgen.data.resizing import fit_array
        >>> fit_array(np.zeros((2, 8, 8, 1), "uint8"), (16, 16), channels=3).shape
        (2, 16, 16, 3)
    """
    if channels == 1 and images.shape[-1] == 3:
        images = _luminance(images)
    if image_size is not None and tuple(image_size) != images.shape[1:3]:
        images = _fit_planes(images, image_size)
    if channels == 3 and images.shape[-1] == 1:
        images = np.repeat(images, 3, axis=-1)
    return images


def _luminance(images):
    """Turn RGB into grey with the weights of Pillow, those of ITU-R 601-2."""
    if images.dtype != np.uint8:
        return images @ np.array([[0.299], [0.587], [0.114]], images.dtype)
    from PIL import Image

    grey = [np.asarray(Image.fromarray(image).convert("L")) for image in images]
    return np.stack(grey)[..., None]


def _fit_planes(images, image_size):
    """Scale and crop every image, one channel at a time because mode F has one."""
    from PIL import Image

    fitted = np.empty((len(images), *image_size, images.shape[-1]), images.dtype)
    for row in range(len(images)):
        for channel in range(images.shape[-1]):
            plane = Image.fromarray(np.ascontiguousarray(images[row, :, :, channel]))
            fitted[row, :, :, channel] = fit_image(plane, image_size)
    # Bicubic overshoots at edges. Pillow clips bytes by itself and floats not at all.
    return fitted if images.dtype == np.uint8 else np.clip(fitted, -1.0, 1.0)
