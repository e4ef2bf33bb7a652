"""What all recipes share: the fields of their configs, the run and the command line."""

import contextlib
import dataclasses
import json
import math
import sys
from collections.abc import Callable
from typing import Literal

import keras
import tyro

import kgen.callbacks
import kgen.data
import kgen.distribution
import kgen.metrics
import kgen.serving
from kgen.callbacks.best_effort import best_effort
from kgen.core import engine
from kgen.core.owner import owned
from kgen.core.precision import dtype_policy
from kgen.core.whole_file import is_disk_full
from recipes import config_file, run_data, run_folder
from recipes.closed_pipe import ends_quietly
from recipes.ending import at_sigterm, leave
from recipes.finish import finish


@dataclasses.dataclass(frozen=True)
class Config:
    """The fields that all recipes share."""

    data: str = "mnist5k"
    """Training images: mnist5k (28 x 28 digits), digits (8 x 8), photos, tfds:<name>, a folder, an
    .npy or .npz file; whatever `kgen.data.load` takes."""
    image_size: int | tuple[int, int] | None = None
    """Pixels to scale images to: one number for squares, or height and width; None for the data's
    own size."""
    split: Literal["train", "train+validation"] = "train"
    """Images to train on. Those of validation are what `val_*` and `evaluate` measure, and what a
    model is chosen by; the last of all trainings may see them, too. None sees those of test, which
    reports are of."""
    follow_links: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether symbolic links are followed out of a folder of images."""
    augmentations: list[Literal["flip", "crop", "shift"]] = dataclasses.field(default_factory=list)
    """Random changes of the training images."""
    on_bad_file: Literal["error", "skip"] = "error"
    """What to do about an image file that cannot be read: stop, or leave it out and say so."""
    batch_size: int = 64
    """Images of one update, those of all replicas together."""
    steps: int = 2000
    """Length of the training in rounds, in each of which every player has its turn. With more than
    a run has had, also one that is finished, it is trained on."""
    seed: int = 0
    """Seed of the weights, the random draws and the order of the data."""
    out: str = "runs"
    """Folder of the run: pictures, logs, checkpoints, the model; a run goes on where it stopped."""
    fresh: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether to start over: removes what an earlier run has left in the folder."""
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    """Precision of the computations; weights are float32 in all."""
    jit: Literal["auto", "on", "off"] = "auto"
    """Whether to compile with XLA; auto: on a GPU only."""
    strategy: Literal["none", "mirrored", "multiworker"] = "none"
    """Devices that share each batch: one; those of this host; those of all hosts in TF_CONFIG, on
    each of which the same command has to run, with one folder that all of them see."""
    replicas: int | None = None
    """Devices of this host; None for all GPUs, and where there are none 2 parts of the CPU."""
    sync_batch_norm: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether batch norm takes the rows of all replicas together, and not each its own."""
    export: str = "auto"
    """Folder that gets the SavedModel as <export>/<version>/; auto: saved_models/<name>, which is
    that of the run's folder; none for no export."""
    new_architecture: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether the SavedModel may follow versions of another architecture in that folder."""
    sample_every: int = 250
    """Rounds between two pictures of samples."""
    log_every: int = 50
    """Rounds between two rows of history.csv, each the mean over them."""
    checkpoint_every: int = 250
    """Rounds between two checkpoints; a run that was killed repeats what came after the last."""
    doctor: Literal["off", "warn", "stop", "rollback"] = "warn"
    """What to do when the training is seen to fail: warn of it, stop, or go back to the last good
    weights with a smaller learning rate."""
    evaluate: list[str] = dataclasses.field(default_factory=list)
    """Metrics to score the samples by as training goes on, such as frechet precision recall; into
    history.csv and scores.jsonl, and the best model by the first one into best.keras."""
    evaluate_every: int = 500
    """Rounds between two evaluations; a multiple of log_every."""
    extractor: Literal["digits", "random", "inception"] | None = None
    """Network whose features metrics compare; None for digits with the sets of digits, and random
    with all others."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run returns.

    Attributes:
        model: The trained `kgen.GenerativeModel`.
        history: Dict from a log's name to its values, one for every `log_every` rounds.
        paths: Where the files are, a `recipes.run_folder.Paths`.
    """

    model: keras.Model
    history: dict
    paths: run_folder.Paths


def images_alone(config, batch_size):
    """The training images, as a stream of batches."""
    return kgen.data.load(config.data, batch_size=batch_size, **stream_settings(config))


def stream_settings(config):
    """The arguments of `kgen.data.load`, `pairs` and `unpaired` that are fields of all recipes."""
    return {
        "split": config.split,
        "image_size": config.image_size,
        "seed": config.seed,
        "on_bad_file": config.on_bad_file,
        "follow_links": config.follow_links,
        "augmentations": config.augmentations or None,
    }


def held_out_images(config, split="validation", labels=False, limit=None):
    """Images that are not trained on, in order, as a stream of batches; with labels, of pairs.

    Args:
        config: The recipe's config.
        split: `"validation"`, or of the report's `"test"`.
        labels: Whether to yield labels, too.
        limit: Most images to take, as of `kgen.data.in_order`; `None` for all.
    """
    return kgen.data.in_order(
        config.data,
        config.image_size,
        config.batch_size,
        split,
        labels=labels,
        on_bad_file=config.on_bad_file,
        follow_links=config.follow_links,
        limit=limit,
    )


def split_to_show(config):
    """The split of the images in pictures while it trains: nothing is chosen by them."""
    return "validation" if config.split == "train" else "test"


def sample_pictures(config, paths):
    """The callback that writes pictures of samples."""
    return kgen.callbacks.SampleGrid(paths.samples, config.sample_every)


def sample_evaluation(config, split="validation"):
    """The `Evaluation` of samples that the config asks for."""
    return kgen.metrics.Evaluation(
        config.data,
        config.evaluate,
        config.extractor,
        split=split,
        image_size=config.image_size,
        on_bad_file=config.on_bad_file,
        follow_links=config.follow_links,
    )


@dataclasses.dataclass(frozen=True)
class Family:
    """What recipes of one family do in another way than those of others.

    Attributes:
        load: Function `(config, batch_size)` that returns the stream of a training's batches.
        pictures: Function `(config, paths)` that returns the callback of pictures while it trains.
        evaluation: Function `(config, split="validation")` that returns what scores the model for
            `config.evaluate`, on images of a split.
        report: Function `(config, model, folder)` that writes pictures and numbers of the trained
            model into a folder, or `None`.
        updates: Function `(config)` that returns how many updates of a round have batches of their
            own.
        held_out: Function `(config)` that returns the stream to evaluate on at each row of the
            history, of the validation split, or `None`.
    """

    load: Callable = images_alone
    pictures: Callable = sample_pictures
    evaluation: Callable = sample_evaluation
    report: Callable | None = None
    updates: Callable = lambda config: 1
    held_out: Callable | None = None


def train(config, build, family=Family()):
    """Trains a recipe's model and writes everything that a run leaves behind.

    Called again it goes on where it stopped, and with a finished run returns what that has left.

    Args:
        config: The recipe's config.
        build: Function `(config, image_shape)` that returns the compiled model; of inputs and
            targets it is given both shapes.
        family: The recipe's `Family`.

    Returns:
        A `Result`.

    Raises:
        ValueError: If the config or the data is not as described in `Config`, or the folder holds a
            run of another config, is another process's (a `kgen.core.owner.FolderInUseError`), or
            is to be cleared and cannot be.
        OSError: If a file cannot be written that the run cannot do without: the model, the export.
        KeyboardInterrupt: On Ctrl-C, after a checkpoint was written.
        kgen.distribution.WorkerLostError: If another host of the training is gone.
    """
    _check(config)
    paths = run_folder.paths(config.out)
    if not config.fresh:
        run_folder.check_config(paths, config, may_be_longer=True)
        run_folder.check_recipe(paths, _recipe(type(config)))
        # One that is to be longer goes on after its last checkpoint.
        result = None if run_folder.is_longer(paths, config) else _finished(paths)
        if result is not None:
            print(
                f"{config.out} has finished its {config.steps} rounds; more --steps train on, "
                "--fresh starts over."
            )
            run_data.warn_if_changed(paths, run_folder.as_json(config))
            return result
    strategy = kgen.distribution.strategy(config.strategy, config.replicas)
    is_chief = kgen.distribution.is_chief(strategy)
    if config.batch_size % strategy.num_replicas_in_sync:
        raise ValueError(
            "`batch_size` is that of all replicas together: it must be divisible by the "
            f"{strategy.num_replicas_in_sync} there are, received {config.batch_size}."
        )
    with owned(paths.config.parent) if is_chief else contextlib.nullcontext():
        return _train(config, build, family, paths, strategy)


def _train(config, build, family, paths, strategy):
    """Trains in a folder that is this process's, or of several hosts the chief's."""
    is_chief = kgen.distribution.is_chief(strategy)
    keras.utils.set_random_seed(config.seed)
    with dtype_policy(config.precision):
        batch_size = config.batch_size * family.updates(config)
        stream = family.load(config, batch_size)
        watches = family.held_out is not None and config.split == "train"
        held_out = family.held_out(config) if watches else None
        scoring = _scoring(config, paths, family)
        with strategy.scope():
            model = build(config, *_image_shapes(stream, config.data))
        if config.export == "auto":
            run_folder.check_default_export(config.out)
        if run_folder.export_folder(config) is not None and not config.new_architecture:
            kgen.serving.check_architecture(model, run_folder.export_folder(config))
        if config.sync_batch_norm:
            kgen.distribution.synchronize_batch_norm(model)
        if config.fresh and is_chief:  # Nothing is removed before all new has proved right.
            run_folder.clear(paths)
        # The chief's word, for which the others wait before they look for checkpoints.
        longer = run_folder.is_longer(paths, config) if is_chief else None
        longer = json.loads(kgen.distribution.told_by_chief(strategy, json.dumps(longer)))
        if not longer:
            _claim(config, paths, strategy)
        if is_chief:
            names = kgen.data.class_names(config.data, config.follow_links)
            has_classes = names is not None and len(names) == getattr(model, "classes", None)
            run_data.remember(paths, config, names if has_classes else None)
        # What a user changes is refused above: what is left is what another version has made of it.
        checkpoint = kgen.callbacks.Checkpoint(
            paths.checkpoints, config.checkpoint_every, changes="accept"
        )
        logs = _logs(paths) if is_chief else []
        try:
            history = model.fit(
                stream,
                # Each has a round at least, also the one that a shorter run was cut short in.
                epochs=config.steps,
                steps_per_epoch=config.log_every,
                validation_data=held_out,
                verbose=0,
                callbacks=[
                    *([_claiming(config, paths, strategy)] if longer else []),
                    *scoring,
                    kgen.callbacks.Throughput(batch_size),
                    # Before what ends with the training.
                    kgen.callbacks.StopAfter(config.steps),
                    *_doctor(config),
                    *logs,
                    kgen.callbacks.ProgressBar(config.steps),
                    family.pictures(config, paths),
                    checkpoint,
                ],
            ).history
        except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or SIGTERM of a command.
            command = "The same command without --fresh" if config.fresh else "The same command"
            if is_chief:
                print(
                    f"\nStopped. {command} goes on after round {checkpoint.newest_round} of "
                    f"{config.steps}; --fresh starts over."
                )
            raise
        finally:
            _close(logs)
        if is_chief:
            paths = finish(config, model, paths, family, _recipe(type(config)))
        # The run is finished, whatever has become of those that waited.
        lost = kgen.distribution.WorkerLostError if is_chief else ()
        with contextlib.suppress(lost):
            kgen.distribution.wait_for_all(strategy)
        return Result(model, history, paths)


def _claim(config, paths, strategy):
    """Has the folder be that of a training to come; of several hosts all have to be given it."""
    if kgen.distribution.is_chief(strategy):
        run_folder.reopen(paths)
        run_folder.claim(paths, config)
    kgen.distribution.wait_for_all(strategy)
    run_folder.check_config(paths, config)  # The others have been given the chief's.


def _claiming(*arguments):
    """Callback that claims the folder of a finished run as it goes on.

    Up to then it is what it was: where no checkpoint can be restored, the run stays finished.
    """
    return keras.callbacks.LambdaCallback(on_train_begin=lambda logs: _claim(*arguments))


def _logs(paths):
    """The callbacks that write the logs to files."""
    return [
        best_effort(keras.callbacks.CSVLogger(paths.history)),
        best_effort(keras.callbacks.TensorBoard(paths.tensorboard, write_graph=False)),
    ]


def _close(logs):
    """Closes the files that Keras' callbacks leave open where a training has raised."""
    for callback in logs:
        if getattr(callback, "csv_file", None) is not None:
            with contextlib.suppress(OSError):  # The disk may be full, which was warned of.
                callback.csv_file.close()


