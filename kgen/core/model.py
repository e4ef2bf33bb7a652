"""The one abstraction: a generative model is a game whose players take turns."""

import keras
from keras import ops

from kgen.core import batches, engine
from kgen.core.compile_arguments import check_arguments
from kgen.core.fitting import Fitting
from kgen.core.interface import GenerativeInterface
from kgen.core.keras_private import BuildsOptimizerAlone, flatten_layers
from kgen.core.noise import Noise, borrowed
from kgen.core.numbers import plain_arguments
from kgen.core.optimizers import PlayerOptimizers, as_meant
from kgen.core.persistence import Persistence, noted
from kgen.core.replicas import average_statistics, check_optimizers


class GenerativeModel(GenerativeInterface, Fitting, Persistence, BuildsOptimizerAlone):
    """A `keras.Model` trained by players that take turns minimising a loss of their own.

    A system is a subclass that declares its players and writes their losses; `train_step` plays
    one round. A round takes one batch of what `fit` is given: a player with `updates=k` moves k
    times, each time on another part of that batch, so the batch is the largest `updates` times
    the batch of one update. Networks see `training=True` in every player's turn, so statistics
    such as batch norm's move whenever a network is called, whoever's turn it is; weights move in
    their owner's turn only.

    The logs hold `<player>_loss` and `<player>_<component>`, or plain `loss` and `<component>` if
    there is one player. `evaluate` plays nothing and moves nothing, random states included.

    A constructor stores its arguments under their own names; `get_config` then needs no code. Once
    it has ended, they cannot be changed: players and graphs are built with them.

    Example:
        class Autoencoder(GenerativeModel):
            def __init__(self, encoder, decoder, **kwargs):
                networks = (encoder, decoder)
                super().__init__([Player("autoencoder", networks, self.error)], **kwargs)
                self.encoder, self.decoder = encoder, decoder

            def error(self, images, training):
                codes = self.encoder(images, training=training)
                decoded = keras.ops.cast(self.decoder(codes, training=training), "float32")
                return keras.ops.mean(keras.ops.square(images - decoded))

    Args:
        players: The players, in the order of their turns.
        seed: Integer seed of the model's random draws; `None` for a new one each time.
        **kwargs: `name`, `dtype` and `trainable`, as for any `keras.Model`.

    Raises:
        ValueError: If two players or two components of a player's loss share a name, or `seed` is
            no integer of 64 bits.
    """

    # Whether the losses' `data` is `(x, y)`, y being labels or target images, and not x alone.
    uses_targets = False

    # Whether the last turns of a round share one `prepare`; see there what it may then use.
    prepares_once = False

    @plain_arguments
    def __init__(self, players, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.players = tuple(players)
        self.seed = seed
        self.noise = Noise(seed, name="noise")
        self.trackers = _trackers(self.players)
        self.evaluated = BatchCount(name="evaluated")
        self.built = True  # Players hold built networks only.

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = noted(plain_arguments(cls.__init__))

    # ------------------------------------------------------------------ training

    def compile(
        self,
        optimizer=None,
        *others,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
        **unused,
    ):
        """Gives each player its optimizer.

        Args:
            optimizer: Dict from each player's name to a Keras optimizer, `{"discriminator": ...,
                "generator": ...}`; or one optimizer, or its name, such as `"adam"`, for all:
                several players get a copy each. `None` for `default_optimizers()`, those of the
                system's paper, where it has some; and so does a name of their class, `"adam"` for
                most. Another name is warned of where there are several players.
            *others: Nothing: the rest goes by name.
            run_eagerly, steps_per_execution, jit_compile: As in `keras.Model.compile`.
            auto_scale_loss: Whether networks that compute in float16 get their players'
                optimizers wrapped in a `keras.optimizers.LossScaleOptimizer` each.
            **unused: `loss`, `metrics` and the like must be `None`: the system defines its losses.

        Raises:
            TypeError: If anything but the optimizer comes by position.
            ValueError: If an optimizer is missing or shared, an argument is not of its form, a loss
                or metric is given, or XLA or an optimizer's clipping or accumulation of gradients
                is asked for in the scope of a strategy of several replicas.
        """
        check_arguments(
            self, others, unused, run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
        )
        optimizer = as_meant(optimizer, self.default_optimizers(), self.players)
        scale_loss = auto_scale_loss and self._computes_in_float16()
        optimizer = PlayerOptimizers.create(optimizer, self.players, scale_loss)
        check_optimizers(optimizer.optimizers, self.replicas)
        super().compile(
            optimizer=optimizer,
            run_eagerly=bool(run_eagerly),
            steps_per_execution=int(steps_per_execution),
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )

    def default_optimizers(self):
        """Returns what `compile()` takes without an argument: those of the system's paper.

        A system that names some overrides it: new ones in each call, in any form that `compile`
        takes. By default `None`, for none: then `compile` has to be given some.
        """
        return None

    def train_step(self, *args):
        """Plays one round: each player in turn moves `updates` times."""
        return engine.run_step(self, self.play_round, *args)

    def test_step(self, *args):
        """Computes each player's loss on one batch and moves nothing but the metrics."""
        return engine.run_step(self, self.score_round, *args, uneven=True)

    def play_round(self, data):
        data = batches.unpack(data, self.uses_targets)
        parts = batches.split(data, self.largest_updates)
        recording = self._record(parts[-1]) if self.prepares_once else None
        for player in self.players:
            # Who moves less often takes the last parts, so that all end with the same one.
            for part in parts[-player.updates :]:
                shared = recording if part is parts[-1] else None
                loss, components = self._move(player, part, shared)
                self.track(player, loss, components, part)
        average_statistics(self.players)
        self.finish_round()
        self.optimizer.iterations.assign_add(1)
        return self.get_metrics_result()

    def score_round(self, data):
        data = batches.unpack(data, self.uses_targets)
        with borrowed(self.random_states, offset=self.evaluated.result() * 2**16):
            prepared = self.prepare(data, training=False)
            for player in self.players:
                loss, components = self.loss_of(player, prepared, training=False)
                self.track(player, loss, components, data)
        self.evaluated.update_state()
        return self.get_metrics_result()

    def prepare(self, data, training):
        """Returns what the losses take of a part of the batch; by default the part itself.

        What several players' losses start from is computed here: in each turn anew, or, where
        `prepares_once` is true, once for the last turns of all players. In the last player's turn
        its gradient flows back through it; for the others it is a constant. So it may then use
        networks of the last player alone, and that one shares none and moves once a round.
        """
        return data

    def finish_move(self, player, variables):
        """Runs after each move of a player, with the variables that moved; nothing by default."""

    def finish_round(self):
        """Runs at the end of each round, after every player has moved; nothing by default."""

    def loss_of(self, player, prepared, training, added=None):
        """Returns a player's loss with what its networks add to it, and the loss's components.

        `added` are the terms of the networks' own, regularisers and what a layer adds by
        `add_loss`; by default those of the latest call.
        """
        loss = player.loss(prepared, training=training)
        loss, components = loss if isinstance(loss, tuple) else (loss, {})
        if getattr(loss, "shape", None) != ():
            raise ValueError(
                f"The loss of player {player.name!r} must be a scalar, a mean over the batch, "
                f"received {loss!r}."
            )
        added = _added_losses(player) if added is None else added
        return sum(ops.cast(term, "float32") for term in [loss, *added]), components

    def track(self, player, loss, components, data):
        """Adds a loss and its components to the means that are logged."""
        if set(components) != set(player.components):
            raise ValueError(
                f"The loss of player {player.name!r} returned the components "
                f"{sorted(components)}, but its Player declares {sorted(player.components)}."
            )
        rows = ops.shape(keras.tree.flatten(data)[0])[0]
        for name, value in {"loss": loss, **components}.items():
            if not isinstance(rows, int):  # A replica may have got none, of which means are NaN.
                value = ops.where(rows > 0, value, ops.zeros_like(value))
            self.trackers[f"{player.name}_{name}"].update_state(value, sample_weight=rows)

    def variables_of(self, player):
        """Returns the variables that a player's turn moves; by default all that it owns."""
        return player.variables

    def position_variables(self):
        """Returns the variables that say how far a training is, and do not go back with weights."""
        return []

    @property
    def metrics(self):
        return list(self.trackers.values())

    def reset_metrics(self):
        super().reset_metrics()
        self.evaluated.reset_state()

    @property
    def rounds_played(self):
        """Rounds that the compiled model has played, over all `fit`s; loading keeps the count."""
        return int(self.optimizer.iterations.numpy())  # int() alone fails in a strategy's scope.

    @property
    def largest_updates(self):
        """Into how many parts a round divides its batch."""
        return max(player.updates for player in self.players)

    @property
    def replicas(self):
        """How many devices share a batch."""
        return self.distribute_strategy.num_replicas_in_sync

    @property
    def is_chief(self):
        """Whether this process writes files: false on all but one of the hosts of a training."""
        return engine.is_chief(self.distribute_strategy)

    @property
    def batch_multiple(self):
        """The number that a replica's rows of a batch given to `fit` must be a multiple of."""
        return self.largest_updates * self.evaluation_multiple

    @property
    def evaluation_multiple(self):
        """The number that the rows given to a loss must be a multiple of."""
        return 1

    def _record(self, part):
        last = self.players[-1]
        if last.updates > 1:
            raise ValueError(
                f"{type(self).__name__}.prepares_once needs a last player that moves once a round; "
                f"{last.name!r} has updates={last.updates}."
            )

        def prepare(part):
            # A layer's `add_loss` is of this call and would be out of the last turn's sight.
            return self.prepare(part, training=True), _added_losses(last)

        return engine.record(prepare, part, self.variables_of(last))

    def _move(self, player, part, recording):
        """Moves a player once; `recording` is the `prepare` it shares with others, if it does."""
        through = recording if player is self.players[-1] else None

        def loss():
            if recording is None:
                prepared, added = self.prepare(part, training=True), None
            else:
                prepared, added = recording.outputs
            return self.loss_of(player, prepared, True, None if through is None else added)

        optimizer, variables = self.optimizer.by_player[player.name], self.variables_of(player)
        moved = engine.minimize(loss, variables, optimizer, through)
        self.finish_move(player, variables)
        return moved

    def _computes_in_float16(self):
        return any(layer.compute_dtype == "float16" for layer in flatten_layers(self))


def _added_losses(player):
    return [term for network in player.networks for term in network.losses]


class BatchCount(keras.metrics.Metric):
    """Batches evaluated since the metrics were reset, which tells their noise apart."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.count = self.add_variable((), "zeros", dtype="int64", name="count")

    def update_state(self):
        self.count.assign_add(1)

    def result(self):
        return ops.convert_to_tensor(self.count)


def _trackers(players):
    """Means of every player's loss and components, keyed `<player>_<name>`."""
    names = [player.name for player in players]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"`players` must be at least one, of different names, received {names}.")
    trackers = {}
    for player in players:
        for name in ("loss", *player.components):
            key = f"{player.name}_{name}"
            # One player's log is plain `loss`, what EarlyStopping and tuners look for.
            trackers[key] = keras.metrics.Mean(name=name if len(players) == 1 else key)
    return trackers
