"""Logs that cannot be written are warned of, and end no training."""

import csv
import errno
import os
import warnings

import keras
import pytest

from kgen.callbacks.best_effort import best_effort
from tests.callbacks.tiny import in_order, tiny_gan


def full(*arguments, **settings):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fit(*callbacks, epochs=3):
    model = tiny_gan()
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    model.fit(in_order(8, 8), epochs=epochs, verbose=0, callbacks=list(callbacks))
    return model


class FullFor(keras.callbacks.Callback):
    """The disk is full for a log's file in one epoch."""

    def __init__(self, log, epoch):
        super().__init__()
        self.log, self.epoch = log, epoch

    def on_epoch_begin(self, epoch, logs=None):
        file = self.log.csv_file
        if epoch == self.epoch:
            self.flush, file.flush = file.flush, full
        elif epoch == self.epoch + 1:
            file.flush = self.flush


class File:
    """A file whose methods can be replaced."""

    def __init__(self, file):
        self.file = file
        self.write, self.flush, self.close = file.write, file.flush, file.close

    @property
    def closed(self):
        return self.file.closed


def test_rows_go_on_where_there_is_room_again(tmp_path, monkeypatch):
    path = tmp_path / "history.csv"
    log = best_effort(keras.callbacks.CSVLogger(path))
    begin = log.on_train_begin

    def begin_with_file(logs=None):
        begin(logs)
        log.csv_file = File(log.csv_file)

    log.on_train_begin = begin_with_file
    with pytest.warns(UserWarning, match="What CSVLogger logs could not be written.*No space"):
        model = fit(log, FullFor(log, 1))
    assert model.rounds_played == 3
    with path.open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "2"]


def test_a_log_that_cannot_be_opened_is_left_out(tmp_path):
    (tmp_path / "file").write_text("")
    log = best_effort(keras.callbacks.CSVLogger(tmp_path / "file" / "history.csv"))
    with pytest.warns(UserWarning, match="Not a directory") as caught:
        assert fit(log).rounds_played == 3
    assert len(caught) == 1


def test_tensorboard_in_a_place_that_is_no_folder(tmp_path):
    """Its errors are TensorFlow's own."""
    (tmp_path / "file").write_text("")
    log = best_effort(keras.callbacks.TensorBoard(tmp_path / "file" / "logs", write_graph=False))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert fit(log).rounds_played == 3
    assert any("What TensorBoard logs could not be written" in str(w.message) for w in caught)


def test_other_errors_leave():
    class Wrong(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("wrong")

    with pytest.raises(RuntimeError, match="wrong"):
        fit(best_effort(Wrong()))
