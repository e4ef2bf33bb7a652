"""Each name of Keras that is not public is still there, and kgen uses it in one file alone."""

import ast
import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import kgen
from kgen.core import keras_private
from tests.test_architecture import FILES, ROOT, imports


def graph():
    images = keras.Input((3,))
    return images, keras.layers.Dense(2)(images)


def built_adam():
    adam = keras.optimizers.Adam(0.5)
    adam.build([keras.Variable(np.zeros(2, "float32"))])
    return adam


# Where Keras has the names of kgen/core/keras_private.py.
OWNERS = {
    "_flatten_layers": keras.Layer,
    "_global_test_batch": keras.callbacks.TensorBoard,
    "_global_train_batch": keras.callbacks.TensorBoard,
    "_inbound_nodes": lambda: graph()[1]._keras_history[0],
    "_keras_history": lambda: graph()[1],
    "_learning_rate": built_adam,
    "_maybe_symbolic_build": keras.Model,
    "_model": keras.callbacks.Callback,
    "_trainable_variables": built_adam,
    "_variables": built_adam,
}


def private_names(path):
    """The names with an underscore in front that a file asks others' objects for, or gives them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value if node.value.isidentifier() else ""


def names_in(path):
    return {name for name in private_names(path) if name[:1] == "_" and name[:2] != "__"}


def test_all_names_are_asked_for():
    assert names_in(ROOT / "kgen/core/keras_private.py") == set(OWNERS)


@pytest.mark.parametrize("name", OWNERS)
def test_keras_still_has(name):
    owner = OWNERS[name]()
    assert hasattr(owner, name), f"Keras {keras.__version__}: {type(owner).__name__} has no {name}"


def test_what_they_are_used_for():
    images, outputs = graph()
    layer, inputs, made = keras_private.call_of(outputs)
    assert isinstance(layer, keras.layers.Dense) and inputs == [images] and made == [outputs]
    network = keras.Sequential([keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])])
    assert keras.layers.Dense in map(type, keras_private.flatten_layers(network))
    adam = built_adam()
    assert float(keras_private.learning_rate_of(adam)) == 0.5
    assert [v.shape for v in keras_private.trained_by(adam)] == [(2,)]
    assert keras_private.own_variables(adam) == adam.variables
    keras.utils.set_random_seed(0)
    before = np.array(keras_private.global_seed_state())
    keras.random.normal(())
    assert (np.array(keras_private.global_seed_state()) != before).any()


def test_no_other_file_knows_them():
    """Nor any other name of Keras that is not public, unless kgen has one that is the same."""
    files = [path for path in FILES if path.name != "keras_private.py"]
    defined = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                defined.add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.add(node.id)
    for path in files:
        assert not [name for name in imports(path) if name.startswith("keras.src")], path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr[0] == "_" and node.attr[1] != "_":
                is_tuners = path.parent.name == "tuning"  # Whose list is another.
                assert node.attr in defined or is_tuners, f"{path} asks for {node.attr}"


def test_no_other_class_stands_in_for_one_of_keras():
    for module in pkgutil.walk_packages(kgen.__path__, "kgen."):
        if module.name.startswith(("kgen.tuning", "kgen.core.keras_private")):
            continue
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if cls.__module__ != module.name:
                continue
            of_keras = [base for base in cls.__mro__ if base.__module__.startswith("keras.")]
            own = {name for name in vars(cls) if name[0] == "_" and name[:2] != "__"}
            known = {name for base in of_keras for name in vars(base)}
            assert not own & known, f"{cls} defines {own & known}"
