"""`kgen <command> ...`, which is `python -m recipes.command_line <command> ...`."""

import argparse
import importlib
import sys

# Each is a module beside this one, imported only when it is asked for: TensorFlow takes seconds.
COMMANDS = {
    "list": "the recipes, and what each trains",
    "train": "train a recipe's model, such as `kgen train dcgan --data photos`",
    "tune": "search for a recipe's settings",
    "sample": "draw images from a trained model into a picture",
    "evaluate": "score a trained model against real images",
    "export": "write a trained model as the next version of a SavedModel",
    "serve-config": "write what TensorFlow Serving is configured with",
    "benchmark": "run a published table again",
}


def main(arguments=None):
    """Runs a command; bad input ends in one sentence and exit code 2, Ctrl-C in 130."""
    arguments = sys.argv[1:] if arguments is None else arguments
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        "kgen",
        usage="kgen <command> ...",
        description="Generative models for Keras.",
        epilog="\n".join(f"  {name:{width}}  {purpose}" for name, purpose in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        choices=COMMANDS,
        metavar="command",
        help="one of those below; `kgen <command> --help` lists its settings",
    )
    # What comes after the command is for the command to understand.
    command = parser.parse_args(arguments[:1]).command
    module = importlib.import_module(f"recipes.command_line.{command.replace('-', '_')}")
    try:
        module.main(arguments[1:])
    except (ValueError, NotImplementedError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)  # As a shell reports Ctrl-C.


if __name__ == "__main__":
    main()
