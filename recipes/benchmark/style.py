"""What growing, styles and truncation do, at equal training images: a small ablation.

Karras et al. 2018, table 1, arXiv 1710.10196 (growing); Karras, Laine and Aila 2019, tables 1, 3
and 4, arXiv 1812.04948 (StyleGAN's parts); Brock et al. 2019, figures 2 and 16, arXiv 1809.11096
(truncation). Theirs are of faces and ImageNet by an Inception network; ours are of digits.
"""

import dataclasses

import keras
import numpy as np

import kgen.data
import kgen.metrics
from kgen.models import ProGAN, StyleGAN
from kgen.networks import ProgressiveDiscriminator, ProgressiveGenerator, StyleGenerator
from kgen.networks.shapes import halvings
from recipes import biggan
from recipes.benchmark import table, trials
from recipes.benchmark.pictures import rows_of_images
from recipes.benchmark.report import Column, Published

# Each row's kind, and what differs from the kind's own arguments.
ROWS = {
    "progan": ("progan", {}),
    "progan_direct": ("progan", {"progressive": False}),
    "stylegan": ("stylegan", {}),
    "stylegan_no_mapping": ("stylegan", {"mapping_depth": 0}),
    "stylegan_no_noise": ("stylegan", {"noise": False}),
    "stylegan_no_mixing": ("stylegan", {"mixing": 0.0}),
    "biggan": ("biggan", {}),
}

# How far samples are truncated, by the kind of truncation.
PSIS = {"stylegan": (1.0, 0.7, 0.5, 0.3), "biggan": (None, 1.0, 0.5, 0.25)}

STEPS = ("", "_1", "_2", "_3")  # Of the scores' names, in the order of `PSIS`.

COLUMNS = (
    Column("frechet", "Frechet distance", digits=1),
    Column("path_length_z", "path length in z", digits=0),
    Column("path_length_w", "in w", digits=0),
    *(Column(f"precision{step}", f"precision{step}", digits=3) for step in STEPS),
    *(Column(f"recall{step}", f"recall{step}", digits=3) for step in STEPS),
)

FFHQ = (
    "Karras et al. 2019, tables 1, 3 and 4 (from memory): FFHQ at 1024 x 1024, FID and PPL by VGG16"
)


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that decides the result of a trial."""

    data: str = "mnist5k"
    """Images: `mnist5k` or `tfds:mnist`."""
    image_size: int = 32
    thousand_images: float = 2000.0
    """Real images shown to each discriminator."""
    growing: float = 2 / 3
    """Share of them that is shown while a model grows."""
    batch_size: int = 32
    latent_dim: int = 64
    filters: int = 16
    max_filters: int = 128
    mapping_depth: int = 8
    r1_weight: float = 0.3
    """Of StyleGAN's penalty."""
    penalty_interval: int = 4
    """Rounds of which one computes it."""
    learning_rate: float = 1e-3
    ema_momentum: float = 0.998
    samples: int = 1000
    trials: int | None = 3
    seed: int = 0


def train(protocol, trial):
    """Trains one model and scores its samples. Returns `(scores, arrays)`."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    model = build(protocol, trial.row, trial.seed)
    kind, _ = ROWS[trial.row]
    batch_size = protocol.batch_size * model.largest_updates
    images = kgen.data.load(
        protocol.data,
        split="train+validation",
        image_size=protocol.image_size,
        batch_size=batch_size,
        labels=kind == "biggan",
        seed=trial.seed,
    )
    rounds = int(1000 * protocol.thousand_images / batch_size)
    model.fit(images, epochs=1, steps_per_epoch=rounds, verbose=0)
    trials.check_finite(model.sample(8, seed=0))
    return _scores(protocol, model, kind), {"images": model.sample(10, seed=protocol.seed)}


def build(protocol, row, seed):
    """Returns the compiled model of a row."""
    kind, changes = ROWS[row]
    make = {"progan": _progan, "stylegan": _stylegan, "biggan": _biggan}[kind]
    return make(protocol, seed, changes)


def describe(protocol):
    """Returns the protocol in sentences."""
    return [
        f"{protocol.data}, {protocol.image_size} x {protocol.image_size}, "
        f"{protocol.thousand_images:g} thousand images in batches of {protocol.batch_size}, "
        f"{protocol.filters} maps at the last size and up to {protocol.max_filters}; ProGAN and "
        f"StyleGAN grow for {protocol.growing:.0%} of the images; BigGAN has labels; "
        f"{protocol.samples:,} samples of averaged weights in the features of kgen's "
        "classifier of digits.",
        f"Truncation 1 to 3: psi {PSIS['stylegan'][1:]} of StyleGAN, latents cut at "
        f"{PSIS['biggan'][1:]} of BigGAN.",
    ]


def draw(folder, table, summary):
    """Draws samples of each row's first trial."""
    left = [trials.arrays(folder, row) for row in summary]
    return rows_of_images(folder / "picture.png", [e["images"] for e in left if e])


