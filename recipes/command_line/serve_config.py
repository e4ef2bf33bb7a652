"""`kgen serve-config <folder>`: writes what TensorFlow Serving is configured with."""

import dataclasses

import tyro


@dataclasses.dataclass(frozen=True)
class ServeConfig:
    """Writes models.config and batching.config for the SavedModels in a folder."""

    directory: tyro.conf.Positional[str] = "saved_models"
    """Folder of the exports, saved_models/dcgan/1 and so on, or of the versions of one."""
    base_path: str = "/models"
    """Where the server finds them: /models in the official Docker image, else an absolute path."""
    max_batch_size: int = 64
    """Rows of several requests that are computed at once at most."""
    batch_timeout_micros: int = 2000
    """Microseconds that a request waits for others at most."""


def main(arguments):
    """Prints the path of models.config.

    Raises:
        ValueError: If a field is not as described.
    """
    config = tyro.cli(ServeConfig, prog="kgen serve-config", args=arguments)
    # Not above: `--help` need not wait for TensorFlow.
    import kgen.serving

    print(kgen.serving.write_config(**dataclasses.asdict(config)))
