"""A folder has one owner at a time, and a dead one is none."""

import os
import signal
import subprocess
import sys

import pytest

from kgen.core.owner import FolderInUseError, owned

HOLD = """
import sys, time
sys.path.insert(0, {root!r})
import importlib.util
spec = importlib.util.spec_from_file_location("owner", {file!r})  # Without TensorFlow.
owner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(owner)
with owner.owned(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that owns the folder `run`."""
    from kgen.core import owner

    code = HOLD.format(root=os.getcwd(), file=owner.__file__)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_told_who_has_it_until_that_one_is_killed(tmp_path, holder):
    folder = tmp_path / "run"
    told = rf"run is in use by process {holder.pid} of \S+ on \S+, since \d{{4}}-"
    with pytest.raises(FolderInUseError, match=told), owned(folder):
        pass
    with owned(tmp_path / "other"):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with owned(folder):
        expected = pytest.raises(FolderInUseError, match=f"process {os.getpid()} of")
        with expected, owned(folder):  # Also within one process, as of two threads.
            pass
    with owned(folder):
        pass


def test_parts_of_a_folder_have_owners_of_their_own(tmp_path):
    expected = pytest.raises(FolderInUseError)
    with owned(tmp_path, "a.lock"), owned(tmp_path, "b.lock"), expected, owned(tmp_path, "a.lock"):
        pass


def test_a_folder_that_was_made_for_nothing_goes(tmp_path):
    with pytest.raises(RuntimeError), owned(tmp_path / "new"):
        raise RuntimeError
    assert not (tmp_path / "new").exists()
    with owned(tmp_path / "new"):
        (tmp_path / "new" / "file").write_text("")
    assert (tmp_path / "new" / "file").exists()


def test_a_process_that_the_owner_has_started_does_not_keep_it(tmp_path):
    with owned(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with owned(tmp_path):
            pass
    finally:
        child.kill()
        child.wait()


def test_nothing_is_written_through_a_link(tmp_path):
    """In a downloaded folder the names may lead to the user's own files."""
    mine, run = tmp_path / "mine.txt", tmp_path / "run"
    mine.write_text("mine")
    run.mkdir()
    (run / ".owner.json").symlink_to(mine)
    with owned(run), pytest.raises(FolderInUseError, match=f"process {os.getpid()}"), owned(run):
        pass
    assert mine.read_text() == "mine" and os.listdir(run) == [".lock"]
    (run / ".lock").unlink()
    (run / ".lock").symlink_to(mine)
    with pytest.raises(ValueError, match=r"run/\.lock is a symbolic link"), owned(run):
        pass
    assert mine.read_text() == "mine"