def _progan(protocol, seed, changes):
    shape, maps = _shape(protocol), _maps(protocol)
    model = ProGAN(
        ProgressiveGenerator(shape, protocol.latent_dim, **maps),
        ProgressiveDiscriminator(shape, **maps),
        **{**_growth(protocol), **changes},
        ema_momentum=protocol.ema_momentum,
        seed=seed,
    )
    return _compiled(model, protocol)


def _stylegan(protocol, seed, changes):
    shape, maps = _shape(protocol), _maps(protocol)
    of_generator = {name: changes[name] for name in ("mapping_depth", "noise") if name in changes}
    of_model = {name: value for name, value in changes.items() if name not in of_generator}
    generator = StyleGenerator(
        shape,
        protocol.latent_dim,
        protocol.latent_dim,
        output_activation="tanh",
        **{"mapping_depth": protocol.mapping_depth, **of_generator},
        **maps,
    )
    model = StyleGAN(
        generator,
        ProgressiveDiscriminator(shape, blur=True, **maps),
        **_growth(protocol),
        penalty_weight=protocol.r1_weight,
        penalty_interval=protocol.penalty_interval,
        ema_momentum=protocol.ema_momentum,
        seed=seed,
        **of_model,
    )
    return _compiled(model, protocol)


def _growth(protocol):
    """Phases of one length: of n sizes n - 1 are faded in, and n - 1 trained before the next."""
    sizes = 1 + halvings(protocol.image_size, protocol.image_size)
    length = protocol.thousand_images * protocol.growing / (2 * sizes - 2)
    return {"fade_kimg": length, "stable_kimg": length}


def _biggan(protocol, seed, changes):
    config = biggan.Config(
        data=protocol.data,
        image_size=protocol.image_size,
        filters=protocol.filters,
        ema_momentum=protocol.ema_momentum,
        seed=seed,
        **changes,
    )
    return biggan.build(config, _shape(protocol))


def _compiled(model, protocol):
    adam = {"learning_rate": protocol.learning_rate, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8}
    model.compile({"class_name": "Adam", "config": adam})
    return model


def _scores(protocol, model, kind):
    evaluation = kgen.metrics.Evaluation(
        protocol.data,
        ("frechet", "precision", "recall"),
        samples=protocol.samples,
        image_size=protocol.image_size,
        resamples=0,
    )
    scores = {}
    for step, psi in zip(STEPS, PSIS.get(kind, (None,)), strict=False):
        truncation = {"stylegan": {"psi": psi}, "biggan": {"truncation": psi}}.get(kind, {})
        samples = model.sample(protocol.samples, seed=protocol.seed, **truncation)
        found = evaluation.of(np.asarray(samples))
        names = ("frechet", "precision", "recall") if not step else ("precision", "recall")
        scores |= {f"{name}{step}": found[name] for name in names}
    for space in ("z", "w") if kind == "stylegan" else ("z",):
        scores[f"path_length_{space}"] = kgen.metrics.perceptual_path_length(
            model, space, extractor="digits", samples=protocol.samples, resamples=0
        )
    return scores


def _shape(protocol):
    return (protocol.image_size, protocol.image_size, 1)


def _maps(protocol):
    return {"filters": protocol.filters, "max_filters": protocol.max_filters}


def _published(name, row, frechet, **path_lengths):
    return Published(name, {"frechet": frechet, **path_lengths}, FFHQ, row)


STYLE = table.Table(
    name="style",
    full=Protocol(),
    small=Protocol(
        image_size=16,
        thousand_images=40.0,
        growing=1 / 3,  # So few images are better spent on the last size.
        max_filters=64,
        ema_momentum=0.99,
    ),
    rows=ROWS,
    columns=COLUMNS,
    published=(
        _published("A, ProGAN", "progan", "8.04"),
        _published("no mapping", "stylegan_no_mapping", "5.06", path_length_z="283.5"),
        # Of no row of ours: there "no noise" has no mixing either.
        _published("D, styles, no noise, no mixing", None, "4.88", path_length_w="446.2"),
        _published("E, no mixing", "stylegan_no_mixing", "4.42", path_length_w="200.5"),
        _published("F, all", "stylegan", "4.40", path_length_w="234.0"),
    ),
    departures=(
        "not the published protocol, which is FFHQ at 1024 x 1024, 25 million images, FID of "
        "50,000 samples by Inception and path lengths by VGG16: here digits of 32 x 32, 2 million "
        "images and kgen's classifier, on 1,000 samples."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
