"""A recipe as a `keras_tuner.HyperModel`: its config's fields are the hyperparameters."""

import contextlib
import dataclasses
import math

import keras
import keras_tuner
import numpy as np

from kgen.tuning import execution as executions
from kgen.tuning import recipe as recipes
from kgen.tuning.fields import changed
from kgen.tuning.objectives import checked_objective, metric_of
from kgen.tuning.record import Record
from kgen.tuning.space import NOT_SEARCHED, ON_ONE_DEVICE, checked_space

# What a failed trial scores: so bad as no trial is, finite as KerasTuner's Bayesian search takes
# infinity for 0, and exact in the float32 that its gRPC sends.
WORST = 1e9


class RefusedError(keras_tuner.errors.FailedTrialError, ValueError):
    """Values that the recipe's data or models do not allow, although the field does."""


def hypermodel(recipe, space, config=None, objective=None, seeds=1, epochs=1):
    """Returns the `keras_tuner.HyperModel` of a recipe.

    A trial trains as the recipe does, on its data and from its seed, but writes no pictures and no
    export, and is scored at its end. One that diverges or collapses, as `kgen.callbacks.Doctor`
    sees it, ends there and scores worst: `WORST`, with the sign that is worst. Mistakes, as a bad
    path, are raised at once.

    It goes into any tuner of KerasTuner. `kgen.tuning.tuner` makes one that also goes on where it
    was killed, in the middle of a trial, and whose searches learn of failures.

    Example:
        from recipes import dcgan

        space = {
            "learning_rate": kgen.tuning.Float(1e-4, 1e-2, log=True),
            "filters": [16, 32, 64],
            "loss": "all",
        }
        search = keras_tuner.RandomSearch(
            kgen.tuning.hypermodel(dcgan, space, dcgan.Config(steps=500)),
            objective=kgen.tuning.objective("val_frechet"),
            max_trials=20,
            directory="runs/mine",
        )
        search.search()

    Args:
        recipe: A recipe's module, or any object with a dataclass `Config` and a function
            `build(config, image_shape)` that returns the compiled model. Its data is what
            `kgen.data.load` makes of the config's `data`, `batch_size` and so on, unless it has a
            `FAMILY` as kgen's recipes.
        space: Dict from names of fields to `Float`, `Int`, `Choice`, a list of values, or `"all"`
            for a field that has finitely many, as a bool.
        config: Config of all other fields, `steps` among them, the rounds of a training; `None` for
            the recipe's defaults.
        objective: `kgen.tuning.objective(name)` or the name alone; `None` for that of the tuner.
        seeds: Trainings of each trial, with the config's seed and those that follow it; the
            objective is their mean.
        epochs: Parts that a training is divided into, as Hyperband needs it. One that does not
            divide `steps` makes it up to one round an epoch longer.

    Raises:
        ValueError: If an argument is not of this form, or a range does not fit its field.
    """
    return RecipeHyperModel(recipe, space, config, objective, seeds, epochs)


