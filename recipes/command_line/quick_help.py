"""Help within a second: what takes several to import is stood in for while help is printed."""

import contextlib
import importlib.abc
import importlib.machinery
import sys
import types

SLOW = ("keras", "keras_tuner", "kgen", "tensorflow")


def asked_for(arguments):
    """Returns the arguments that print the help of a command, or `None` where none is asked for.

    Only names are left beside `--help`, so that nothing else can happen.
    """
    if not {"-h", "--help"} & set(arguments):
        return None
    names = []
    for argument in arguments:
        if argument.startswith("-"):
            break
        names.append(argument)
    return [*names, "--help"]


@contextlib.contextmanager
def imports_stood_in_for():
    """Context in which recipes are imported without Keras, TensorFlow and kgen's own code.

    Their settings, which are dataclasses, are all that is real in them. Nothing of it is left
    behind. Where Keras has been imported already there is nothing to gain, and all is as it is.
    """
    if "keras" in sys.modules:
        yield
        return
    before = dict(sys.modules)
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - set(before):
            if name.split(".")[0] in (*SLOW, "recipes"):
                parent, _, child = name.rpartition(".")
                if parent in sys.modules:
                    vars(sys.modules[parent]).pop(child, None)
                del sys.modules[name]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in SLOW:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _StandIn(spec.name)

    def exec_module(self, module):
        pass


class _StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return _Anything


class _OfAnything(type):
    """What is done with a name when a recipe is imported leads to the same again."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __call__(cls, *arguments, **settings):
        return cls

    def __iter__(cls):
        return iter(())


class _Anything(Exception, metaclass=_OfAnything):  # noqa: N818  As `except` has to take it.
    pass
