"""Deep autoencoders trained one layer at a time."""

import keras

from kgen.core.arrays import fits
from kgen.models.arguments import check_count
from kgen.models.autoencoder import Autoencoder


def stack(autoencoders, data, epochs=10, fine_tune_epochs=None, optimizer="adam", **arguments):
    """Trains autoencoders each on the codes of the last, then all as one deep autoencoder.

    Bengio et al. 2007, "Greedy layer-wise training of deep networks"; of denoising autoencoders
    Vincent et al. 2008, section 3: codes that the next one learns are those of clean images.

    Example:
        small = keras.Input((500,)), keras.Input((30,))
        parts = [
            kgen.models.DenoisingAutoencoder(
                kgen.networks.dense_encoder(
                    (28, 28, 1), 500, hidden_layers=0, variational=False, activation="sigmoid"
                ),
                kgen.networks.dense_decoder((28, 28, 1), 500, hidden_layers=0),
            ),
            kgen.models.Autoencoder(
                keras.Model(small[0], keras.layers.Dense(30)(small[0])),
                keras.Model(small[1], keras.layers.Dense(500, "sigmoid")(small[1])),
            ),
        ]
        for part in parts:
            part.compile()
        deep = kgen.models.stack(parts, kgen.data.load("mnist5k"), epochs=5)

    Args:
        autoencoders: List of compiled `Autoencoder`s of any kind: the first of images, each further
            one of the codes of that before it. They are trained where they are.
        data: Images, as an array or a `tf.data` set of them, such as `kgen.data.load` returns.
        epochs: Of each one's training, at least 1.
        fine_tune_epochs: Of the training of the whole; `None` for `epochs`, 0 for none.
        optimizer: Of the training of the whole, which runs eagerly where the first one does.
        **arguments: Of every `fit`, such as `batch_size`, `steps_per_epoch`, `verbose` and
            `validation_data`, which is of images alone, as `data` is.

    Returns:
        The whole, a compiled `Autoencoder` with the first one's `reconstruction`. Its encoder goes
        through theirs and its decoder back through theirs; it shares their weights.

    Raises:
        ValueError: If an argument is not of this form, they do not fit each other or one is not
            compiled; nothing is trained then.
    """
    _check(autoencoders)
    check_count("epochs", epochs)
    if fine_tune_epochs is not None and fine_tune_epochs != 0:
        check_count("fine_tune_epochs", fine_tune_epochs)
    held_out = arguments.pop("validation_data", None)
    for name, images in (("data", data), ("validation_data", held_out)):
        _check_images(name, images, autoencoders[0].image_shape)
    whole = Autoencoder(
        _chained([one.encoder for one in autoencoders], "encoder"),
        _chained([one.decoder for one in reversed(autoencoders)], "decoder"),
        autoencoders[0].reconstruction,
        seed=autoencoders[0].seed,
    )
    whole.compile(optimizer, run_eagerly=autoencoders[0].run_eagerly)
    if "steps_per_epoch" in arguments and hasattr(data, "starting_at"):
        data = data.starting_at(0)  # Endless, and so are its codes.
    codes, held_out_codes = data, held_out
    for number, autoencoder in enumerate(autoencoders):
        autoencoder.fit(codes, validation_data=held_out_codes, epochs=epochs, **arguments)
        if number + 1 < len(autoencoders):
            codes = _encoded(autoencoder, codes)
            held_out_codes = None if held_out is None else _encoded(autoencoder, held_out_codes)
    fine_tune_epochs = epochs if fine_tune_epochs is None else fine_tune_epochs
    if fine_tune_epochs:
        whole.fit(data, validation_data=held_out, epochs=fine_tune_epochs, **arguments)
    return whole


def _encoded(autoencoder, data):
    """The codes of an array, or of a set batch by batch."""
    if hasattr(data, "element_spec"):
        return data.map(autoencoder.encode_step)
    return autoencoder.encode(data)


def _check_images(name, images, shape):
    if images is None and name == "validation_data":
        return
    spec = getattr(images, "element_spec", images)
    found = getattr(spec, "shape", None)
    if found is None or not fits(tuple(found)[1:], shape):
        raise ValueError(
            f"`{name}` must be images of {shape}, an array or a set of batches of them alone, "
            f"received {spec!r}."
        )


def _chained(networks, name):
    """One network through several, none of which is copied."""
    inputs = keras.Input(networks[0].input_shape[1:])
    x = inputs
    for network in networks:
        x = network(x)
    return keras.Model(inputs, x, name=name)


def _check(autoencoders):
    if not isinstance(autoencoders, list | tuple) or not autoencoders:
        raise ValueError(f"`autoencoders` must be a list of some, received {autoencoders!r}.")
    if len({id(one) for one in autoencoders}) < len(autoencoders):
        raise ValueError("`autoencoders` must differ, received one of them twice.")
    for number, one in enumerate(autoencoders):
        if not isinstance(one, Autoencoder):
            raise ValueError(f"`autoencoders` must hold Autoencoders, received {one!r}.")
        if not one.compiled:
            raise ValueError(f"`autoencoders` must be compiled; number {number} is not.")
        below = autoencoders[number - 1].encoder.output_shape[1:] if number else one.image_shape
        if one.image_shape != below:
            raise ValueError(
                f"`autoencoders`: number {number} must take the codes {below} of that before it, "
                f"received one of {one.image_shape}."
            )
        if number and one.reconstruction == "bernoulli":
            raise ValueError(
                f'`autoencoders`: number {number} must have reconstruction="l2" or "l1", as the '
                "decoder before it takes codes and no logits; received 'bernoulli'."
            )
