"""Checks that every generative model should pass; each is a function `(make, batch)`.

`make` returns a new, uncompiled model, the same each time for one `keras.utils.set_random_seed`;
`batch` is what one round takes: an array, or `(x, y)` where the model uses targets. Each raises an
AssertionError that says what is wrong.

Tracing a training takes far longer than its few rounds do. So the checks of one `make` share a
model that was trained once, which they leave as it was; and where no graph is what is checked,
others train eagerly.
"""

import inspect
import json
import tempfile
import warnings

import keras
import numpy as np
from keras import ops

import kgen.serving
from kgen.core import engine
from kgen.core.precision import dtype_policy
from kgen.distribution import synchronize_batch_norm
from kgen.serving.abilities import abilities_of, concrete
from kgen.testing import shared
from kgen.testing.given import arrays_of, asked_of, encodable, rows_of, scorable, translatable


def check_fit_is_finite(make, batch):
    """Losses and weights are finite after some rounds, and the logs name every player's loss."""
    model, history = shared.trained(make, batch)
    players = [p.name for p in model.players]
    losses = ["loss"] if len(players) == 1 else [f"{name}_loss" for name in players]
    assert set(losses) <= set(history), f"expected the logs {losses}, found {list(history)}"
    _assert_finite(model, history)


def check_config_round_trip(make, batch):
    """A model made anew from its config, as a file holds it, has the same config and variables."""
    (model, _), again = shared.trained(make, batch), shared.loaded(make, batch)
    expected, found = (json.dumps(keras.saving.serialize_keras_object(m)) for m in (model, again))
    assert found == expected, "the config changed"
    assert _shapes(again) == _shapes(model), "the variables' shapes changed"


def check_init_stores_arguments(make, batch):
    """Every argument of `__init__` is an attribute of the same name, and in the config."""
    model, _ = shared.trained(make, batch)
    parameters = inspect.signature(type(model).__init__).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [p.name for p in parameters if p.kind in kinds][1:]
    missing = [name for name in names if not hasattr(model, name)]
    assert not missing, f"no attribute for the arguments {missing}"
    assert set(names) <= set(model.get_config()), "an argument is not in the config"


def check_loss_falls_on_one_batch(make, batch):
    """Each player, moving alone on one batch with the same noise, makes its own loss smaller."""
    for name, (_, (before, after)) in shared.moves(make, batch).items():
        assert after < before, f"the loss of {name!r} went from {before} to {after} on one batch"


def check_players_move_only_their_own(make, batch):
    """A player's turn changes its own trainable variables and nobody else's."""
    for name, ((own, others), _) in shared.moves(make, batch).items():
        assert own, f"the turn of {name!r} changed nothing"
        assert not others, f"the turn of {name!r} changed the variables {others}"


def check_every_variable_has_an_owner(make, batch):
    """Every trainable variable of the model belongs to a player."""
    model, _ = shared.trained(make, batch)
    owned = {id(v) for player in model.players for v in player.variables}
    orphans = [v.path for v in model.trainable_variables if id(v) not in owned]
    assert not orphans, f"no player moves the variables {orphans}"


def check_evaluate_changes_nothing(make, batch):
    """`evaluate` gives the same finite numbers twice and changes no state at all."""
    model, _ = shared.trained(make, batch)
    before = _state(model)
    first, second = (
        model.evaluate(*arrays_of(batch), batch_size=rows_of(batch), verbose=0, return_dict=True)
        for _ in range(2)
    )
    assert first == second, f"two evaluations differ: {first} and {second}"
    assert np.all(np.isfinite(list(first.values()))), f"not finite: {first}"
    _assert_same_state(before, _state(model), "evaluate changed a variable")


def check_loaded_model_predicts_the_same(make, batch):
    """A model saved to a `.keras` file and loaded has the same weights and outputs."""
    (model, _), loaded = shared.trained(make, batch), shared.loaded(make, batch)
    _assert_same_state(_state(model), _state(loaded), "saving changed a variable")
    if hasattr(model, "draw_latents"):
        np.testing.assert_array_equal(model.sample(3, seed=1), loaded.sample(3, seed=1))
    if hasattr(model, "translate_step"):
        for direction, images in translatable(model, batch).items():
            np.testing.assert_array_equal(
                model.translate(images, direction, seed=1),
                loaded.translate(images, direction, seed=1),
            )
    for name in {"encode", "reconstruct"}.intersection(model.abilities):
        given = encodable(model, batch)
        np.testing.assert_array_equal(getattr(model, name)(**given), getattr(loaded, name)(**given))
    if "score" in model.abilities:
        for domain, (images, given) in scorable(model, batch).items():
            np.testing.assert_array_equal(
                model.score(images, **given, domain=domain),
                loaded.score(images, **given, domain=domain),
            )


