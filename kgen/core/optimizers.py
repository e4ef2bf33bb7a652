"""Several optimizers, one a player, behind the one `model.optimizer` that Keras knows."""

import functools
import warnings

import keras

from kgen.core.keras_private import own_variables, trained_by
from kgen.core.visible_config import config_of
from kgen.suggestion import did_you_mean

# Keras 3.12, the last for Python 3.10, has callbacks that know a single plain optimizer only.
KERAS_KNOWS_SEVERAL = hasattr(keras.optimizers, "MultiOptimizer")


@keras.saving.register_keras_serializable("kgen")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """One optimizer a player, seen by Keras as a single optimizer.

    It follows the protocol of `keras.optimizers.MultiOptimizer` (`optimizers`, `variables`,
    `iterations`, `build`), so that Keras' callbacks and its saving find what they look for. That
    class itself cannot serve: it moves all variables at once, and takes no loss scaling.

    Args:
        by_player: Dict from player's name to its `keras.optimizers.Optimizer`.

    Attributes:
        compiled_with: The players' optimizers as `compile` was given them, serialised: callbacks
            change rates.
        iterations: Rounds played. A player's own optimizer counts its own updates.
        optimizers: The players' optimizers without their loss scaling: whose learning rates and
            moving averages Keras' callbacks read and set.
    """

    def __init__(self, by_player, name="player_optimizers"):
        super().__init__(learning_rate=0.0, name=name)
        self.by_player = dict(by_player)
        self.players = ()  # Not their variables, which Keras would take for the optimizer's own.
        self.compiled_with = None

    @classmethod
    def create(cls, optimizer, players, scale_loss):
        """Makes one from what a user gives to `compile`.

        Args:
            optimizer: Dict from player's name to an optimizer (instance, name or config); or one
                alone, for all players. Of an instance several players get a copy each.
            players: The model's players.
            scale_loss: Whether to wrap each optimizer in a `LossScaleOptimizer`.

        Raises:
            ValueError: If a player is left without an optimizer or two share one.
        """
        if isinstance(optimizer, cls):
            by_player = optimizer.by_player
        else:
            by_player = _by_player(optimizer, [player.name for player in players])
        if scale_loss:
            by_player = {name: _with_loss_scale(value) for name, value in by_player.items()}
        composite = cls(by_player)
        composite.players = tuple(players)
        composite.build(None)
        composite.compiled_with = {name: config_of(one) for name, one in by_player.items()}
        return composite

    @property
    def optimizers(self):
        return [getattr(o, "inner_optimizer", o) for o in self.by_player.values()]

    @property
    def variables(self):
        return own_variables(self)[:] + [v for o in self.by_player.values() for v in o.variables]

    @property
    def learning_rate(self):
        """The learning rate of the only player; several players have no common one."""
        if len(self.by_player) > 1 and not KERAS_KNOWS_SEVERAL:
            return float("nan")  # Keras 3.12's TensorBoard reads it, come what may.
        return self._only_optimizer().learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._only_optimizer().learning_rate = value

    def _only_optimizer(self):
        if len(self.by_player) > 1:
            raise AttributeError(
                "Each player has a learning rate of its own: use "
                f"`model.optimizer.by_player[name].learning_rate`, name one of "
                f"{list(self.by_player)}."
            )
        return self.optimizers[0]

    def build(self, variables):
        """Builds each player's optimizer on that player's variables; `variables` is not used."""
        if self.built:
            return
        for player in self.players:
            name, own = player.name, player.variables
            optimizer = self.by_player[name]
            if not optimizer.built:
                optimizer.build(own)
            known = trained_by(getattr(optimizer, "inner_optimizer", optimizer))
            if [id(v) for v in known] != [id(v) for v in own]:
                raise ValueError(
                    f"The optimizer of player {name!r} was already used for other variables. "
                    "Give each model new optimizers."
                )
        self.built = True

    def restart(self):
        """Sets the players' optimizers to their first step; rates and `iterations` stay."""
        for player in self.players:
            own = self.by_player[player.name]
            own = getattr(own, "inner_optimizer", own)
            fresh = type(own).from_config(own.get_config())
            fresh.build(player.variables)
            for variable, first in zip(own.variables, fresh.variables, strict=True):
                if not variable.path.endswith("learning_rate"):
                    variable.assign(first)

    def apply(self, grads, trainable_variables=None):
        raise NotImplementedError(
            "Players move in turns: use `model.optimizer.by_player[name].apply(gradients, "
            "variables)`."
        )

    def finalize_variable_values(self, var_list):
        for player in self.players:
            self.by_player[player.name].finalize_variable_values(player.variables)

    def save_own_variables(self, store):
        # The players' optimizers are saved as children; only the count of rounds is this one's.
        store["iterations"] = self.iterations.numpy()

    def load_own_variables(self, store):
        self.iterations.assign(store["iterations"])

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "by_player": {name: serialize(value) for name, value in self.by_player.items()},
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        by_player = {
            name: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
            for name, value in config["by_player"].items()
        }
        return cls(by_player, name=config["name"])


