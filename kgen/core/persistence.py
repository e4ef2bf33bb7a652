"""What of a model outlives the process: its config, its file, and the random states in it."""

import functools
import inspect
import os

import keras


class Persistence:
    """The part of `GenerativeModel` that saves and loads, and keeps its config true."""

    def compile_from_config(self, config):
        # Keras leaves this to any class with a `compile` of its own.
        self.compile(**keras.saving.deserialize_keras_object(config))

    def save(self, filepath, *args, **kwargs):
        """Writes a `.keras` file, as `keras.Model.save`; the older HDF5 is refused."""
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "`filepath` must end in .keras, received "
                f"{str(filepath)!r}: HDF5 knows nothing of a system's players and random states."
            )
        self.before_use()
        super().save(_at_home(filepath), *args, **kwargs)

    def save_weights(self, filepath, *args, **kwargs):
        """Writes the weights, as `keras.Model.save_weights`."""
        super().save_weights(_at_home(filepath), *args, **kwargs)

    def load_weights(self, filepath, *args, **kwargs):
        """Reads weights, as `keras.Model.load_weights`."""
        super().load_weights(_at_home(filepath), *args, **kwargs)

    def export(self, *args, **kwargs):
        """Is not to be had: `kgen.serving.export` writes what can be served of a system.

        Keras exports the `call` of a model, one function, and a game of players has none.
        """
        raise NotImplementedError(
            f"A {type(self).__name__} has no `call` to export: kgen.serving.export(model, folder) "
            "writes a SavedModel of all that it can do, kgen.serving.export_onnx and export_litert "
            "a file of one ability; and each network of it has a method `export` of its own."
        )

    @property
    def random_states(self):
        """The states of all random generators in the model, those of Dropout layers included."""
        weights = {id(variable) for variable in self.weights}
        return [variable for variable in self.variables if id(variable) not in weights]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for index, state in enumerate(self.random_states):
            store[f"random_state_{index}"] = state.numpy()

    def load_own_variables(self, store):
        names = list(store.keys())  # A store is no dict, though it has keys.
        saved = [name for name in names if name.startswith("random_state_")]
        states = self.random_states
        if len(saved) != len(states):
            raise ValueError(
                f"The file holds {len(saved)} states of random generators, but model "
                f"{self.name!r} has {len(states)}. It was saved from another architecture."
            )
        for index, state in enumerate(states):
            state.assign(store[f"random_state_{index}"])
        super().load_own_variables({n: store[n] for n in names if n not in saved})

    def get_config(self):
        names = [*_arguments_of(type(self)), "seed", *self.__dict__.get("_handed_on", ())]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_config(cls, config):
        return cls(**{name: _revived(value) for name, value in config.items()})

    def __setattr__(self, name, value):
        if self.__dict__.get("_is_made") and name in _all_arguments_of(type(self)):
            before = getattr(self, name, value)
            if value is before or _is_equal(value, before):
                return
            raise ValueError(
                f"`{name}` of this {type(self).__name__} cannot be changed from {before!r} to "
                f"{value!r}: players and graphs are built with the former. Make another model, "
                f"{type(self).__name__}.from_config({{**model.get_config(), {name!r}: ...}}), of "
                "the same networks, and compile again."
            )
        super().__setattr__(name, value)


def _at_home(path):
    """Returns a path in which `~` is the home folder; a file as it is."""
    return os.path.expanduser(path) if isinstance(path, str | os.PathLike) else path


def noted(constructor):
    """Decorator of a constructor: its model knows what went on to others, and when it is made.

    What is given by `**kwargs` goes to a class above, and is as much of the model's config.
    """

    @functools.wraps(constructor)
    def with_notes(self, *args, **kwargs):
        # Past Keras, which keeps account of attributes.
        is_outermost = "_is_made" not in self.__dict__
        if is_outermost:
            handed_on = set(kwargs) - set(_explicit(constructor))
            self.__dict__["_is_made"] = False
            self.__dict__["_handed_on"] = sorted(handed_on & _all_arguments_of(type(self)))
        constructor(self, *args, **kwargs)
        if is_outermost:
            self.__dict__["_is_made"] = True

    return with_notes


@functools.cache
def _arguments_of(kind):
    """The names of the arguments of a class's constructor, which are its config's."""
    return _explicit(kind.__init__)


@functools.cache
def _all_arguments_of(kind):
    """Those, and the names of the arguments of the systems that a class is made of."""
    kinds = [one for one in kind.__mro__ if issubclass(one, Persistence) and one is not Persistence]
    return {name for one in kinds for name in _explicit(one.__init__)}


def _explicit(function):
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind in kinds][1:]


def _is_equal(value, other):
    """Whether two arguments are the same number, word or list."""
    plain = (int, float, str, list, tuple, dict, type(None))
    if not (isinstance(value, plain) and isinstance(other, plain)):
        return False
    return isinstance(value, bool) == isinstance(other, bool) and value == other


def _revived(value):
    """An argument out of a config, which holds networks as they are or serialised."""
    if isinstance(value, keras.layers.Layer):
        return value
    return keras.saving.deserialize_keras_object(value)
