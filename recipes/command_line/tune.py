"""`kgen tune <recipe>`: searches for a recipe's settings."""


def main(arguments):
    """Hands everything to `recipes.tune`."""
    from recipes.tune.__main__ import main as run  # Imports TensorFlow.

    run(arguments, prog="kgen tune")
