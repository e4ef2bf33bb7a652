"""Training curves."""

import sys

import matplotlib.figure
import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from PIL import Image

from kgen.plotting import curves
from kgen.plotting.curves import families


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures = []
    original = matplotlib.figure.Figure.savefig

    def savefig(figure, *args, **kwargs):
        figures.append(figure)
        return original(figure, *args, **kwargs)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", savefig)
    return figures


def lines(figure):
    """Return the lines of a figure by their labels."""
    return {line.get_label(): line for axes in figure.axes for line in axes.lines}


def test_families():
    keys = ["kl", "critic_loss", "images_per_second", "learning_rate", "val_loss", "val_kl"]
    assert families(keys) == {
        "losses": ["critic_loss", "val_loss"],
        "components": ["kl", "val_kl"],
        "images_per_second": ["images_per_second"],
        "learning_rate": ["learning_rate"],
    }
    assert families([]) == {}


def test_a_panel_a_family(tmp_path, drawn):
    history = {
        "generator_loss": [1.0, 2.0, 3.0],
        "critic_loss": np.array([3.0, 2.0, 1.0], np.float32),
        "images_per_second": (90, 100, 95),
        "nll": [5.0, 4.0, 3.0],
        "step": [100, 200, 300],
        "epoch": [0, 1, 2],
    }
    path = curves(history, tmp_path / "new" / "curves.png")
    assert path == tmp_path / "new" / "curves.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
    panels = [[line.get_label() for line in axes.lines] for axes in drawn[0].axes]
    assert panels == [["generator_loss", "critic_loss"], ["nll"], ["images_per_second"]]
    assert [axes.get_ylabel() for axes in drawn[0].axes] == [
        "losses",
        "components",
        "images_per_second",
    ]
    assert {axes.get_xlabel() for axes in drawn[0].axes} == {"step"}
    assert lines(drawn[0])["nll"].get_xdata().tolist() == [100, 200, 300]


@pytest.mark.parametrize("history", [{"loss": [3, 2], "epoch": [5, 6]}, {"loss": [3, 2]}])
def test_epochs_where_there_are_no_steps(tmp_path, drawn, history):
    curves(history, tmp_path / "curves.png")
    assert drawn[0].axes[0].get_xlabel() == "epoch"
    positions = lines(drawn[0])["loss"].get_xdata().tolist()
    assert positions == history.get("epoch", [1, 2])


def test_csv(tmp_path, drawn):
    log = tmp_path / "history.csv"
    log.write_text(
        "epoch,step,loss,val_loss,date\n0,10,3.5,,mon\n1,20,nan,2.5,tue\n2,30,1.5,NA,wed\n3,40,1\n"
    )
    for history in (log, str(log)):
        curves(history, tmp_path / "curves.png")
    assert set(lines(drawn[0])) == {"loss (1 no number)", "val_loss (3 no number)"}
    loss, validation = lines(drawn[0]).values()
    assert loss.get_xdata().tolist() == [10, 20, 30, 40]
    np.testing.assert_array_equal(loss.get_ydata(), [3.5, np.nan, 1.5, 1.0])
    # Between gaps a line would not show, so a marker stands there.
    assert validation.get_markevery().tolist() == [False, True, False, False]
    assert loss.get_markevery().tolist() == [True, False, False, False]
    assert (loss.get_linestyle(), validation.get_linestyle()) == ("-", "--")


def test_csv_of_keras(tmp_path):
    import keras

    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    log = tmp_path / "history.csv"
    x = np.ones((4, 1))
    fitted = model.fit(
        x,
        x,
        epochs=4,
        verbose=0,
        callbacks=[keras.callbacks.CSVLogger(log)],
        validation_data=(x, x),
        validation_freq=2,
    )
    assert curves(log, tmp_path / "log.png").exists()
    assert curves(fitted.history, tmp_path / "history.png").exists()


@pytest.mark.parametrize(
    "values",
    [
        [np.nan] * 4,
        [np.inf, -np.inf, np.nan, 1.0],
        [1e308, -1e308, 0.0, 1.0],
        [np.float32(3.4e38), 1, 2, 3],
        [1e29, -1e29, 0, 1],
        [0.0] * 4,
        [1e-300] * 4,
        [np.nan, 1.0, np.nan, 2.0],
    ],
)
def test_any_number_is_drawn(tmp_path, values):
    """In the panels of all families."""
    history = dict.fromkeys(["loss", "kl", "images_per_second"], values)
    assert curves({**history, "step": [1, 2, 3, 4]}, tmp_path / "curves.png").exists()


@pytest.mark.parametrize("step", [[1.0, np.nan], [np.inf, 1.0]])
def test_an_axis_that_is_not_finite_is_not_used(tmp_path, drawn, step):
    curves({"loss": [1.0, 2.0], "step": step}, tmp_path / "curves.png")
    assert drawn[0].axes[0].get_xlabel() == "epoch"


def test_one_value(tmp_path, drawn):
    curves({"loss": [1.0]}, tmp_path / "curves.png")
    assert lines(drawn[0])["loss"].get_markevery().tolist() == [True]


def test_validation_every_few_epochs(tmp_path, drawn):
    curves({"loss": range(10), "val_loss": [1, 2, 3]}, tmp_path / "curves.png")
    assert lines(drawn[0])["val_loss"].get_xdata().tolist() == [3, 6, 9]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "history: expected at least one log key"),
        ({"loss": []}, r"history: expected at least one log key with numbers, got \['loss'\]"),
        ({"step": [1, 2]}, "history: expected at least one log key"),
        ({"loss": [1, 2], "step": [1]}, "history: expected 1 values at 'loss', .* got 2"),
        ({"loss": [1] * 5, "kl": [1] * 4}, "history: expected 5 values at 'kl', .* got 4"),
        ({"loss": ["high"]}, "history: expected a list of numbers at 'loss'"),
        ({"loss": 1.0}, "history: expected a list of numbers at 'loss'"),
        ({"loss": [[1.0]]}, "history: expected a list of numbers at 'loss'"),
        ([1.0], r"history: expected a dict of lists or a CSV file, got \[1.0\]"),
        ("no/history.csv", "history: expected a dict .* got 'no/history.csv'"),
    ],
)
def test_refused_history(tmp_path, history, message):
    with pytest.raises(ValueError, match=message):
        curves(history, tmp_path / "curves.png")


@pytest.mark.parametrize("text", ["", "step,loss\n", "step,date\n1,mon\n"])
def test_csv_without_numbers(tmp_path, text):
    log = tmp_path / "history.csv"
    log.write_text(text)
    with pytest.raises(ValueError, match=r"history\.csv: expected at least one log key"):
        curves(log, tmp_path / "curves.png")


def test_refused_path(tmp_path):
    with pytest.raises(ValueError, match=r"path: .* \.png, got .*curves\.pdf"):
        curves({"loss": [1.0]}, tmp_path / "curves.pdf")


def test_pyplot_and_the_backend_are_left_alone(tmp_path, monkeypatch):
    # Keras, or another test, may have imported pyplot: what counts is what drawing does.
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    monkeypatch.setitem(matplotlib.rcParams, "backend", "svg")
    figures = Gcf.get_all_fig_managers()
    curves({"loss": [2.0, 1.0]}, tmp_path / "curves.png")
    assert "matplotlib.pyplot" not in sys.modules
    assert Gcf.get_all_fig_managers() == figures
    assert matplotlib.get_backend() == "svg"