def write_scores(folder, scores, model):
    """Prints scores and writes them to `scores.jsonl` of a report's folder."""
    for name, score in scores.items():
        print(f"{name}: {score}")
    path = folder / "scores.jsonl"
    path.unlink(missing_ok=True)
    kgen.metrics.append_scores(path, scores, round=model.rounds_played)


def _finished(paths):
    """The `Result` of a finished run; `None` if there is none or its files cannot be read."""
    found = run_folder.finished(paths)
    if found is None:
        return None
    try:
        return Result(keras.models.load_model(paths.model), *found)
    except Exception as error:  # Keras raises whatever the file has it come across.
        print(f"{paths.model} cannot be read ({error}) and is made again.")
        return None


def compile_with_adam(model, config, learning_rate, **settings):
    """Compiles `model` with an Adam for each player, of the same settings.

    The learning rate may also be a dict from each player's name to its own.
    """
    names = [player.name for player in model.players]
    rates = (
        learning_rate if isinstance(learning_rate, dict) else dict.fromkeys(names, learning_rate)
    )
    for rate in rates.values():
        if isinstance(rate, int | float) and not 0.0 <= rate < math.inf:
            raise ValueError(f"`learning_rate` must be a number of at least 0, received {rate!r}.")
    for name in ("beta_1", "beta_2"):
        if not 0.0 <= settings.get(name, 0.0) < 1.0:
            raise ValueError(
                f"`{name}` must be at least 0 and less than 1, received {settings[name]!r}."
            )
    model.compile(
        {name: keras.optimizers.Adam(rates[name], **settings, name=name) for name in names},
        jit_compile={"auto": "auto", "on": True, "off": False}[config.jit],
    )
    return model


