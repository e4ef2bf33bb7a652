"""The tables: their trials, how they go on, what they print and write."""

import concurrent.futures
import dataclasses
import errno
import functools
import json
import os
import pickle
import subprocess
import types
import typing

import keras
import numpy as np
import PIL.Image
import pytest
import scipy.ndimage

import kgen.data
import kgen.metrics
import kgen.models
from kgen.data.mixtures import RING_CENTRES, RING_STD
from recipes import benchmark, conditional
from recipes.benchmark import __main__ as command_line
from recipes.benchmark import (
    anomaly,
    compression,
    denoising,
    digit_codes,
    disentanglement,
    losses,
    mixtures,
    pictures,
    pix2pix,
    pretraining,
    report,
    stacked_mnist,
    style,
    trials,
    vae,
)
from recipes.benchmark import table as tables
from tests.recipes.conftest import DATA_ARE_TRACED

pytestmark = DATA_ARE_TRACED


@pytest.fixture(autouse=True, scope="module")
def read_once():
    """Reads the digits of a set once for all tables."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(conditional, "arrays", functools.cache(conditional.arrays))
        yield


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A protocol whose trials are arithmetic."""

    factor: float = 10.0
    trials: int | None = 2
    seed: int = 0


def arithmetic(protocol, trial):
    if trial.row == "fails":
        raise trials.DivergedError("diverged: samples are not finite")
    return {"modes": protocol.factor * trial.seed}, {"points": np.full((2, 2), trial.seed)}


class Calls:
    """`arithmetic` that counts its calls, and is killed at one of them."""

    def __init__(self, killed_at=None):
        self.trials, self.killed_at = [], killed_at

    def __call__(self, protocol, trial):
        if len(self.trials) == self.killed_at:
            raise KeyboardInterrupt
        self.trials.append(trial.name)
        return arithmetic(protocol, trial)


def test_a_killed_table_keeps_its_trials_and_goes_on(tmp_path, capsys):
    with pytest.raises(KeyboardInterrupt):
        trials.run(tmp_path, Protocol(), ["a", "b"], 2, Calls(killed_at=3))
    (tmp_path / "trials" / "a-0.json").write_text('{"scores": {"mo')  # As nothing here writes it.
    calls = Calls()
    results = trials.run(tmp_path, Protocol(), ["a", "b"], 2, calls)
    assert calls.trials == ["a-0", "b-1"]
    assert "holds 2 of 4 trials" in capsys.readouterr().out
    assert [result["scores"]["modes"] for result in results["b"]] == [0.0, 10.0]
    # More trials, rows or another order of them go on too.
    trials.run(tmp_path, Protocol(), ["b", "c"], 3, calls)
    assert calls.trials[2:] == ["c-0", "c-1", "b-2", "c-2"]
    np.testing.assert_array_equal(trials.arrays(tmp_path, "c", 2)["points"], np.full((2, 2), 2))


def test_trials_have_seeds_of_their_own_and_say_what_made_them(tmp_path):
    results = trials.run(tmp_path, Protocol(seed=5), ["a"], 2, arithmetic)
    assert [result["seed"] for result in results["a"]] == [5, 6]
    result = results["a"][1]
    assert result["scores"] == {"modes": 60.0} and result["failed"] is None
    assert result["seconds"] >= 0.0 and result["version"] and "cores" in result["hardware"]
    assert json.loads((tmp_path / "trials" / "a-1.json").read_text()) == result


def test_another_protocol_in_the_same_folder_is_refused(tmp_path):
    trials.run(tmp_path, Protocol(), ["a"], 1, arithmetic)
    with pytest.raises(ValueError, match=r"factor was 10.0 and is now 11.0.*--fresh"):
        trials.run(tmp_path, Protocol(factor=11.0), ["a"], 1, arithmetic)
    with pytest.raises(ValueError, match="seed was 0 and is now 3"):
        trials.run(tmp_path, Protocol(seed=3), ["a"], 1, arithmetic)
    results = trials.run(tmp_path, Protocol(seed=3), ["a"], 1, arithmetic, fresh=True)
    assert results["a"][0]["scores"] == {"modes": 30.0}
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match=r"config.json is missing or cannot be read"):
        trials.run(tmp_path, Protocol(), ["a"], 1, arithmetic)


