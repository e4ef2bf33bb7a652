"""Thousands of requests from several threads: none lost, each its own rows, nothing that grows."""

import gc
import pathlib
import threading

import numpy as np
import pytest
import tensorflow as tf

from kgen import models, networks
from kgen.serving import Client, export, load
from tests.serving.awake import awake

REQUESTS, THREADS = 2000, 8
LATENTS = 4


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A small model whose image is a function of its latents alone, and where it is."""
    model = awake(
        models.GAN(
            networks.dense_generator((4, 4, 1), latent_dim=LATENTS, units=64),
            networks.dense_discriminator((4, 4, 1), units=4),
        )
    )
    return model, export(model, tmp_path_factory.mktemp("served") / "dense")


def resident_memory():
    """Mebibytes that the process holds."""
    gc.collect()
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def flood(ask, latents, expected, requests, threads=THREADS):
    """Asks from several threads for rows of mixed counts; returns how many were answered right."""
    answered, failures = [], []

    def work(number):
        rng = np.random.default_rng(number)
        for _ in range(requests // threads):
            rows = rng.integers(0, len(latents), rng.choice([1, 2, 3, 7, 16, 64]))
            try:
                images = ask(latents[rows])
                assert images.shape == (len(rows), *expected.shape[1:])
                assert np.abs(images - expected[rows]).max() <= 1e-5
            except Exception as error:
                failures.append(error)
                return
            answered.append(len(rows))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert not failures, failures[0]
    return len(answered)


def test_threads_get_their_own_rows(exported):
    model, path = exported
    latents = model.latents(512, seed=0)
    expected = model.decode(latents)
    assert len(np.unique(expected.reshape(512, -1).round(3), axis=0)) == 512
    decode = load(path)["decode"]

    def ask(rows):
        return decode(latents=rows)["images"]

    assert flood(ask, latents, expected, 400) == 400  # What is made once is made now.
    before = resident_memory()
    assert flood(ask, latents, expected, REQUESTS) == REQUESTS
    kept = (resident_memory() - before) * 2**10 / REQUESTS
    assert kept < 6.5, f"each request kept {kept} KiB"


def test_batches_of_any_size_do_not_retrace(exported):
    model, path = exported
    signature = tf.saved_model.load(path).signatures["decode"]
    # One concrete function, which is one graph: of any batch size.
    assert signature.inputs[0].shape.as_list() == [None, LATENTS]
    for count in (1, 2, 64):
        images = signature(latents=tf.constant(model.latents(count, seed=0)))["images"]
        assert images.shape == (count, 4, 4, 1)


def test_a_client_in_threads(exported):
    pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not installed")
    from tests.serving.loopback import serving

    model, path = exported
    latents = model.latents(64, seed=0)
    expected = model.decode(latents)
    with serving(pathlib.Path(path).parent) as addresses:
        for address in addresses:
            with Client(address, "dense", timeout=60) as client:
                assert flood(client.decode, latents, expected, 80) == 80
