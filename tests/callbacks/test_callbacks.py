"""kgen's callbacks: speed, the progress bar, pictures of samples, and counting rounds."""

import re
import types

import keras
import numpy as np
import pytest
from PIL import Image

import kgen
from kgen.callbacks import ProgressBar, SampleGrid, StopAfter, Throughput
from kgen.callbacks import progress as progress_module
from tests.callbacks.tiny import in_order, tiny_gan
from tests.recycling import recycled, state_of

BATCH = 4


def gan(steps_per_execution=1):
    """A model in its first state, whose every number of rounds a test may count on."""

    def make():
        model = tiny_gan(discriminator_updates=2, ema_momentum=0.5, instance_noise=0.1, seed=1)
        model.compile("adam", steps_per_execution=steps_per_execution)
        return model

    return recycled(("callbacks", steps_per_execution), make)


def fit(model, rounds, callbacks, epochs=1):
    """Trains for `rounds` an epoch and returns the history."""
    images = in_order(rounds * BATCH, BATCH)
    return model.fit(images, epochs=epochs, verbose=0, callbacks=callbacks)


class Logs(keras.callbacks.Callback):
    """Keeps the logs of all batches and epochs."""

    def __init__(self):
        super().__init__()
        self.batches, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))


@pytest.fixture
def one_second_each(monkeypatch):
    """A clock that gives each execution one second."""
    seconds = iter(range(10**6))
    clock = types.SimpleNamespace(perf_counter=lambda: float(next(seconds)))
    monkeypatch.setattr(progress_module, "time", clock)


# ---------------------------------------------------------------- Throughput


def test_throughput_is_in_all_logs():
    model = tiny_gan()
    model.compile(keras.optimizers.SGD())
    logs = Logs()
    history = fit(model, 3, [Throughput(BATCH), logs], epochs=2).history
    assert len(logs.batches) == 6 and len(logs.epochs) == 2
    for entry in logs.batches + logs.epochs:
        assert entry["images_per_second"] > 0.0
        assert {"discriminator_loss", "generator_loss"} < set(entry)
    assert history["images_per_second"] == [entry["images_per_second"] for entry in logs.epochs]
    # The first round, which traces, is by far the slowest, and the mean is over time.
    assert logs.batches[0]["images_per_second"] < logs.epochs[0]["images_per_second"]


@pytest.mark.parametrize("steps_per_execution, batches", [(1, [4] * 8), (4, [16, 16])])
def test_throughput_counts_images(one_second_each, steps_per_execution, batches):
    logs = Logs()
    fit(gan(steps_per_execution), 8, [Throughput(BATCH), logs], epochs=2)
    assert [entry["images_per_second"] for entry in logs.batches] == 2 * batches
    assert [entry["images_per_second"] for entry in logs.epochs] == 2 * [np.mean(batches)]


def test_throughput_of_a_shorter_last_execution(one_second_each):
    logs = Logs()
    fit(gan(4), 6, [Throughput(BATCH), logs])
    assert [entry["images_per_second"] for entry in logs.batches] == [16, 8]
    assert logs.epochs[0]["images_per_second"] == 12


# ---------------------------------------------------------------- ProgressBar


def lines_of(output):
    """What a bar wrote, without colours, one string an update."""
    plain = re.sub(r"\x1b\[\d+m|\x08", "", output)
    return [line for line in re.split(r"[\r\n]+", plain) if line.strip()]


def test_progress_bar_is_one_over_all_epochs(capsys, monkeypatch):
    # On a terminal it would be redrawn 5 times a second; here at every round.
    bar = keras.utils.Progbar
    monkeypatch.setattr(keras.utils, "Progbar", lambda *a, **k: bar(*a, **{**k, "interval": 0.0}))
    logs = Logs()
    fit(gan(), 2, [Throughput(BATCH), logs, ProgressBar(6)], epochs=3)
    *updates, last = lines_of(capsys.readouterr().out)
    assert [line.split()[0] for line in updates] == [f"{n}/6" for n in range(1, 7)]
    for line, entry in zip(updates, logs.batches, strict=True):
        assert re.search(r"━ \d+s \d+\S*/round - ", line)  # Time left, and that of a round.
        for name, value in entry.items():
            shown = f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"
            assert f" - {name}: {shown}" in line  # The latest value, not the mean of all.
    assert last.startswith("6/6 ") and "images_per_second" in last


def test_progress_bar_where_there_is_no_terminal(capsys):
    fit(gan(4), 4, [ProgressBar(8)], epochs=2)
    lines = lines_of(capsys.readouterr().out)
    assert len(lines) == 2  # The first update and the end.
    assert lines[0].startswith("4/8 ") and lines[1].startswith("8/8 ")
    assert all("discriminator_loss: " in line and "generator_loss: " in line for line in lines)


def test_progress_bar_where_there_is_no_output(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)  # As of `python train.py >&-`.
    fit(gan(4), 4, [ProgressBar(8)], epochs=2)