def full(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_protocol_that_cannot_be_claims_no_folder(tmp_path, monkeypatch):
    def refused(protocol, trial):
        raise ValueError("`data` must be a set")

    with pytest.raises(ValueError, match="`data` must be a set"):
        trials.run(tmp_path, Protocol(factor=1.0), ["a"], 1, refused)
    results = trials.run(tmp_path, Protocol(), ["a"], 1, arithmetic)
    assert results["a"][0]["scores"] == {"modes": 0.0}
    # One that holds a table stays what it was, also where that is to be replaced.
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) >= 3
    for rows, protocol, fresh in ((["b"], Protocol(), False), (["a"], Protocol(factor=1.0), True)):
        with pytest.raises(ValueError, match="`data` must be a set"):
            trials.run(tmp_path, protocol, rows, 1, refused, fresh=fresh)
        left = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert left == files
    with monkeypatch.context() as patched:  # Nor can one be written: the disk is full.
        patched.setattr(trials.run_folder, "claim", full)
        with pytest.raises(OSError, match="No space"):
            trials.run(tmp_path, Protocol(factor=1.0), ["b"], 1, arithmetic, fresh=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    # It goes once a trial of the new one has ended.
    trials.run(tmp_path, Protocol(factor=1.0), ["b"], 1, arithmetic, fresh=True)
    assert {path.name for path in (tmp_path / "trials").iterdir()} == {"b-0.json", "b-0.npz"}


class Pool(concurrent.futures.ThreadPoolExecutor):
    """In place of processes, which would import TensorFlow; jobs are pickled as for them."""

    asked: typing.ClassVar[list] = []

    def __init__(self, processes, context, prepare, arguments):
        self.asked.append(processes)
        assert context.get_start_method() == "spawn"
        self.prepare = pickle.dumps((prepare, arguments))
        super().__init__(processes)

    def submit(self, *job):
        function, *arguments = pickle.loads(pickle.dumps(job))
        return super().submit(function, *arguments)


def test_trials_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", Pool)
    one = trials.run(tmp_path / "one", Protocol(), ["a"], 2, arithmetic)
    assert not Pool.asked
    two = trials.run(tmp_path / "two", Protocol(), ["a"], 2, arithmetic, processes=2)
    assert Pool.asked == [2] and scores(one) == scores(two)


@pytest.mark.slow
def test_trials_in_processes_of_their_own(tmp_path):
    one = trials.run(tmp_path / "one", Protocol(), ["a"], 2, arithmetic)
    two = trials.run(tmp_path / "two", Protocol(), ["a"], 2, arithmetic, processes=2)
    assert scores(one) == scores(two)


def scores(results):
    return {row: [entry["scores"] for entry in entries] for row, entries in results.items()}


def test_a_training_that_diverged_is_a_result(tmp_path):
    results = trials.run(tmp_path, Protocol(), ["fails"], 2, arithmetic)
    assert results["fails"][0]["failed"] == "diverged: samples are not finite"
    summary = report.summarise(results)
    assert summary["fails"]["failed"] == 2 and summary["fails"]["mean"] == {}
    with pytest.raises(trials.DivergedError):
        trials.check_finite(np.array([1.0, np.nan]))


def test_means_and_deviations_are_numpys():
    entries = [
        {"scores": {"modes": value}, "failed": None, "seed": i, "seconds": 2.0 * i}
        for i, value in enumerate([7.0, 8.0, 9.0])
    ]
    failed = {"scores": {}, "failed": "diverged", "seed": 3, "seconds": 1.0}
    summary = report.summarise({"a": [*entries, failed], "b": entries[:1]})
    assert summary["a"]["mean"] == {"modes": 8.0}
    assert summary["a"]["deviation"] == {"modes": 1.0}  # Of a sample: sqrt((1 + 0 + 1) / 2).
    assert (summary["a"]["trials"], summary["a"]["failed"]) == (4, 1)
    assert summary["b"]["deviation"] == {"modes": None}
    assert summary["a"]["seconds"] == pytest.approx(7.0 / 4)


def arithmetic_table():
    def draw(folder, table, summary):
        path = folder / "picture.png"
        return pictures.bars(path, {row: e["mean"]["modes"] for row, e in summary.items()}, "modes")

    source = "Somebody 2018, table 1"
    return tables.Table(
        name="arithmetic",
        full=Protocol(),
        small=Protocol(factor=1.0, trials=1),
        rows={"a": {}, "b": {}},
        columns=(report.Column("modes", "modes %", digits=2, scale=100.0),),
        published=(
            report.Published("A", {"modes": "7.5"}, source, "a"),
            report.Published("A, larger", {"modes": "7.9"}, source, "a"),
            report.Published("C", {}, source),
        ),
        departures="the published protocol, but by arithmetic.",
        describe=lambda protocol: [f"Times {protocol.factor:g}."],
        train=arithmetic,
        draw=draw,
    )


def test_the_printed_table(tmp_path):
    config = tables.Config(out=str(tmp_path), seed=3)
    text = tables.run(arithmetic_table(), config).text
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[5:]]
    assert text.splitlines()[1] == "Times 10."
    assert text.splitlines()[2] == "Without --small: the published protocol, but by arithmetic."
    assert "seeds 3 to 4" in text and "Somebody 2018, table 1" in text
    assert rows == [
        ["row", "modes %", "trials", "s a trial", "published", "modes %"],
        [rows[1][index] for index in range(6)],
        ["a", "3500.00 +- 707.11", "2", "0", "A", "7.5"],
        ["", "", "", "", "A, larger", "7.9"],
        ["b", "3500.00 +- 707.11", "2", "0", "-", "-"],
        ["", "", "", "", "C", "-"],
    ]


