"""Evaluation: the same protocol for all, on the card; a reference read once, by batches."""

import keras
import numpy as np
import pytest

import kgen.data
from kgen import models, networks
from kgen.metrics import Evaluation, Moments, frechet_distance, manifold_scores, reference, samples
from kgen.metrics.cache import cache_folder
from kgen.metrics.extractors.extractor import Extractor
from kgen.metrics.reference import Reference
from kgen.metrics.table import GROUPS, better
from tests.systems import SHAPE, SYSTEMS

IMAGES = np.random.default_rng(0).uniform(-1.0, 1.0, (40, *SHAPE)).astype("float32")


def network(features=4):
    images = keras.Input(SHAPE)
    kernel = keras.initializers.GlorotUniform(seed=0)
    x = keras.layers.Dense(features, kernel_initializer=kernel)(keras.layers.Flatten()(images))
    return keras.Model(images, x, name="small")


def with_classes():
    images = keras.Input(SHAPE)
    flat = keras.layers.Flatten()(images)
    classifier = keras.Model(images, keras.layers.Dense(3, "softmax")(flat))
    return Extractor(network(), "small", classifier)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_scores_are_those_of_the_functions_with_their_card_filled():
    extractor = Extractor(network())
    held_out = np.concatenate(list(kgen.data.in_order("digits").as_numpy_iterator()))
    assert len(held_out) == 360

    model = dense_gan(0.9)
    scores = Evaluation("digits", ("recall", "frechet", "precision"), extractor)(model)
    assert list(scores) == ["recall", "frechet", "precision"]
    features, expected = extractor(model.sample(360, seed=0)), extractor(held_out)
    frechet = frechet_distance(features, Moments.of(expected))
    manifold = manifold_scores(features, expected)
    np.testing.assert_allclose(scores["frechet"], frechet, rtol=1e-5)
    np.testing.assert_allclose(scores["frechet"].interval, frechet.interval, rtol=1e-5)
    assert float(scores["precision"]) == float(manifold["precision"])

    card = scores["frechet"].card
    assert card.metric == "frechet_distance" and card.samples == card.reference_samples == 360
    assert card.reference.startswith("digits (") and card.split == "test"
    assert (card.extractor, card.extractor_hash) == ("small", extractor.hash)
    assert card.resizer == "none" and card.weights == "averaged"
    assert card.seeds["samples"] == 0
    assert scores["precision"].card.settings == {"neighbours": 5}


def test_options_reach_the_metric_and_its_card():
    options = {"manifold": {"neighbours": 3}}
    evaluation = Evaluation(IMAGES, ("density",), network(), options=options, resamples=0)
    score = evaluation.of(IMAGES)["density"]
    assert score.card.settings == {"neighbours": 3} and score.interval is None


def test_every_protocol_that_differs_is_told_apart():
    def score(given=IMAGES, found=IMAGES, extractor=None, **arguments):
        extractor = network() if extractor is None else extractor
        return Evaluation(given, ("frechet",), extractor, resamples=0, **arguments).of(found)[
            "frechet"
        ]

    base = score()
    assert base == score(seed=1)
    for other in (score(found=IMAGES[:30]), score(given=IMAGES[:30]), score(given=-IMAGES),
                  score(extractor=network(5))):  # fmt: skip
        with pytest.raises(ValueError, match="unlike cards"):
            base < other  # noqa: B015


def dense_gan(ema_momentum):
    return models.GAN(
        networks.dense_generator(SHAPE, latent_dim=2, units=4),
        networks.dense_discriminator(SHAPE, units=4, pieces=1),
        ema_momentum=ema_momentum,
    )


def dense_vae(likelihood):
    return models.VAE(
        networks.dense_encoder(SHAPE, 3, hidden_layers=0),
        networks.dense_decoder(SHAPE, 3, likelihood=likelihood, hidden_layers=0),
        likelihood=likelihood,
    )


def test_averaged_and_raw_weights_are_told_apart():
    evaluation = Evaluation(IMAGES, ("frechet",), network(), samples=20)
    averaged, raw = (evaluation(dense_gan(momentum)) for momentum in (0.9, None))
    assert averaged["frechet"].card.weights == "averaged"
    assert raw["frechet"].card.weights == "raw"
    with pytest.raises(ValueError, match="weights is 'averaged' and 'raw'"):
        averaged["frechet"].difference(raw["frechet"])


