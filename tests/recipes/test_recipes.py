"""Recipes: what a run leaves behind, from Python and from the command line."""

import contextlib
import csv
import dataclasses
import functools
import io
import json
import os
import pathlib
import re
import runpy
import shutil
import signal
import sys
import warnings

import keras
import numpy as np
import PIL.Image
import pytest
import tyro

import kgen.callbacks
import kgen.data
import kgen.metrics
import kgen.serving
from kgen.metrics import Card, Score, read_scores
from recipes import (
    autoencoder,
    beta_vae,
    biggan,
    cgan,
    conditional,
    cvae,
    cyclegan,
    dcgan,
    finish,
    gan,
    infogan,
    pix2pix,
    progan,
    run_folder,
    srgan,
    stylegan,
    training,
    vae,
    wgan_gp,
)
from tests.recipes.conftest import (
    DATA_ARE_TRACED,
    NearestNeighbour,
    leave_out_exports,
    leave_out_pictures,
    run_untraced,
    train_untraced,
)
from tests.recycling import recycled, state_of

pytestmark = DATA_ARE_TRACED

# fmt: off
TINY = {
    biggan: {
        "filters": 2,
        "latent_dim": 6,
        "embedding_dim": 2,
        "image_size": 8,
        "attention_size": "none",  # A test of the networks has some; here it costs time.
    },
    cgan: {"filters": 4, "latent_dim": 4},
    cyclegan: {"filters": 2, "discriminator_filters": 2, "blocks": 1, "image_size": 8},
    infogan: {"filters": 4, "noise_dim": 4},
    pix2pix: {"filters": 4, "discriminator_filters": 4, "image_size": 8},
    srgan: {"filters": 4, "discriminator_filters": 2, "blocks": 1, "image_size": 8},
    # A fade from the first round on, of batches that are cut anew.
    progan: {
        "filters": 2, "latent_dim": 4, "image_size": 8, "stable_kimg": 0.0, "batch_sizes": [8],
    },
    stylegan: {
        "filters": 2, "latent_dim": 4, "style_dim": 4, "mapping_depth": 1, "image_size": 8,
        "stable_kimg": 0.0, "batch_sizes": [], "penalty_interval": 2,
    },
    autoencoder: {"filters": 4, "latent_dim": 4, "kind": "denoising"},
    beta_vae: {"units": 4, "latent_dim": 4, "image_size": 8, "capacity": 1.0},
    cvae: {"filters": 4, "latent_dim": 4},
    dcgan: {"filters": 4, "latent_dim": 4},
    gan: {"generator_units": 8, "discriminator_units": 8, "latent_dim": 4},
    vae: {"filters": 4, "latent_dim": 4},
    wgan_gp: {"filters": 4, "latent_dim": 4, "critic_updates": 2},
}
# fmt: on
TRANSLATING = (cyclegan, pix2pix, srgan)
VALIDATED = (autoencoder, cvae, vae)
# What reports show and score.
REPORTS = {
    autoencoder: ["reconstructions.png", "scores.jsonl"],
    beta_vae: ["traversal.json", "traversal.png"],
    biggan: ["classes.png", "scores.jsonl", "truncation.png"],
    cgan: ["classes.png", "scores.jsonl"],
    cvae: ["analogies.png", "classes.png", "scores.jsonl"],
    cyclegan: ["a_to_b.png", "b_to_a.png", "scores.jsonl"],
    infogan: ["code-0.png", "code-1.png", "code-2.png", "scores.jsonl"],
    pix2pix: ["before_after.png", "scores.jsonl"],
    progan: ["scores.jsonl"],
    srgan: ["before_after.png", "scores.jsonl"],
    stylegan: [
        "mixing-coarse.png",
        "mixing-fine.png",
        "noise.png",
        "scores.jsonl",
        "truncation.png",
    ],
}


def tiny(recipe, folder, **fields):
    defaults = dict(
        data="digits", batch_size=16, steps=5, sample_every=2, log_every=2,
        out=str(folder / "run"), export=str(folder / "export"),
    )  # fmt: skip
    return recipe.Config(**{**defaults, **TINY[recipe], **fields})


def name(recipe):
    return recipe.__name__.split(".")[-1]


# Those of a run that is killed now and then, and of one whose few rounds all leave something.
STEPS = dict(steps=7, checkpoint_every=2)
FEW_STEPS = dict(steps=2, checkpoint_every=1, sample_every=1, log_every=1)
# One of each family of data: images, labelled ones, pairs, two sets, growing sizes, held-out ones.
REPRESENTATIVES = (dcgan, cgan, pix2pix, cyclegan, progan, autoencoder)
OTHERS = [recipe for recipe in TINY if recipe not in REPRESENTATIVES]
# Settings that decide no model; but CycleGAN's learning rates, whose runs here are of one length.
OF_THE_RUN = {field.name for field in dataclasses.fields(training.Config)} - {"data", "jit"}