def test_more_trials_and_rows_go_on_but_another_protocol_does_not(tmp_path, capsys):
    table, out = arithmetic_table(), str(tmp_path)
    first = tables.run(table, tables.Config(rows=["b"], trials=1, out=out))
    assert list(first.summary) == ["b"]
    again = tables.run(table, tables.Config(trials=3, out=out))
    assert "holds 1 of 6 trials" in capsys.readouterr().out
    assert again.summary["b"]["mean"] == {"modes": 10.0} and list(again.summary) == ["a", "b"]
    with pytest.raises(ValueError, match="factor was 10.0 and is now 1.0"):
        tables.run(table, tables.Config(small=True, out=out))
    small = tables.run(table, tables.Config(small=True, out=out, fresh=True))
    assert small.summary["a"]["trials"] == 1 and small.summary["a"]["mean"] == {"modes": 0.0}


def tiny(table):
    """A table's small protocol with next to no training."""
    changes = {
        "ring": dict(points=400, epochs=1, generator_units=8, discriminator_units=4, samples=50),
        "stacked_mnist": dict(images=64, epochs=0.25, batch_size=8, generator_filters=2,
                              discriminator_filters=2, samples=40),
        "losses": dict(rounds=2, filters=2, batch_size=8, latent_dim=4, samples=100),
        "disentanglement": dict(image_size=8, rounds=4, units=4, groups=30, pairs=2, votes=20,
                                samples=200),
        "vae": dict(epochs=2, units=8, latent_dim=4, validation=3900, samples=20, test_images=20),
    }  # fmt: skip
    return dataclasses.replace(table.small, trials=1, **changes[table.name])


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        (benchmark.Ring, ["packing_3"]),
        (benchmark.StackedMnist, ["packing_2"]),
        (benchmark.Losses, [losses.FLOOR, "non_saturating_r1"]),
        (benchmark.Vae, ["iwae_k5"]),
        (benchmark.Disentanglement, ["beta_vae_capacity"]),
    ],
)
def test_a_table_prints_and_writes_its_numbers_beside_the_published(
    config, rows, tmp_path, capsys, request
):
    if config is not benchmark.Vae:  # Which trains for some more rounds.
        request.getfixturevalue("untraced")
    table = benchmark.TABLES[config]
    result = benchmark.run(config(small=True, rows=rows, out=str(tmp_path)), tiny(table))
    printed = capsys.readouterr().out
    assert result.text in printed and (tmp_path / "table.md").read_text() == result.text + "\n"
    assert all(f"| {row} " in result.text for row in rows)
    for entry in table.published:
        assert any(
            entry.name in line and all(number in line for number in entry.scores.values())
            for line in result.text.splitlines()
        ), entry
        assert entry.source in result.text
    assert "seeds 0 to 0" in result.text

    content = json.loads((tmp_path / "results.json").read_text())
    assert content["protocol"] == dataclasses.asdict(tiny(table))
    for row in rows:
        ours = [trial["scores"] for trial in content["results"][row]]
        assert len(ours) == 1 and set(ours[0]) >= {column.name for column in table.columns}
        assert np.isfinite([list(entry.values()) for entry in ours]).all()
        mean = np.mean([entry[table.columns[0].name] for entry in ours])
        assert content["summary"][row]["mean"][table.columns[0].name] == pytest.approx(mean)
        assert table.columns[0].format(mean) in result.text
    with PIL.Image.open(result.paths["picture"]) as picture:
        assert min(picture.size) > 50


