"""Players, their turns and their optimizers: facts that Keras does not take care of."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen import GenerativeModel, Player, layers, models
from kgen.core import PlayerOptimizers
from tests.systems import SHAPE, SYSTEMS, dense_generator, smooth_critic


def line(weight=0.0, dtype=None):
    """The network x -> weight * x."""
    return keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(
                1,
                use_bias=False,
                kernel_initializer=keras.initializers.Constant(weight),
                dtype=dtype,
            ),
        ]
    )


def test_images_of_another_shape_are_refused():
    model = SYSTEMS["autoencoder"].make()
    model.compile("sgd")
    images = SYSTEMS["autoencoder"].images()
    for wrong in (images[:, :4], images[0], np.repeat(images, 3, axis=-1)):
        with pytest.raises(ValueError, match=r"fit\(\): `x` must be images of .* \(8, 8, 1\)"):
            model.fit(wrong, verbose=0)
    stream = tf.data.Dataset.from_tensor_slices(images[:, :4]).batch(4)
    with pytest.raises(ValueError, match=r"evaluate\(\): `x` .* received batches of \(None, 4, 8"):
        model.evaluate(stream, verbose=0)


def test_frozen_networks_are_not_trained():
    model = SYSTEMS["autoencoder"].make()
    model.compile("sgd")
    model.trainable = False
    with pytest.raises(ValueError, match="has nothing to train, as all its networks are frozen"):
        model.fit(SYSTEMS["autoencoder"].images(), verbose=0)


def test_hdf5_is_refused(tmp_path):
    model = SYSTEMS["autoencoder"].make()
    model.compile("adam")
    with pytest.raises(ValueError, match="`filepath` must end in .keras, received .*model.h5"):
        model.save(tmp_path / "model.h5")
    model.save(tmp_path / "model.keras")
    keras.models.load_model(tmp_path / "model.keras")


def test_a_config_has_arguments_that_are_given_by_name_alone():
    class Named(models.Autoencoder):
        def __init__(self, encoder, decoder, *, gain=1.0, **arguments):
            super().__init__(encoder, decoder, **arguments)
            self.gain = gain

    made = SYSTEMS["autoencoder"].make()
    config = Named(made.encoder, made.decoder, gain=3.0).get_config()
    assert config["gain"] == 3.0 and "arguments" not in config


@keras.saving.register_keras_serializable("kgen_tests")
class Tug(GenerativeModel):
    """Two players with one weight each: `left` follows the data's mean, `right` follows left."""

    def __init__(self, left, right, left_updates=1, **kwargs):
        super().__init__(
            [
                Player("left", left, self.left_loss, updates=left_updates),
                Player("right", right, self.right_loss, components=("gap",)),
            ],
            **kwargs,
        )
        self.left, self.right, self.left_updates = left, right, left_updates

    def left_loss(self, x, training):
        pulled = ops.cast(self.left(ops.ones_like(x), training=training), "float32")
        return ops.mean(ops.square(pulled - x))

    def right_loss(self, x, training):
        ones = ops.ones_like(x)
        gap = ops.mean(ops.square(self.right(ones) - self.left(ones)))
        return gap, {"gap": gap}


def tug(**kwargs):
    return Tug(line(), line(), **kwargs)


def sgd(left=0.1, right=0.2):
    return {"left": keras.optimizers.SGD(left), "right": keras.optimizers.SGD(right)}


def weights(model):
    return [float(v.numpy().item()) for v in (model.left.weights[0], model.right.weights[0])]


DATA = np.full((4, 1), 3.0, "float32")


# ---------------------------------------------------------------- turns


def test_players_move_in_turn():
    model = tug()
    model.compile(sgd())
    logs = model.fit(DATA, batch_size=4, verbose=0).history
    # left: 0 - 0.1 * 2 * (0 - 3) = 0.6; right sees 0.6 already: 0 - 0.2 * 2 * (0 - 0.6) = 0.24.
    assert weights(model) == pytest.approx([0.6, 0.24])
    assert logs["left_loss"] == pytest.approx([9.0])
    assert logs["right_loss"] == logs["right_gap"] == pytest.approx([0.36])