def check_xla_matches_graph_mode(make, batch):
    """With and without XLA, training from the same start ends at the same weights, to 1e-4."""
    without, _ = shared.trained(make, batch)
    xla = shared.compiled(make, jit_compile=True)
    shared.fit(xla, batch)
    _assert_close(without, xla, 1e-4)


def check_mixed_float16_is_finite(make, batch):
    """Trains in float16 with one loss scale a player; losses and weights stay finite."""
    model = _check_precision(make, batch, "mixed_float16", run_eagerly=True)
    scaled = model.optimizer.by_player.values()
    assert all(isinstance(o, keras.optimizers.LossScaleOptimizer) for o in scaled), (
        "a player's optimizer does not scale its loss"
    )


def check_mixed_bfloat16_is_finite(make, batch):
    """Trains in bfloat16, as a graph; losses and weights stay finite."""
    _check_precision(make, batch, "mixed_bfloat16")


def check_steps_per_execution(make, batch):
    """Several rounds in one execution end at the same weights as one by one."""
    one, _ = shared.trained(make, batch)
    several = shared.compiled(make, steps_per_execution=2, jit_compile=False)
    shared.fit(several, batch)
    _assert_close(one, several, 1e-6)


def check_two_replicas_match_one(make, batch):
    """Two devices sharing the batch end at the same weights and logs as one, to 1e-5.

    Batch norms are synchronised. Needs two logical CPU devices (see `check_generative_model`).
    """
    one, logs_of_one = shared.trained(make, batch)
    with engine.mirrored(2).scope():
        two = shared.compiled(make)
        synchronize_batch_norm(two)
    logs_of_two = shared.fit(two, batch)
    _assert_close(one, two, 1e-5)
    for name, values in logs_of_one.items():
        np.testing.assert_allclose(values, logs_of_two[name], rtol=1e-3, atol=1e-4, err_msg=name)


def check_sample(make, batch):
    """Samples have the data's shape and range; a seed decides them, whatever the batch size."""
    model, _ = shared.trained(make, batch)
    if not hasattr(model, "draw_latents"):
        return
    before = _state(model)
    images = model.sample(5, seed=3)
    assert images.shape == (5, *arrays_of(batch)[0].shape[1:]), f"the shape is {images.shape}"
    assert images.dtype == np.float32, f"the type is {images.dtype}"
    assert np.abs(images).max() <= 1.0, "values leave [-1, 1]"
    np.testing.assert_array_equal(images, model.sample(5, seed=3))
    np.testing.assert_allclose(images, model.sample(5, seed=3, batch_size=2), atol=1e-5)
    np.testing.assert_allclose(images[:2], model.sample(2, seed=3), atol=1e-5)
    assert not np.allclose(images, model.sample(5, seed=4)), "another seed gives the same images"
    assert not np.allclose(model.sample(5), model.sample(5)), "without seed, images repeat"
    _assert_same_state(before, _state(model), "sampling changed a variable")


def check_sample_of_a_class(make, batch):
    """Labels decide the class and nothing else, and are checked; without them they are drawn."""
    model, _ = shared.trained(make, batch)
    if model.classes is None:
        return
    last = model.classes - 1
    rows = [model.latents(6, seed=1, labels=labels) for labels in (0, last, [0, last] * 3)]
    np.testing.assert_array_equal(rows[2][::2], rows[0][::2])
    np.testing.assert_array_equal(rows[2][1::2], rows[1][1::2])
    assert not np.array_equal(rows[0], rows[1]), "labels change nothing in the latents"
    assert not np.allclose(*map(model.decode, rows[:2])), "labels change nothing in the images"
    if model.uses_targets:
        assert shared.labels_count(make, batch), "labels change nothing in any player's loss"
    images = model.sample(6, seed=1, labels=[0, last] * 3)
    np.testing.assert_allclose(images, model.decode(rows[2]), atol=1e-5)
    drawn = model.latents(50 * model.classes, seed=1)
    assert len(np.unique(drawn, axis=0)) == len(drawn), "latents repeat"
    for wrong in (model.classes, -1, [0, 1], 0.5):
        try:
            model.sample(6, labels=wrong)
        except ValueError as error:
            assert "`labels`" in str(error), f"the error does not name `labels`: {error}"
        else:
            raise AssertionError(f"labels={wrong!r} were taken")