def test_the_table_of_pix2pix(tmp_path, untraced):
    protocol = dataclasses.replace(
        pix2pix.PIX2PIX.small, image_size=16, rounds=2, filters=2, discriminator_filters=2,
        held_out=300,
    )  # fmt: skip
    row = "l1_cgan_image"
    config = benchmark.Pix2Pix(data="mnist5k", rows=[row], out=str(tmp_path))
    with pytest.raises(ValueError, match="digit"):
        benchmark.run(dataclasses.replace(config, data="nowhere_a_digit"), protocol)
    result = benchmark.run(dataclasses.replace(config, fresh=True), protocol)
    assert set(result.summary[row]["mean"]) == {"l1", "psnr", "ssim", "frechet"}
    assert "0.57" in result.text  # The published accuracy, which ours have none of.
    with PIL.Image.open(result.paths["picture"]) as picture:
        assert picture.height > 50  # Inputs, a row and targets.


@pytest.mark.parametrize(
    ("row", "weight", "logits"),
    # A field of 16 pixels is that of kernels of 4, of which the first has strides of 2.
    [
        ("l1", 100.0, None),
        ("cgan", 0.0, 8),
        ("l1_cgan_1", 100.0, 16),
        ("encoder_decoder_l1", 100.0, None),
    ],
)
def test_rows_of_pix2pix_differ_in_what_they_say(row, weight, logits, monkeypatch):
    built = []

    def fit(model, *arguments, **settings):
        built.append(model)
        raise KeyboardInterrupt

    monkeypatch.setattr(kgen.models.Pix2Pix, "fit", fit)
    protocol = dataclasses.replace(
        pix2pix.PIX2PIX.small, data="mnist5k", image_size=16, filters=2, discriminator_filters=2
    )
    with pytest.raises(KeyboardInterrupt):
        pix2pix.train(protocol, trials.Trial(row, 0, seed=3))
    (model,) = built
    assert model.reconstruction_weight == weight and model.seed == 3
    assert (model.discriminator is None) == (logits is None)
    skips = [one for one in model.generator.layers if isinstance(one, keras.layers.Concatenate)]
    assert bool(skips) != row.startswith("encoder_decoder")
    if logits:
        assert model.discriminator.output_shape[1:3] == (logits, logits)