class RecipeHyperModel(keras_tuner.HyperModel):
    """See `hypermodel`.

    Attributes:
        recipe, config, seeds, epochs: As given, the config made if it was not.
        space: Dict from names of fields to ranges.
        objective: A `keras_tuner.Objective`, or `None`.
    """

    def __init__(self, recipe, space, config=None, objective=None, seeds=1, epochs=1):
        self.config = recipes.checked_recipe(recipe, config)
        self.recipe = recipe
        self.space = checked_space(space, type(self.config))
        self.objective = None if objective is None else checked_objective(objective)
        for name, value in (("seeds", seeds), ("epochs", epochs)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer, received {value!r}.")
        self.seeds, self.epochs = seeds, epochs
        steps = getattr(self.config, "steps", None)
        if not isinstance(steps, int) or steps < epochs:
            raise ValueError(
                f"`config` must have `steps` of at least {epochs}, as many as `epochs`, received "
                f"{steps!r}."
            )
        seed = getattr(self.config, "seed", 0 if seeds == 1 else None)
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise ValueError(
                "`config` must have an integer `seed` of at least 0, the first of the `seeds`, "
                f"received {seed!r}."
            )
        for name in changed(self.config):
            if name in ON_ONE_DEVICE:
                raise ValueError(
                    f"`config` must have the default of `{name}`, as {NOT_SEARCHED[name]}; "
                    f"received {getattr(self.config, name)!r}."
                )
        super().__init__(name=getattr(recipe, "__name__", None))

    @property
    def rounds(self):
        """Rounds of an epoch."""
        return math.ceil(self.config.steps / self.epochs)

    def values(self, hp):
        """Returns a dict from fields to the values that a trial's hyperparameters stand for."""
        drawn = {
            name: given.declare(name, hp, getattr(self.config, name))
            for name, given in self.space.items()
        }
        return {name: self.space[name].value(value) for name, value in drawn.items()}

    def config_of(self, hp, execution=0):
        """Returns the config of a trial's hyperparameters, for one of its seeds."""
        config = dataclasses.replace(self.config, **self.values(hp))
        if self.seeds > 1:
            config = dataclasses.replace(config, seed=self.config.seed + execution)
        return config

    def check_scoring(self, objective, model=None):
        """Raises what scoring a trial would raise of its data and features, before one is trained.

        Args:
            objective: `keras_tuner.Objective`.
            model: One that `build` returned, to be asked as well; `None` for none.

        Raises:
            ValueError: If the objective cannot be had of the recipe's data, or of the model.
        """
        scoring = recipes.evaluation(self.recipe, self.config, metric_of(objective.name))
        if model is None:
            return
        try:
            scoring.check(model)
        except NotImplementedError as error:
            raise ValueError(f"`objective` cannot be {objective.name!r}: {error}") from error

    def build(self, hp):
        with _mistakes_raised():
            return self._made(self.config_of(hp))

    def fit(
        self,
        hp,
        model,
        *args,
        callbacks=(),
        epochs=None,
        initial_epoch=0,
        folder=None,
        keep=False,
        verbose=0,
    ):
        """Trains with each seed and returns the objective's mean, and what else there is to tell.

        Args:
            hp: The trial's hyperparameters.
            model: What `build` returned.
            *args: None: the data is the recipe's.
            callbacks: Those of the tuner.
            epochs: Epochs in all; `None` for the whole training.
            initial_epoch: Of a tuner that has loaded weights itself, the epochs behind them.
            folder: Folder of the trial, for a search that goes on where it was killed.
            keep: Whether to keep the checkpoints there for another trial that goes on with this.
            verbose: Is not used.

        Returns:
            Dict of the objective's mean, its `deviation` over seeds, `failed` (0 or 1) and
            `seconds`.
        """
        with _mistakes_raised():
            if args:
                raise ValueError("search() takes no data, which is the recipe's; received some.")
            found = self._objective(callbacks)
            record = Record(folder, self.values(hp), epochs or self.epochs)
            for number in range(len(record.executions), self.seeds):
                if record.failed:
                    break
                config = self.config_of(hp, number)
                if number:  # The first is built; none where that was trained before.
                    keras.backend.clear_session()
                    model = self._made(config)
                execution = executions.execute(
                    self.recipe,
                    config,
                    model,
                    metric_of(found.name),
                    record.epochs if number else record.epochs - initial_epoch,
                    self.rounds,
                    callbacks,
                    record.checkpoints(number),
                )
                record.add(execution, keep)
            return summary(record.executions, found)

    def _made(self, config):
        try:
            return recipes.build(self.recipe, config, recipes.load(self.recipe, config))
        except ValueError as error:
            # Is it the values that do not go together, or nothing that would ever work?
            try:
                recipes.build(self.recipe, self.config, recipes.load(self.recipe, self.config))
            except ValueError:
                raise error from None
            values = {name: getattr(config, name) for name in self.space}
            raise RefusedError(f"refused {values}: {error}") from error

    def _objective(self, callbacks):
        if self.objective is not None:
            return self.objective
        # KerasTuner's own callback that saves weights knows what the tuner is for.
        given = [getattr(callback, "objective", None) for callback in callbacks]
        return checked_objective(next((o for o in given if o is not None), "val_frechet"))


def summary(executions, objective):
    """Returns what KerasTuner is told of a trial's executions."""
    failed = any(execution.failed for execution in executions)
    scores = [execution.score for execution in executions if execution.score is not None]
    worst = WORST if objective.direction == "min" else -WORST
    return {
        objective.name: worst if failed else float(np.mean(scores)),
        "deviation": float(np.std(scores, ddof=1)) if len(scores) > 1 and not failed else 0.0,
        "failed": float(failed),
        "seconds": float(sum(execution.seconds for execution in executions)),
    }


@contextlib.contextmanager
def _mistakes_raised():
    """Context whose errors leave the search, where KerasTuner goes on with the next trial."""
    try:
        yield
    except (keras_tuner.errors.FatalError, RefusedError):
        raise
    except Exception as error:
        kinds = {
            ValueError: keras_tuner.errors.FatalValueError,
            TypeError: keras_tuner.errors.FatalTypeError,
        }
        kind = next(
            (fatal for cls, fatal in kinds.items() if isinstance(error, cls)),
            keras_tuner.errors.FatalRuntimeError,
        )
        # The message of a KeyError alone, say, tells nothing.
        kind_too = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise kind(f"{kind_too}{error}") from error