def check_translate(make, batch):
    """Translations are finite images in [-1, 1], the same each time, whatever the batch size."""
    model, _ = shared.trained(make, batch)
    if not hasattr(model, "translate_step"):
        return
    for direction, images in translatable(model, batch).items():
        out = model.translate(images, direction)
        assert out.dtype == np.float32 and len(out) == len(images), f"{out.dtype}, {out.shape}"
        assert np.abs(out).max() <= 1.0, "values leave [-1, 1]"
        np.testing.assert_array_equal(out, model.translate(images, direction))
        np.testing.assert_allclose(out, model.translate(images, direction, batch_size=3), atol=1e-5)
        noisy = model.translate(images, direction, seed=1)
        np.testing.assert_array_equal(noisy, model.translate(images, direction, seed=1))
        differs = not np.allclose(noisy, model.translate(images, direction, seed=2))
        assert differs == model.has_translation_noise, "`has_translation_noise` is not true"


def check_encode(make, batch):
    """Codes and reconstructions are finite, of an image alone, and labels are asked for."""
    model, _ = shared.trained(make, batch)
    for name in ("encode", "reconstruct"):
        if name not in model.abilities:
            continue
        method, given = getattr(model, name), encodable(model, batch)
        rows = method(**given)
        assert rows.dtype == np.float32 and len(rows) == rows_of(batch), (
            f"{rows.dtype}, {rows.shape}"
        )
        assert np.isfinite(rows).all(), f"`{name}` gives numbers that are not finite"
        np.testing.assert_allclose(method(**given, batch_size=3), rows, rtol=1e-4, atol=1e-5)
        wrong = {"images": given["images"], **({} if model.encoded_with else {"labels": 0})}
        try:
            method(**wrong)
        except ValueError as error:
            assert "`labels`" in str(error), f"the error does not name `labels`: {error}"
        else:
            raise AssertionError(f"`{name}` of {sorted(wrong)} was taken")


def check_score(make, batch):
    """Logits are finite, those of an image alone, and what they are judged with is asked for."""
    model, _ = shared.trained(make, batch)
    if "score" not in model.abilities:
        return
    for domain, (images, given) in scorable(model, batch).items():
        logits = model.score(images, **given, domain=domain)
        assert logits.dtype == np.float32 and len(logits) == len(images), f"{logits.shape}"
        assert np.isfinite(logits).all(), "a logit is not finite"
        again = model.score(images, **given, domain=domain, batch_size=3)
        np.testing.assert_allclose(again, logits, rtol=1e-4, atol=1e-5)
    if model.scored_with == "labels":
        others = (np.asarray(given["labels"]) + 1) % model.classes
        assert not np.array_equal(model.score(images, labels=others, domain=domain), logits), (
            "labels change nothing in the logits"
        )
    wrong = {} if model.scored_with else {"labels": 0}
    try:
        model.score(images, **wrong)
    except ValueError as error:
        assert f"`{model.scored_with or 'labels'}`" in str(error), f"the error is {error}"
    else:
        raise AssertionError(f"score(images, **{wrong}) was taken")


def check_abilities_are_graphs(make, batch):
    """What an export traces, each ability on rows of any number, gives what the model gives."""
    model, _ = shared.trained(make, batch)
    try:
        abilities = {ability.name: ability for ability in abilities_of(model)}
    except NotImplementedError:
        return
    asked = [row for row in asked_of(model, batch) if row[0] != "serving_default"]
    for name, inputs, expected in asked:
        specs = abilities[name].inputs
        given = [np.asarray(inputs[s.name], s.dtype.as_numpy_dtype) for s in specs]
        found = concrete(abilities[name].function, specs)(*map(ops.convert_to_tensor, given))
        _assert_served(found, expected, name)
    untold = {name for name in abilities if not name.endswith("_noisy")}
    untold -= {name for name, *_ in asked}
    assert not untold, f"the abilities {untold} are of nothing that the model can do"


