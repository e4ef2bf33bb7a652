"""Evaluate: scores in the logs of a training that does not notice."""

import functools
import json

import keras
import numpy as np
import pytest

import kgen
from kgen.callbacks import Checkpoint, Evaluate
from kgen.metrics import Evaluation, read_scores
from tests.callbacks.tiny import in_order, tiny_critic, tiny_gan, tiny_generator
from tests.recycling import recycled, state_of
from tests.systems import SHAPE

IMAGES = np.random.default_rng(0).uniform(-1.0, 1.0, (48, *SHAPE)).astype("float32")


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("KGEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@functools.cache
def evaluation():
    """One for all: what it has traced and found out about the reference is kept."""
    images = keras.Input(SHAPE)
    coarse = keras.Model(images, keras.layers.AveragePooling2D(2)(images), name="coarse")
    options = {"frechet": {"shrinkage": 0.5}}
    return Evaluation(
        IMAGES, ("frechet", "recall"), coarse, samples=20, resamples=5, options=options
    )


def averaged_gan():
    return tiny_gan(ema_momentum=0.9)


def gan_with_state():
    """One whose generator, which is sampled, has a batch norm and dropout."""
    layers = keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)
    return kgen.models.GAN(tiny_generator(layers), tiny_critic(), seed=0)


