"""A player: one side of the game that a generative system is."""

import dataclasses
from collections.abc import Callable

import keras

from kgen.core.keras_private import flatten_layers
from kgen.core.numbers import plain


@dataclasses.dataclass(frozen=True)
class Player:
    """One side of the game: what it minimises, the networks it moves, and how often.

    Example:
        Player("critic", critic, self.critic_loss, updates=5, components=("penalty",))

    Args:
        name: The player's name in `compile(optimizer={name: ...})` and in the logs.
        networks: The built network or networks whose trainable variables it moves.
        loss: Method `loss(data, training)` that returns a scalar, or a scalar and a dict of its
            components, both means over the batch. `data` is a batch of what `fit` was given.
        updates: Moves per round, each on its own part of the batch.
        components: Names of the components that `loss` returns, for the logs.

    Raises:
        ValueError: If an argument is not of this form.
    """

    name: str
    networks: keras.Model | tuple[keras.Model, ...]
    loss: Callable
    updates: int = 1
    components: tuple[str, ...] = ()

    def __post_init__(self):
        if not isinstance(self.networks, tuple):
            object.__setattr__(self, "networks", (self.networks,))
        object.__setattr__(self, "updates", plain(self.updates))
        is_count = isinstance(self.updates, int) and not isinstance(self.updates, bool)
        if not is_count or self.updates < 1:
            raise ValueError(
                f"`{self.name}_updates` must be a positive integer, received {self.updates!r}."
            )
        for network in self.networks:
            self._check(network)

    @property
    def variables(self):
        """The trainable variables that this player moves, each once."""
        owned = {id(v): v for network in self.networks for v in network.trainable_variables}
        return list(owned.values())

    def _check(self, network):
        if not isinstance(network, keras.Model):
            raise ValueError(
                f"The {self.name}'s network must be a keras.Model, received {network!r}."
            )
        if not network.built:
            raise ValueError(
                f"The {self.name}'s network {network.name!r} has no weights yet: build it first, "
                "by an Input or by calling it once."
            )
        for layer in flatten_layers(network):
            if getattr(layer, "activity_regularizer", None) is not None:
                # Keras keeps only the last call's activity losses, and a loss may call a
                # network several times: the regulariser would count on fake images alone.
                raise ValueError(
                    f"Layer {layer.name!r} of the {self.name}'s network {network.name!r} has an "
                    "`activity_regularizer`, which Keras counts for a network's last call only. "
                    "Put the term into the loss, or use a `kernel_regularizer`."
                )
