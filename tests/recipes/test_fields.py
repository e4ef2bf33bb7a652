"""Every field of a recipe's config reaches the network, the model or the optimizer it is about."""

import dataclasses
import inspect

import keras
import pytest
import tyro

from recipes import config_file, cyclegan, pix2pix, srgan, training
from tests.recipes.test_recipes import TINY, name

RATE = {"learning_rate": 0.011}
ADVERSARIAL = {"loss": "hinge", "penalty": "r1", "penalty_weight": 0.31}
GROWING = {
    **RATE, "latent_dim": 7, "filters": 3, "max_filters": 5, "fade_kimg": 0.7, "stable_kimg": 0.9,
    "ema_momentum": 0.87, "penalty_weight": 0.31, "batch_sizes": [6, 2], "progressive": True,
    "first_size": 4,
}  # fmt: skip

# Of every recipe a config or several, with other values than its own fields have by themselves.
# fmt: off
GIVEN = {
    "autoencoder": [
        {**RATE, "kind": "denoising", "latent_dim": 7, "filters": 3, "reconstruction": "l1",
         "corruption": "masking", "amount": 0.23},
        {"kind": "sparse", "networks": "dense", "units": 9, "sparsity": "l1",
         "sparsity_weight": 1.7, "target": 0.11},
        {"kind": "contractive", "contraction_weight": 0.7, "projections": 2},
    ],
    "beta_vae": [
        {**RATE, "latent_dim": 7, "units": 9, "hidden_layers": 3, "beta": 1.7, "capacity": 2.1,
         "capacity_rounds": 11},
    ],
    "biggan": [
        {"latent_dim": 6, "embedding_dim": 5, "filters": 3, "attention_size": 4,
         "orthogonal_weight": 0.7, "discriminator_updates": 2, "generator_learning_rate": 0.011,
         "discriminator_learning_rate": 0.013, "beta_2": 0.87, "ema_momentum": 0.89},
        {"model": "sagan"},
    ],
    "cgan": [
        {**RATE, "condition": "auxiliary", "normalization": "batch", "latent_dim": 7, "filters": 3,
         "kernel_size": 3, "beta_1": 0.37, "ema_momentum": 0.87},
    ],
    "cvae": [{**RATE, "latent_dim": 7, "filters": 3, "likelihood": "gaussian"}],
    "cyclegan": [
        {**RATE, "blocks": 2, "filters": 3, "downsamplings": 2, "receptive_field": 16,
         "discriminator_filters": 5, "cycle_weight": 1.7, "identity_weight": 0.23,
         "history_size": 6, "beta_1": 0.37},
    ],
    "dcgan": [
        {**RATE, **ADVERSARIAL, "latent_dim": 7, "latent_distribution": "uniform", "filters": 3,
         "kernel_size": 3, "beta_1": 0.37, "ema_momentum": 0.87},
    ],
    "gan": [
        {**RATE, **ADVERSARIAL, "latent_dim": 7, "latent_distribution": "normal",
         "generator_units": 9, "discriminator_units": 10, "max_norm": 1.9, "beta_1": 0.37,
         "ema_momentum": 0.87},
    ],
    "infogan": [
        {**RATE, "categories": [3], "continuous": 4, "noise_dim": 5, "noise_scale": 0.23,
         "discriminator_augmentation": ["cutout"], "categorical_weight": 1.7,
         "continuous_weight": 0.7, "filters": 3, "kernel_size": 3, "beta_1": 0.37,
         "ema_momentum": 0.87, "auxiliary_units": 6, "latent_distribution": "uniform",
         "discriminator_learning_rate": 0.013},
    ],
    "pix2pix": [
        {**RATE, "generator": "encoder_decoder", "filters": 3, "dropout": 0.23,
         "receptive_field": "7", "discriminator_filters": 5, "reconstruction_weight": 1.7,
         "beta_1": 0.37},
    ],
    "progan": [{**GROWING, "drift_weight": 0.017}],
    "srgan": [
        {**RATE, "factor": 4, "blocks": 2, "filters": 3, "skip": "none",
         "discriminator_filters": 5, "adversarial_weight": 0.17},
    ],
    "stylegan": [
        {**GROWING, "labels": True, "style_dim": 9, "objective": "wasserstein",
         "output_activation": "linear", "mapping_depth": 2, "mapping_multiplier": 0.17,
         "noise": False, "mixing": 0.23, "modulation": "weights", "penalty_interval": 3},
    ],
    "vae": [
        {**RATE, "latent_dim": 7, "filters": 3, "likelihood": "gaussian", "beta": 1.7},
        {"importance_samples": 3},
    ],
    "wgan_gp": [
        {**RATE, "latent_dim": 7, "filters": 3, "critic_updates": 2, "penalty_weight": 0.31,
         "ema_momentum": 0.87},
        {"networks": "residual"},
    ],
}
# Where an argument has another name than the field, or another value.
RENAMED = {
    "cyclegan": {},
    "infogan": {"InfoGAN.augmentation": "discriminator_augmentation",
                "discriminator.learning_rate": "discriminator_learning_rate"},
    "pix2pix": {},
    "gan": {"dense_generator.units": "generator_units",
            "dense_discriminator.units": "discriminator_units"},
    "stylegan": {"StyleGAN.loss": "objective"},
}
for of_patches in ("cyclegan", "pix2pix"):
    RENAMED[of_patches]["patchgan_discriminator.filters"] = "discriminator_filters"
RENAMED["srgan"] = {"sr_discriminator.filters": "discriminator_filters",
                    "sr_resnet.residual": "skip"}
