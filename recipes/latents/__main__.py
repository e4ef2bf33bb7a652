"""The command line: `python -m recipes.latents --model runs/vae`."""

import sys

import tyro

from recipes import latents
from recipes.closed_pipe import ends_quietly


@ends_quietly()
def main(arguments=None, prog="python -m recipes.latents"):
    """Writes the pictures; bad input ends in one sentence and exit code 2, Ctrl-C in 130."""
    config = tyro.cli(latents.Config, prog=prog, description=latents.__doc__, args=arguments)
    try:
        result = latents.run(config)
    except BrokenPipeError:
        raise
    except (ValueError, NotImplementedError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)  # As a shell reports Ctrl-C.
    for name, path in result.paths.items():
        print(f"{name:18} {path}")


if __name__ == "__main__":
    main()
