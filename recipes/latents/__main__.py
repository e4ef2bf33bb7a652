"""The command line: `python -m recipes.latents --model runs/vae`."""

import sys

import tyro

from recipes import latents
from recipes.closed_pipe import ends_quietly
from recipes.ending import errors_told


@ends_quietly()
def main(arguments=None, prog="python -m recipes.latents"):
    """Writes the pictures; bad input ends in one sentence and exit code 2, Ctrl-C in 130.

    A full disk ends it in 4 and the path.
    """
    config = tyro.cli(latents.Config, prog=prog, description=latents.__doc__, args=arguments)
    try:
        with errors_told(config.out):
            result = latents.run(config)
    except KeyboardInterrupt:
        sys.exit(130)  # As a shell reports Ctrl-C.
    for name, path in result.paths.items():
        print(f"{name:18} {path}")


if __name__ == "__main__":
    main()
