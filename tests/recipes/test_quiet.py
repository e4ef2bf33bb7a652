"""What a command's user sees: one line of each warning, and nothing of TensorFlow's start."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from recipes import quiet


@pytest.fixture
def begun(monkeypatch):
    """The beginning of a command, of which nothing is left."""
    monkeypatch.setattr(warnings, "showwarning", None)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "modules", {k: v for k, v in sys.modules.items() if k != "tensorflow"})
    monkeypatch.delenv(quiet.LEVEL, raising=False)
    return monkeypatch


def test_a_warning_is_one_line_once(begun, capsys):
    quiet.begin()
    for message in ("it is\n  so", "it is so", "or so"):
        warnings.showwarning(UserWarning(message), UserWarning, "kgen/file.py", 7)
    assert capsys.readouterr().err == "warning: it is so\nwarning: or so\n"


def test_the_log_level_of_the_user_wins(begun):
    quiet.begin()
    assert os.environ[quiet.LEVEL] == "2" and len(sys.meta_path) > 1
    begun.setenv(quiet.LEVEL, "0")
    before = list(sys.meta_path)
    quiet.begin()
    assert os.environ[quiet.LEVEL] == "0" and sys.meta_path == before


def test_errors_of_a_start_are_seen(capfd):
    with pytest.raises(ImportError), quiet.start_unseen():
        os.write(2, b"I0000 00:00:17.5 12 cudart_stub.cc:31] Could not find cuda drivers\n")
        os.write(2, b"2026-12-01 00:00:00.1: I tensorflow/core/util/port.cc:153] oneDNN\n")
        os.write(2, b"E0000 00:00:17.5 12 gpu.cc:1] out of order\nlibcudnn is broken\n")
        raise ImportError
    assert (
        capfd.readouterr().err == "E0000 00:00:17.5 12 gpu.cc:1] out of order\nlibcudnn is broken\n"
    )


def test_a_command_says_its_sentence_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    for index in range(20):
        Image.fromarray(np.full((8, 8), index, np.uint8)).save(tmp_path / "mine" / f"{index}.png")
    environment = {name: value for name, value in os.environ.items() if name != quiet.LEVEL}
    command = [sys.executable, "-m", "recipes.vae", "--data", tmp_path / "mine", "--out", tmp_path]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    (said,) = ended.stderr.splitlines()
    assert ended.returncode == 2 and said.startswith("error: batch_size: expected at most 1")
    assert "a tenth of the images is cut out for each" in said