def test_updates_are_each_on_fresh_data():
    model = tug(left_updates=2)
    model.compile(sgd())
    batch = np.float32([[1.0], [5.0], [1.0], [5.0]])
    model.fit(batch, batch_size=4, shuffle=False, verbose=0)
    # Every second row: 1, 1 and then 5, 5. 0 + 0.2 * 1 = 0.2; 0.2 + 0.2 * 4.8 = 1.16.
    assert weights(model)[0] == pytest.approx(1.16)
    assert int(model.optimizer.iterations) == 1
    assert int(model.optimizer.by_player["left"].iterations) == 2


def test_a_regulariser_counts_once():
    left = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.5))]
    )
    model = Tug(left, line())
    model.compile(keras.optimizers.SGD())
    weight = left.weights[0].numpy().item()
    logs = model.evaluate(DATA, verbose=0, return_dict=True)
    assert logs["left_loss"] == pytest.approx((weight - 3.0) ** 2 + 0.5 * weight**2, rel=1e-5)


def test_batch_norm_moves_in_every_turn():
    """The decision on statistics: a network's move whenever it is called in training."""
    model = SYSTEMS["dcgan"].make()
    model.compile("adam", run_eagerly=True)  # Tracing takes longer than a round or two, here on.
    norm = next(
        layer
        for layer in model.discriminator.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    batch = SYSTEMS["dcgan"].batch()
    expected = norm.moving_variance.numpy()
    model.fit(batch, batch_size=len(batch), verbose=0)
    # Twice in the discriminator's turn and once in the generator's, each by momentum 0.99.
    assert np.all(norm.moving_variance.numpy() < expected * 0.99**3 + 0.05)
    assert np.all(norm.moving_variance.numpy() > expected * 0.99**3)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ({"left": "sgd"}, r"\['left', 'right'\], received \['left'\]"),
        ({"left": "sgd", "right": "sgd", "up": "sgd"}, "'up'"),
        (None, r"must be given.*\{'left': ..., 'right': ...\}.*Received None"),
        (["sgd", "sgd"], "must be a dict.*Received"),
        (dict.fromkeys(("left", "right"), keras.optimizers.SGD()), "twice"),
    ],
)
def test_optimizers_that_do_not_fit(optimizer, message):
    with pytest.raises(ValueError, match=message):
        tug().compile(optimizer)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="Keras 3.12 has no MultiOptimizer"
)
def test_keras_own_composite_is_refused():
    composite = keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    )
    with pytest.raises(ValueError, match="MultiOptimizer"):
        tug().compile({"left": composite, "right": keras.optimizers.SGD()})


def test_an_optimizer_of_another_model():
    used = sgd()
    tug().compile(used)
    with pytest.raises(ValueError, match="already used"):
        tug().compile(used)


@pytest.mark.parametrize("name", ["loss", "metrics", "loss_weights", "weighted_metrics"])
def test_losses_and_metrics_given_to_compile(name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        tug().compile("sgd", **{name: "mse"})


def test_players_that_do_not_fit():
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="no weights yet"):
        Tug(unbuilt, line())
    with pytest.raises(ValueError, match=r"left_updates.*received 0"):
        tug(left_updates=0)
    for wrong in ("network", None):
        with pytest.raises(ValueError, match="must be a keras.Model"):
            Player("left", wrong, None)


def test_an_activity_regulariser_is_refused():
    network = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, activity_regularizer="l2", name="culprit")]
    )
    with pytest.raises(ValueError, match="'culprit'.*activity_regularizer"):
        Tug(network, line())