def test_every_metric_of_images_can_be_asked_for():
    extractor = with_classes()
    metrics = ("frechet", "kernel", "precision", "recall", "density", "coverage", "inception")
    options = {"inception": {"splits": 2}}
    scores = Evaluation("digits", metrics, extractor, options=options)(dense_gan(0.9))
    for name in metrics:
        assert np.isfinite(scores[name]) and better(name) in ("min", "max"), name
        assert scores[name].card.extractor == "small"
        assert scores[name].card.reference.startswith("digits (")


def test_a_model_with_a_likelihood_is_scored_by_it():
    model = dense_vae("bernoulli")
    evaluation = Evaluation("digits", ("nll",), options={"likelihood": {"samples": 8}})
    score = evaluation(model)["nll"]
    held_out = np.concatenate(list(kgen.data.in_order("digits").as_numpy_iterator()))
    np.testing.assert_allclose(score, -model.log_prob(held_out, samples=8).mean(), rtol=1e-6)
    assert score.card.settings == {"samples": 8, "likelihood": "bernoulli"}
    assert score.interval[0] < score < score.interval[1]
    with pytest.raises(NotImplementedError, match="cannot `log_prob`"):
        evaluation(dense_gan(0.9))


def test_a_conditional_model_is_told_the_reference_s_labels():
    shape = (12, 12, 1)  # The similarity of structure needs 11 pixels.
    model = models.VAE(
        networks.dense_encoder(shape, 2, 4, classes=10),
        networks.dense_decoder(shape, 2, 4, classes=10),
    )
    options = {"likelihood": {"samples": 8}}
    scores = Evaluation("digits", ("nll", "l1"), options=options, image_size=12)(model)
    pairs = list(kgen.data.in_order("digits", 12, labels=True).as_numpy_iterator())
    images, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    expected = -model.log_prob(images, samples=8, labels=labels).mean()
    assert float(scores["nll"]) == pytest.approx(expected, rel=1e-6)
    assert scores["nll"].card.settings["given"] == "labels"
    decoded = model.reconstruct(images, labels=labels)
    assert float(scores["l1"]) == pytest.approx(np.abs(decoded - images).mean(), rel=1e-5)
    with pytest.raises(ValueError, match="`reference` must be a set with labels"):
        Evaluation(images, ("nll",))(model)


def test_a_model_that_reconstructs_is_scored_by_it():

    class Blur:
        sampling_weights, seed, image_shape = "raw", None, (16, 16, 1)

        def _require(self, ability):
            assert ability == "reconstruct"

        def reconstruct(self, images):
            return 0.5 * images

    given = np.random.default_rng(0).uniform(-1.0, 1.0, (4, 16, 16, 1)).astype("float32")
    scores = Evaluation(given, ("psnr", "ssim"))(Blur())
    expected = 10 * np.log10(4.0 / np.mean(np.square(0.5 * given), axis=(1, 2, 3)))
    np.testing.assert_allclose(scores["psnr"], expected.mean(), rtol=1e-6)
    assert 0.0 < scores["ssim"] < 1.0


def test_points_are_scored_by_their_modes():
    points = np.concatenate(list(kgen.data.in_order("ring", split="train", length=2500)))
    evaluation = Evaluation("ring", ("modes", "high_quality", "reverse_kl"))
    scores = evaluation.of(points)
    assert scores["modes"] == 8.0 and scores["high_quality"] > 0.98
    assert evaluation.of(points[:1])["modes"] == 1.0
    grid = Evaluation("grid", ("modes",))
    assert grid.of(np.concatenate(list(kgen.data.in_order("grid", length=2500))))["modes"] == 25.0


