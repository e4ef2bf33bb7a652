"""Versions are seen whole or not at all, also when several are written at once."""

import threading

import pytest

from kgen import models, networks
from kgen.serving import check_architecture, export
from kgen.serving.versions import versions_in, write_next_version
from tests.systems import SHAPE, SYSTEMS


def write(folder):
    with open(f"{folder}/saved_model.pb", "w") as file:
        file.write("whole")


def test_writers_at_once_get_numbers_of_their_own(tmp_path):
    folder, found = tmp_path / "servable", []
    together = threading.Barrier(12)

    def one(number):
        def write_together(path):
            write(path)
            together.wait(30)  # All rename at the same time.

        found.append(write_next_version(folder, write_together))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == sorted(str(folder / str(number)) for number in range(1, 13))
    assert versions_in(folder) == list(range(1, 13))
    assert sorted(path.name for path in folder.iterdir()) == sorted(map(str, range(1, 13)))


def test_a_poller_never_sees_half_a_version(tmp_path):
    seen, done = [], threading.Event()

    def poll():
        while not done.is_set():
            for number in versions_in(tmp_path):
                seen.append((tmp_path / str(number) / "saved_model.pb").read_text())

    poller = threading.Thread(target=poll)
    poller.start()
    for _ in range(20):
        write_next_version(tmp_path, write)
    done.set()
    poller.join(30)
    assert set(seen) == {"whole"} and versions_in(tmp_path) == list(range(1, 21))


def test_numbers_that_others_took(tmp_path):
    (tmp_path / "3").mkdir()  # Empty, as someone may have made it: not to be replaced.
    (tmp_path / "7").write_text("a file")
    (tmp_path / "²").mkdir()
    assert write_next_version(tmp_path, write) == str(tmp_path / "8")
    assert list((tmp_path / "3").iterdir()) == []


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def fail(folder):
        write(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_next_version(tmp_path, fail)
    assert list(tmp_path.iterdir()) == []


def test_a_version_of_another_architecture_is_refused_without_being_asked_twice(exports, tmp_path):
    model, directory = exports["dcgan"].model, exports.folder / "dcgan"
    check_architecture(model, directory)
    check_architecture(model, tmp_path / "not there yet")
    for other in (SYSTEMS["vae"].make(), wider_gan()):
        with pytest.raises(ValueError, match="dcgan/1 is a GAN, of another"):
            export(other, directory)
        with pytest.raises(ValueError, match="another architecture"):
            check_architecture(other, str(directory))
    assert versions_in(directory) == [1]
    # Trained anew it is the same one; and nothing is told apart by what nobody knows.
    check_architecture(SYSTEMS["dcgan"].make(), directory)
    (tmp_path / "7").mkdir()
    check_architecture(model, tmp_path)
    write(tmp_path / "7")
    with pytest.raises(ValueError, match="7 is a model of which no card tells"):
        check_architecture(model, tmp_path)


def wider_gan():
    sizes = {"latent_dim": 4, "filters": 7}
    return models.GAN(
        networks.dcgan_generator(SHAPE, **sizes), networks.dcgan_discriminator(SHAPE, filters=4)
    )