def test_undeclared_components():
    class Wrong(Tug):
        def left_loss(self, x, training):
            return super().left_loss(x, training), {"surprise": 0.0}

    model = Wrong(line(), line())
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match=r"\['surprise'\].*declares \[\]"):
        model.fit(DATA, verbose=0)


def test_a_batch_that_cannot_be_divided():
    model = tug(left_updates=2)
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match=r"`batch_size` must be a multiple of 2, received 3"):
        model.fit(np.ones((6, 1), "float32"), batch_size=3)
    with pytest.raises(ValueError, match=r"last batch of 7 images in batches of 4.*received 3"):
        model.fit(np.ones((7, 1), "float32"), batch_size=4)
    dataset = tf.data.Dataset.from_tensor_slices(np.ones((7, 1), "float32")).batch(4)
    with pytest.raises(ValueError, match="drop_remainder=True"):
        model.fit(dataset)


def test_integer_images():
    model = tug()
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match=r"floats.*received uint8"):
        model.fit(np.ones((4, 1), "uint8"))
    with pytest.raises(ValueError, match=r"floats.*received uint8"):
        model.fit(tf.data.Dataset.from_tensors(np.ones((4, 1), "uint8")))


def test_no_images():
    model = tug()
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match=r"fit\(\): `x` must hold images.*\(0, 1\)"):
        model.fit(np.ones((0, 1), "float32"), verbose=0)
    with pytest.raises(ValueError, match=r"evaluate\(\): `x` must hold images"):
        model.evaluate(np.ones((0, 1), "float32"), verbose=0)


class Batches(keras.utils.PyDataset):
    """What `fit` cannot look into beforehand."""

    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch if len(self.batch) > 1 else self.batch[0]


def test_bad_batches_that_only_training_sees():
    model = tug()
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match=r"floats.*received uint8"):
        model.fit(Batches(np.ones((4, 1), "uint8")), verbose=0)
    with pytest.raises(ValueError, match=r"floats.*received uint8"):
        model.train_on_batch(np.ones((4, 1), "uint8"))
    with pytest.raises(ValueError, match="images alone"):
        model.fit(Batches(DATA, np.ones(4)), verbose=0)


def test_a_loss_that_is_no_scalar():
    class Rows(Tug):
        def left_loss(self, x, training):
            return ops.square(self.left(x))

    model = Rows(line(), line())
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match="'left' must be a scalar"):
        model.fit(DATA, verbose=0)


def test_labels_that_nobody_uses():
    model = tug()
    model.compile(keras.optimizers.SGD())
    with pytest.raises(ValueError, match="images alone"):
        model.fit(DATA, np.ones(4))
    with pytest.raises(ValueError, match="images alone"):
        model.evaluate(tf.data.Dataset.from_tensors((DATA, np.ones(4))))


def test_targets_and_sample_weights():
    class WithTargets(Tug):
        uses_targets = True

        def left_loss(self, data, training):
            x, y = data
            return super().left_loss(x + y, training)

        def right_loss(self, data, training):
            return super().right_loss(data[0], training)

    model = WithTargets(line(), line())
    model.compile(sgd())
    model.fit(DATA, DATA, batch_size=4, verbose=0)
    assert weights(model)[0] == pytest.approx(1.2)
    with pytest.raises(ValueError, match="sample_weight"):
        model.fit(DATA, DATA, sample_weight=np.ones(4), verbose=0)


# ---------------------------------------------------------------- optimizers


def test_one_name_for_all():
    model = tug()
    with pytest.warns(UserWarning, match=r"compile\('adam'\).*suit hardly any game.*Give an opt"):
        model.compile("adam")  # A system without a paper has no settings for it to mean.
    assert {type(o) for o in model.optimizer.by_player.values()} == {keras.optimizers.Adam}
    assert [o.name for o in model.optimizer.optimizers] == ["left", "right"]
    with pytest.raises(AttributeError, match="by_player"):
        model.optimizer.learning_rate = 0.1