def test_stacked_digits_are_counted_channel_by_channel():
    class Brightness:
        """Tells 10 classes by the mean."""

        name, hash = "brightness", "0"

        def resizer(self, image_shape):
            return "none"

        def __call__(self, images):
            return images.mean(axis=(1, 2))

        def probabilities(self, images):
            classes = np.round((images.mean(axis=(1, 2, 3)) + 1.0) * 4.5).astype(int)
            return np.eye(10)[classes]

    digits = np.array([[0, 0, 7], [0, 1, 2], [9, 9, 9], [9, 9, 9]])
    images = np.ones((4, 28, 28, 3)) * (digits / 4.5 - 1.0)[:, None, None]
    assert samples.labels_by_channel(images, Brightness()).tolist() == [7, 12, 999, 999]
    evaluation = Evaluation("stacked_mnist", ("modes", "reverse_kl"), Brightness())
    assert evaluation.of(images.astype("float32"))["modes"] == 3.0


def test_the_reference_is_read_once(own_cache, monkeypatch):
    evaluation = Evaluation("digits", ("frechet",), network())
    first = evaluation.of(IMAGES)["frechet"]
    assert len(list((own_cache / "references").iterdir())) == 1

    def never(*arguments):
        raise AssertionError("read again")

    monkeypatch.setattr(reference.Reference, "_summed_up", never)
    again = Evaluation("digits", ("frechet",), network()).of(IMAGES)["frechet"]
    assert again == first and again.interval == first.interval
    with pytest.raises(AssertionError, match="read again"):
        Evaluation("digits", ("frechet",), network(), split="train").of(IMAGES)
    with pytest.raises(AssertionError, match="read again"):
        Evaluation("digits", ("frechet",), network(5)).of(IMAGES)


def test_more_samples_than_are_kept_leave_their_moments(monkeypatch):
    """Also of the reference: the distance is of all, whatever is kept."""
    monkeypatch.setattr(reference, "KEPT", 50)
    monkeypatch.setattr(samples, "KEPT", 50)
    extractor = Extractor(network())
    evaluation = Evaluation("digits", ("frechet", "precision"), extractor)
    parts = [IMAGES] * 3
    scores = evaluation.of(iter(parts))
    held_out = np.concatenate(list(kgen.data.in_order("digits").as_numpy_iterator()))
    expected = frechet_distance(
        Moments.of(extractor(np.concatenate(parts))), Moments.of(extractor(held_out))
    )
    np.testing.assert_allclose(scores["frechet"], expected, rtol=1e-9)
    assert scores["frechet"].interval is None
    assert (scores["frechet"].card.samples, scores["frechet"].card.reference_samples) == (120, 360)
    assert (scores["precision"].card.samples, scores["precision"].card.reference_samples) == (
        50,
        50,
    )