def as_meant(optimizer, default, players):
    """Returns what to take of what a user gives to `compile`: a name may mean the default.

    Args:
        optimizer: As of `PlayerOptimizers.create`; `None` for the default.
        default: The model's `default_optimizers()`, or `None`.
        players: The model's players.

    Warns:
        UserWarning: If a name stands for other optimizers than the default, for several players.
    """
    names = [player.name for player in players]
    papers = {} if default is None else _by_player(default, names)
    for name, value in papers.items():
        value.name = name  # Logged as `learning_rate_<player>`.
    if optimizer is None:
        return papers or None
    if isinstance(optimizer, str):
        optimizer = dict.fromkeys(names, optimizer)
    if not isinstance(optimizer, dict) or set(optimizer) != set(names):
        return optimizer  # One for all, or refused.
    named = {name: given for name, given in optimizer.items() if isinstance(given, str)}
    meant = {
        name: papers[name]
        for name, given in named.items()
        if type(papers.get(name)) is type(_get(given, name))
    }
    if len(players) > 1 and len(meant) < len(named):
        given = next(given for name, given in named.items() if name not in meant)
        kinds = " and ".join(sorted({type(paper).__name__ for paper in papers.values()}))
        warnings.warn(
            f"compile({given!r}) trains by Keras' settings of it, which suit hardly any game of "
            f"several players{kinds and f'; compile() takes the {kinds} of the paper'}. Give an "
            "optimizer in place of its name where you mean it.",
            stacklevel=4,
        )
    return {**optimizer, **meant}


def check_callbacks(callbacks, players):
    """Raises where Keras is too old for a callback to find the players' optimizers."""
    if KERAS_KNOWS_SEVERAL:
        return
    of_one = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
    for callback in keras.tree.flatten(callbacks or []):
        several = len(players) > 1 and isinstance(callback, of_one)
        if several or isinstance(callback, keras.callbacks.SwapEMAWeights):
            raise ValueError(
                f"{type(callback).__name__} of Keras {keras.__version__} cannot see the players' "
                "optimizers; Keras 3.15 can, which needs Python 3.11."
            )


def _by_player(optimizer, names):
    if isinstance(optimizer, dict) and "class_name" not in optimizer:
        if set(optimizer) != set(names):
            raise ValueError(
                f"`optimizer` must name each player once: expected the keys {names}, received "
                f"{list(optimizer)}."
            )
    elif optimizer is None:
        raise ValueError(
            f"`optimizer` must be given, as this model has no default: {_forms(names)}. "
            "Received None."
        )
    elif isinstance(optimizer, list | tuple):
        raise ValueError(f"`optimizer` must be {_forms(names)}. Received {optimizer!r}.")
    elif isinstance(optimizer, keras.optimizers.Optimizer) and len(names) > 1:
        optimizer = {name: _copy(optimizer, name) for name in names}
    else:
        optimizer = dict.fromkeys(names, optimizer)
    by_player = {name: _get(optimizer[name], name) for name in names}
    if len({id(value) for value in by_player.values()}) < len(names):
        raise ValueError("`optimizer` holds one optimizer twice; every player needs its own.")
    return by_player


def _forms(names):
    """How `optimizer` may be given, in words."""
    return (
        f"a dict with one optimizer a player, {{{', '.join(f'{n!r}: ...' for n in names)}}}, or "
        'one for all, such as "adam"'
    )


def _copy(optimizer, player):
    """Returns a new optimizer of the same settings, for one of several players."""
    if optimizer.built:
        raise ValueError(
            f"`optimizer` is a {type(optimizer).__name__} that was already used for other "
            "variables, whose state several players cannot share. Pass a new one."
        )
    if hasattr(optimizer, "optimizers"):
        return optimizer  # Refused below.
    try:
        copy = type(optimizer).from_config(optimizer.get_config())
    except (NotImplementedError, TypeError, ValueError) as error:  # Of a schedule without config.
        raise ValueError(
            f"`optimizer` is a {type(optimizer).__name__} that cannot be copied for each player: "
            f"{error} Pass one a player."
        ) from error
    for name, value in vars(optimizer).items():
        if name.startswith("_exclude_from_weight_decay"):  # Set by a method, in no config.
            setattr(copy, name, value)
    getattr(copy, "inner_optimizer", copy).name = player  # Logged as `learning_rate_<player>`.
    return copy


def _get(identifier, player):
    optimizer = _found(identifier, f"`optimizer` for player {player!r}")
    if hasattr(optimizer, "optimizers"):
        raise ValueError(
            f"`optimizer` for player {player!r} is a {type(optimizer).__name__}, which cannot take "
            "turns. Pass a plain optimizer for each player."
        )
    if isinstance(identifier, str):
        optimizer.name = player  # Logged as `learning_rate_<player>`.
    return optimizer


def _found(identifier, name):
    """Returns the optimizer that a user means by an instance, a name or a config."""
    asked = identifier.get("class_name") if isinstance(identifier, dict) else identifier
    known, hint = isinstance(identifier, keras.optimizers.Optimizer), ""
    if isinstance(asked, str):
        known = _is_known(asked)
        hint = "" if known else did_you_mean(asked.lower(), _names())
    elif isinstance(asked, type) and issubclass(asked, keras.optimizers.Optimizer):
        hint = f" {asked.__name__}() is one."
    if not known:
        raise ValueError(
            f'{name} must be an optimizer, its name, such as "adam", or its config, received '
            f"{identifier!r}.{hint}"
        )
    try:
        return keras.optimizers.get(identifier)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{name}: {identifier!r} is no config of its class: {error}") from error


def _is_known(name):
    """Whether Keras has an optimizer of that name, or one was registered under it."""
    if name.lower() in _names():
        return True
    found = keras.saving.get_registered_object(name)
    return isinstance(found, type) and issubclass(found, keras.optimizers.Optimizer)


@functools.cache
def _names():
    """The names of Keras' optimizers as it takes them, in lower case."""
    kinds = {name: kind for name, kind in vars(keras.optimizers).items() if isinstance(kind, type)}
    base = keras.optimizers.Optimizer
    return [name.lower() for name, kind in kinds.items() if issubclass(kind, base)]


def _with_loss_scale(optimizer):
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)