def test_one_player_has_a_plain_loss_and_learning_rate():
    model = SYSTEMS["vae"].make()
    model.compile(keras.optimizers.Adam(0.125), run_eagerly=True)
    batch = SYSTEMS["vae"].batch()
    logs = model.fit(batch, batch_size=8, verbose=0, validation_data=batch).history
    assert {"loss", "kl", "reconstruction", "val_loss", "val_kl"} <= set(logs)
    assert float(model.optimizer.learning_rate) == 0.125
    model.optimizer.learning_rate = 0.5
    assert float(model.optimizer.optimizers[0].learning_rate) == 0.5


def test_no_stray_optimizer():
    """Keras' own default, rmsprop, never appears; every variable belongs to some player."""
    model = tug()
    with pytest.raises(ValueError, match="`optimizer` must be given"):
        model.compile()
    model.compile(keras.optimizers.SGD())
    assert isinstance(model.optimizer, PlayerOptimizers)
    assert not [v.path for v in model.optimizer.variables if "rmsprop" in v.path]


# A loss scale of 2^15 lets no gradient above 2 through, hence a tenth of the data.


def test_one_loss_scale_a_player():
    keras.config.set_dtype_policy("mixed_float16")
    model = tug()
    model.compile(sgd())
    model.fit(0.1 * DATA, batch_size=4, verbose=0)
    left, right = model.optimizer.by_player.values()
    assert type(left) is type(right) is keras.optimizers.LossScaleOptimizer
    assert left.dynamic_scale is not right.dynamic_scale
    assert weights(model) == pytest.approx([0.06, 0.024], rel=2e-3)


def test_one_player_overflowing_leaves_the_other_alone():
    keras.config.set_dtype_policy("mixed_float16")
    model = tug()
    model.compile(sgd())
    model.right.weights[0].assign([[1e5]])  # Infinite in float16.
    model.fit(0.1 * DATA, batch_size=4, verbose=0)
    left, right = model.optimizer.by_player.values()
    assert (float(left.dynamic_scale), float(right.dynamic_scale)) == (2.0**15, 2.0**14)
    assert weights(model) == pytest.approx([0.06, 1e5], rel=2e-3)


def test_auto_scale_loss_off():
    keras.config.set_dtype_policy("mixed_float16")
    model = tug()
    model.compile(sgd(), auto_scale_loss=False)
    assert type(model.optimizer.by_player["left"]) is keras.optimizers.SGD


@pytest.mark.parametrize(
    ("jit_compile", "expected"), [(True, True), (False, False), ("auto", False)]
)
def test_jit_compile(jit_compile, expected):
    model = tug()
    model.compile(sgd(), jit_compile=jit_compile)
    assert model.jit_compile is expected  # "auto" is off on a CPU.
    model.fit(DATA, batch_size=4, verbose=0)
    assert weights(model) == pytest.approx([0.6, 0.24])


def test_run_eagerly():
    model = tug()
    model.compile(sgd(), run_eagerly=True)
    model.fit(DATA, batch_size=4, verbose=0)
    assert weights(model) == pytest.approx([0.6, 0.24])


# ---------------------------------------------------------------- saving


def test_a_mismatch_of_optimizer_state_is_only_a_warning_in_keras(tmp_path):
    """Why the checks turn warnings into errors when they load."""
    model = tug()
    model.compile(keras.optimizers.Adam())
    model.save_weights(tmp_path / "w.weights.h5")
    other = tug()
    other.compile(keras.optimizers.SGD())
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
        other.load_weights(tmp_path / "w.weights.h5")


def test_dropout_continues_after_loading(tmp_path):
    system = SYSTEMS["first_gan"]
    model = system.make()
    model.compile("adam", run_eagerly=True)
    batch = system.batch()
    model.fit(batch, batch_size=8, verbose=0)
    dropout = next(
        layer for layer in model.discriminator.layers if isinstance(layer, layers.Dropout)
    )
    state = dropout.noise.seed_generator.state.numpy()
    assert state[1] > 0
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    twin = loaded.discriminator.get_layer(dropout.name)
    np.testing.assert_array_equal(twin.noise.seed_generator.state.numpy(), state)


