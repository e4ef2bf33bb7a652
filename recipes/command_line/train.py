"""`kgen train <recipe>`: trains, or goes on with, a recipe's model."""

import argparse
import importlib

from recipes import registry


def main(arguments):
    """Hands everything after the recipe's name to the recipe.

    Raises:
        ValueError: If there is no such recipe.
    """
    parser = argparse.ArgumentParser(
        "kgen train",
        usage="kgen train <recipe> ...",
        description=f"{__doc__} `kgen train <recipe> --help` lists its settings.",
    )
    parser.add_argument("recipe", metavar="recipe", help="see `kgen list`")
    # What comes after the recipe is for the recipe to understand.
    name = parser.parse_args(arguments[:1]).recipe
    recipe = registry.imported(name)
    training = importlib.import_module("recipes.training")
    training.main(recipe.Config, recipe.run, recipe.__doc__, arguments[1:], f"kgen train {name}")
