import keras
import pytest

from kgen import models
from tests.callbacks.tiny import tiny_gan
from tests.systems import SYSTEMS


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("vae", "beta", 4.0),
        ("packed_gan", "penalty_weight", 1.0),
        ("packed_gan", "discriminator_updates", 5),
        ("packed_gan", "ema_momentum", None),
        ("cyclegan", "cycle_weight", 1.0),
        ("beta_vae", "seed", 3),
        ("vae", "encoder", None),
        # Those of a class above.
        ("infogan", "packing", 2),
        ("infogan", "penalty_weight", 2.0),
        ("biggan", "loss", "minimax"),
        ("biggan", "condition", None),
    ],
)
@pytest.mark.parametrize("is_compiled", [True, False])
def test_an_argument_is_not_changed_once_the_model_is_made(name, argument, value, is_compiled):
    model = SYSTEMS[name].make()
    if is_compiled:
        model.compile(keras.optimizers.SGD())
    before = getattr(model, argument)
    with pytest.raises(ValueError, match=rf"`{argument}` of this .* compile again") as raised:
        setattr(model, argument, value)
    assert repr(value) in str(raised.value)
    assert getattr(model, argument) is before


def test_what_the_error_says_makes_a_model_of_the_new_argument():
    model = SYSTEMS["vae"].make()
    model.compile(keras.optimizers.SGD())
    model.beta = float(str(model.beta))  # No change.
    model.trainable = True  # No argument.
    other = type(model).from_config({**model.get_config(), "beta": 4.0})
    assert (other.beta, other.encoder) == (4.0, model.encoder)


@keras.saving.register_keras_serializable("test_persistence")
class Wider(models.VAE):
    """A system of somebody's, whose constructor hands on what it does not know."""

    def __init__(self, encoder, decoder, extra=3, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.extra = extra


def test_what_a_constructor_hands_on_is_in_the_config(tmp_path):
    vae = SYSTEMS["vae"].make()
    model = Wider(vae.encoder, vae.decoder, beta=4.0, seed=5)
    config = model.get_config()
    assert (config["beta"], config["extra"], config["seed"]) == (4.0, 3, 5)
    assert "likelihood" not in config  # The class above has its own default.
    model.compile(keras.optimizers.SGD())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.beta, loaded.extra, loaded.seed) == (4.0, 3, 5)
    with pytest.raises(ValueError, match="`beta` of this Wider cannot be changed from 4.0 to 0.0"):
        loaded.beta = 0.0


def test_lists_are_not_changed_in_place():
    assert SYSTEMS["packed_gan"].make().augmentation == ("cutout",)
    assert isinstance(SYSTEMS["infogan"].make().categories, tuple)


def test_a_loaded_model_keeps_its_arguments_too(tmp_path):
    model = tiny_gan(instance_noise=0.25)
    model.compile(keras.optimizers.SGD())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="`instance_noise` of this GAN cannot be changed from 0.2"):
        loaded.instance_noise = 0.5