@pytest.fixture(autouse=True, scope="module")
def traced_once():
    """Gives runs of the same settings one model, each time in its first state."""
    train = training.train

    def train_recycled(config, build, family):
        settings = {n: str(v) for n, v in vars(config).items() if n not in OF_THE_RUN}
        source = pathlib.Path(build.__code__.co_filename)

        def built(config, *shapes):
            if config.seed or source.stem not in map(name, REPRESENTATIVES):
                return build(config, *shapes)
            key = (source.stem, *settings.items(), *shapes)
            return recycled(key, lambda: build(config, *shapes))

        return train(config, built, family)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(training, "train", train_recycled)
        yield


@dataclasses.dataclass(frozen=True)
class Finished:
    """A run in folders that no test changes, what it returned and printed, and its end's state."""

    recipe: object
    config: object
    result: training.Result
    printed: str
    state: list

    @property
    def folder(self):
        return pathlib.Path(self.config.out).parent

    def copied(self, folder):
        """The config of the same run in copies of its folders."""
        for kind in ("run", "export"):
            if (self.folder / kind).exists():
                shutil.copytree(self.folder / kind, folder / kind)
        places = {"out": str(folder / "run")}
        if self.config.export != "none":
            places["export"] = str(folder / "export")
        config = dataclasses.replace(self.config, **places)
        run_folder.claim(run_folder.paths(config.out), config)
        return config


def runs_of(fields, tmp_path_factory, prepare):
    """A function that returns a recipe's `Finished`, for whose run every process pays once."""
    kept = {}

    def finished(recipe):
        if recipe not in kept:
            config = tiny(recipe, tmp_path_factory.mktemp(name(recipe)), **fields(recipe))
            with pytest.MonkeyPatch.context() as patched:
                prepare(recipe, patched)
                with contextlib.redirect_stdout(io.StringIO()) as printed:
                    result = recipe.run(config)
            state = state_of(result.model)
            kept[recipe] = Finished(recipe, config, result, printed.getvalue(), state)
        return kept[recipe]

    return finished


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """A function that returns the `Finished` of a recipe's run of `STEPS`, or of `FEW_STEPS`."""

    def fields(recipe):
        if is_whole(recipe):
            return STEPS
        few = {**FEW_STEPS, "doctor": "off", **({} if recipe is cgan else {"export": "none"})}
        return {**few, **({"batch_size": 100} if recipe is autoencoder else {})}

    def prepare(recipe, monkeypatch):
        monkeypatch.setattr(conditional, "classifier", NearestNeighbour)
        if not is_whole(recipe):
            # An export is traced.
            (train_untraced if recipe is cgan else run_untraced)(monkeypatch)
            score_few_samples(monkeypatch)
            leave_out_what_all_have_alike(monkeypatch)
        elif recipe is dcgan:  # Of which more tests need a run than its export.
            leave_out_exports(monkeypatch)

    return runs_of(fields, tmp_path_factory, prepare)


@pytest.fixture(scope="module")
def short_run(tmp_path_factory):
    """A function that returns the `Finished` of a recipe's run of two rounds, with its report."""

    def prepare(recipe, monkeypatch):
        # Functions that take labels beside images are only called traced.
        (train_untraced if recipe is cvae else run_untraced)(monkeypatch)
        score_few_samples(monkeypatch)
        # Reports of fewer pictures and samples.
        monkeypatch.setattr(biggan, "TRUNCATIONS", (0.5,))
        monkeypatch.setattr(stylegan, "PSIS", (1.0, 0.5))
        monkeypatch.setattr(stylegan, "COLUMNS", 2)
        # The table of styles measures them.
        monkeypatch.setattr(kgen.metrics, "perceptual_path_length", unmeasured_path_length)
        leave_out_what_all_have_alike(monkeypatch)

    fields = dict(steps=2, doctor="off", export="none")
    return runs_of(lambda recipe: {**fields, **SHORT.get(recipe, {})}, tmp_path_factory, prepare)


def score_few_samples(monkeypatch):
    """Two batches of samples, or as many held-out images, in reports."""
    held_out, make = conditional.held_out, kgen.metrics.Evaluation.__init__
    few = functools.partialmethod(make, samples=FEW_SAMPLES)
    monkeypatch.setattr(kgen.metrics.Evaluation, "__init__", few)
    monkeypatch.setattr(
        conditional,
        "held_out",
        lambda *given, **settings: [x[:FEW_SAMPLES] for x in held_out(*given, **settings)],
    )


FEW_SAMPLES = 70  # More than the 64 features that their Frechet distance compares.


def unmeasured_path_length(model, space, *, extractor, seed):
    assert space in ("z", "w") and isinstance(extractor, str) and seed >= 0
    return Score(1.0, Card("perceptual_path_length", samples=1))


def is_whole(recipe):
    """Whether a recipe's run leaves all behind that any does: that of one in the default tests."""
    return recipe is dcgan or recipe in OTHERS


def leave_out_what_all_have_alike(monkeypatch):
    """TensorBoard's logs, the film and the curves."""
    logs = training._logs
    monkeypatch.setattr(training, "_logs", lambda paths: logs(paths)[:1])
    leave_out_pictures(monkeypatch)


