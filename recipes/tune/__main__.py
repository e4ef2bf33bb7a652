"""The command line: `python -m recipes.tune dcgan --trials 20`."""

import dataclasses
import sys

import tyro
from keras_tuner.errors import FatalError

from recipes import tune
from recipes.closed_pipe import ends_quietly
from recipes.ending import errors_told
from recipes.registry import exit_unless_known


def config_classes():
    """Returns a dict from the name of each recipe to the class of its search's command line."""
    return {
        name: dataclasses.make_dataclass(
            name,
            [
                (
                    "fixed",
                    searched.recipe.Config,
                    dataclasses.field(default_factory=searched.recipe.Config),
                )
            ],
            bases=(tune.Config,),
            frozen=True,
            namespace={"__doc__": searched.recipe.__doc__},
        )
        for name, searched in tune.RECIPES.items()
    }


def held(arguments):
    """Returns the names of the fields that a command line gives as --fixed.*, in a set."""
    given = [a.removeprefix("--fixed.") for a in arguments if a.startswith("--fixed.")]
    names = {flag.partition("=")[0].replace("-", "_") for flag in given}
    return names | {name.removeprefix("no_") for name in names}  # A bool's --fixed.no-name.


@ends_quietly()
def main(arguments=None, prog="python -m recipes.tune"):
    """Runs a search; bad input ends in one sentence and exit code 2, Ctrl-C in 130."""
    arguments = sys.argv[1:] if arguments is None else arguments
    exit_unless_known("recipe", arguments, tune.RECIPES)
    config = tyro.extras.subcommand_cli_from_dict(
        config_classes(),
        prog=prog,
        description=f"{tune.__doc__}\n\nFields of the recipe that all trials share are --fixed.*",
        args=arguments,
    )
    try:
        with errors_told(config.out, (ValueError, OSError, FatalError)):
            result = tune.run(type(config).__name__, config, config.fixed, held(arguments))
    except KeyboardInterrupt:
        print("\nStopped. The same command without --fresh goes on with the trials that are left.")
        sys.exit(130)  # As a shell reports Ctrl-C.
    for name, path in result.paths.items():
        print(f"{name:12} {path}")
    if result.trials is not None and "best" not in result.paths:
        print("error: no trial has ended well.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
