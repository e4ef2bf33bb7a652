"""The files that configure TensorFlow Serving: which models, and how it joins requests."""

import json
import pathlib

from kgen.core.whole_file import write_text
from kgen.serving.versions import versions_in


def write_config(directory, base_path="/models", max_batch_size=64, batch_timeout_micros=2000):
    """Writes `models.config` and `batching.config` for the servables in a folder.

    `tensorflow_model_server --model_config_file=.../models.config` serves them under the names of
    their folders, new versions included. With `--enable_batching
    --batching_parameters_file=.../batching.config` it joins the rows of requests that wait, of each
    signature, and gives each its own back; signatures that take a scalar, such as `sample`, it
    refuses then.

    Example:
        kgen.serving.write_config("saved_models")  # Serves saved_models/dcgan, saved_models/vae ...

    Args:
        directory: Folder of servables, or of the versions of one.
        base_path: Where the server finds the servables' folders, in the official Docker image
            `"/models"`; without Docker the absolute path of what holds them.
        max_batch_size: Rows that are joined at most; a server that joins refuses a larger request.
        batch_timeout_micros: Microseconds that a request waits for others at most.

    Returns:
        The path of `models.config`, a string.

    Raises:
        ValueError: If the folder holds no version of any servable, or an argument is not of this
            form.
    """
    directory = pathlib.Path(directory).expanduser()
    for name, value in (
        ("max_batch_size", max_batch_size),
        ("batch_timeout_micros", batch_timeout_micros),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")
    if not isinstance(base_path, str | pathlib.PurePath) or not str(base_path).startswith("/"):
        raise ValueError(f"`base_path` must be an absolute path, received {base_path!r}.")
    names = _servables(directory)
    if not names:
        raise ValueError(
            f"`directory` must hold versions that kgen.serving.export wrote, or folders of them; "
            f"received {str(directory)!r}, where there are none."
        )
    base = str(base_path).rstrip("/")
    entries = "".join(_entry(name, f"{base}/{name}") for name in names)
    path = directory / "models.config"
    write_text(
        directory / "batching.config",
        f"max_batch_size {{ value: {max_batch_size} }}\n"
        f"batch_timeout_micros {{ value: {batch_timeout_micros} }}\n"
        "max_enqueued_batches { value: 1000 }\n",
    )
    write_text(path, f"model_config_list {{\n{entries}}}\n")
    return str(path)


def _servables(directory):
    """The names of the servables in a folder, which may be one itself."""
    if not directory.is_dir():
        return []
    if versions_in(directory):
        return [directory.resolve().name]
    folders = [path for path in directory.iterdir() if path.is_dir()]
    return sorted(path.name for path in folders if versions_in(path))


def _entry(name, path):
    return (
        "  config {\n"
        f"    name: {_quoted(name)}\n"
        f"    base_path: {_quoted(path)}\n"
        '    model_platform: "tensorflow"\n'
        "  }\n"
    )


def _quoted(text):
    return json.dumps(text, ensure_ascii=False)
