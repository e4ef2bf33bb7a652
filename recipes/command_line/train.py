"""`kgen train <recipe>`: trains, or goes on with, a recipe's model."""

import argparse
import importlib

from recipes.command_line.list import recipes


def main(arguments):
    """Hands everything after the recipe's name to the recipe."""
    parser = argparse.ArgumentParser(
        "kgen train",
        description=f"{__doc__} `kgen train <recipe> --help` lists its settings.",
    )
    parser.add_argument("recipe", choices=list(recipes()), metavar="recipe", help="see `kgen list`")
    parser.add_argument("settings", nargs=argparse.REMAINDER, help="the recipe's settings")
    chosen = parser.parse_args(arguments)
    recipe = importlib.import_module(f"recipes.{chosen.recipe}")
    training = importlib.import_module("recipes.training")
    training.main(
        recipe.Config, recipe.run, recipe.__doc__, chosen.settings, f"kgen train {chosen.recipe}"
    )
