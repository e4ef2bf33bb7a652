"""Strategies by name, what each replica gets of a batch, and two replicas against one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgen
from kgen import distribution, models, networks
from kgen.core import engine
from kgen.losses import kl_sparsity
from recipes import run_folder
from tests.distribution import worker
from tests.systems import SHAPE, SYSTEMS


def test_mirrored_has_two_parts_of_a_cpu_or_as_many_as_asked_for():
    assert distribution.strategy("mirrored").num_replicas_in_sync == 2
    assert distribution.strategy("mirrored", 1).num_replicas_in_sync == 1
    assert distribution.strategy("none").num_replicas_in_sync == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("mirror",),
            '`strategy` must be "none", "mirrored" or "multiworker", received \'mirror\'',
        ),
        (("mirrored", 0), "`replicas` must be a positive integer or None, received 0"),
        (("mirrored", True), "`replicas` must be a positive integer or None, received True"),
        (("mirrored", 3), "3 replicas need as many logical CPU devices, but there are 2"),
        (("none", 2), "`replicas` must be None without a strategy, received 2"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        distribution.strategy(*arguments)


CLUSTER = '{"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}, "task": %s}'


@pytest.mark.parametrize(
    "text",
    [
        None,
        "{",
        "[]",
        '{"cluster": {"worker": []}}',
        CLUSTER % '{"type": "worker", "index": 2}',
        CLUSTER % '{"type": "worker", "index": "one"}',
        CLUSTER % '{"type": "chief", "index": 0}',
        '{"cluster": {"worker": ["localhost"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"ps": ["127.0.0.1:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_multiworker_needs_a_cluster(text, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="`strategy`: multiworker needs .* TF_CONFIG on every"):
        distribution.strategy("multiworker")


def test_multiworker_comes_before_any_other_use_and_has_one_replica_without_gpu(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", CLUSTER % '{"type": "worker", "index": 0}')
    with pytest.raises(ValueError, match="`replicas` must be at most 1, as a worker without GPU"):
        distribution.strategy("multiworker", 2)
    with pytest.raises(ValueError, match="multiworker must be chosen before TensorFlow is first"):
        distribution.strategy("multiworker")


def rows_of_replicas(dataset):
    strategy = distribution.strategy("mirrored")
    shared = engine.shared(dataset, strategy)
    assert engine.is_shared(shared)
    batches = [strategy.experimental_local_results(batch) for batch in shared]
    return shared, [[part.numpy().tolist() for part in batch] for batch in batches]


def test_a_replica_gets_its_part_of_each_batch_in_order():
    shared, rows = rows_of_replicas(tf.data.Dataset.range(8).batch(4, drop_remainder=True))
    assert rows == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    assert shared.cardinality == 2
    _, rows = rows_of_replicas(tf.data.Dataset.range(8).batch(5))
    assert rows == [[[0, 1, 2], [3, 4]], [[5, 6], [7]]]
    _, rows = rows_of_replicas(tf.data.Dataset.range(4).batch(3))
    assert rows[-1] == [[3], []]


def test_other_data_and_a_single_replica_are_left_alone():
    dataset, array = tf.data.Dataset.range(8).batch(4), np.zeros((4, 2))
    assert engine.shared(dataset, distribution.strategy("none")) is dataset
    assert engine.shared(array, distribution.strategy("mirrored")) is array


def compiled(make, strategy, synchronized=False, run_eagerly=False):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = make()
        model.compile(keras.optimizers.SGD(), run_eagerly=run_eagerly)
    if synchronized:
        assert distribution.synchronize_batch_norm(model) > 0
    return model


def fit(model, system, epochs=1):
    batch = system.batch()
    dataset = tf.data.Dataset.from_tensors(batch).repeat()
    return model.fit(dataset, epochs=epochs, steps_per_epoch=2, verbose=0).history


def dense_gan():
    """With batch norm in both networks, and a moving average."""
    return models.GAN(worker.generator(), worker.discriminator(), ema_momentum=0.9, seed=1)


# One is traced; tracing two trainings of each would take longer than their few rounds.
@pytest.mark.parametrize(
    "name",
    [
        "dense",
        pytest.param("dcgan", marks=pytest.mark.slow),  # As the first and the others.
        "projection_gan",
        pytest.param("auxiliary_gan", marks=pytest.mark.slow),  # Labelled, as the one before it.
        "infogan",
        "srgan",
    ],
)
def test_synchronized_batch_norm_ends_where_one_device_does(name):
    is_traced = name in ("dense", "dcgan")
    system = SYSTEMS["dcgan" if name == "dense" else name]
    one, two = (
        compiled(
            dense_gan if name == "dense" else system.make,
            distribution.strategy(strategy),
            synchronized=True,
            run_eagerly=not is_traced,
        )
        for strategy in ("none", "mirrored")
    )
    epochs = 2 if is_traced else 1
    logs, logs_of_two = fit(one, system, epochs), fit(two, system, epochs)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), 1e-6, 1e-6, err_msg=a.path)
    for key, values in logs.items():
        np.testing.assert_allclose(logs_of_two[key], values, 1e-5, 1e-6, err_msg=key)


def test_statistics_are_the_mean_over_replicas_that_are_not_synchronized():
    system = SYSTEMS["dcgan"]
    model = compiled(system.make, distribution.strategy("mirrored"), run_eagerly=True)
    fit(model, system)
    for norm in kgen.core.replicas.batch_norms(model.generator):
        for variable in norm.non_trainable_variables:
            copies = [copy.numpy() for copy in variable.value.values]
            np.testing.assert_array_equal(*copies)
            assert np.any(copies[0] != 0.0) and np.any(copies[0] != 1.0)


# The first has what the others have: noise for each row, and a mean over the rows of all replicas.
@pytest.mark.parametrize(
    "system",
    ["beta_vae", *(pytest.param(s, marks=pytest.mark.slow) for s in ("vae", "sparse_autoencoder"))],
)
def test_evaluate_takes_any_number_of_rows(system):
    """Of 9 rows in batches of 4 the last batch has one, and so the second replica none."""
    images = np.random.default_rng(0).uniform(-1, 1, (9, 8, 8, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(4)
    results = []
    for name in ("none", "mirrored"):
        model = compiled(SYSTEMS[system].make, distribution.strategy(name))
        results.append(model.evaluate(images[:3], batch_size=4, verbose=0))  # The first one, too.
        results += [model.evaluate(data, verbose=0, batch_size=b) for data, b in
                    ((images, 4), (dataset, None))]  # fmt: skip
        logs = model.fit(images[:8], batch_size=4, validation_data=dataset, verbose=0).history
        results.append([logs[f"val_{name}"][0] for name in sorted(model.get_metrics_result())])
    for found, expected in zip(results[4:], results[:4], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("counts", [(4, 4), (5, 2), (3, 0)])
def test_a_mean_over_rows_is_that_of_the_rows_of_all_replicas(counts):
    codes = np.random.default_rng(0).uniform(0.1, 0.9, (sum(counts), 3)).astype("float32")
    parts = np.split(codes, [counts[0]])
    strategy = distribution.strategy("mirrored")
    rows = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(parts[context.replica_id_in_sync_group])
    )

    def on_all(function):
        return strategy.experimental_local_results(strategy.run(function, (rows,)))

    mean = codes.mean(axis=0)
    for found in on_all(engine.mean_over_rows):
        np.testing.assert_allclose(found, mean, 1e-6)
    divergence = 0.2 * np.log(0.2 / mean) + 0.8 * np.log(0.8 / (1.0 - mean))
    for found in on_all(lambda codes: kl_sparsity(codes, 0.2)):
        np.testing.assert_allclose(found, divergence.sum(), 1e-5)


def test_recipes_refuse_a_batch_that_replicas_cannot_share(tmp_path):
    config = worker.Config(out=str(tmp_path / "run"), strategy="mirrored", batch_size=15)
    with pytest.raises(ValueError, match="divisible by the 2 there are, received 15"):
        worker.run(config)
    assert not (tmp_path / "run").exists()


def test_a_run_may_go_on_with_another_strategy(tmp_path):
    paths = run_folder.paths(tmp_path)
    run_folder.claim(paths, worker.Config())
    run_folder.check_config(paths, worker.Config(strategy="mirrored", replicas=2))
    with pytest.raises(ValueError, match="sync_batch_norm was True and is now False"):
        run_folder.check_config(paths, worker.Config(sync_batch_norm=False))


def test_xla_is_refused_with_the_reason():
    with distribution.strategy("mirrored").scope():
        model = SYSTEMS["vae"].make()
        with pytest.raises(ValueError, match='`jit_compile` must be False or "auto" with 2 repl'):
            model.compile(keras.optimizers.SGD(), jit_compile=True)


def test_mixed_precision_scales_losses_with_synchronized_batch_norm():
    keras.config.set_dtype_policy("mixed_float16")
    system = SYSTEMS["dcgan"]
    model = compiled(system.make, distribution.strategy("mirrored"), True, run_eagerly=True)
    assert np.isfinite(list(fit(model, system).values())).all()
    for optimizer in model.optimizer.by_player.values():
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def dense_vae():
    return models.VAE(
        networks.dense_encoder(SHAPE, latent_dim=3, units=8),
        networks.dense_decoder(SHAPE, latent_dim=3, units=8),
    )


def test_replicas_skip_a_move_together_where_one_overflows():
    """Only the last replica's rows overflow: no weight may become NaN, and the scale halves."""
    keras.config.set_dtype_policy("mixed_float16")
    system = SYSTEMS["vae"]
    model = compiled(dense_vae, distribution.strategy("mirrored"))
    optimizer = model.optimizer.by_player["vae"]
    initial = model.get_weights()
    for _ in range(5):
        fit(model, system, epochs=2)  # Until the scale is one at which nothing overflows.
    before = []

    def note(batch, logs):
        if batch == 0:
            before.extend([*model.get_weights(), optimizer.dynamic_scale.numpy()])

    batch = system.batch()
    # A first batch so far out of range would be refused.
    dataset = tf.data.Dataset.from_tensors(batch)
    batch = np.concatenate([batch[: len(batch) // 2], 1e4 * batch[len(batch) // 2 :]])
    dataset = dataset.concatenate(tf.data.Dataset.from_tensors(batch).repeat(2))
    model.fit(
        dataset, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)]
    )
    *before, scale = before
    assert any((a != b).any() for a, b in zip(initial, before, strict=True))
    for variable, value in zip(model.weights, before, strict=True):
        for copy in variable.value.values:
            np.testing.assert_array_equal(copy.numpy(), value)
    assert optimizer.dynamic_scale.numpy() == scale / 4


@pytest.mark.parametrize(
    "setting",
    [
        {"clipnorm": 1.0},
        {"global_clipnorm": 1.0},
        {"clipvalue": 0.5},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_overwrite_frequency": 5},
    ],
)
def test_what_is_applied_to_each_replicas_gradients_alone_is_refused(setting):
    name = [*setting][-1]
    with distribution.strategy("mirrored").scope():
        model = SYSTEMS["vae"].make()
        with pytest.raises(ValueError, match=f"`{name}` must be None with 2 replicas, received"):
            model.compile(keras.optimizers.SGD(0.1, **setting))
    SYSTEMS["vae"].make().compile(keras.optimizers.SGD(0.1, **setting))
