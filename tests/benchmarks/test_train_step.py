"""The benchmark runs, at tiny sizes, and compares what it says it compares."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.benchmarks import arithmetic, torch_steps, train_step
from tests.benchmarks.stock_networks import networks
from tests.benchmarks.variants import RECIPES, Runner, Sizes, Variant, config_of
from tests.garbage import garbage_is_left  # noqa: F401

TINY = Sizes("digits", batch_size=8, filters=2, critic_updates=1)


@pytest.mark.parametrize("system", RECIPES)
def test_tutorials_networks_are_the_recipes(system):
    config = config_of(system, TINY)
    ours = Runner(Variant(system, "fit"), TINY).networks
    generator = np.random.default_rng(0)
    for one, two in zip(ours, networks(system, config, (8, 8, 1)), strict=True):
        two.set_weights(one.get_weights())
        inputs = generator.normal(size=(3, *one.input_shape[1:])).astype("float32")
        for training in (True, False):
            outputs = [net(inputs, training=training) for net in (one, two)]
            np.testing.assert_allclose(*outputs, rtol=1e-3, atol=1e-5)
        assert arithmetic.network_costs(one) == arithmetic.network_costs(two)


def test_costs_by_hand():
    config = config_of("dcgan", TINY)
    generator, discriminator = networks("dcgan", config, (8, 8, 1))
    # A projection of 100 latents to 2 x 2 x 4, 5 x 5 kernels at 2 x 2 and 4 x 4.
    total = 2 * (100 * 16 + 4 * 25 * 4 * 2 + 16 * 25 * 2)
    assert arithmetic.network_costs(generator) == (total, 2 * 100 * 16)
    total = 2 * (16 * 25 * 2 + 4 * 25 * 2 * 4 + 16)
    assert arithmetic.network_costs(discriminator) == (total, 2 * 16 * 25 * 2)


@pytest.fixture
def untraced():
    """Runs functions as they are written: of a few steps, tracing is most."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`")
@pytest.mark.parametrize("system", RECIPES)
def test_runs(system, tmp_path, capsys, monkeypatch, request):
    """One of the systems in all ways and by graphs, as a user runs them all.

    A recipe's own `fit` is the same for all of them.
    """
    labels = ["fit float32", "loop float32", "tutorial float32"]
    if system != "vae":
        request.getfixturevalue("untraced")
        monkeypatch.setattr(train_step, "IMPLEMENTATIONS", ("loop", "tutorial"))
        del labels[0]
    monkeypatch.setattr(arithmetic, "CEILING_SHAPES", [(4, 2, 2, 3)])
    out = tmp_path / "results.json"
    config = train_step.Config(
        systems=(system,),
        precisions=("float32",),
        rounds=1,
        block=1,
        xla=False,
        torch=False,
        memory=False,
        growth=False,
        data=TINY.data,
        batch_size=TINY.batch_size,
        filters=TINY.filters,
        critic_updates=TINY.critic_updates,
        out=str(out),
    )
    train_step.run(config)
    rows = json.loads(out.read_text())["systems"][system]["rows"]
    assert [row["label"] for row in rows] == labels
    assert all(row["median_ms"] > 0.0 and row["gflop"] > 0.0 for row in rows)
    printed = capsys.readouterr().out
    assert all(row["label"] in printed for row in rows)


@pytest.mark.parametrize("system", RECIPES)
def test_torch_steps(system):
    torch = pytest.importorskip("torch", reason="extra `bench`")
    settings = dict(system=system, height=8, width=8, channels=1, stages=2, filters=2)
    settings |= dict(kernel_size=5, latent_dim=3, learning_rate=0.1, critic_updates=2)
    step = torch_steps.step_of(torch, {**settings, "penalty_weight": 1.0, "channels_last": False})
    step(torch.rand((4, 1, 8, 8)))