def fit(callbacks, epochs=3, make=averaged_gan, rows=48, **arguments):
    """Trains 6 rounds an epoch; returns the model and its logs."""

    def compiled():
        model = make()
        model.compile("adam", **arguments)
        return model

    model = recycled(("evaluate", make.__name__, *arguments.items()), compiled)
    images = in_order(rows, 8)
    logs = model.fit(images, epochs=epochs, verbose=0, callbacks=callbacks).history
    return model, logs


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("make", "rows", "compiled"),
    [
        (gan_with_state, 8, {"run_eagerly": True}),
        (averaged_gan, 48, {}),
    ],
    ids=["with_state", "traced"],
)
def test_the_training_does_not_notice(make, rows, compiled):
    """Batch norm has moments, and dropout draws from a state, that an evaluation could move."""

    def trained(callbacks):
        model, logs = fit(callbacks, 2, make, rows, **compiled)
        return state_of(model), logs

    (scored, logs), (unscored, others) = trained([Evaluate(evaluation())]), trained([])
    assert_same(scored, unscored)
    assert set(logs) - set(others) == {"val_frechet", "val_recall"}
    for name in others:
        assert logs[name] == others[name]


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The score of a model that was scored at each of four epochs, its logs, and the folder."""
    folder = tmp_path_factory.mktemp("scored")
    log, best = folder / "scores.jsonl", folder / "kept/best.keras"
    model, logs = fit([Evaluate(evaluation(), log=log, best=best)], epochs=4)
    return float(evaluation()(model)["frechet"]), logs, folder


def test_logs_hold_the_scores_of_the_model_at_the_epoch_s_end(scored):
    last, logs, _ = scored
    assert logs["val_frechet"][-1] == last
    assert len(set(logs["val_frechet"])) == 4


def test_epochs_between_keep_the_last_score():
    _, logs = fit([Evaluate(evaluation(), every=2)], epochs=4)
    first, second, third, fourth = logs["val_frechet"]
    assert first == second != third == fourth


def test_keras_callbacks_take_the_scores_wherever_they_stand(tmp_path):
    stopping = keras.callbacks.EarlyStopping(
        "val_recall", mode="max", min_delta=2.0, patience=2, verbose=0
    )
    saving = keras.callbacks.ModelCheckpoint(
        tmp_path / "best-{epoch}-{val_frechet:.2f}.keras", "val_frechet", mode="min"
    )
    logger = keras.callbacks.CSVLogger(tmp_path / "history.csv")
    _, logs = fit([logger, stopping, saving, Evaluate(evaluation())], epochs=9)
    assert len(logs["val_recall"]) == 3
    names = sorted(path.name for path in tmp_path.glob("best-*"))
    assert names == [f"best-{i}-{logs['val_frechet'][i - 1]:.2f}.keras" for i in (1, 2, 3)]
    assert "val_frechet" in (tmp_path / "history.csv").read_text().splitlines()[0]


def test_every_score_is_in_the_log_with_its_card(scored):
    _, logs, folder = scored
    found = read_scores(folder / "scores.jsonl")
    frechet = [(facts["round"], float(s)) for facts, s in found if facts["name"] == "frechet"]
    assert frechet == list(zip([6, 12, 18, 24], logs["val_frechet"], strict=True))
    assert found[0][1].card.weights == "averaged" and len(found) == 8
    assert max(score for facts, score in found if facts["name"] == "recall") >= 0.0


def test_the_best_model_is_kept(scored):
    _, logs, folder = scored
    assert_is_the_best(folder / "kept/best.keras", logs, "frechet", np.argmin)


def test_the_best_model_by_another_score_is_kept(tmp_path):
    best = tmp_path / "kept/best.keras"
    _, logs = fit([Evaluate(evaluation(), best=best, monitor="recall")], epochs=4)
    assert_is_the_best(best, logs, "recall", np.argmax)


def assert_is_the_best(best, logs, monitor, choose):
    content = json.loads(best.with_suffix(".json").read_text())
    assert content["round"] == 6 * (choose(logs[f"val_{monitor}"]) + 1)
    model = keras.models.load_model(best)
    assert model.rounds_played == content["round"]
    assert float(evaluation()(model)[monitor]) == content["value"]
    assert [path.name for path in best.parent.iterdir()] in (
        ["best.keras", "best.json"],
        ["best.json", "best.keras"],
    )


def test_a_killed_training_goes_on_with_its_scores(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 3:
                raise RuntimeError("stopped")

    def callbacks(folder):
        scoring = Evaluate(
            evaluation(),
            every=2,
            log=folder / "scores.jsonl",
            best=folder / "best.keras",
            monitor="recall",  # Best in the first epoch, which the checkpoint has to know.
        )
        return [scoring, Checkpoint(folder / "checkpoints", every=9)]

    one, other = tmp_path / "one", tmp_path / "other"
    model, logs = fit(callbacks(one), epochs=5)
    whole = state_of(model)
    with pytest.raises(RuntimeError, match="stopped"):
        fit([*callbacks(other), Stop()], epochs=5)
    resumed, resumed_logs = fit(callbacks(other), epochs=5)
    assert_same(whole, state_of(resumed))
    assert resumed_logs == logs

    def lines(folder):
        return [(f["round"], f["name"], s) for f, s in read_scores(folder / "scores.jsonl")]

    assert lines(one) == lines(other)
    bests = [json.loads((folder / "best.json").read_text()) for folder in (one, other)]
    assert bests[0] == bests[1] and bests[0]["round"] == 6


def test_a_model_that_diverged_is_scored_worst(tmp_path):
    class Diverge(keras.callbacks.Callback):
        writes_logs = True

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                for variable in self.model.generator_average.variables:
                    variable.assign(variable * np.nan)

    callback = Evaluate(evaluation(), log=tmp_path / "scores.jsonl", best=tmp_path / "best.keras")
    with pytest.warns(UserWarning, match="Round 12 is scored worst"):
        _, logs = fit([Diverge(), callback], 2)
    assert logs["val_frechet"][1] == np.inf and logs["val_recall"][1] == -np.inf
    assert np.isfinite(logs["val_frechet"][0])
    assert json.loads((tmp_path / "best.json").read_text())["round"] == 6
    assert len(read_scores(tmp_path / "scores.jsonl")) == 4


def test_of_diversity_neither_less_nor_more_is_best(tmp_path):
    """Noise has the lowest, one image again and again the highest."""
    images = np.random.default_rng(0).uniform(-1.0, 1.0, (8, 12, 12, 1)).astype("float32")
    of_both = Evaluation(
        images, ("diversity", "frechet"), "random", options={"frechet": {"shrinkage": 0.5}}
    )
    assert Evaluate(of_both, best=tmp_path / "best.keras").monitor == "frechet"
    alone = Evaluation(images, "diversity", samples=4)
    callback = Evaluate(alone)
    assert callback.monitor is None and np.isnan(callback._worst("diversity"))
    for arguments in ({"best": tmp_path / "best.keras"}, {"monitor": "diversity"}):
        with pytest.raises(ValueError, match="`monitor` must be .* some values are better, "):
            Evaluate(alone, **arguments)


def test_what_cannot_be_scored_is_refused_before_training():
    likelihood = kgen.metrics.Evaluation(IMAGES, ("nll",))
    rounds = []
    counting = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_: rounds.append(1))
    with pytest.raises(NotImplementedError, match="cannot `log_prob`"):
        fit([Evaluate(likelihood), counting])
    assert not rounds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"evaluation": "frechet"}, "`evaluation` must be a kgen.metrics.Evaluation"),
        ({"every": 0}, "`every` must be a positive"),
        ({"monitor": "precision"}, r"`monitor` must be one of.*\['frechet', 'recall'\]"),
        ({"best": "best.h5"}, "`best` must be a file that ends in .keras"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Evaluate(**{"evaluation": evaluation(), **arguments})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # KerasTuner's own.
def test_keras_tuner_searches_by_a_score(tmp_path):
    import keras_tuner

    def build(parameters):
        keras.utils.set_random_seed(0)
        model = averaged_gan()
        rate = parameters.Choice("learning_rate", [1e-4, 1e-2])
        optimizers = {p.name: keras.optimizers.SGD(rate) for p in model.players}
        model.compile(optimizers, run_eagerly=True)
        return model

    tuner = keras_tuner.GridSearch(
        build, keras_tuner.Objective("val_frechet", "min"), directory=tmp_path, overwrite=True
    )
    tuner.search(in_order(8, 4), epochs=2, verbose=0, callbacks=[Evaluate(evaluation())])
    trials = tuner.oracle.get_best_trials(2)
    assert len(trials) == 2 and trials[0].score < trials[1].score


def test_a_callback_that_is_used_again_starts_anew_with_another_model(tmp_path):
    callback = Evaluate(evaluation(), best=tmp_path / "best.keras")
    fit([callback])
    callback.best_score = callback.best_score * 0.0
    fit([callback], 1, tiny_gan, run_eagerly=True)
    assert json.loads((tmp_path / "best.json").read_text())["round"] == 6


def test_an_evaluation_on_the_test_split_is_warned_of():
    """By its scores a model is chosen or stopped, which then says too much good of it."""
    for split in ("validation", "train"):
        Evaluate(Evaluation("digits", ("l1",), split=split))
    with pytest.warns(UserWarning, match="test split, by which no model should be chosen"):
        Evaluate(Evaluation("digits", ("l1",)))
