"""An encoder for a generator that has none: it learns to give latents back."""

import keras
from keras import ops

from kgen.core import GenerativeModel, Player
from kgen.latent.layout import layout_of
from kgen.losses import squared_error
from kgen.metrics.arrays import checked_number


@keras.saving.register_keras_serializable("kgen")
class LatentRegressor(GenerativeModel):
    """Donahue et al. 2017, section 4, arXiv 1605.09782: the latent regressor, E||z - E(G(z))||^2.

    A trained generator draws latents and makes images of them, of which the encoder has to give the
    latents back. With an `image_weight` it also sees the images of `fit`, of which the generator
    has to make the same again: E||x - G(E(x))||^2 (Zhu et al. 2020, section 3.1, arXiv 2004.00049).
    Without one they say nothing but how many latents to draw. The generator does not change.

    Logs `loss`, `latents` and with an `image_weight` `images`, both errors means over numbers.
    `decode` and `reconstruct` are of the space's latents, and so is `encode`, which leaves labels
    out; `encoder`, or this model, is a `start` of `kgen.latent.invert`.

    Example:
        regressor = kgen.latent.LatentRegressor(model, encoder, image_weight=1.0)
        regressor.compile("adam")
        regressor.fit(kgen.data.load("mnist5k"), epochs=10)
        found = kgen.latent.invert(model, images, start=regressor.encoder)

    Args:
        model: Trained `kgen.GenerativeModel` that can `sample` and `decode`. It is frozen: its
            `trainable` is set to `False`, and it is saved with this one.
        encoder: Built `keras.Model`, images -> latents `(batch, numbers)`; labels and an InfoGAN's
            categories are left out, in w all layers have the same style.
        space: `"z"`, or of a StyleGAN `"w"`, the styles.
        image_weight: Weight of the images' error; 0 for none, as it must be where latents in z have
            labels, which images do not come with.
        **kwargs: `seed`, `name` and `dtype`; see `kgen.core.GenerativeModel`.

    Raises:
        ValueError: If an argument is not of this form or two do not go together.
    """

    def __init__(self, model, encoder, space="z", image_weight=0.0, **kwargs):
        components = ("latents", "images") if image_weight else ("latents",)
        player = Player("encoder", encoder, self.encoder_loss, components=components)
        super().__init__([player], **kwargs)
        _check_model(model, space)
        image_weight = checked_number("image_weight", image_weight, at_least=0.0)
        layout = layout_of(model)
        self.has_labels = space == "z" and layout.labels > 0
        if image_weight and self.has_labels:
            raise ValueError(
                f"`image_weight` must be 0: the latents of this {type(model).__name__} have "
                f"labels, of which images tell nothing. Received {image_weight}."
            )
        width = layout.noise + layout.codes if space == "z" else model.generator.style_dim
        _check_encoder(encoder, tuple(model.image_shape), width)
        model.trainable = False
        self.model = model
        self.encoder = encoder
        self.space = space
        self.image_weight = image_weight
        self.noise_width = layout.noise
        self.label_width = layout.labels

    def encoder_loss(self, images, training):
        latents = self.draw_latents(ops.shape(images)[0], self.noise)
        fakes = ops.stop_gradient(ops.cast(self.decode_step(latents), "float32"))
        error = squared_error(self.encoder(fakes, training=training), self.expected(latents))
        if not self.image_weight:
            return error, {"latents": error}
        decoded = self.decode_step(self.as_latents(self.encoder(images, training=training)))
        image_error = squared_error(decoded, images)
        loss = error + self.image_weight * image_error
        return loss, {"latents": error, "images": image_error}

    def expected(self, latents):
        """Returns what the encoder has to give of the images of latents."""
        if self.space == "w":
            return latents[:, 0]
        if not self.has_labels:
            return latents
        codes = latents[:, self.noise_width + self.label_width :]
        return ops.concatenate([latents[:, : self.noise_width], codes], axis=-1)

    def as_latents(self, codes):
        """Returns latents of what the encoder gives."""
        codes = ops.cast(codes, "float32")
        return codes if self.space == "z" else self.model.generator.broadcast(codes)

    @property
    def image_shape(self):
        return self.model.image_shape

    @property
    def classes(self):
        return self.model.classes

    @property
    def structure(self):
        return self.model.structure

    @property
    def encodes_latents(self):
        return not self.has_labels

    def call(self, images, training=False):
        return self.encoder(images, training=training)

    def draw_latents(self, count, noise, labels=None):
        given = () if labels is None else (labels,)
        latents = self.model.draw_latents(count, noise, *given)
        if self.space == "z":
            return latents
        return self.model.map_step(latents, 1.0, self.model.generator.layer_count)

    def decode_step(self, latents):
        if self.space == "z":
            return self.model.decode_step(latents)
        return self.model.synthesise_step(latents)

    def encode_step(self, images):
        return self.as_latents(self.encoder(images, training=False))


def _check_model(model, space):
    if not isinstance(model, GenerativeModel) or not {"sample", "decode"} <= set(model.abilities):
        raise ValueError(
            "`model` must be a kgen.GenerativeModel that can sample and decode, received "
            f"{model!r}."
        )
    spaces = ["z", "w"] if callable(getattr(model, "map", None)) else ["z"]
    if space not in spaces:
        raise ValueError(f"`space` must be one of {spaces}, received {space!r}.")


def _check_encoder(encoder, shape, width):
    found = [tuple(x.shape[1:]) for x in (*encoder.inputs, *encoder.outputs)]
    if len(found) != 2 or found != [shape, (width,)]:
        raise ValueError(
            f"`encoder` must be a network from images {shape} to latents {(width,)}, received one "
            f"from {found[: len(encoder.inputs)]} to {found[len(encoder.inputs) :]}."
        )