def test_samples_in_chunks_are_all_different_and_begin_as_sample_does(monkeypatch):
    monkeypatch.setattr(samples, "CHUNK", 6)
    model = SYSTEMS["first_gan"].make()
    drawn = list(samples.drawn(model, 16, 3, 4))
    assert [len(part) for part in drawn] == [6, 6, 4]
    # In the same batches: some processors round products of more rows in another way.
    np.testing.assert_array_equal(drawn[0], model.sample(6, seed=3, batch_size=4))
    assert len(np.unique(np.concatenate(drawn).reshape(16, -1), axis=0)) == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": ("fid",)}, "`metrics` must be out of.*'fid'"),
        ({"metrics": ("modes",)}, "`metrics` must be out of.*'modes'"),
        ({"extractor": None, "metrics": ("inception",)}, "'random .seed 0.' has no classes"),
        ({"options": {"frechet": {"shrink": 1}}}, "`options` for 'frechet' must be out of"),
        ({"metrics": ()}, "`metrics` must name at least one"),
        ({"samples": 4}, "`samples` must be more than the 4 dimensions"),
        ({"samples": 1}, "`samples` must be an integer of at least 2, received 1"),
        ({"samples": 10.5}, "`samples` must be"),
        ({"options": {"precision": {}}}, "`options` must be for"),
        ({"image_size": 8}, "`image_size` and `channels` are for a set"),
        ({"reference": IMAGES[:1]}, "with n at least 2"),
        ({"reference": (255 * IMAGES).astype("uint8")}, "array of floats"),
        ({"reference": "nowhere"}, "nowhere is no such name"),
        ({"metrics": ("inception",)}, "has no classes"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_arguments_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        Evaluation(**{"reference": IMAGES, "extractor": network(), **arguments})


def test_samples_that_cannot_be_scored_are_refused():
    evaluation = Evaluation(IMAGES, ("frechet",), network())
    with pytest.raises(ValueError, match=r"shape \(8, 8, 1\), but the samples' is \(9, 8, 1\)"):
        evaluation.of(np.zeros((10, 9, 8, 1), "float32"))
    with pytest.raises(ValueError, match="received NaN or infinity"):
        evaluation.of(np.full((10, *SHAPE), np.nan, "float32"))
    with pytest.raises(ValueError, match="`samples` must be an array or an iterable"):
        evaluation.of("mnist5k")
    with pytest.raises(ValueError, match="`model` must be a kgen.GenerativeModel"):
        evaluation(network())
    with pytest.raises(ValueError, match="at least one batch"):
        evaluation.of([])
    with pytest.raises(ValueError, match="need a model"):
        Evaluation("digits", ("nll",)).of(IMAGES)


def test_every_metric_has_a_line_in_the_table():
    for group in GROUPS.values():
        for metric in group.better:
            assert f"`{metric}`" in Evaluation.__doc__, metric


def test_a_network_that_is_trained_on_is_another_extractor():
    """Its scores are of the weights it has, and neither cache nor card takes it for the old one."""
    model = network()
    evaluation = Evaluation("digits", ("frechet",), model, resamples=0)
    before = evaluation.of(IMAGES)["frechet"]
    weights = model.get_weights()
    model.set_weights([3.0 * weight for weight in weights])
    after = evaluation.of(IMAGES)["frechet"]
    np.testing.assert_allclose(float(after), 9.0 * float(before), rtol=1e-4)
    assert after.card.extractor_hash != before.card.extractor_hash
    model.set_weights(weights)
    assert evaluation.of(IMAGES)["frechet"] == before


def test_a_network_with_layers_that_have_no_config_is_told_by_what_it_makes():
    class Pool(keras.layers.Layer):
        def __init__(self, pool):
            super().__init__()
            self.pool = pool

        def call(self, images):
            return self.pool(images, axis=(1, 2))

    def pooling(pool):
        images = keras.Input(SHAPE)
        return keras.Model(images, Pool(pool)(images))

    largest, mean = Extractor(pooling(keras.ops.max)), Extractor(pooling(keras.ops.mean))
    assert largest.hash != mean.hash == Extractor(pooling(keras.ops.mean)).hash


def test_a_frozen_network_is_the_same_one():
    model = network()
    before = Extractor(model).hash
    model.trainable = False
    assert Extractor(model).hash == before


def test_classes_are_part_of_the_extractor():
    one, other = with_classes(), with_classes()
    assert one.hash != other.hash


def test_a_folder_is_called_by_its_name_wherever_it_lies(tmp_path, monkeypatch):
    for place in ("a", "b"):
        (tmp_path / place / "digits").mkdir(parents=True)
        for number, image in enumerate(IMAGES):
            pixels = np.round((image + 1.0) * 127.5).astype("uint8")
            keras.utils.save_img(tmp_path / place / f"digits/{number:02d}.png", pixels, scale=False)
    monkeypatch.chdir(tmp_path)
    cards = [
        Evaluation(place, ("frechet",), network(), split="train", resamples=0)
        .of(IMAGES)["frechet"]
        .card
        for place in ("./a/digits", str(tmp_path / "b/digits"), tmp_path / "b/digits")
    ]
    assert cards[0] == cards[1] == cards[2]
    assert cards[0].reference.startswith("digits (")
    # It is no set of digits for all its name.
    evaluation = Evaluation(tmp_path / "b/digits", ("kernel",), samples=8)
    assert evaluation.of(IMAGES)["kernel"].card.extractor == "random (seed 0)"


def test_a_folder_that_changes_is_read_again(tmp_path):
    for number, image in enumerate(IMAGES):
        pixels = np.round((image + 1.0) * 127.5).astype("uint8")
        keras.utils.save_img(tmp_path / f"{number:02d}.png", pixels, scale=False)

    def score(**arguments):
        given = {"extractor": network(), "resamples": 0, "split": "train", **arguments}
        return Evaluation(tmp_path, ("frechet",), **given).of(IMAGES)["frechet"]

    first = score()
    assert score() == first
    for number in range(20):  # Some of which are of the split.
        keras.utils.save_img(tmp_path / f"{number:02d}.png", np.zeros(SHAPE), scale=False)
    assert score().card.reference != first.card.reference
    # Another size is another reference, whatever is cached.
    small = Evaluation(tmp_path, ("frechet",), "random", image_size=4, split="train",
                       options={"frechet": {"shrinkage": 0.5}}, resamples=0)  # fmt: skip
    assert small.of(IMAGES[:, ::2, ::2])["frechet"].card.reference not in (
        first.card.reference,
        score().card.reference,
    )


def test_likelihoods_are_told_apart():
    evaluation = Evaluation(IMAGES, ("nll",), options={"likelihood": {"samples": 2}})
    binary, grey = (
        evaluation(dense_vae(name))["nll"] for name in ("bernoulli", "discretized_logistic")
    )
    with pytest.raises(ValueError, match="likelihood"):
        min(binary, grey)


def test_a_reference_that_somebody_changed_in_the_cache_is_summed_up_again(tmp_path):
    def score():
        return Evaluation("digits", ("frechet",), network(), resamples=0).of(IMAGES)["frechet"]

    first = score()
    (path,) = cache_folder().glob("references/*.npz")
    with np.load(path) as stored:
        content = dict(stored)
    np.savez(path, **{**content, "mean": content["mean"] + 1.0})
    assert score() == first
    with np.load(path) as stored:
        np.testing.assert_array_equal(stored["mean"], content["mean"])


def test_of_a_reference_that_is_sorted_by_class_every_class_is_among_some(tmp_path):
    levels = np.linspace(-1.0, 1.0, 10).repeat(100).astype("float32")
    images = np.broadcast_to(levels[:, None, None, None], (1000, 4, 4, 1))
    np.savez(tmp_path / "set.npz", x_train=images, x_test=images, y_test=np.arange(1000) // 100)
    of_set = Reference(tmp_path / "set.npz")
    pixels, labels = of_set.some_labelled(200)
    for found in (Reference(images).some(200), of_set.some(200), pixels):
        assert len(found) == 200
        classes = np.rint((found[:, 0, 0, 0] + 1.0) * 4.5).astype(int)
        assert np.bincount(classes, minlength=10).min() >= 10  # About 20 of each.
    assert np.array_equal(classes, labels)
    assert np.array_equal(Reference(images).some(2000), images)  # All there are, in order.


def test_a_cache_that_cannot_be_written_is_only_slow(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KGEN_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="could not be written"):
        score = Evaluation("digits", ("frechet",), network()).of(IMAGES)["frechet"]
    assert score > 0.0


def test_samples_are_drawn_a_few_at_a_time(monkeypatch):
    model = SYSTEMS["first_gan"].make()
    drawn = list(samples.drawn(model, 20, 0, 2))
    assert [len(batch) for batch in drawn] == [8, 8, 4]
    np.testing.assert_allclose(np.concatenate(drawn), model.sample(20, seed=0), atol=1e-6)


def test_reconstructions_of_crops_are_drawn_by_the_photograph():
    class Halving:
        sampling_weights, seed, image_shape = "raw", None, (16, 16, 3)

        def _require(self, ability):
            assert ability == "reconstruct"

        def reconstruct(self, images):
            return 0.5 * images

    evaluation = Evaluation(
        "photos", "l1", image_size=16, options={"reconstruction": {"examples": 60}}
    )
    score = evaluation(Halving())["l1"]
    images, photographs = evaluation.reference.some_labelled(60)
    means = [np.abs(0.5 * images[photographs == number]).mean() for number in range(3)]
    assert score.card.settings["units"] == 3
    # No draw of three photographs is beyond them, and the ends of 100 draws are near their ends.
    assert np.ptp(score.interval) == pytest.approx(np.ptp(means), rel=0.4)
