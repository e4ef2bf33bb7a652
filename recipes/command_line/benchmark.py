"""`kgen benchmark <table>`: runs a published table again."""


def main(arguments):
    """Hands everything to `recipes.benchmark`."""
    from recipes.benchmark.__main__ import main as run  # Imports TensorFlow.

    run(arguments, prog="kgen benchmark")
