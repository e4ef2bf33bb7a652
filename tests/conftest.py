"""Two logical CPU devices for tests of replicas, Ctrl-C, and a fresh start for every test."""

import gc
import os
import signal
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest

from tests import digit_classifier, forking
from tests.budget import Budget

# A shell has what it runs in the background ignore Ctrl-C, and its children, too.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    config.pluginmanager.register(Budget(config))
    is_worker = hasattr(config, "workerinput")
    if not is_worker:  # Whose folder workers inherit.
        keep_what_is_slow_to_compute(config)
    if is_worker or not config.getoption("numprocesses", None):  # No process that only waits.
        prepare_tensorflow(optimises_graphs="not slow" not in config.option.markexpr)


def pytest_collection_modifyitems(items):
    """What forks comes first, all in one process of the tests: its parent takes 8 s to start."""
    items.sort(key=lambda item: item.get_closest_marker("forks") is None)


def pytest_collection_finish():
    """Spares the garbage collector what is imported by now, and most of its rounds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    forking.end()  # Before the CPU seconds of its forks are counted.


def keep_what_is_slow_to_compute(config):
    """Keeps it for one run of the tests, apart from the user's cache.

    `KGEN_TEST_CACHE` names a folder that keeps it for more of them.
    """
    folder = tempfile.TemporaryDirectory(prefix="kgen-cache-")
    config.add_cleanup(folder.cleanup)
    os.environ["KGEN_CACHE"] = os.environ.get("KGEN_TEST_CACHE") or folder.name
    digit_classifier.lend(os.environ["KGEN_CACHE"])


def prepare_tensorflow(optimises_graphs):
    """Sets devices and threads up, before anything is computed.

    Optimising a tiny graph takes longer than running it, by TensorFlow as by XLA: the default run
    leaves it out, which the slow one does not.
    """
    if not optimises_graphs:
        os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)  # Two processes share two cores.
    if not optimises_graphs:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # Several processes share it.
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(autouse=True, scope="module")
def fresh_kernels():
    """Every module makes TensorFlow's kernels of operations anew, and not every test."""
    from tensorflow.python.eager import context

    context.context().clear_kernel_cache()


@pytest.fixture(autouse=True)
def fresh_keras():
    """Every test starts from the same names and seeds, and leaves nothing behind."""
    import keras
    from tensorflow.python.eager import context

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(context.Context, "clear_kernel_cache", lambda self: None)
        keras.backend.clear_session(free_memory=False)  # Garbage would take 0.3 s a test.
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
