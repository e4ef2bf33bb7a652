"""Exit codes of commands that do not end well."""

import errno
import os
import signal
import subprocess
import sys

import pytest
import tensorflow as tf

from recipes import dcgan, training
from recipes.benchmark import __main__ as benchmark
from recipes.command_line import __main__ as command_line
from recipes.command_line import saved
from recipes.latents import __main__ as latents
from recipes.tune import __main__ as tune


def ended(run, capsys, *arguments):
    """The exit code and the last line of a recipe's command."""
    with pytest.raises(SystemExit) as end:
        training.main(dcgan.Config, run, "", ["--out", "runs/mine", *arguments])
    return end.value.code, (capsys.readouterr().err.splitlines() or [""])[-1]


FULL = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (OSError(errno.ENOSPC, FULL, "runs/mine/model.keras"), "runs/mine/model.keras"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "runs/mine"),
        (OSError(f"Can't synchronously write data ({FULL})"), "runs/mine"),  # HDF5's.
        (tf.errors.ResourceExhaustedError(None, None, f"model/variables; {FULL}"), "runs/mine"),
    ],
)
def test_a_full_disk_ends_in_4_with_the_path(capsys, error, place):
    def run(config):
        raise error

    code, said = ended(run, capsys)
    assert code == 4
    assert said.startswith(f"error: no space is left for {place}: ")


OF_TENSORFLOW = tf.errors.ResourceExhaustedError(None, None, f"model/variables; {FULL}")


@pytest.mark.parametrize(
    ("module", "arguments", "patched"),
    [
        (tune, ["dcgan", "--out", "runs/mine"], "recipes.tune.run"),
        (benchmark, ["ring", "--out", "runs/mine"], "recipes.benchmark.run"),
        (latents, ["--model", "m", "--out", "runs/mine"], "recipes.latents.run"),
        (command_line, ["export", "m.keras", "--out", "runs/mine"], "kgen.serving.export"),
        (
            command_line,
            ["export", "m.keras", "--out", "runs/mine", "--format", "onnx"],
            "kgen.serving.export_onnx",
        ),
    ],
)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, FULL), OF_TENSORFLOW])
def test_so_it_does_in_all_commands(capsys, monkeypatch, module, arguments, patched, error):
    def full(*arguments, **settings):
        raise error

    monkeypatch.setattr(saved, "load_model", lambda path: None)
    monkeypatch.setattr(saved, "run_config", lambda path: {})
    monkeypatch.setattr(patched, full)
    with pytest.raises(SystemExit) as end:
        module.main(arguments)
    assert end.value.code == 4
    assert capsys.readouterr().err.startswith("error: no space is left for runs/mine: ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
@pytest.mark.parametrize("buffering", [1, -1])  # It fails as a line is printed, or at the end.
@pytest.mark.parametrize("flag", ["list", "--version"])
def test_a_full_disk_that_is_printed_to(capsys, monkeypatch, flag, buffering):
    with open("/dev/full", "w", buffering) as output:
        monkeypatch.setattr(sys, "stdout", output)
        with pytest.raises(SystemExit) as end:
            command_line.main([flag])
    assert end.value.code == 4
    said = capsys.readouterr().err
    assert said == f"error: no space is left for the output: {FULL}. {MORE}\n"


MORE = "With more of it the same command goes on."


def test_output_that_is_closed_from_the_start_is_no_error():
    """As of `kgen list >&-`, where Python has no `sys.stdout` at all."""
    command = f"exec {sys.executable} -m recipes.command_line list >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_other_errors_of_files_end_in_2_and_those_of_graphs_are_shown(capsys):
    def refused(config):
        raise PermissionError(errno.EACCES, "Permission denied", "runs/mine")

    assert ended(refused, capsys) == (2, "error: [Errno 13] Permission denied: 'runs/mine'")

    def wrong(config):
        raise tf.errors.InvalidArgumentError(None, None, "shapes")

    with pytest.raises(tf.errors.InvalidArgumentError):
        training.main(dcgan.Config, wrong, "", [])


def test_sigterm_ends_in_143_and_closes_what_is_open(capsys):
    closed = []

    def run(config):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            closed.append(True)

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        assert ended(run, capsys)[0] == 143
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert closed == [True]
