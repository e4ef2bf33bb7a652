import keras
import pytest

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
    ],
)
def test_an_argument_is_not_changed_once_it_is_compiled(name, argument, value):
    model = SYSTEMS[name].make()
    model.compile(keras.optimizers.SGD())
    before = getattr(model, argument)
    with pytest.raises(ValueError, match=rf"`{argument}` of this .* compile again") as raised:
        setattr(model, argument, value)
    assert repr(value) in str(raised.value)
    assert getattr(model, argument) is before


def test_what_the_error_says_makes_a_model_of_the_new_argument():
    model = SYSTEMS["vae"].make()
    model.compile(keras.optimizers.SGD())
    model.beta = model.beta  # No change.
    model.trainable = True  # No argument.
    other = type(model).from_config({**model.get_config(), "beta": 4.0})
    assert (other.beta, other.encoder) == (4.0, model.encoder)


def test_before_it_is_compiled_an_argument_counts_as_it_is_set():
    model = SYSTEMS["vae"].make()
    model.beta = 5.0
    model.compile(keras.optimizers.SGD(), run_eagerly=True)
    logs = model.evaluate(SYSTEMS["vae"].images(), verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + 5.0 * logs["kl"], rel=1e-5)


def test_a_loaded_model_keeps_its_arguments_too(tmp_path):
    model = tiny_gan(instance_noise=0.25)
    model.compile(keras.optimizers.SGD())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="`instance_noise` of this GAN cannot be changed from 0.2"):
        loaded.instance_noise = 0.5
