"""What dead writers have left is cleared; what living ones write is not."""

import os
import subprocess
import sys
import time

from kgen.core.leftovers import PARTIAL, UNFINISHED, clear_leftovers, unfinished_name


def of_a_dead_process(kind):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return unfinished_name(kind, "x").replace(f"-{os.getpid()}-", f"-{process.pid}-")


def test_by_owner_and_by_age(tmp_path):
    foreign = f"{PARTIAL}-elsewhere_1-77-0123abcd-model.keras"
    old = time.time() - 25 * 3600
    stay, go = [], []
    for name, age, kept in (
        (unfinished_name(PARTIAL, "model.keras"), old, True),  # Of this process, however old.
        (of_a_dead_process(PARTIAL), time.time(), False),
        (foreign, time.time(), True),
        (foreign + "2", old, False),
        ("notes.partial", old, True),  # Nobody's but the user's.
        ("partial-thoughts.txt", old, True),
    ):
        path = tmp_path / name
        path.write_text("")
        os.utime(path, (age, age))
        (stay if kept else go).append(path)
    for name, age, kept in (
        (of_a_dead_process(UNFINISHED), time.time(), False),
        (".unfinished-k2l_x9ab", old, False),  # As earlier versions named it.
        (".unfinished-k2l_x9ac", time.time(), True),
    ):
        folder = tmp_path / name
        (folder / "variables").mkdir(parents=True)
        (folder / "variables" / "data").write_text("")
        for path in (folder / "variables" / "data", folder / "variables", folder):
            os.utime(path, (age, age))
        (stay if kept else go).append(folder)
    clear_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(stay)
    assert go and not any(path.exists() for path in go)


def test_an_export_that_is_still_written_to_is_not_old(tmp_path):
    folder = tmp_path / ".unfinished-elsewhere_1-77-0123abcd"
    folder.mkdir()
    (folder / "variables").write_text("")
    os.utime(folder, (0, 0))
    clear_leftovers(tmp_path)
    assert folder.exists()


def test_a_folder_that_is_missing_has_none(tmp_path):
    clear_leftovers(tmp_path / "gone")
