import keras
import numpy as np
import pytest

from tests.core.test_game import DATA, Tug, line, tug, weights


def test_one_optimizer_serves_all_players_by_copies():
    given = keras.optimizers.SGD(0.1)
    model = tug()
    model.compile(given, run_eagerly=True)
    left, right = model.optimizer.by_player.values()
    assert len({id(given), id(left), id(right)}) == 3 and not given.built
    model.fit(DATA, batch_size=4, verbose=0)
    # left: 0.1 * 2 * 3 = 0.6; right, by the same rate: 0.1 * 2 * 0.6 = 0.12.
    assert weights(model) == pytest.approx([0.6, 0.12])
    assert [o.name for o in model.optimizer.optimizers] == ["left", "right"]
    right.learning_rate = 0.5
    assert float(left.learning_rate) == pytest.approx(0.1)
    tug().compile(given)  # It is as new.


def test_copies_have_all_settings():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.9)
    given = keras.optimizers.AdamW(schedule, beta_1=0.25, weight_decay=0.125, clipnorm=2.0)
    given.exclude_from_weight_decay(var_names=["bias"])
    model = tug()
    model.compile(given)
    expected = {**given.get_config(), "name": None}
    network = line()
    network.weights[0]._name = "bias"
    for copy in model.optimizer.by_player.values():
        assert {**copy.get_config(), "name": None} == expected
        assert not copy._use_weight_decay(network.weights[0])


def test_an_optimizer_that_cannot_be_copied():
    class Constant(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1

    with pytest.raises(ValueError, match="`optimizer` is a SGD that cannot be copied.*get_config"):
        tug().compile(keras.optimizers.SGD(Constant()))


def test_an_optimizer_with_a_state_is_not_shared():
    used = keras.optimizers.SGD()
    used.build([keras.Variable(np.zeros(2))])
    with pytest.raises(ValueError, match="`optimizer` is a SGD that was already used"):
        tug().compile(used)


def test_a_copy_scales_the_loss_of_its_player():
    model = tug()
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.25)))
    left, right = model.optimizer.by_player.values()
    assert left is not right and left.inner_optimizer is not right.inner_optimizer
    assert [float(o.learning_rate) for o in model.optimizer.optimizers] == [0.25, 0.25]


class PaperTug(Tug):
    """With optimizers of its paper."""

    def default_optimizers(self):
        return {"left": keras.optimizers.SGD(0.5), "right": keras.optimizers.SGD(0.25, 0.9)}


def paper_tug():
    return PaperTug(line(), line())


@pytest.mark.parametrize("given", [None, "sgd", "SGD", {"left": "sgd", "right": "SGD"}])
def test_a_name_means_the_settings_of_the_paper(given):
    model = paper_tug()
    model.compile(given)
    left, right = model.optimizer.by_player.values()
    assert [float(o.learning_rate) for o in (left, right)] == [0.5, 0.25]
    assert [o.momentum for o in (left, right)] == [0.0, 0.9]
    assert [o.name for o in (left, right)] == ["left", "right"]


def test_another_name_is_warned_of_and_taken():
    model = paper_tug()
    with pytest.warns(UserWarning, match=r"compile\('adam'\).*the SGD of the paper"):
        model.compile("adam")
    assert [float(o.learning_rate) for o in model.optimizer.optimizers] == [pytest.approx(1e-3)] * 2
    with pytest.warns(UserWarning, match=r"compile\('adam'\)"):
        model.compile({"left": "sgd", "right": "adam"})
    left, right = model.optimizer.optimizers
    assert float(left.learning_rate) == 0.5 and type(right) is keras.optimizers.Adam
    model.compile(keras.optimizers.Adam())  # Without a word.


@pytest.mark.parametrize(
    ("optimizer", "found"),
    [
        ("adamm", r"received 'adamm'\. Did you mean 'adam'\?$"),
        ({"class_name": "Adamm", "config": {}}, r"received {'class_name': 'Adamm'.*'adam'\?$"),
        ({"class_name": "Dense", "config": {"units": 1}}, r"received {'class_name': 'Dense'"),
        ({"left": "adamm", "right": keras.optimizers.SGD()}, r"received 'adamm'"),
        (keras.optimizers.Adam, r"Adam\(\) is one\.$"),
        (1e-3, r"received 0\.001\.$"),
        ({"class_name": "Adam", "config": {"rate": 1}}, r"is no config of its class: .*'rate'"),
    ],
)
def test_what_is_no_optimizer_is_refused_in_one_sentence(optimizer, found):
    with pytest.raises(ValueError, match=rf"^`optimizer` for player 'left'.*{found}"):
        tug().compile(optimizer)
