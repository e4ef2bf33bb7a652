"""The examples in the docstrings run, and say what comes out."""

import doctest
import importlib
import pkgutil

import pytest

import kgen.latent

MODULES = [module.name for module in pkgutil.iter_modules(kgen.latent.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"kgen.latent.{name}")
    assert doctest.testmod(module).failed == 0