def test_weights_of_another_architecture(tmp_path):
    def gan(rate):
        parts = [keras.layers.Flatten(), keras.layers.Dropout(rate), keras.layers.Dense(1)]
        discriminator = keras.Sequential([keras.Input(SHAPE), *parts])
        return models.GAN(dense_generator(), discriminator)

    gan(0.0).save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="holds 1 states of random generators.* has 2"):
        gan(0.5).load_weights(tmp_path / "w.weights.h5")


def test_learning_rate_schedules_count_each_players_updates():
    model = tug(left_updates=2)
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.1, 0.0])
    model.compile({"left": keras.optimizers.SGD(schedule), "right": keras.optimizers.SGD()})
    model.fit(DATA, batch_size=4, verbose=0)
    assert weights(model)[0] == pytest.approx(0.6)  # The second update's step size is 0.


# ---------------------------------------------------------------- replicas


def test_gradients_are_means_over_replicas():
    from kgen.core import engine

    with engine.mirrored(2).scope():
        model = tug()
        model.compile(sgd())
    model.fit(DATA, batch_size=4, verbose=0)
    assert weights(model) == pytest.approx([0.6, 0.24])


def test_noise_of_replicas_is_that_of_one_device():
    from kgen.core import Noise, engine

    strategy = engine.mirrored(2)
    with strategy.scope():
        shared = Noise(seed=5)
    draws = strategy.run(lambda: shared.normal((3, 2)))
    together = np.concatenate([d.numpy() for d in strategy.experimental_local_results(draws)])
    np.testing.assert_array_equal(together, Noise(seed=5).normal((6, 2)))


def test_a_batch_that_replicas_cannot_share():
    from kgen.core import engine

    with engine.mirrored(2).scope():
        model = tug()
        model.compile(sgd())
    with pytest.raises(ValueError, match="last batch of 7 images in batches of 4.*multiple of 2"):
        model.fit(np.ones((7, 1), "float32"), batch_size=4)
    with pytest.raises(ValueError, match="drop_remainder=True"):
        model.fit(tf.data.Dataset.from_tensor_slices(np.ones((8, 1), "float32")).batch(4))


def test_evaluation_does_not_depend_on_replicas():
    """Two batches, with noise that differs between them."""
    from kgen.core import engine

    def made():
        return models.WGANGP(dense_generator(), smooth_critic(), critic_updates=1)

    def losses(model):
        model.compile(keras.optimizers.SGD(), run_eagerly=True)
        return model.evaluate(images, batch_size=8, verbose=0, return_dict=True)

    images = np.concatenate([SYSTEMS["wgan_gp"].batch()] * 2)
    alone = made()
    with engine.mirrored(2).scope():
        shared = made()
    shared.set_weights(alone.get_weights())
    for state, value in zip(shared.random_states, alone.random_states, strict=True):
        state.assign(value.numpy())
    assert losses(shared) == pytest.approx(losses(alone), rel=1e-4, abs=1e-4)


def test_evaluation_moves_no_noise_and_the_noise_of_training_no_evaluation():
    """Of a loss that draws: it scores the same twice, and training draws what it would have."""

    class Noisy(Tug):
        def left_loss(self, x, training):
            return super().left_loss(x + self.noise.normal(ops.shape(x)), training)

    def trained(evaluations):
        model = Noisy(line(), line(), seed=3)
        model.compile(sgd(), run_eagerly=True)
        scores = []
        for _ in range(2):
            for _ in range(evaluations):
                states = [state.numpy() for state in model.random_states]
                scores.append(model.evaluate(DATA, verbose=0))
                for state, before in zip(model.random_states, states, strict=True):
                    np.testing.assert_array_equal(state, before)
            model.fit(DATA, batch_size=4, verbose=0)
        return weights(model), scores

    undisturbed, _ = trained(0)
    found, scores = trained(2)
    assert found == undisturbed
    assert scores[0] == scores[1] != scores[2] == scores[3]


