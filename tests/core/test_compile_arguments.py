import keras
import numpy as np
import pytest

from tests.core.test_game import Tug, line, sgd, tug, weights

PLAYERS = r"\{'left': \.\.\., 'right': \.\.\.\}"


def test_only_the_optimizer_goes_by_position():
    with pytest.raises(TypeError, match="received 'mse' after it: Tug defines its own losses"):
        tug().compile("adam", "mse")
    with pytest.raises(TypeError, match="received True after it"):
        tug().compile("adam", True)


@pytest.mark.parametrize(
    "given",
    [
        {"d_optimizer": "adam", "g_optimizer": "adam"},
        {"left_optimizer": None, "right_optimizer": None},
        {"optimizer": "adam", "metric": "mse"},
    ],
)
def test_an_unknown_argument_is_told_how_players_are_named(given):
    name = next(name for name in given if name != "optimizer")
    with pytest.raises(ValueError, match=rf"no `{name}`.* one optimizer a player, {PLAYERS}"):
        tug().compile(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"run_eagerly": "mse"}, "`run_eagerly` must be True or False, received 'mse'"),
        ({"run_eagerly": 1}, "`run_eagerly`.*received 1"),
        ({"auto_scale_loss": None}, "`auto_scale_loss` must be True or False, received None"),
        ({"steps_per_execution": 0}, "`steps_per_execution` must be a positive.*received 0"),
        ({"steps_per_execution": True}, "`steps_per_execution`.*received True"),
        ({"steps_per_execution": 2.0}, r"`steps_per_execution`.*received 2\.0"),
        ({"jit_compile": "yes"}, "`jit_compile` must be True, False or \"auto\", received 'yes'"),
        ({"jit_compile": None}, "`jit_compile`.*received None"),
    ],
)
def test_arguments_of_another_type(given, message):
    with pytest.raises(ValueError, match=message):
        tug().compile("sgd", **given)


def test_numbers_of_numpy_are_numbers():
    model = tug()
    model.compile(sgd(), run_eagerly=np.True_, steps_per_execution=np.int64(2))
    assert model.run_eagerly is True and model.steps_per_execution == 2


@keras.saving.register_keras_serializable("kgen_tests")
class Settled(Tug):
    """A system that names its optimizers."""

    def default_optimizers(self):
        return sgd(left=0.1, right=0.2)


def test_a_system_may_name_its_optimizers(tmp_path):
    model = Settled(line(), line())
    model.compile(run_eagerly=True)
    model.fit(np.full((4, 1), 3.0, "float32"), batch_size=4, verbose=0)
    assert weights(model) == pytest.approx([0.6, 0.24])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    rates = [float(o.learning_rate) for o in loaded.optimizer.optimizers]
    assert rates == pytest.approx([0.1, 0.2])
    assert loaded.rounds_played == 1
    model.compile(sgd(left=0.01, right=0.02))  # What is given goes before it.
    assert float(model.optimizer.optimizers[0].learning_rate) == pytest.approx(0.01)