def test_progress_bar_goes_on_where_training_ended(capsys):
    model = gan()
    fit(model, 2, [])
    fit(model, 3, [ProgressBar(5)])
    assert lines_of(capsys.readouterr().out)[-1].startswith("3/3 ")


# ---------------------------------------------------------------- SampleGrid


def test_a_grid_of_points_is_refused_as_training_begins(tmp_path):
    model = kgen.models.GAN(
        kgen.networks.mixture_generator(units=4, hidden_layers=1),
        kgen.networks.mixture_discriminator(units=4, hidden_layers=1),
    )
    model.compile(keras.optimizers.Adam(1e-3))
    points = np.zeros((8, 2), "float32")
    message = r"SampleGrid draws images .*, received a model of \(2,\)\. .*high_quality"
    with pytest.raises(ValueError, match=message):
        model.fit(points, batch_size=8, verbose=0, callbacks=[SampleGrid(tmp_path)])
    assert model.rounds_played == 0


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_sample_grid_writes_first_every_and_last(tmp_path):
    model = gan()
    fit(model, 5, [SampleGrid(tmp_path / "new", every=3, count=4)], epochs=2)
    rounds = [0, 3, 6, 9, 10]
    assert names_in(tmp_path / "new") == [f"step-{n:06d}.png" for n in rounds]
    # Further training counts on, and writes the last only once.
    fit(model, 2, [SampleGrid(tmp_path / "more", every=2, count=4)])
    assert names_in(tmp_path / "more") == ["step-000010.png", "step-000012.png"]


def test_sample_grid_shows_the_same_latents(tmp_path):
    model = gan()
    model.optimizer.by_player["generator"].learning_rate = 0.0
    fit(model, 2, [SampleGrid(tmp_path / "a", every=1, count=4, seed=5)])
    first, *others = [(tmp_path / "a" / name).read_bytes() for name in names_in(tmp_path / "a")]
    assert len(others) == 2 and all(picture == first for picture in others)
    fit(model, 1, [SampleGrid(tmp_path / "b", every=9, count=4, seed=5)])
    assert (tmp_path / "b" / "step-000002.png").read_bytes() == first
    fit(model, 1, [SampleGrid(tmp_path / "c", every=9, count=4, seed=6)])
    assert (tmp_path / "c" / "step-000003.png").read_bytes() != first


def test_sample_grid_shows_what_the_model_samples(tmp_path):
    model = gan()
    fit(model, 2, [SampleGrid(tmp_path, every=9, count=4, seed=5)])
    with Image.open(tmp_path / "step-000002.png") as file:
        picture = np.asarray(file)
    first = np.round((model.sample(4, seed=5)[0, ..., 0] + 1.0) * 127.5)
    # A pixel of an image is a square of the picture, and some background surrounds the images.
    assert set(np.unique(first)) <= set(np.unique(picture))


def test_sample_grid_with_several_steps_per_execution(tmp_path):
    fit(gan(4), 8, [SampleGrid(tmp_path, every=6, count=4)], epochs=2)
    # After 6 rounds comes 8, after 12 comes 12.
    assert names_in(tmp_path) == [f"step-{n:06d}.png" for n in (0, 8, 12, 16)]


def test_sample_grid_of_a_shorter_last_execution(tmp_path):
    model = gan(4)
    fit(model, 6, [SampleGrid(tmp_path, every=100, count=4)])
    assert int(model.optimizer.iterations) == 6
    assert names_in(tmp_path) == ["step-000000.png", "step-000006.png"]


def test_sample_grid_does_not_touch_the_training(tmp_path):
    model, histories, states = gan(), [], []
    for callbacks in ([], [SampleGrid(tmp_path, every=1, count=4)]):
        histories.append(fit(gan(), 3, callbacks, epochs=2).history)
        states.append(state_of(model))
    assert histories[0] == histories[1]
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("every", [0, -1])
def test_sample_grid_refuses_no_rounds(every, tmp_path):
    with pytest.raises(ValueError, match=f"`every`.*received {every}"):
        SampleGrid(tmp_path, every=every)


# ---------------------------------------------------------------- StopAfter


@pytest.mark.parametrize("steps_per_execution, rounds", [(1, 9), (4, 12)])
def test_stop_after_ends_within_an_epoch(steps_per_execution, rounds):
    model = gan(steps_per_execution)
    history = fit(model, 8, [StopAfter(rounds)], epochs=5)
    assert int(model.optimizer.iterations) == rounds
    assert int(model.optimizer.by_player["discriminator"].iterations) == 2 * rounds
    assert len(history.epoch) == 2


def test_stop_after_counts_earlier_rounds():
    model = gan()
    fit(model, 3, [])
    fit(model, 4, [StopAfter(8)], epochs=5)
    assert int(model.optimizer.iterations) == 8


def test_stop_after_with_a_shorter_last_execution():
    model = gan(4)
    fit(model, 6, [StopAfter(16)], epochs=5)
    assert int(model.optimizer.iterations) == 16
