"""The command line: `python -m recipes.benchmark ring --small`."""

import sys

import tyro

from recipes import benchmark
from recipes.closed_pipe import ends_quietly
from recipes.ending import errors_told
from recipes.registry import exit_unless_known

CONFIGS = {entry.name: config for config, entry in benchmark.TABLES.items()}


@ends_quietly()
def main(arguments=None, prog="python -m recipes.benchmark"):
    """Runs a table; bad input ends in one sentence and exit code 2, Ctrl-C in 130.

    A full disk ends it in 4 and the path.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    exit_unless_known("table", arguments, CONFIGS)
    config = tyro.extras.subcommand_cli_from_dict(
        CONFIGS, prog=prog, description=benchmark.__doc__, args=arguments
    )
    try:
        with errors_told(config.out, (ValueError, OSError)):
            result = benchmark.run(config)
    except KeyboardInterrupt:
        print("\nStopped. The same command without --fresh goes on with the trials that are left.")
        sys.exit(130)  # As a shell reports Ctrl-C.
    print()
    for name, path in result.paths.items():
        print(f"{name:12} {path}")


if __name__ == "__main__":
    main()
