"""The begin of a script that runs as where neither Keras nor kgen is installed."""

# They are found, as TensorFlow looks for them, but cannot be imported.
WITHOUT_KERAS = """
import importlib.abc
import importlib.machinery
import sys


class Blocker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras", "kgen", "tf_keras"):
            return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        raise ImportError(f"{spec.name} is blocked")

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Blocker())
"""
