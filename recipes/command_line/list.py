"""`kgen list`: the recipes."""

import argparse
import ast
import pathlib

FOLDER = pathlib.Path(__file__).parent.parent


def main(arguments):
    """Prints each recipe's name and first sentence."""
    argparse.ArgumentParser("kgen list", description=__doc__).parse_args(arguments)
    found = recipes()
    width = max(map(len, found))
    for name, purpose in found.items():
        print(f"{name:{width}}  {purpose}")


def recipes():
    """Returns a dict from the recipes' names to the first lines of their docstrings.

    A recipe is a module with a function `run`. They are read and not imported, which takes seconds.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
        if {"build", "run"} <= set(names):
            found[path.stem] = ast.get_docstring(module).splitlines()[0]
    return found