def test_the_table_of_growing_and_styles(tmp_path, untraced):
    protocol = dataclasses.replace(
        style.STYLE.small, image_size=8, thousand_images=0.07, filters=2, max_filters=2,
        latent_dim=4, mapping_depth=1, samples=70, trials=1,
    )  # fmt: skip
    rows = ["stylegan_no_noise"]
    result = benchmark.run(benchmark.Style(rows=rows, out=str(tmp_path)), protocol)
    found = set(result.summary[rows[0]]["mean"])
    assert {"frechet", "path_length_z", "path_length_w", "precision_3", "recall_3"} < found
    assert "446.2" in result.text  # Published, of styles without noise.
    with PIL.Image.open(result.paths["picture"]) as picture:
        assert picture.width > 100


def test_rows_of_styles_differ_in_what_they_say(monkeypatch):
    protocol = dataclasses.replace(
        style.STYLE.small, image_size=8, filters=2, max_filters=2, latent_dim=4, ema_momentum=None
    )
    monkeypatch.setattr(style, "_compiled", lambda model, protocol: model)
    models = {row: style.build(protocol, row, seed=0) for row in style.ROWS}
    assert not models["progan_direct"].progressive and models["progan"].progressive
    assert models["stylegan"].generator.mapping_depth == 8
    assert models["stylegan_no_mapping"].generator.mapping_depth == 0
    assert not models["stylegan_no_noise"].generator.noise
    assert models["stylegan_no_mixing"].mixing == 0.0 and models["stylegan"].mixing == 0.9
    # Growth ends after a third of the images.
    for row in ("progan", "stylegan"):
        assert models[row].phases[-1].start == pytest.approx(40_000 / 3)


def test_rows_of_disentanglement_differ_in_their_loss():
    protocol = tiny(disentanglement.DISENTANGLEMENT)
    plain, beta, grown = (disentanglement.build(protocol, row) for row in disentanglement.ROWS)
    assert (plain.beta, beta.beta, beta.capacity) == (1.0, 8.0, 0.0)
    assert (grown.beta, grown.capacity, grown.capacity_rounds) == (30.0, 10.0, 3)


@pytest.mark.parametrize("row", mixtures.ROWS)
def test_every_row_of_the_mixtures_builds(row, untraced):
    """Their arguments of `GAN` go together, and those of the papers arrive."""
    protocol = dataclasses.replace(
        tiny(mixtures.RING), weight_clipping=0.03, r1_weight=0.7, penalty_weight=0.4
    )
    model = mixtures.build(protocol, row)
    assert model.sample(5).shape == (5, 2)
    expected = {"r1": 0.7, "dragan": 0.4, "wgan_gp": 0.4}
    assert model.penalty is None or model.penalty_weight == expected[row]
    assert (model.weight_clipping == 0.03) == (row == "wasserstein")
    assert model.discriminator_updates == (5 if row in ("wasserstein", "wgan_gp") else 1)
    assert model.packing == int(row[-1] if row.startswith("packing") else 1)


def test_the_full_protocols_are_the_published_ones():
    """shared/targets.md, or the papers: sizes, budgets and numbers of samples."""
    for table in (mixtures.RING, mixtures.GRID):
        full = table.full
        assert (full.points, full.batch_size, full.epochs, full.trials) == (100_000, 100, 400, 10)
        assert (full.generator_units, full.discriminator_units, full.samples) == (400, 200, 2500)
    full = stacked_mnist.STACKED_MNIST.full
    assert (full.images, full.batch_size, full.epochs, full.trials) == (128_000, 64, 50, 10)
    assert (full.latent_dim, full.samples, full.learning_rate) == (100, 26_000, 2e-4)
    assert vae.VAES.full.samples == 5000 and (vae.VAES.full.units, vae.VAES.full.latent_dim) == (
        200,
        50,
    )


