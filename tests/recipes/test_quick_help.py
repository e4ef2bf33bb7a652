"""The command's help, its version, and output that nobody reads on."""

import importlib.metadata
import os
import re
import subprocess
import sys

import pytest

from kgen.version import __version__
from recipes.command_line import quick_help
from recipes.command_line.__main__ import main
from recipes.registry import recipes

SHELL = [sys.executable, "-m", "recipes.command_line"]

# Prints the help of all, and which of the packages that take seconds was imported for it.
HELP = """
import sys
from recipes.command_line.__main__ import main
for line in sys.argv[1:]:
    try:
        main([*line.split(), "--help"])
    except SystemExit as left:
        assert left.code == 0, left
    print("left:", sorted({name.split(".")[0] for name in sys.modules}
                          & {"keras", "kgen", "tensorflow", "keras_tuner", "matplotlib"}))
"""


def words(text):
    """What is said, whatever the lines about it are made of."""
    return re.findall(r"[\w.,:;<>{}|*-]+", re.sub(r"-{3,}", "", text))


def test_help_imports_no_tensorflow_and_is_what_it_is_with_it(capsys):
    lines = [*(f"train {name}" for name in recipes()), "tune vae", "benchmark ring"]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", HELP, *lines], capture_output=True, text=True, check=True,
        env=environment,
    )  # fmt: skip
    *said, end = done.stdout.split("left: []\n")
    assert not end and not done.stderr
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", "80")
        for line, found in zip(lines, said, strict=True):
            with pytest.raises(SystemExit):
                main([*line.split(), "--help"])
            assert words(capsys.readouterr().out) == words(found), line


def test_help_does_nothing_else():
    assert quick_help.asked_for(["dcgan", "--fresh", "--out", "x", "-h"]) == ["dcgan", "--help"]
    assert quick_help.asked_for(["dcgan", "--fresh"]) is None


def test_it_tells_its_version(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    said = capsys.readouterr().out
    assert left.value.code == 0 and said.startswith(f"kgen {__version__} (Keras ")
    assert f"TensorFlow {importlib.metadata.version('tensorflow')}" in said


@pytest.mark.parametrize("arguments", [["list"], ["train", "dcgan", "--help"], ["--version"]])
def test_it_ends_quietly_where_nobody_reads_on(arguments):
    read, write = os.pipe()
    os.close(read)  # As `head` has, when it has read enough.
    done = subprocess.run([*SHELL, *arguments], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == "" and done.returncode == 141
