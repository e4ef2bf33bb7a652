"""`kgen list`: the recipes."""

import argparse

from recipes.registry import recipes


def main(arguments):
    """Prints each recipe's name and first sentence."""
    argparse.ArgumentParser("kgen list", description=__doc__).parse_args(arguments)
    found = recipes()
    width = max(map(len, found))
    for name, purpose in found.items():
        print(f"{name:{width}}  {purpose}")
