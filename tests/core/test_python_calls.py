"""Errors of Python functions that TensorFlow's threads call, and how a process ends."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgen.data
from kgen import models
from kgen.core import engine
from kgen.data import files

SENTENCE = r"^\S+/7\.png: cannot be read as an image \(image file is truncated\)\.$"


@pytest.fixture
def stream(tmp_path, monkeypatch):
    """A stream of files that are read as they are needed, one of which is broken."""
    for index in range(12):
        pixels = np.random.default_rng(index).integers(0, 256, (4, 4, 1))
        keras.utils.save_img(tmp_path / f"{index}.png", pixels, scale=False)
    broken = tmp_path / "7.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    monkeypatch.setattr(files, "HELD_FILES", 0)
    return kgen.data.load(tmp_path, image_size=4, channels=1, batch_size=2, split="train")


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_a_broken_file_ends_a_method_with_one_sentence(stream, method):
    encoder = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    decoder = keras.Sequential([keras.Input((16,)), keras.layers.Reshape((4, 4, 1))])
    encoder.add(keras.layers.Dense(16))
    model = models.Autoencoder(encoder, decoder)
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=SENTENCE):
        getattr(model, method)(stream, verbose=0)


def test_errors_of_others_stay_what_they_are():
    with pytest.raises(tf.errors.InvalidArgumentError), engine.errors_as_raised():
        tf.debugging.assert_equal(tf.constant(1), tf.constant(2))


def test_an_iterator_that_names_errors_can_be_saved_and_given_to_a_graph(tmp_path):
    iterator = iter(kgen.data.load("digits"))
    first = next(iterator)
    assert first.shape == (64, 8, 8, 1)
    saved = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "position"))
    second = tf.function(lambda batches: next(batches))(iterator)
    tf.train.Checkpoint(iterator=iterator).restore(saved)
    assert np.array_equal(next(iterator), second)


def test_a_process_ends_while_files_are_read_ahead():
    script = """
        import time
        import tensorflow as tf
        from kgen.core import engine
        from kgen.data import Stream

        def slow(number):
            time.sleep(0.02)
            return number

        def batch_at(number):
            return engine.python_calls(slow, [number], tf.int64)

        iterator = iter(Stream(batch_at, 1000).repeat())
        print(int(next(iterator)))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, timeout=120
    )
    assert (ended.returncode, ended.stdout) == (0, b"0\n")
