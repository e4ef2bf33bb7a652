"""`kgen <command> ...`, which is `python -m recipes.command_line <command> ...`."""

import argparse
import contextlib
import importlib
import sys

from recipes import quiet
from recipes.closed_pipe import ends_quietly
from recipes.command_line import quick_help
from recipes.ending import errors_told
from recipes.registry import exit_unless_known

# Each is a module beside this one, imported only when it is asked for: TensorFlow takes seconds.
COMMANDS = {
    "list": "the recipes, and what each trains",
    "train": "train a recipe's model, such as `kgen train dcgan --data photos`",
    "tune": "search for a recipe's settings",
    "sample": "draw images from a trained model into a picture",
    "evaluate": "score a trained model against real images",
    "anomaly": "say which images are unlike those that a model was trained on",
    "export": "write a trained model as the next version of a SavedModel",
    "serve-config": "write what TensorFlow Serving is configured with",
    "benchmark": "run a published table again",
    "cache": "show or clear what is kept because it is slow to compute",
}


class Version(argparse.Action):
    """Prints the versions of kgen and of what it stands on."""

    def __call__(self, parser, namespace, values, option_string=None):
        # Here, for it takes longer than most else of `kgen`; and of what is installed, as to import
        # kgen is to import TensorFlow.
        from importlib.metadata import version

        names = {"kgen": "kgen-keras", "Keras": "keras", "TensorFlow": "tensorflow"}
        found = [f"{name} {version(package)}" for name, package in names.items()]
        print(f"{found[0]} ({', '.join(found[1:])}, Python {sys.version.split()[0]})")
        parser.exit()


@ends_quietly()
def main(arguments=None):
    """Runs a command; bad input ends in one sentence and exit code 2, Ctrl-C in 130.

    A full disk ends it in 4 and the path.
    """
    if arguments is None:  # The process is this command's.
        quiet.begin()
        arguments = sys.argv[1:]
    try:
        with errors_told():
            run(arguments)
    except KeyboardInterrupt:
        sys.exit(130)  # As a shell reports Ctrl-C.


def run(arguments):
    """Runs the command that stands first in a list of arguments."""
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        "kgen",
        usage="kgen <command> ...",
        description="Generative models for Keras.",
        epilog="\n".join(f"  {name:{width}}  {purpose}" for name, purpose in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action=Version, nargs=0, help="print the versions of kgen, Keras, TensorFlow"
    )
    parser.add_argument(
        "command",
        metavar="command",
        help="one of those below; `kgen <command> --help` lists its settings",
    )
    # What comes after the command is for the command to understand.
    command = parser.parse_args(arguments[:1]).command
    exit_unless_known("command", [command], COMMANDS)
    rest = quick_help.asked_for(arguments[1:])
    is_help = rest is not None
    with quick_help.imports_stood_in_for() if is_help else contextlib.nullcontext():
        module = importlib.import_module(f"recipes.command_line.{command.replace('-', '_')}")
        module.main(rest if is_help else arguments[1:])


if __name__ == "__main__":
    main()
