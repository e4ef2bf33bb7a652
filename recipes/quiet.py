"""What who runs a command in a shell sees of warnings, and of TensorFlow as it starts."""

import contextlib
import importlib.machinery
import os
import pathlib
import re
import sys
import tempfile
import warnings

# What TensorFlow says where nothing is wrong; its errors have an E or F in that place.
_OF_STARTING = re.compile(
    rb"WARNING: All log messages before absl|To enable the following instructions: "
    rb"|[IW]\d{4} |\d{4}-\d\d-\d\d [\d:.]+: [IW] "
)
_OF_NO_GPU = re.compile(rb"E.*failed call to cuInit")
LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def begin():
    """Has a process, that of a command, show no more than its user needs.

    Of a warning one line, once. Of what TensorFlow writes as it starts its errors alone, unless
    TF_CPP_MIN_LOG_LEVEL says what is to be seen; then it is as TensorFlow has it.
    """
    said = set()

    def show(message, category, filename, lineno, file=None, line=None):
        text = " ".join(str(message).split())
        if text not in said:
            said.add(text)
            print(f"warning: {text}", file=sys.stderr, flush=True)

    warnings.showwarning = show
    if LEVEL not in os.environ and "tensorflow" not in sys.modules:
        os.environ[LEVEL] = "2"
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Has TensorFlow imported under `start_unseen`, once."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_unseen(module):
            with start_unseen():
                execute(module)
                module.config.list_physical_devices()  # Which looks for GPUs.

        spec.loader.exec_module = execute_unseen
        return spec


@contextlib.contextmanager
def start_unseen():
    """Context in which lines of TensorFlow's that are no errors are kept from stderr.

    They come before TensorFlow heeds its log level. All else that is written comes at the end.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as written:
        kept = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            written.seek(0)
            os.write(2, b"".join(line for line in written if not _is_of_starting(line)))


def _is_of_starting(line):
    has_gpu = pathlib.Path("/dev/nvidiactl").exists()
    return bool(_OF_STARTING.match(line) or (not has_gpu and _OF_NO_GPU.match(line)))
