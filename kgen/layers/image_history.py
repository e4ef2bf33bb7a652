"""A history of generated images, to train a discriminator on more than the latest ones."""

import keras
from keras import ops

from kgen.core import engine
from kgen.core.noise import Noise
from kgen.core.numbers import is_count, plain_arguments


@keras.saving.register_keras_serializable("kgen")
class ImageHistory(keras.layers.Layer):
    """Keeps generated images and returns some of them in place of new ones.

    Shrivastava et al. 2017, section 2.3, arXiv 1612.07828, as Zhu et al. 2017, section 4, arXiv
    1703.10593, use it: until it is full, images are stored and returned as they are. From the next
    batch on each one is, with probability 1/2, exchanged for a stored one drawn at random, whose
    place it takes. Outside training images are returned as they are and nothing moves.

    The images, and the state of the random draws, are variables: saved and resumed with a model.
    Where several replicas share a batch they share one history, of the images of all of them.

    Differs from the paper: a batch is exchanged at once and not image by image, so that no image
    returns in its own batch; and of a batch larger than the history, the rows beyond its size are
    returned as they are.

    Args:
        size: Images to keep.
        seed: Integer start of the random sequence, `None` for a random one.

    Call arguments:
        images: `(batch, height, width, channels)`, of a fixed size.
        training: Whether to store and exchange.

    Output shape: that of `images`.

    Raises:
        ValueError: If `size` is not a positive integer, or images have no fixed size.

    Example:
    >>> history = kgen.layers.ImageHistory(50, seed=0)
    >>> history(keras.ops.zeros((4, 8, 8, 3)), training=True).shape
    TensorShape([4, 8, 8, 3])
    """

    @plain_arguments
    def __init__(self, size=50, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not is_count(size):
            raise ValueError(
                f"ImageHistory: `size` should be a positive integer. Received: size={size!r}"
            )
        self.size = size
        self.seed = seed
        self.noise = Noise(seed)
        self.autocast = False  # What is stored in half precision would come back with fewer digits.

    def build(self, input_shape):
        shape = tuple(input_shape[1:])
        if None in shape:
            raise ValueError(
                f"ImageHistory: images should have a fixed size. Received: the shape {shape}"
            )
        # All replicas assign the same.
        state = {"trainable": False, "autocast": False, "aggregation": "only_first_replica"}
        self.images = self.add_weight(
            shape=(self.size, *shape), initializer="zeros", dtype="float32", name="images", **state
        )
        self.count = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", name="count", **state
        )

    def call(self, images, training=False):
        if not training:
            return images
        # Of all replicas: what is stored and exchanged is that of one device with the whole batch.
        given, first = engine.rows_of_all(images)
        batch, own = ops.shape(given)[0], ops.shape(images)[0]
        count = ops.cast(self.count, "int32")
        is_full = count == self.size
        # Each row's slot: the next free one, or one drawn without replacement.
        shuffled = ops.argsort(self.noise.uniform((self.size,), common=True))
        wants = self.noise.uniform((batch,), common=True) < 0.5  # (batch,)
        row = ops.arange(batch)
        drawn = ops.take(shuffled, ops.minimum(row, self.size - 1))
        slot = ops.where(is_full, ops.cast(drawn, "int32"), count + row)
        exchanged = ops.logical_and(is_full, ops.logical_and(wants, row < self.size))
        kept = ops.where(is_full, exchanged, slot < self.size)
        exchanged, place = exchanged[first : first + own], slot[first : first + own]
        old = ops.take(self.images, ops.minimum(place, self.size - 1), axis=0)
        returned = ops.where(_per_image(exchanged, images), ops.cast(old, images.dtype), images)

        # Which row is written to which slot: one at most, so that the order has no part in it.
        writes = ops.logical_and(kept[:, None], slot[:, None] == ops.arange(self.size))
        writer = ops.argmax(ops.cast(writes, "int32"), axis=0)  # (size,)
        new = ops.take(ops.cast(given, "float32"), writer, axis=0)
        self.images.assign(ops.where(_per_image(ops.any(writes, axis=0), new), new, self.images))
        self.count.assign(ops.cast(ops.minimum(count + batch, self.size), "int64"))
        return returned

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size, "seed": self.seed}


def _per_image(choice, images):
    """A choice for each row, `(batch,)`, to be broadcast over images `(batch, ...)`."""
    return ops.reshape(choice, (-1, *[1] * (len(images.shape) - 1)))