@ends_quietly()
@at_sigterm()
def main(config_class, run, description, arguments=None, prog=None):
    """Runs a recipe from the command line; bad input ends in one sentence and exit code 2.

    A training that has diverged ends so with exit code 1, one that has lost a host with 3, one
    whose disk is full with 4 and the path. Ctrl-C ends in 130 and SIGTERM in 143.

    `--config best.json` takes fields from a file, as a search writes it; other flags win over it.

    Args:
        config_class, run: Of the recipe.
        description: What stands above the settings that `--help` lists.
        arguments: List of what stands after the command; `None` for the process's own.
        prog: The command, for `--help`; `None` for the process's own.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    out = None
    try:
        settings = config_file.settings(config_class, arguments)
        description = description + config_file.HELP
        if prog is None and _recipe(config_class) is not None:
            prog = f"python -m {_recipe(config_class)}"
        config = tyro.cli(config_class, prog=prog, description=description, **settings)
        out = config.out
        with engine.errors_as_raised():
            paths = run(config).paths
    except kgen.callbacks.DivergedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        raise
    except (ValueError, *engine.FILE_ERRORS) as error:
        if not isinstance(error, ValueError | OSError) and not is_disk_full(error):
            raise
        leave(error, out)
    except kgen.distribution.WorkerLostError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)  # As a shell reports Ctrl-C.
    for name, path in dataclasses.asdict(paths).items():
        if path is not None and path.exists():
            print(f"{name:12} {path}")


def _doctor(config):
    if config.doctor == "off":
        return []
    return [kgen.callbacks.Doctor(on_failure=config.doctor, seed=config.seed)]


def _image_shapes(stream, data):
    """Shapes of the images that a stream yields: of one image, or of an input and a target.

    Raises:
        ValueError: If it yields something else; `data` is its name.
    """
    spec = stream.element_spec
    specs = spec if isinstance(spec, tuple) else (spec,)
    rank = specs[0].shape.rank
    if rank != 4:
        held = {2: "points", 5: "clips"}.get(rank, "something else")
        advice = ""
        if rank == 2:
            advice = (
                " GANs of points are trained by `kgen benchmark ring` and `kgen benchmark grid`, "
                "and in Python by networks such as kgen.networks.mixture_generator."
            )
        raise ValueError(f"data: recipes train on images, received {data}, of {held}.{advice}")
    return [tuple(spec.shape[1:]) for spec in specs if spec.shape.rank == 4]


def _scoring(config, paths, family):
    """The callbacks that score the training: one, or none."""
    if not config.evaluate:
        return []
    every = config.evaluate_every // config.log_every
    return [kgen.callbacks.Evaluate(family.evaluation(config), every, paths.scores, paths.best)]


# Fields of several recipes that are sizes of networks.
_SIZES = {
    "latent_dim",
    "style_dim",
    "filters",
    "max_filters",
    "discriminator_filters",
    "units",
}


def _check(config):
    for name in ("batch_size", "steps", "sample_every", "log_every", "checkpoint_every"):
        if getattr(config, name) < 1:
            raise ValueError(f"`{name}` must be positive, received {getattr(config, name)}.")
    if not 0 <= config.seed < 2**32:
        raise ValueError(f"`seed` must be from 0 to 2^32 - 1, received {config.seed}.")
    for name in _SIZES & {field.name for field in dataclasses.fields(config)}:
        value = getattr(config, name)
        if isinstance(value, int) and value < 1:
            raise ValueError(f"`{name}` must be positive, received {value}.")
    export = run_folder.export_folder(config)
    if export is not None and export.exists() and not export.is_dir():
        raise ValueError(f"`export` must be a folder, received the file {str(export)!r}.")
    if config.evaluate and config.split != "train":
        raise ValueError(
            "`evaluate` chooses the best model by the validation split: expected none with split="
            f"{config.split!r}, which trains on it, received {config.evaluate}."
        )
    if config.evaluate and (config.evaluate_every < 1 or config.evaluate_every % config.log_every):
        raise ValueError(
            f"`evaluate_every` must be a multiple of log_every={config.log_every}, received "
            f"{config.evaluate_every}."
        )


def _recipe(config_class):
    """The name of a config class's module, also of `python -m`; `None` of a script."""
    module = config_class.__module__
    if module != "__main__":
        return module
    return getattr(sys.modules[module].__spec__, "name", None)