def test_every_player_makes_its_share_of_the_updates():
    """An epoch shows the discriminator as many packs in every row."""
    protocol = dataclasses.replace(tiny(mixtures.RING), points=500, batch_size=50, epochs=2)
    assert mixtures.rounds(protocol, updates=1) == 20
    assert mixtures.rounds(protocol, updates=5) == 4
    protocol = dataclasses.replace(tiny(stacked_mnist.STACKED_MNIST), epochs=10.0)
    assert stacked_mnist.rounds(protocol, updates=1) == 80  # Of 64 images in batches of 8.
    assert stacked_mnist.rounds(protocol, updates=5) == 16


@pytest.mark.parametrize("row", stacked_mnist.ROWS)
def test_every_row_of_stacked_mnist_builds(row):
    protocol = dataclasses.replace(tiny(stacked_mnist.STACKED_MNIST), r1_weight=0.7)
    model = stacked_mnist.build(protocol, row)
    packing = {"packing_2": 2, "packing_4": 4}.get(row, 1)
    assert model.discriminator.input_shape == (None, 28, 28, 3 * packing)
    assert model.penalty_weight == (0.7 if row == "r1" else 10.0)
    assert model.discriminator_updates == (5 if row == "wgan_gp" else 1)


def test_binarised_digits_are_the_same_for_all_trials():
    first = vae.binarised("mnist5k", "test", seed=0)
    assert first.shape == (1000, 28, 28, 1) and set(np.unique(first)) == {-1.0, 1.0}
    np.testing.assert_array_equal(first, vae.binarised("mnist5k", "test", seed=0))
    assert 0.01 < np.mean(first != vae.binarised("mnist5k", "test", seed=1)) < 0.1


def test_pixels_are_drawn_by_their_grey_values():
    grey = np.repeat([[-1.0, -0.5, 0.0, 1.0]], 10_000, axis=0)
    shares = np.mean(vae.drawn(grey, seed=3) > 0, axis=0)
    assert shares[0] == 0.0 and shares[3] == 1.0
    np.testing.assert_allclose(shares[1:3], [0.25, 0.5], atol=5 * 0.5 / np.sqrt(10_000))


def test_nats_and_their_errors_by_hand():
    estimates = -np.array([[90.0, 110.0, 100.0], [92.0, 112.0, 102.0]])
    found = vae.nats(estimates)
    assert found["nll"] == pytest.approx(101.0)
    assert found["over_images"] == pytest.approx(10.0 / np.sqrt(3.0))  # Of 91, 111 and 101.
    assert found["over_draws"] == pytest.approx(np.sqrt(2.0) / np.sqrt(2.0))  # Of 100 and 102.


def test_modes_of_real_stacked_digits_are_their_labels():
    images, labels = next(
        iter(kgen.data.load("stacked_mnist", batch_size=200, split="test", labels=True))
    )
    found, recognised = stacked_mnist.digits_of(images.numpy())
    assert np.mean(found == labels.numpy()) > 0.9 and recognised > 0.9


def test_vae_of_a_set_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    config = benchmark.Vae(data="tfds:no_such_set", out=str(tmp_path / "out"))
    with pytest.raises(ValueError, match="no_such_set"):
        benchmark.run(config, tiny(vae.VAES))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"trials": 0}, "`trials` must be positive, received 0"),
        ({"processes": 0}, "`processes` must be positive, received 0"),
        ({"rows": ["gan"]}, r"`rows` must name rows of .*minimax.*received \['gan'\]"),
        ({"rows": []}, "`rows` must name rows"),
    ],
)
def test_bad_input(tmp_path, fields, message):
    with pytest.raises(ValueError, match=message):
        benchmark.run(benchmark.Ring(out=str(tmp_path / "out"), **fields))
    assert not (tmp_path / "out").exists()