# ---------------------------------------------------------------- interface


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.encode(np.zeros((2, *SHAPE), "uint8")), "`images`.*uint8"),
        (lambda model: model.encode(np.zeros((2, 9, 9, 1))), r"\(8, 8, 1\), received \(2, 9, 9"),
        (lambda model: model.reconstruct(np.zeros(SHAPE)), r"`images`.*received \(8, 8, 1\)"),
        (lambda model: model.log_prob(np.zeros((0, *SHAPE))), r"received \(0, 8, 8, 1\)"),
        (lambda model: model.log_prob(np.zeros((1, *SHAPE)), samples=0), "`samples`.*0"),
        (lambda model: model.decode(np.zeros((2, 5))), r"shape \(3,\), received \(2, 5\)"),
        (lambda model: model.decode(np.zeros(3)), r"`latents`.*received \(3,\)"),
        (lambda model: model.sample(1, seed=2**64), "64 bits"),
    ],
)
def test_bad_arguments_of_the_interface(call, message):
    with pytest.raises(ValueError, match=message):
        call(SYSTEMS["vae"].make())


def test_what_a_system_cannot_do():
    model = models.GAN(dense_generator(), smooth_critic())
    for ability in ("encode", "reconstruct", "log_prob"):
        with pytest.raises(NotImplementedError, match=f"GAN cannot `{ability}`.*sample, decode"):
            getattr(model, ability)(np.zeros((1, *SHAPE)))
    with pytest.raises(NotImplementedError, match="cannot `sample`.*nothing"):
        tug().sample(3)


def test_from_config_takes_networks_as_they_are():
    model = tug(left_updates=3, seed=7)
    copy = Tug.from_config(model.get_config())
    assert copy.left is model.left and copy.right is model.right
    assert (copy.left_updates, copy.seed, copy.noise.seed) == (3, 7, 7)


@pytest.mark.parametrize("count", [0, -1, 2.5, "3"])
def test_sample_count(count):
    with pytest.raises(ValueError, match="count"):
        models.GAN(dense_generator(), smooth_critic()).sample(count)


def test_sampling_leaves_training_alone():
    model = models.GAN(dense_generator(), smooth_critic())
    before = [v.numpy() for v in model.variables]
    model.sample(3)
    model.sample(3, seed=1)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


def test_a_shared_prepare_counts_each_output_once_and_may_go_unused():
    class Shared(Tug):
        prepares_once = True

        def prepare(self, x, training):
            pulled = self.right(ops.ones_like(x), training=training)
            return x, pulled, pulled, pulled + 1.0

        def left_loss(self, data, training):
            return super().left_loss(data[0], training)

        def right_loss(self, data, training):
            _, pulled, again, _ = data
            gap = ops.mean(pulled) + ops.mean(again)
            return gap, {"gap": gap}

    model = Shared(line(), line(3.0))
    model.compile(sgd(right=0.5))
    model.fit(np.ones((4, 1), "float32"), batch_size=4, verbose=0)
    assert model.right.get_weights()[0] == pytest.approx(3.0 - 0.5 * 2.0)


def test_a_shared_prepare_needs_a_last_player_that_moves_once():
    class Twice(GenerativeModel):
        prepares_once = True

        def __init__(self, network):
            super().__init__([Player("only", network, self.square, updates=2)])

        def square(self, x, training):
            return ops.mean(ops.square(x))

    model = Twice(line())
    model.compile("sgd")
    with pytest.raises(ValueError, match="prepares_once needs .* 'only' has updates=2"):
        model.fit(np.ones((4, 1), "float32"), batch_size=4, verbose=0)
