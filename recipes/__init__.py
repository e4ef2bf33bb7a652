"""Recipes: one callable script a system."""

import sys

from recipes import quiet

# As `python -m recipes.dcgan` begins; who imports a recipe sees what Python and TensorFlow show.
if sys.argv[:1] == ["-m"]:
    quiet.begin()