def test_command_line(tmp_path, capsys):
    for name in command_line.CONFIGS:
        with pytest.raises(SystemExit) as stop:
            command_line.main([name, "--help"])
        assert stop.value.code == 0
        printed = " ".join(capsys.readouterr().out.split())
        assert "--small" in printed and "--trials" in printed and "--fresh" in printed
    with pytest.raises(SystemExit) as stop:
        command_line.main(["ring", "--rows", "gan", "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("error: `rows` must name rows")


def test_scatter_draws_a_panel_a_row(tmp_path):
    points = RING_CENTRES + RING_STD
    one = pictures.scatter(tmp_path / "one.png", {"a": points}, RING_CENTRES, 1.5)
    five = pictures.scatter(
        tmp_path / "five.png", dict.fromkeys("abcde", points), RING_CENTRES, 1.5
    )
    with PIL.Image.open(one) as single, PIL.Image.open(five) as several:
        assert several.width == 4 * single.width and several.height == 2 * single.height


SMALL_CODES = {"rounds": 2, "filters": 4, "trials": 1, "batch_size": 16}


@pytest.mark.parametrize(
    ("config", "table", "rows", "columns"),
    [
        (benchmark.Compression, compression.COMPRESSION, ["pca_8", "autoencoder_8"], ["psnr"]),
        (
            benchmark.Denoising,
            denoising.DENOISING,
            ["masking_noisy", "masking_median", "masking_autoencoder"],
            ["psnr", "ssim"],
        ),
        (benchmark.Pretraining, pretraining.PRETRAINING, ["pretrained_50"], ["accuracy"]),
    ],
)  # fmt: skip
def test_tables_of_autoencoders(tmp_path, config, table, rows, columns, untraced, monkeypatch):
    digits = digit_codes.digits
    monkeypatch.setattr(digit_codes, "digits", lambda *given: [x[:300] for x in digits(*given)])
    settings, data = dict(SMALL_CODES), "digits"
    if config is benchmark.Pretraining:
        settings["classifier_rounds"] = 2
    elif config is benchmark.Denoising:
        data = "mnist5k"  # The others are too small for SSIM.
    protocol = dataclasses.replace(table.small, **settings)
    result = benchmark.run(config(data=data, rows=rows, out=str(tmp_path)), protocol)
    for row in rows:
        assert set(columns) <= set(result.summary[row]["mean"])
    with PIL.Image.open(result.paths["picture"]) as picture:
        assert min(picture.size) > 50


def test_denoising_is_of_the_same_noisy_digits_by_all_methods(monkeypatch):
    protocol = dataclasses.replace(denoising.DENOISING.small, **SMALL_CODES)
    clean, labels = (array[:100] for array in digit_codes.digits(protocol, "test"))
    monkeypatch.setattr(digit_codes, "digits", lambda protocol, split: (clean, labels))
    given = {}

    class Idle:
        def reconstruct(self, images):
            given["noisy"] = images
            return images

    monkeypatch.setattr(digit_codes, "trained", lambda *arguments, **settings: Idle())
    scores = {
        row: denoising.train(protocol, trials.Trial(row, 0, seed=3))[0]["psnr"]
        for row in ("masking_noisy", "masking_autoencoder", "gaussian_noisy", "gaussian_median")
    }
    # Half of the light is gone: of [-1, 1], 10 log10(4 / mean square).
    expected = 10.0 * np.log10(4.0 / np.mean(0.5 * np.square(clean + 1.0), axis=(1, 2, 3)))
    assert scores["masking_noisy"] == pytest.approx(expected.mean(), abs=0.1)
    assert scores["masking_autoencoder"] == scores["masking_noisy"]
    denoising.train(protocol, trials.Trial("gaussian_autoencoder", 0, seed=3))
    assert given["noisy"].min() < -1.0  # As in training; filters and scores see [-1, 1].
    filtered = np.clip(scipy.ndimage.median_filter(given["noisy"], (1, 3, 3, 1)), -1.0, 1.0)
    expected = np.mean(kgen.metrics.psnr(filtered, clean))
    assert scores["gaussian_median"] == pytest.approx(expected)
    assert scores["gaussian_median"] > scores["gaussian_noisy"] + 2.0


def test_a_pretrained_classifier_starts_from_what_the_autoencoder_has_learned(monkeypatch):
    protocol = dataclasses.replace(pretraining.PRETRAINING.small, **SMALL_CODES, data="digits")
    learned, started = [], []

    def trained(protocol, images, seed, system, amount):
        learned.append(digit_codes.encoder(protocol, images.shape[1:]))
        return types.SimpleNamespace(encoder=learned[-1])

    def stopped(network):
        started.append(network[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(digit_codes, "trained", trained)
    monkeypatch.setattr(keras, "Sequential", stopped)
    for row in ("pretrained_50", "random_50"):
        with pytest.raises(KeyboardInterrupt):
            pretraining.train(protocol, trials.Trial(row, 0, seed=1))
    assert len(learned) == 1 and started[0] is learned[0] and started[1] is not learned[0]


def test_compression_by_principal_components_is_that_of_the_singular_values(tmp_path):
    """Of the training digits themselves the error is the tail of the singular values."""
    protocol = dataclasses.replace(compression.COMPRESSION.small, **SMALL_CODES, data="digits")
    result = benchmark.run(
        benchmark.Compression(data="digits", rows=["pca_32"], out=str(tmp_path)), protocol
    )
    train, _ = digit_codes.digits(protocol, "train")
    rows = 0.5 * train.reshape(len(train), -1).astype("float64")
    centred = rows - rows.mean(axis=0)
    squares = np.linalg.eigvalsh(centred.T @ centred)  # Of the singular values, from the smallest.
    on_train = np.sum(squares[:-32]) / len(rows)
    # Held-out digits are a little worse, and clipping makes all a little better.
    assert 0.8 * on_train < result.summary["pca_32"]["mean"]["squared_error"] < 1.3 * on_train


def test_the_table_of_anomalies(tmp_path, untraced):
    protocol = dataclasses.replace(anomaly.ANOMALY.small, **SMALL_CODES, digits=(0, 1))
    result = benchmark.run(benchmark.Anomaly(out=str(tmp_path)), protocol)
    pca = result.summary["pca"]["mean"]
    # What is known of it: ones are the easiest class, and all is far above chance.
    assert pca["auroc_1"] > 0.97 and pca["auroc_0"] > 0.9
    assert pca["auroc"] == pytest.approx((pca["auroc_0"] + pca["auroc_1"]) / 2)
    assert pca["false_positive_rate"] == pytest.approx(0.05, abs=0.04)
    assert pca["true_positive_rate"] > 0.6
    assert "89.7" in result.text  # Published.
    with PIL.Image.open(result.paths["picture"]) as picture:
        assert picture.size == (500, 500)


def test_few_labels_are_of_all_classes():
    labels = np.arange(300) % 10
    places = pretraining.few_of_each(labels, 50, seed=0)
    np.testing.assert_array_equal(np.bincount(labels[places]), [5] * 10)
    assert len(set(places)) == 50
    assert (places != pretraining.few_of_each(labels, 50, seed=1)).any()
    with pytest.raises(ValueError, match="`data` must have 40 digits of each class"):
        pretraining.few_of_each(labels, 400, seed=0)


def test_a_commit_is_that_of_kgens_own_repository(tmp_path, monkeypatch):
    def git(*arguments):
        given = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", *given, *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)

    def at(*parts):
        file = tmp_path.joinpath(*parts, "recipes", "benchmark", "trials.py")
        file.parent.mkdir(parents=True)
        file.touch()
        monkeypatch.setattr(trials, "__file__", str(file))

    git("init", "-q")
    at()
    assert trials.commit() is None  # Nobody's yet.
    git("add", "recipes")
    git("commit", "-qm", "kgen")
    (commit,) = git("rev-parse", "--short", "HEAD").stdout.split()
    assert trials.commit() == commit
    (tmp_path / "recipes" / "new.py").touch()
    assert trials.commit() == f"{commit}+"
    at("venv", "lib", "site-packages")  # Installed within somebody's project,
    assert trials.commit() is None
    git("add", "-f", "venv")  # which even has it among its files.
    git("commit", "-qm", "all")
    assert trials.commit() is None