def check_export_round_trip(make, batch):
    """An exported model gives what the model gives, to 1e-5, by every signature."""
    model, _ = shared.trained(make, batch)
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = kgen.serving.export(model, folder)
        except NotImplementedError:
            return
        served = kgen.serving.load(path)
        asked = list(asked_of(model, batch))
        names = {name for name in served if not name.endswith(("_uint8", "_bytes", "_noisy"))}
        untold = names - {name for name, *_ in asked} - {"serving_default"}
        assert not untold, f"the signatures {untold} are of nothing that the model can do"
        for name, inputs, expected in asked:
            (found,) = served[name](**inputs).values()
            _assert_served(found, expected, name)


def check_loaded_model_continues_identically(make, batch):
    """Training a loaded model goes on bit for bit as the saved one's, random draws included."""
    pair = shared.trained(make, batch)[0], shared.loaded(make, batch)
    with shared.restored(*pair):
        for model in pair:
            model.run_eagerly, model.train_function = True, None
            try:
                shared.fit(model, batch, rounds=2)
            finally:
                model.run_eagerly, model.train_function = False, None
        _assert_same_state(*map(_state, pair), "the loaded model went another way")


CHECKS = {
    name.removeprefix("check_"): check
    for name, check in list(globals().items())
    if name.startswith("check_")
}


def check_generative_model(make, batch, skip=()):
    """Runs all checks of this file.

    One of them, `two_replicas_match_one`, needs two logical CPU devices. They are made here unless
    TensorFlow has computed something in this process, such as by making a model or a dataset: then
    a warning says that the check was left out.

    Example:
        def make():
            return MyModel(my_generator(), my_discriminator(), seed=0)

        kgen.testing.check_generative_model(make, np.zeros((8, 28, 28, 1), "float32"))

    Args:
        make: Function that returns a new, uncompiled model.
        batch: What one round takes: a float32 array of images in [-1, 1]; or, where the model uses
            targets, `(x, y)`, y being labels or images.
        skip: Names of checks to leave out, such as `["two_replicas_match_one"]`.

    Raises:
        AssertionError: If a check fails, naming it.
        ValueError: If `skip` names no check.
    """
    if unknown := sorted(set(skip) - set(CHECKS)):
        raise ValueError(f"`skip` must name checks of {sorted(CHECKS)}, received {unknown}.")
    skip = {*skip, *_needing_devices()}
    shared.forget()  # `make` may make something else by now.
    try:
        for name, check in CHECKS.items():
            if name in skip:
                continue
            try:
                check(make, batch)
            except Exception as error:
                raise AssertionError(f"The check {name!r} failed: {error}") from error
    finally:
        shared.forget()


def _needing_devices():
    """The check that this process has too few devices for, if it has, with a warning."""
    try:
        engine.mirrored(2)
    except ValueError as error:
        warnings.warn(
            "The check 'two_replicas_match_one' is left out: TensorFlow has been used in this "
            "process already, with one CPU device. Call check_generative_model before anything "
            f"is computed, or make the devices first ({error})",
            stacklevel=3,
        )
        return ["two_replicas_match_one"]
    return []


def _check_precision(make, batch, policy, **kwargs):
    with dtype_policy(policy):
        model = shared.compiled(make, keras.optimizers.Adam, **kwargs)
        _assert_finite(model, shared.fit(model, batch, rounds=2))
        return model


def _shapes(model):
    return [tuple(v.shape) for v in model.variables]


def _state(model):
    return {
        f"{group} {index} {v.path}": v.numpy()
        for group, variables in (("model", model.variables), ("opt", model.optimizer.variables))
        for index, v in enumerate(variables)
    }


def _assert_same_state(expected, found, message):
    pairs = zip(expected.items(), found.values(), strict=True)
    differing = [name for (name, a), b in pairs if not np.array_equal(a, b)]
    assert not differing, f"{message}: {differing}"


def _assert_close(one, other, tolerance):
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), tolerance, tolerance, err_msg=a.path)


def _assert_served(found, expected, name):
    # What networks begin with may be far smaller than images get to be.
    tolerance = 1e-5 * min(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, 1e-5, tolerance, err_msg=name)


def _assert_finite(model, history):
    assert np.all(np.isfinite(list(history.values()))), f"a loss is not finite: {history}"
    broken = [v.path for v in model.weights if not np.all(np.isfinite(v.numpy()))]
    assert not broken, f"the weights {broken} are not finite"
