"""What is different where several replicas, on one host or on several, share a model's batches."""

import keras
from keras import ops

from kgen.core import engine
from kgen.core.keras_private import flatten_layers


def check_jit(jit_compile, replicas):
    """Raises a ValueError if `jit_compile` is of another form, or cannot be had.

    That is where XLA is asked for and replicas have to exchange gradients.
    """
    if jit_compile not in (True, False, "auto"):
        raise ValueError(f'`jit_compile` must be True, False or "auto", received {jit_compile!r}.')
    if jit_compile is True and replicas > 1:
        raise ValueError(
            f'`jit_compile` must be False or "auto" with {replicas} replicas, received True: XLA '
            "compiles a whole round for one device, and each replica's variables are on another."
        )


# What Keras does to each replica's gradients before it sums them, or cannot do in a replica.
_ALONE = (
    "clipnorm",
    "global_clipnorm",
    "clipvalue",
    "gradient_accumulation_steps",
    "ema_overwrite_frequency",
)


def check_optimizers(optimizers, replicas):
    """Raises a ValueError if one of the optimizers has a setting that replicas cannot share."""
    if replicas == 1:
        return
    for optimizer in optimizers:
        for name in _ALONE:
            value = getattr(optimizer, name, None)
            if value is not None and (name != "ema_overwrite_frequency" or optimizer.use_ema):
                raise ValueError(
                    f"`{name}` must be None with {replicas} replicas, received {value!r} of the "
                    f"{type(optimizer).__name__} {optimizer.name!r}: Keras applies it to the "
                    "gradients of each replica alone, so that training would go another way than "
                    "on one device, or fail."
                )


def batch_norms(model):
    """Returns the batch norms in a model or layer, those of kgen and of Keras."""
    return [
        layer
        for layer in flatten_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def average_statistics(players):
    """Makes what batch norms have gathered the same on all replicas: the mean over them.

    Of those that are not synchronised, each replica has seen its own rows. Without it each host
    would score, and decide by its scores, with numbers of its own.
    """
    norms = {id(n): n for p in players for network in p.networks for n in batch_norms(network)}
    gathered = [
        variable
        for norm in norms.values()
        if not norm.synchronized
        for variable in norm.non_trainable_variables
    ]
    if not gathered or engine.replicas() == 1:
        return
    means = engine.mean_over_replicas([ops.convert_to_tensor(variable) for variable in gathered])
    for variable, mean in zip(gathered, means, strict=True):
        variable.assign(mean)


class StopTogether(keras.callbacks.Callback):
    """Ends training in all processes where a callback has ended it in one of them.

    Else the others would wait for its next round for ever.
    """

    def on_train_batch_end(self, batch, logs=None):
        self._agree()

    def on_epoch_end(self, epoch, logs=None):
        self._agree()

    def _agree(self):
        model = self.model
        [stop] = engine.largest(model.distribute_strategy, [int(bool(model.stop_training))])
        model.stop_training = bool(stop)
