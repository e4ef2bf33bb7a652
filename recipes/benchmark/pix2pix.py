"""Pix2Pix's losses and patch sizes on held-out images: L1, cGAN, both; 1, 16, 70 and all pixels.

Isola et al. 2017, tables 1, 2 and 3, arXiv 1611.07004. Their numbers are of Cityscapes by the
accuracy of a segmentation network; ours are of the embedded sets by distances of images.
"""

import dataclasses

import keras
import numpy as np

import kgen.data
import kgen.metrics
from kgen.models import Pix2Pix
from kgen.networks import encoder_decoder, patchgan_discriminator, unet
from recipes.benchmark import table, trials
from recipes.benchmark.pictures import rows_of_images
from recipes.benchmark.report import Column, Published

L1, ADVERSARIAL = {"reconstruction_weight": 100.0}, {"reconstruction_weight": 0.0}

# Each row's receptive field of the discriminator (`None` for no discriminator), and the arguments
# of `Pix2Pix`; the last two rows are without skip connections.
ROWS = {
    "l1": (None, L1),
    "cgan": (16, ADVERSARIAL),
    "l1_cgan": (16, L1),
    "l1_cgan_1": (1, L1),
    "l1_cgan_70": (70, L1),
    "l1_cgan_image": ("image", L1),
    "encoder_decoder_l1": (None, L1),
    "encoder_decoder_l1_cgan": (16, L1),
}

COLUMNS = (
    Column("l1", "L1", digits=4),
    Column("psnr", "PSNR", digits=2),
    Column("ssim", "SSIM", digits=3),
    Column("frechet", "Frechet distance", digits=4),
    Column("accuracy", "per-pixel accuracy", digits=2),
)

ISOLA = (
    "Isola et al. 2017, tables 1 and 3 (from memory), batches of 1: per-pixel accuracy of a "
    "segmentation network on Cityscapes' photographs made of labels, 0.80 for real ones; another "
    "task and another metric"
)
ISOLA_10 = "Isola et al. 2017, table 2 (from memory): the same with batches of 10"


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that decides the result of a trial."""

    data: str = "photos"
    """Images of which the targets are: `photos` or `mnist5k`, or a folder."""
    degradation: str = "edges"
    """How inputs are made of them; a name of `kgen.data.pairs`."""
    image_size: int = 64
    rounds: int = 20_000
    batch_size: int = 1
    filters: int = 64
    discriminator_filters: int = 64
    learning_rate: float = 2e-4
    beta_1: float = 0.5
    held_out: int = 1000
    trials: int | None = 3
    seed: int = 0


def train(protocol, trial):
    """Trains one model and scores its translations. Returns `(scores, arrays)`."""
    field, arguments = ROWS[trial.row]
    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.seed)
    settings = {"degradation": protocol.degradation, "image_size": protocol.image_size}
    pairs = kgen.data.pairs(
        protocol.data,
        split="train+validation",
        batch_size=protocol.batch_size,
        seed=trial.seed,
        **settings,
    )
    shapes = [tuple(spec.shape[1:]) for spec in pairs.element_spec]
    make = encoder_decoder if trial.row.startswith("encoder_decoder") else unet
    discriminator = None
    if field is not None:
        discriminator = patchgan_discriminator(
            shapes[1], shapes[0], field, protocol.discriminator_filters
        )
    model = Pix2Pix(
        make(shapes[0], shapes[1][-1], filters=protocol.filters),
        discriminator,
        seed=trial.seed,
        **arguments,
    )
    model.compile(
        {
            player.name: keras.optimizers.Adam(
                protocol.learning_rate, protocol.beta_1, name=player.name
            )
            for player in model.players
        }
    )
    model.fit(pairs, epochs=1, steps_per_epoch=protocol.rounds, verbose=0)
    # The same held-out pairs for all trials.
    held_out = kgen.data.pairs_in_order(
        protocol.data, seed=protocol.seed, limit=protocol.held_out, **settings
    )
    inputs, targets = (np.concatenate(side) for side in zip(*held_out, strict=True))
    trials.check_finite(model.translate(inputs[:8]))
    scores = kgen.metrics.TranslationEvaluation(
        inputs,
        targets,
        ("l1", "psnr", "ssim", "frechet"),
        extractor="digits" if protocol.data == "mnist5k" else "random",
        resamples=0,
    )(model)
    arrays = {"inputs": inputs[:10], "targets": targets[:10]}
    return scores, {"images": model.translate(inputs[:10]), **arrays}


def describe(protocol):
    """Returns the protocol in sentences."""
    extractor = "kgen's classifier of digits" if protocol.data == "mnist5k" else "random features"
    return [
        f"{protocol.data} of their {protocol.degradation}, {protocol.image_size} x "
        f"{protocol.image_size}, {protocol.rounds:,} rounds of {protocol.batch_size}; U-Net of "
        f"{protocol.filters} filters, PatchGAN of {protocol.discriminator_filters} with a "
        "receptive field of 16 where the row says no other; L1 weighs 100; "
        f"Adam({protocol.learning_rate:g}, {protocol.beta_1}).",
        f"{protocol.held_out:,} held-out pairs, translated without dropout; L1 in units of "
        f"[-1, 1]; Frechet distance to the targets in {extractor}.",
    ]


def draw(folder, table, summary):
    """Draws inputs, what each row's first trial makes of them, and the targets."""
    left = [trials.arrays(folder, row) for row in summary]
    left = [entry for entry in left if entry]
    rows = [left[0]["inputs"], *(entry["images"] for entry in left), left[0]["targets"]]
    return rows_of_images(folder / "picture.png", rows)


def _published(name, row, number, source=ISOLA):
    return Published(name, {"accuracy": number}, source, row)


PIX2PIX = table.Table(
    name="pix2pix",
    full=Protocol(),
    small=Protocol(
        image_size=32,
        rounds=1000,
        batch_size=8,
        filters=32,
        discriminator_filters=32,
        learning_rate=5e-4,
        trials=1,
    ),
    rows=ROWS,
    columns=COLUMNS,
    published=(
        _published("L1", "l1", "0.42"),
        _published("cGAN, 70 x 70", "cgan", "0.57"),
        _published("L1 + cGAN, 16 x 16", "l1_cgan", "0.65"),
        _published("L1 + cGAN, 1 x 1", "l1_cgan_1", "0.39"),
        _published("L1 + cGAN, 70 x 70", "l1_cgan_70", "0.66"),
        _published("L1 + cGAN, 286 x 286", "l1_cgan_image", "0.42"),
        # Of another batch: only with each other do these compare.
        _published("U-Net, L1, batches of 10", None, "0.48", ISOLA_10),
        _published("U-Net, L1 + cGAN, batches of 10", None, "0.55", ISOLA_10),
        _published("encoder-decoder, L1, batches of 10", "encoder_decoder_l1", "0.35", ISOLA_10),
        _published(
            "encoder-decoder, L1 + cGAN, batches of 10", "encoder_decoder_l1_cgan", "0.29", ISOLA_10
        ),
    ),
    departures=(
        "not the published protocol, which is Cityscapes' photographs made of their labels, 256 x "
        "256, for 200 epochs: here images made of their edges, 64 x 64, by distances and not a "
        "segmentation network."
    ),
    describe=describe,
    train=train,
    draw=draw,
)
