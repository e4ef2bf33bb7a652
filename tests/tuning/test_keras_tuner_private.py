"""Each name of KerasTuner that kgen uses and that is not public is still there, and no other."""

import ast
import importlib.metadata
import inspect

import keras_tuner
import pytest

from kgen.tuning import oracles
from tests.test_architecture import ROOT

# Called, read or replaced in kgen/tuning/oracles.py and tuner.py, by the class that has it.
PRIVATE = {
    keras_tuner.Oracle: (
        "_duplicate", "_get_oracle_fname", "_get_trial_dir", "_project_dir", "_random_values",
        "_retry_queue", "_save_trial",
    ),
    keras_tuner.oracles.HyperbandOracle: (
        "_brackets", "_get_epochs", "_get_size", "_increment_bracket_num", "_start_new_bracket",
    ),
    keras_tuner.oracles.BayesianOptimizationOracle: (
        "_random_populate_space", "_random_state", "_vectorize_trials",
    ),
    keras_tuner.Tuner: ("_get_tuner_fname", "_try_run_and_update_trial"),
}  # fmt: skip
# Without an underscore, and yet nowhere in its documentation.
UNDOCUMENTED = {
    keras_tuner.Oracle: ("ongoing_trials", "start_order", "tuner_ids"),
    keras_tuner.oracles.BayesianOptimizationOracle: ("gpr",),
    keras_tuner.Tuner: ("project_dir", "get_trial_dir", "pre_create_trial"),
}
GIVEN = [
    (owner, name)
    for table in (PRIVATE, UNDOCUMENTED)
    for owner, names in table.items()
    for name in names
]


@pytest.mark.parametrize(("owner", "name"), GIVEN)
def test_keras_tuner_still_has(owner, name):
    # An attribute of instances stands in the code of the class.
    found = hasattr(owner, name) or f"self.{name} = " in "".join(
        inspect.getsource(base) for base in owner.__mro__[:-1]
    )
    version = importlib.metadata.version("keras-tuner")
    assert found, f"keras-tuner {version}: {owner.__name__} has no {name}"


def test_the_list_is_whole():
    used, own = set(), set()
    for path in (ROOT / "kgen" / "tuning").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                (own if isinstance(node.ctx, ast.Store) else used).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.id)
    private = {name for name in used - own if name[0] == "_" and name[:2] != "__"}
    listed = {name for names in PRIVATE.values() for name in names}
    assert private <= listed
    # And nothing stands in it that is used no more.
    assert listed <= used | own


def test_the_versions_allowed_are_those_that_have_them():
    (requirement,) = [
        line for line in importlib.metadata.requires("kgen-keras") if "keras-tuner" in line
    ]
    assert "<1.5" in requirement
    assert issubclass(oracles.HyperbandOracle, keras_tuner.oracles.HyperbandOracle)