# Held-out images in few batches, or few of them.
SHORT = {srgan: {"held_out": 20}, cvae: {"batch_size": 100}, vae: {"batch_size": 100}}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(r, marks=() if r in REPRESENTATIVES else pytest.mark.slow, id=name(r))
        for r in TINY
    ],
)
def recipe(request):
    """One recipe after the other, so that the tests of one come together."""
    return request.param


def test_a_run_leaves_everything_behind(recipe, finished_run):
    run = finished_run(recipe)
    result, folder = run.result, run.folder
    out = folder / "run"
    assert json.loads((out / "config.json").read_text()) == dataclasses.asdict(run.config)
    samples = sorted(path.name for path in (out / "samples").iterdir())
    steps = (2, 4, 6, 7) if is_whole(recipe) else (1, 2)
    assert samples == [f"step-{step:06d}.png" for step in (0, *steps)]
    if is_whole(recipe):
        with PIL.Image.open(out / "samples.gif") as film:
            assert film.n_frames == 5
        with PIL.Image.open(out / "curves.png") as picture:
            assert min(picture.size) > 100
        assert list((out / "tensorboard").rglob("events*"))

    with open(out / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(steps)  # Of 2, 2, 2 and 1 rounds, or one each.
    losses = losses_of(recipe, result)
    assert {*losses, "images_per_second"} <= set(rows[0])
    assert result.history[losses[0]] == pytest.approx([float(r[losses[0]]) for r in rows])
    assert_reported(recipe, out / "report")
    scored = "scores.jsonl" in REPORTS.get(recipe, [])
    assert bool(finish.newest_scores(result.paths)) == scored
    last = steps[-1]
    assert (
        f"{last}/{last}" in run.printed
        and "images_per_second" in run.printed
        and losses[0] in run.printed
    )

    loaded = keras.models.load_model(out / "model.keras")
    assert int(loaded.optimizer.iterations) == last
    for expected, found in zip(run.state, state_of(loaded), strict=True):
        np.testing.assert_array_equal(found, expected)
    if run.config.export == "none":
        assert result.paths.export is None
        return
    assert result.paths.export == folder / "export" / "1"
    if recipe is dcgan:
        return
    card = json.loads((result.paths.export / "assets.extra" / "model_card.json").read_text())
    assert card["config"] == dataclasses.asdict(run.config)
    assert card["system"] == type(result.model).__name__
    assert bool(card["scores"]) == scored and all(s["card"]["metric"] for s in card["scores"])
    served = kgen.serving.load(str(result.paths.export))
    if recipe in TRANSLATING:
        size = 4 if recipe is srgan else 8
        images = np.linspace(-1, 1, 2 * size * size).reshape(2, size, size, 1).astype("float32")
        expected = loaded.translate(images)
        outputs = served["translate_a_to_b" if recipe is cyclegan else "translate"](images=images)
    elif recipe is autoencoder:
        images = np.linspace(-1, 1, 2 * 64).reshape(2, 8, 8, 1).astype("float32")
        expected = loaded.reconstruct(images)
        outputs = served["reconstruct"](images=images)
    else:
        labels = {} if loaded.classes is None else {"labels": [1, 2, 3]}
        expected = loaded.sample(3, seed=7, **labels)
        outputs = served["sample"](seed=7, count=3, **labels)
    np.testing.assert_allclose(outputs["images"], expected, atol=1e-5)


@pytest.mark.parametrize("recipe", OTHERS, ids=name)
def test_two_rounds_are_saved_and_reported(recipe, short_run):
    """What a recipe has of its own; runs of its family are looked at in another one's."""
    run = short_run(recipe)
    out = run.folder / "run"
    with open(out / "history.csv") as file:
        (row,) = csv.DictReader(file)
    assert set(losses_of(recipe, run.result)) <= set(row)
    assert np.isfinite([float(row[loss]) for loss in losses_of(recipe, run.result)]).all()
    assert len(list((out / "samples").iterdir())) == 2
    assert int(run.result.model.optimizer.iterations) == 2 and (out / "model.keras").exists()
    assert_reported(recipe, out / "report")


def losses_of(recipe, result):
    """The names of the losses in a recipe's history."""
    players = [p.name for p in result.model.players]
    losses = ["loss"] if len(players) == 1 else [f"{player}_loss" for player in players]
    return losses + (["val_loss"] if recipe in VALIDATED else [])


def assert_reported(recipe, folder):
    found = sorted(path.name for path in folder.glob("*"))
    assert found == REPORTS.get(recipe, [])
    if "scores.jsonl" in found:
        scores = read_scores(folder / "scores.jsonl")
        assert scores and np.isfinite([float(score) for _, score in scores]).all()


def test_images_keep_their_class_where_they_are_not_translated(finished_run):
    """By whoever knows the targets' classes; real targets are of their own."""
    run = finished_run(cyclegan)
    found = read_scores(run.folder / "run" / "report" / "scores.jsonl")
    scores = {facts["name"]: float(score) for facts, score in found}
    for direction in ("a_to_b", "b_to_a"):  # Of one set to itself.
        assert scores[f"{direction}_kept_class_real_targets"] > 0.9
        untranslated = scores[f"{direction}_kept_class_untranslated"]
        assert untranslated == scores[f"{direction}_kept_class_real_targets"]
        assert scores[f"{direction}_kept_class"] < 0.9


def test_the_classifier_of_figures_knows_them(monkeypatch):
    monkeypatch.setattr(conditional, "CLASSIFIER_STEPS", 100)
    images, labels = conditional.arrays("digits", "train")
    images, labels = images[labels < 2], labels[labels < 2]
    classifier = conditional.classifier(images, labels)
    found = classifier.predict(images, verbose=0)
    assert found.shape == (len(images), 2)
    assert np.mean(found.argmax(axis=1) == labels) > 0.9


class Known:
    """A model whose images of a class are held-out digits of that class."""

    classes, rounds_played, abilities = 10, 3, ("sample", "decode", "encode", "reconstruct")

    def __init__(self, config):
        self.images, self.labels = conditional.held_out(config)
        self.firsts = np.array([np.flatnonzero(self.labels == c)[0] for c in range(10)])

    def sample(self, count, seed=None, labels=None, truncation=None):
        drawn = np.random.default_rng(seed or 0).integers(0, 10, count)
        labels = drawn if labels is None else np.asarray(labels)
        found = self.images[self.firsts[labels]]
        return (
            found
            if count != len(self.labels)
            else np.where((labels == self.labels)[:, None, None, None], self.images, found)
        )

    def latents(self, count, seed=None, labels=None):
        labels = np.random.default_rng(0).integers(0, 10, count) if labels is None else labels
        return np.broadcast_to(labels, (count,)).astype("float32")[:, None]

    def decode(self, latents):
        return self.images[
            self.firsts[
                latents[:, -10:].argmax(axis=1)
                if latents.shape[1] > 1
                else latents[:, 0].astype(int)
            ]
        ]

    def encode(self, images, labels=None):
        return np.zeros((len(images), 12), "float32")


@pytest.mark.parametrize("recipe", [cgan, cvae, biggan], ids=name)
def test_reports_ask_for_the_classes_that_they_judge(recipe, tmp_path, monkeypatch):
    """A model that makes what it is asked for agrees with the labels as held-out images do."""
    monkeypatch.setattr(biggan, "TRUNCATIONS", biggan.TRUNCATIONS[::2][:2])
    config = tiny(recipe, tmp_path)
    model = Known(config)
    recipe.report(config, model, tmp_path)
    scores = {
        facts["name"]: float(score) for facts, score in read_scores(tmp_path / "scores.jsonl")
    }
    assert scores["label_agreement"] == scores["label_agreement_of_held_out"] > 0.5
    truncated = [v for n, v in scores.items() if n.startswith("label_agreement_truncation")]
    assert len(truncated) == (len(biggan.TRUNCATIONS) if recipe is biggan else 0)
    assert all(value == scores["label_agreement_of_held_out"] for value in truncated)
    kgen.plotting.save_grid(model.images[np.repeat(model.firsts, 10)], tmp_path / "rows.png", 10)
    assert (tmp_path / "classes.png").read_bytes() == (tmp_path / "rows.png").read_bytes()


def test_a_traversal_has_the_dimension_that_says_most_first(short_run):
    run = short_run(beta_vae)
    rows = json.loads((run.folder / "run" / "report" / "traversal.json").read_text())
    said = [row["nats"] for row in rows]
    assert said == sorted(said, reverse=True) and {row["dimension"] for row in rows} == set(
        range(4)
    )
    images = np.linspace(-1, 1, 64 * 3).reshape(3, 8, 8, 1).astype("float32")
    model = run.result.model
    _, parts = model.negative_bound(images, training=False)
    assert beta_vae.nats(model, images).sum() == pytest.approx(float(parts["kl"]), rel=1e-4)
    moved = beta_vae.traversal(model, images[0], [2, 0]).reshape(2, beta_vae.COLUMNS, 8, 8, 1)
    codes = np.repeat(model.encode(images[:1]), 2, axis=0)
    codes[0, 2], codes[1, 0] = -3.0, -3.0
    np.testing.assert_allclose(moved[:, 0], model.decode(codes), atol=1e-5)


def test_the_factors_of_shapes_are_scored(short_run, tmp_path, monkeypatch):
    run = short_run(beta_vae)
    quick = {"a_score": Score(0.5, Card("a_score", samples=1))}
    asked = []
    monkeypatch.setattr(
        kgen.metrics, "disentanglement_scores", lambda *given: asked.append(given) or quick
    )
    beta_vae.report(dataclasses.replace(run.config, data="shapes"), run.result.model, tmp_path)
    assert asked == [(run.result.model, "shapes", (8, 8))]
    assert [facts["name"] for facts, _ in read_scores(tmp_path / "scores.jsonl")] == ["a_score"]


def test_analogies_are_in_every_class(short_run):
    model = short_run(cvae).result.model
    images, labels = conditional.held_out(short_run(cvae).config)
    rows, columns = cvae.analogies(model, images[:3], labels[:3])
    rows = rows.reshape(3, columns, *images.shape[1:])
    assert columns == 11
    np.testing.assert_array_equal(rows[:, 0], images[:3])
    own = rows[np.arange(3), 1 + labels[:3]]
    np.testing.assert_allclose(own, model.reconstruct(images[:3], labels=labels[:3]), atol=1e-5)


def test_a_run_can_be_scored_as_it_goes_on(tmp_path, finished_run, monkeypatch):
    expected = finished_run(dcgan)
    config = tiny(dcgan, tmp_path, **STEPS, evaluate=["kernel", "recall"], evaluate_every=4,
                  extractor="random", export=str(tmp_path / "export"))  # fmt: skip
    make = kgen.metrics.Evaluation.__init__
    few = functools.partialmethod(make, samples=100)
    monkeypatch.setattr(kgen.metrics.Evaluation, "__init__", few)
    told = []

    def export(model, folder, config, scores, new_architecture):
        told.extend(scores)
        return folder

    monkeypatch.setattr(kgen.serving, "export", export)
    result = dcgan.run(config)
    assert [(facts["name"], facts["round"]) for facts, _ in told] == [("kernel", 6), ("recall", 6)]
    scores = read_scores(result.paths.scores)
    assert [(facts["round"], facts["name"]) for facts, _ in scores] == [
        (2, "kernel"), (2, "recall"), (6, "kernel"), (6, "recall"),
    ]  # fmt: skip
    assert scores[0][1].card.reference.startswith("digits (")
    assert scores[0][1].card.split == "validation"
    first, second, third, fourth = result.history["val_kernel"]
    assert first == second == pytest.approx(float(scores[0][1]))
    assert third == fourth == pytest.approx(float(scores[2][1]))
    best = keras.models.load_model(result.paths.best)
    assert best.rounds_played == (2 if first < third else 6)
    assert_same_weights(result, expected)


def assert_same_weights(result, run):
    """Whether a run has ended at what a `Finished` one has: weights, optimizers, random states."""
    for a, b in zip(state_of(result.model), run.state, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_evaluation_falls_on_a_row_of_the_history(tmp_path):
    with pytest.raises(ValueError, match="`evaluate_every` must be a multiple of log_every=2"):
        dcgan.run(tiny(dcgan, tmp_path, evaluate=["frechet"], evaluate_every=3))


def test_a_model_that_is_trained_on_validation_is_not_chosen_by_it(tmp_path):
    config = tiny(dcgan, tmp_path, split="train+validation", evaluate=["kernel"], evaluate_every=2)
    with pytest.raises(ValueError, match=r"`evaluate` .*validation split.*'train\+validation'"):
        dcgan.run(config)


@pytest.mark.parametrize(
    ("recipe", "data", "message"),
    [
        (gan, "ring", "received ring, of points.*kgen benchmark ring"),
        (cgan, "grid", "received grid, of points.*mixture_generator"),
        (vae, "moving_mnist", "received moving_mnist, of clips"),
    ],
)
def test_data_that_are_no_images_are_told_what_takes_them(tmp_path, recipe, data, message):
    with pytest.raises(ValueError, match=f"data: recipes train on images, {message}"):
        recipe.run(tiny(recipe, tmp_path, data=data))


def test_data_without_classes_are_one_sentence_of_a_conditional_recipe(tmp_path):
    np.save(tmp_path / "images.npy", np.full((30, 8, 8), 200, np.uint8))
    with pytest.raises(
        ValueError, match=r"data: expected images with one class each, .*images\.npy"
    ):
        cgan.run(tiny(cgan, tmp_path, data=str(tmp_path / "images.npy")))


def test_models_are_watched_by_validation_and_reported_on_test(tmp_path):
    """Told by classes: three array files whose parts are of one level of grey each."""
    levels = {"train": 0, "val": 100, "test": 200}
    parts = {f"x_{name}": np.full((40, 8, 8), level) for name, level in levels.items()}
    np.savez(tmp_path / "levels.npz", **parts)
    config = tiny(autoencoder, tmp_path, data=str(tmp_path / "levels.npz"), batch_size=20)

    def level(images):
        return set(np.rint((np.concatenate(list(images)).ravel() + 1.0) * 127.5).astype(int))

    assert level(training.images_alone(config, 20)) == {0}
    assert level(autoencoder.FAMILY.held_out(config)) == {100}
    assert level([autoencoder.held_out(config, "test", 1000)]) == {200}
    reference = autoencoder.FAMILY.evaluation(
        dataclasses.replace(config, evaluate=["l1"])
    ).reference
    assert level(reference.batches()) == {100}
    last = dataclasses.replace(config, split="train+validation")
    assert level(training.images_alone(last, 40)) <= {0, 100}
    pictures = autoencoder.FAMILY.pictures
    for of, expected in ((config, 100), (last, 200)):
        shown = pictures(of, run_folder.paths(tmp_path)).images
        assert level([shown]) == {expected}


def test_another_seed_is_another_run(tmp_path, finished_run, bare, untraced):
    """From the start. With the same one a run that is cut off ends as one that is not, below."""
    first = finished_run(dcgan)
    other = dcgan.run(tiny(dcgan, tmp_path / "other", steps=1, export="none", seed=1))
    start = "step-000000.png"  # Of the same latents.
    pictures = [(run.paths.samples / start).read_bytes() for run in (first.result, other)]
    assert pictures[0] != pictures[1]
    assert not np.array_equal(other.model.get_weights()[0], first.result.model.get_weights()[0])


@pytest.mark.parametrize(
    ("precision", "jit"),
    [
        ("mixed_bfloat16", "off"),
        pytest.param("mixed_bfloat16", "on", marks=pytest.mark.slow),
        pytest.param("mixed_float16", "off", marks=pytest.mark.slow),
        pytest.param("mixed_float16", "on", marks=pytest.mark.slow),
    ],
)
def test_precision_and_jit(tmp_path, precision, jit, bare):
    fields = dict(precision=precision, jit=jit, export="none", steps=2, doctor="off")
    result = beta_vae.run(tiny(beta_vae, tmp_path, **fields))
    assert result.model.jit_compile is (jit == "on")
    assert {layer.dtype_policy.name for layer in result.model.encoder.layers[2:-1]} == {precision}
    assert keras.config.dtype_policy().name == "float32", "the policy was not put back"
    assert np.all(np.isfinite(list(result.history.values())))


def test_jit_reaches_the_model(tmp_path):
    model = beta_vae.build(tiny(beta_vae, tmp_path, jit="on"), (8, 8, 1))
    assert model.jit_compile is True


class KilledError(Exception):
    """In place of a signal that nothing can catch."""


@pytest.fixture
def killed_after(monkeypatch):
    """A function that has trainings end without warning after a number of rounds; None: no more."""
    on_round_end = kgen.callbacks.StopAfter.on_round_end

    def arm(rounds):
        def die(self, previous, logs):
            if self.round == rounds:
                raise KilledError
            on_round_end(self, previous, logs)

        monkeypatch.setattr(kgen.callbacks.StopAfter, "on_round_end", die)

    return arm


def rows(path):
    """The rows of a history without their timings."""
    with open(path) as file:
        return [
            {name: v for name, v in row.items() if "images_per_second" not in name}
            for row in csv.DictReader(file)
        ]


# A CSVLogger leaves its file open where a training is cut off.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_same_command_goes_on_where_it_stopped(tmp_path, killed_after, finished_run, bare):
    expected = finished_run(dcgan)
    config = tiny(dcgan, tmp_path, **STEPS, export="none")
    for rounds in (4, 6):
        killed_after(rounds)
        with pytest.raises(KilledError):
            dcgan.run(config)
    killed_after(None)
    assert_same_run(dcgan.run(config), expected)


def test_every_recipe_goes_on_from_its_checkpoint(recipe, tmp_path, finished_run, monkeypatch):
    """From what is left of a run that is killed, cut out of one that was not."""
    run = finished_run(recipe)
    config = run.copied(tmp_path)
    paths = run_folder.paths(config.out)
    lost = [paths.model, paths.config.with_name("finished.json")]
    steps, rows_left = ((6, 7), 3) if is_whole(recipe) else ((2,), 2)
    lost += [paths.samples / f"step-00000{step}.png" for step in steps]
    lost += [paths.checkpoints / f"round-0000000{step}.checkpoint" for step in steps]
    for path in lost:
        path.unlink()
    # A row more than the last checkpoint knows of.
    paths.history.write_bytes(
        b"".join(paths.history.read_bytes().splitlines(True)[: 1 + rows_left])
    )
    # What follows the training is as in any run.
    monkeypatch.setattr(training, "finish", lambda config, model, paths, *rest: paths)
    result = recipe.run(config)
    assert int(result.model.optimizer.iterations) == steps[-1]
    assert_same_run(result, run)


def assert_same_run(result, run):
    expected = run.result
    assert_same_weights(result, run)
    assert rows(result.paths.history) == rows(expected.paths.history)
    for picture in expected.paths.samples.iterdir():
        assert (result.paths.samples / picture.name).read_bytes() == picture.read_bytes()
    assert len(list(result.paths.samples.iterdir())) == len(list(expected.paths.samples.iterdir()))


def test_a_finished_run_says_so_and_returns_what_it_left(finished_run, capsys):
    run = finished_run(dcgan)
    capsys.readouterr()
    first, saved = run.result, run.result.paths.model.stat().st_mtime_ns
    again = dcgan.run(run.config)
    assert (
        "finished its 7 rounds; more --steps train on, --fresh starts over"
        in capsys.readouterr().out
    )
    assert first.paths.model.stat().st_mtime_ns == saved
    assert again.paths == first.paths and not (run.folder / "export" / "2").exists()
    for log, values in first.history.items():
        assert again.history[log] == pytest.approx(values)
    assert_same_weights(again, run)


def test_another_config_in_the_same_folder_is_refused(finished_run):
    run = finished_run(dcgan)
    before = run.result.paths.model.read_bytes()
    message = "steps was 7 and is now 3, filters was 4 and is now 8.*--fresh"
    with pytest.raises(ValueError, match=message):
        dcgan.run(dataclasses.replace(run.config, steps=3, filters=8))
    with pytest.raises(ValueError, match="critic_updates was 5 and is now 2"):
        wgan_gp.run(tiny(wgan_gp, run.folder, **STEPS))
    assert run.result.paths.model.read_bytes() == before


def test_a_damaged_folder(tmp_path, capsys, finished_run, bare):
    """A lost model is made again from the last checkpoint; a lost config is not guessed."""
    first = finished_run(dcgan)
    config, run = first.copied(tmp_path), tmp_path / "run"
    weights = bytearray((run / "model.keras").read_bytes())
    middle = slice(len(weights) // 4, len(weights) // 2)
    weights[middle] = bytes(255 - byte for byte in weights[middle])
    cut = (run / "history.csv").read_bytes().rpartition(b",")[0]
    for file, damage in (
        ("finished.json", b"{}"),
        ("model.keras", b"{}"),
        ("model.keras", weights),
    ):
        (run / file).write_bytes(damage)
        result = dcgan.run(config)
        assert "nothing left to train after round 7" in capsys.readouterr().out
        assert_same_weights(result, first)
    for damage, rows_left in ((cut, 3), (b"", 0), (b"\xff\x00", 0)):
        (run / "history.csv").write_bytes(damage)
        result = dcgan.run(config)
        assert "has finished its 7 rounds" in capsys.readouterr().out
        assert_same_weights(result, first)
        assert {len(values) for values in result.history.values()} == {rows_left} - {0}
    (run / "config.json").write_text('{"steps": 7,')
    with pytest.raises(
        ValueError, match=r"out: .*config.json is missing or cannot be read.*--fresh"
    ):
        dcgan.run(config)
    (run / "config.json").unlink()
    with pytest.raises(ValueError, match="config.json is missing"):
        dcgan.run(config)


def test_an_export_that_fails_can_be_made_elsewhere(tmp_path, capsys, monkeypatch, bare):
    config = tiny(dcgan, tmp_path, steps=2)

    def full(*arguments):
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(kgen.serving, "export", full)
        with pytest.raises(OSError, match="disk"):
            dcgan.run(config)
    elsewhere = dataclasses.replace(config, export=str(tmp_path / "elsewhere"))
    result = dcgan.run(elsewhere)
    assert "nothing left to train" in capsys.readouterr().out
    assert result.paths.export.parent == tmp_path / "elsewhere"
    with pytest.raises(ValueError, match="export was .*elsewhere"):  # It has one now.
        dcgan.run(config)


def test_fresh_starts_over(tmp_path, finished_run, bare):
    config, run = finished_run(dcgan).copied(tmp_path), tmp_path / "run"
    mine = run / "samples" / "mine.png"
    mine.write_text("")
    scores = [run / "scores.jsonl", run / "best.keras", run / "best.json"]
    for path in scores:
        path.write_text("")
    with pytest.raises(ValueError, match="nowhere"):
        dcgan.run(dataclasses.replace(config, data="nowhere", fresh=True))
    assert (run / "model.keras").exists(), "removed before the new config was checked"
    result = dcgan.run(dataclasses.replace(config, steps=3, sample_every=3, fresh=True))
    samples = sorted(path.name for path in (run / "samples").iterdir())
    assert samples == ["mine.png", "step-000000.png", "step-000003.png"]
    assert not any(path.exists() for path in scores)
    assert len(list((run / "tensorboard").rglob("events*"))) == 1
    assert result.paths.export.name == "2"
    assert result.model.rounds_played == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_on_the_command_line(
    tmp_path, monkeypatch, capsys, number, code, untraced
):
    on_round_end = kgen.callbacks.StopAfter.on_round_end

    def press(self, previous, logs):
        if self.round == 3:
            os.kill(os.getpid(), number)
        on_round_end(self, previous, logs)

    monkeypatch.setattr(kgen.callbacks.StopAfter, "on_round_end", press)
    arguments = [
        "--data", "digits", "--filters", "4", "--latent-dim", "4", "--batch-size", "16",
        "--steps", "100000", "--sample-every", "100000", "--log-every", "2",
        "--out", str(tmp_path / "run"), "--export", "none",
    ]  # fmt: skip
    with pytest.raises(SystemExit) as end:
        training.main(dcgan.Config, dcgan.run, "", arguments)
    assert end.value.code == code
    out, errors = capsys.readouterr()
    assert "Traceback" not in errors
    assert "The same command goes on after round 3 of 100000" in out
    checkpoints = tmp_path / "run" / "checkpoints"
    assert [path.name for path in checkpoints.glob("round-*")] == ["round-00000003.checkpoint"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_folder_of_images(tmp_path, untraced, bare):
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for index in range(20):
        pixels = rng.integers(0, 256, (20, 17, 3), "uint8")
        PIL.Image.fromarray(pixels).save(tmp_path / "images" / f"{index}.png")
    fields = dict(data=str(tmp_path / "images"), image_size=12, batch_size=6, export="none")
    fields |= dict(steps=2, doctor="off")
    result = vae.run(tiny(vae, tmp_path, **fields))
    assert result.model.sample(2).shape == (2, 12, 12, 3)
    # Its test split is smaller than a batch.
    assert np.isfinite(result.history["val_loss"]).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, "`steps` must be positive, received 0"),
        ({"data": "nowhere"}, "nowhere"),
        ({"image_size": 10}, "divisible by 4"),
        ({"batch_size": 5000}, "batch_size"),
        ({"seed": -1}, r"`seed` must be from 0 to 2\^32 - 1, received -1"),
        ({"filters": -3}, "`filters` must be positive, received -3"),
        ({"latent_dim": 0}, "`latent_dim` must be positive, received 0"),
        ({"learning_rate": -1.0}, "`learning_rate` must be a number of at least 0, received -1.0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be .* received nan"),
        ({"beta_1": 2.0}, "`beta_1` must be at least 0 and less than 1, received 2.0"),
        ({"export": __file__}, "`export` must be a folder, received the file"),
    ],
)
def test_bad_input(tmp_path, fields, message):
    with pytest.raises(ValueError, match=message):
        dcgan.run(tiny(dcgan, tmp_path, **fields))


@pytest.mark.parametrize("recipe", TINY, ids=name)
def test_help_describes_every_field(recipe, capsys):
    with pytest.raises(SystemExit):
        tyro.cli(recipe.Config, args=["--help"])
    printed = capsys.readouterr().out
    text = " ".join(printed.replace("│", " ").split())
    for field in dataclasses.fields(recipe.Config):
        flag = "--" + field.name.replace("_", "-")
        description = text.split(f" {flag} ", 1)[1].split("(default:", 1)[0]
        assert len(description.split()) > 3, f"{flag} is not described"


def test_command_line(tmp_path, monkeypatch, capsys, bare):
    flags = [f"--{n.replace('_', '-')}={v}" for n, v in vars(tiny(dcgan, tmp_path)).items() if v]
    monkeypatch.setattr(sys, "argv", ["dcgan", *flags])
    runpy.run_path(dcgan.__file__, run_name="__main__")
    assert (tmp_path / "run" / "model.keras").exists()
    assert str(tmp_path / "export" / "1") in capsys.readouterr().out


def test_bad_input_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dcgan", "--data", "nowhere", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        training.main(dcgan.Config, dcgan.run, "")
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: name_or_path: nowhere")


@pytest.mark.parametrize("doctor", ["warn", "stop"])
def test_a_training_that_diverges_is_no_bad_input(tmp_path, capsys, doctor, untraced, bare):
    arguments = [
        "--data", "digits", "--filters", "4", "--latent-dim", "4", "--batch-size", "16",
        "--steps", "20", "--log-every", "2", "--sample-every", "4", "--learning-rate", "1e20",
        "--doctor", doctor, "--out", str(tmp_path / "run"), "--export", "none",
    ]  # fmt: skip
    with pytest.raises(SystemExit) as end, warnings.catch_warnings(action="ignore"):
        training.main(dcgan.Config, dcgan.run, "", arguments)
    assert end.value.code == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"error: The training has diverged: .* after round \d+\. .*", said)


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as end:
        training.main(
            dcgan.Config, dcgan.run, "", ["--data", "digits", "--out", str(tmp_path / "file/run")]
        )
    assert end.value.code == 2
    assert "Not a directory" in capsys.readouterr().err.splitlines()[-1]


