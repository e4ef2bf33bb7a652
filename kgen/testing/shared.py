"""Models that the checks of one system share: trained, loaded, or moved player by player."""

import contextlib
import pathlib
import tempfile
import warnings

import keras
import numpy as np
from keras import ops

from kgen.core import engine
from kgen.core.noise import borrowed
from kgen.testing.given import arrays_of, mirrored, rows_of

ROUNDS = 3
STEP_SIZE = 1e-3

# What the checks of one `make` and batch share, by name; and of which `make` and batch it is.
_kept = {}


def once(name, make, batch, produce):
    """Returns `produce()`, called once for all checks of one `make` and batch."""
    origin = (make, keras.config.dtype_policy().name)
    arrays, of_arrays = arrays_of(batch), _kept.get("arrays", ())
    same = len(arrays) == len(of_arrays) and all(map(np.array_equal, arrays, of_arrays))
    if _kept.get("origin") != origin or not same:
        _kept.clear()
        _kept.update(origin=origin, arrays=arrays)
    if name not in _kept:
        _kept[name] = produce()
    return _kept[name]


def forget():
    """Lets go of all that is shared."""
    _kept.clear()


def trained(make, batch):
    """A model after some rounds without XLA, and its logs."""

    def train():
        model = compiled(make, jit_compile=False)
        return model, fit(model, batch)

    return once("trained", make, batch, train)


def loaded(make, batch):
    """The trained model after saving and loading."""
    model, _ = trained(make, batch)
    return once("loaded", make, batch, lambda: saved_and_loaded(model))


def moves(make, batch):
    """What each player's move alone, on one batch with the same noise, did.

    By its name: the variables that its move changed, own ones and others', and the losses before
    and after it.
    """

    def move():
        (model, _), found = trained(make, batch), {}
        for player in model.players:
            with restored(model):
                before = [v.numpy() for v in model.trainable_variables]
                optimizer = keras.optimizers.Adam(STEP_SIZE)
                losses = [_loss_with_fixed_noise(model, player, batch, optimizer)]
                changed = [
                    v
                    for v, old in zip(model.trainable_variables, before, strict=True)
                    if not np.array_equal(v.numpy(), old)
                ]
                losses.append(_loss_with_fixed_noise(model, player, batch))
            own = {id(v) for v in player.variables}
            parts = [[v.path for v in changed if (id(v) in own) is mine] for mine in (True, False)]
            found[player.name] = parts, losses
        return found

    return once("moves", make, batch, move)


def labels_count(make, batch):
    """Whether other labels give some player another loss."""
    model, _ = trained(make, batch)
    images, labels = batch
    with restored(model):
        return any(
            _loss_with_fixed_noise(model, player, (images, labels))
            != _loss_with_fixed_noise(model, player, (images, (labels + 1) % model.classes))
            for player in model.players
        )


@contextlib.contextmanager
def restored(*models):
    """Context after which the models' variables are what they were."""
    variables = [v for m in models for v in (*m.variables, *m.optimizer.variables)]
    before = [v.numpy() for v in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def momentum(learning_rate):
    """An optimizer with a state, which does not magnify what rounding leaves, as Adam does."""
    return keras.optimizers.SGD(learning_rate, momentum=0.9)


def compiled(make, optimizer=momentum, **kwargs):
    keras.utils.set_random_seed(0)
    model = make()
    names = [player.name for player in model.players]
    model.compile({name: optimizer(learning_rate=STEP_SIZE) for name in names}, **kwargs)
    return model


def fit(model, batch, rounds=ROUNDS):
    """Trains on `batch` and, so that rounds differ, its mirror images; returns the logs."""
    arrays = [
        np.concatenate([array if i % 2 == 0 else mirrored(array) for i in range(rounds)])
        for array in arrays_of(batch)
    ]
    return model.fit(*arrays, batch_size=rows_of(batch), shuffle=False, verbose=0).history


def _loss_with_fixed_noise(model, player, batch, optimizer=None):
    """A player's loss on `batch`, and with an optimizer its move by it."""
    images = keras.tree.map_structure(ops.convert_to_tensor, batch)

    def loss():
        return model.loss_of(player, model.prepare(images, training=True), training=True)

    with borrowed(model.random_states, offset=0):
        if optimizer:
            return float(engine.minimize(loss, model.variables_of(player), optimizer)[0])
        return float(loss()[0])


def saved_and_loaded(model):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Keras only warns where an optimizer's state does not fit.
        warnings.simplefilter("error", UserWarning)
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        return keras.models.load_model(path)