RENAMED["biggan"] = {"generator.learning_rate": "generator_learning_rate",
                     "discriminator.learning_rate": "discriminator_learning_rate"}
EXPECTED = {
    ("infogan", "dcgan_generator.latent_dim"): 5 + 3 + 4,
    ("infogan", "dcgan_discriminator.classes"): 3 + 4,
    ("pix2pix", "patchgan_discriminator.receptive_field"): 7,
    ("progan", "ProGAN.batch_sizes"): {2: 6, 4: 2, 8: 2},
    ("stylegan", "StyleGAN.batch_sizes"): {2: 6, 4: 2, 8: 2},
    ("stylegan", "StyleGenerator.classes"): 10,
    ("stylegan", "ProgressiveDiscriminator.classes"): 10,
    ("srgan", "sr_resnet.residual"): False,
}
# Fields that choose a function or class, or stand in what `EXPECTED` names.
CHOOSING = {
    "kind": ("DenoisingAutoencoder", "SparseAutoencoder", "ContractiveAutoencoder"),
    "networks": ("dense_encoder", "resnet_generator"),
    "model": ("SAGAN",),
    "generator": ("encoder_decoder",),
    "noise_dim": ("dcgan_generator",),
    "labels": ("StyleGenerator",),
}
# Fields of the data, which `build` has nothing to do with; see test_the_data_are_those_asked_for.
OF_THE_DATA = {
    "pix2pix": {"held_out", "task", "targets", "side_by_side", "holes", "noise", "objective"},
    "srgan": {"held_out", "objective"},
    "cyclegan": {"second", "figures"},
}
# fmt: on
SHARED = {field.name for field in dataclasses.fields(training.Config)}


def build_watched(recipe, config, monkeypatch):
    """Returns a recipe's model, and a dict of what its constructors were given.

    From `function.argument` of networks, `class.attribute` of the model and `player.attribute` of
    the optimizers to the values.
    """
    given = {}

    def watched(function):
        signature = inspect.signature(function)

        def call(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            for argument, value in bound.arguments.items():
                given.setdefault(f"{function.__name__}.{argument}", []).append(value)
            return function(*args, **kwargs)

        return call

    for key, found in vars(recipe).items():
        if getattr(found, "__module__", "").startswith("kgen.networks"):
            monkeypatch.setattr(recipe, key, watched(found))
    shape = (8, 8, 1)
    shapes = {pix2pix: [shape, shape], cyclegan: [shape, shape], srgan: [(2, 2, 1), shape]}
    model = recipe.build(config, *shapes.get(recipe, [shape]))
    for argument in inspect.signature(type(model).__init__).parameters:
        if hasattr(model, argument):
            given[f"{type(model).__name__}.{argument}"] = [getattr(model, argument)]
    for player, optimizer in model.optimizer.by_player.items():
        settings = optimizer.get_config()
        rate = settings["learning_rate"]
        if isinstance(rate, dict):  # A schedule that begins with the rate.
            rate = next(iter(rate["config"].values()))
        given[f"{player}.learning_rate"] = [rate]
        for beta in ("beta_1", "beta_2"):
            given[f"{player}.{beta}"] = [settings[beta]]
    return model, given


@pytest.mark.parametrize("recipe", TINY, ids=name)
def test_images_may_be_higher_than_wide(recipe, tmp_path):
    (tmp_path / "fields.json").write_text('{"image_size": [16, 8]}')
    given = ["--config", str(tmp_path / "fields.json")]
    from_file = config_file.settings(recipe.Config, given)["default"]
    from_shell = tyro.cli(recipe.Config, args=["--image-size", "16", "8"])
    assert from_shell.image_size == (16, 8) == tuple(from_file.image_size)
    fields = {**TINY[recipe], "data": "digits", "image_size": from_shell.image_size}
    config = recipe.Config(**fields)
    stream = recipe.FAMILY.load(config, 16)
    model = recipe.build(config, *training._image_shapes(stream, config.data))
    images = keras.tree.flatten(next(iter(stream)))
    assert (16, 8) in [tuple(entry.shape[1:3]) for entry in images]
    if "sample" in model.abilities:
        assert model.decode(model.latents(1, seed=0)).shape[1:3] == (16, 8)


@pytest.mark.parametrize("recipe", TINY, ids=name)
def test_a_field_is_passed_on(recipe, monkeypatch):
    of_recipe, own = name(recipe), {f.name for f in dataclasses.fields(recipe.Config)} - SHARED
    own |= {"learning_rate"} & set(vars(recipe.Config()))
    assert own - OF_THE_DATA.get(of_recipe, set()) == {n for c in GIVEN[of_recipe] for n in c}
    for fields in GIVEN[of_recipe]:
        config = recipe.Config(**{**TINY[recipe], "data": "digits", "seed": 23, **fields})
        assert not [n for n, v in fields.items() if v == getattr(recipe.Config(), n)]
        model, given = build_watched(recipe, config, monkeypatch)
        monkeypatch.undo()
        assert model.seed == 23
        reached = set()
        for place, values in given.items():
            argument = place.partition(".")[2]
            field = RENAMED.get(of_recipe, {}).get(place, argument)
            expected = EXPECTED.get((of_recipe, place), fields.get(field))
            if expected is None or isinstance(values[0], keras.Model):
                continue
            same = [value == expected or value == pytest.approx(expected) for value in values]
            assert all(same), f"{place} is {values}, expected {expected!r}"
            reached.add(field)
        called = {place.partition(".")[0] for place in given}
        chosen = {n for n in fields if called & set(CHOOSING.get(n, ()))}
        assert set(fields) - chosen <= reached, f"{set(fields) - chosen - reached} reach nothing"
