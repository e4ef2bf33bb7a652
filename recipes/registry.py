"""The recipes that kgen has, by name: found without importing them, which takes seconds."""

import ast
import difflib
import importlib
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent


def recipes():
    """Returns a dict from the recipes' names to the first lines of their docstrings.

    A recipe is a module beside this one with the functions `build` and `run`.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
        if {"build", "run"} <= set(names):
            found[path.stem] = ast.get_docstring(module).splitlines()[0]
    return found


def imported(name, argument="recipe"):
    """Returns the module of a recipe; nothing else is ever imported by a name.

    Args:
        name: Name of a recipe, such as `"dcgan"`.
        argument: What the name was given as, for the message.

    Raises:
        ValueError: If kgen has no recipe of that name.
    """
    check_known(argument, name, recipes())
    return importlib.import_module(f"recipes.{name}")


def check_known(argument, name, known):
    """Raises a ValueError unless a name is among those known, and says which it is most like."""
    if name not in known:
        raise ValueError(
            f"{argument}: expected one of {', '.join(known)}, received {name!r}."
            f"{did_you_mean(name, known)}"
        )


def exit_unless_known(argument, arguments, known):
    """Ends the command with 2, and one sentence, where the first of its arguments is no name."""
    if arguments and not arguments[0].startswith("-"):
        try:
            check_known(argument, arguments[0], known)
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)


def did_you_mean(name, known):
    """Returns ` Did you mean 'dcgan'?`, or nothing where no name is like the one given."""
    # As in kgen/suggestion.py, which to import is to import TensorFlow.
    found = difflib.get_close_matches(str(name), known, 1)
    return f" Did you mean {found[0]!r}?" if found else ""
