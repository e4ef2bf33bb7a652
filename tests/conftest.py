"""Two logical CPU devices for tests of replicas, Ctrl-C, and a fresh start for every test."""

import os
import signal
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import pytest
import tensorflow as tf

# A shell has what it runs in the background ignore Ctrl-C, and its children, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)  # Several processes share it.
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


def pytest_configure(config):
    """What is slow to compute is kept for one run of the tests, apart from the user's cache.

    `KGEN_TEST_CACHE` names a folder that keeps it for more of them.
    """
    if hasattr(config, "workerinput"):
        return  # One of several processes, which inherit the folder.
    folder = tempfile.TemporaryDirectory(prefix="kgen-cache-")
    config.add_cleanup(folder.cleanup)
    os.environ["KGEN_CACHE"] = os.environ.get("KGEN_TEST_CACHE") or folder.name


@pytest.fixture(autouse=True)
def fresh_keras():
    """Every test starts from the same names and seeds, and leaves nothing behind."""
    keras.backend.clear_session(free_memory=False)  # Collecting garbage would take 0.3 s a test.
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
