"""The command line: `python -m recipes.benchmark ring --small`."""

import sys

import tyro

from recipes import benchmark

CONFIGS = {entry.name: config for config, entry in benchmark.TABLES.items()}


def main(arguments=None, prog="python -m recipes.benchmark"):
    """Runs a table; bad input ends in one sentence and exit code 2, Ctrl-C in 130."""
    config = tyro.extras.subcommand_cli_from_dict(
        CONFIGS, prog=prog, description=benchmark.__doc__, args=arguments
    )
    try:
        result = benchmark.run(config)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nStopped. The same command without --fresh goes on with the trials that are left.")
        sys.exit(130)  # As a shell reports Ctrl-C.
    print()
    for name, path in result.paths.items():
        print(f"{name:12} {path}")


if __name__ == "__main__":
    main()