def digit_classifier():
    """A classifier of real digits that never saw a generated one."""
    keras.utils.set_random_seed(0)
    classifier = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    digits = kgen.data.load("mnist5k", split="train+validation", labels=True)
    classifier.fit(digits, epochs=15, verbose=0, shuffle=False)
    return classifier


def recognised(classifier, images):
    """The share of images of which the classifier is surer than 0.9, and the classes it sees."""
    probabilities = classifier.predict(images, verbose=0)
    classes = np.bincount(np.argmax(probabilities, axis=1), minlength=10)
    return float(np.mean(np.max(probabilities, axis=1) > 0.9)), classes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "share"),
    [(dcgan, 0.6), (wgan_gp, 0.55), (gan, 0.5)],
    ids=["dcgan", "wgan_gp", "gan"],
)
def test_defaults_make_digits(recipe, share, tmp_path):
    """Most samples of a default run are recognised, and every class is among them."""
    classifier = digit_classifier()
    held_out = kgen.data.load("mnist5k", split="test", labels=True, batch_size=100)
    assert classifier.evaluate(held_out, verbose=0)[1] > 0.96

    model = recipe.run(recipe.Config(out=str(tmp_path), export="none")).model
    found, classes = recognised(classifier, model.sample(1000, seed=0))
    print(f"{name(recipe)}: {found:.1%} recognised; samples of each class {classes.tolist()}")
    assert found > share
    assert classes.min() >= 20


# Shared fields of which a recipe may have a default of its own.
OWN_DEFAULTS = ("steps", "out", "export", "data", "image_size", "batch_size")


def test_shared_fields_are_written_once():
    shared = {field.name for field in dataclasses.fields(training.Config)}
    for recipe in TINY:
        source = pathlib.Path(recipe.__file__).read_text()
        own = set(vars(recipe.Config)["__annotations__"]) - shared
        assert not [n for n in shared if f"\n    {n}:" in source and n not in OWN_DEFAULTS]
        assert all(f"\n    {n}:" in source for n in own)
