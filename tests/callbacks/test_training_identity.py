"""A checkpoint knows whether what goes on from it is its own training."""

import json

import keras
import numpy as np
import pytest

import kgen
from kgen import models
from kgen.callbacks import checkpoint_file, training_identity
from tests.callbacks.tiny import in_order, tiny_critic, tiny_gan, tiny_generator

IMAGES = np.random.default_rng(0).uniform(-1.0, 1.0, (16, 8, 8, 1)).astype("float32")


def train(folder, model, optimizer=None, data=None, rounds=2, callbacks=(), **settings):
    adam = {p.name: keras.optimizers.Adam(1e-3) for p in model.players}
    model.compile(adam if optimizer is None else optimizer, run_eagerly=True)
    checkpoint = kgen.callbacks.Checkpoint(folder, every=1, **settings)
    arguments = {"epochs": 1, "steps_per_epoch": rounds, "verbose": 0}
    if data is None:
        data, arguments["shuffle"] = in_order(16, 8), False
    model.fit(data, batch_size=None if hasattr(data, "element_spec") else 8,
              callbacks=[*callbacks, checkpoint], **arguments)  # fmt: skip
    return model


def rates(model):
    return [float(o.learning_rate) for o in model.optimizer.by_player.values()]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Folder of a training with a checkpoint of one round, of an epoch of two."""

    class Leave(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if self.model.rounds_played == 1:
                raise RuntimeError("left")

    folder = tmp_path_factory.mktemp("begun")
    with pytest.raises(RuntimeError, match="left"):
        train(folder, tiny_gan(seed=1), callbacks=[Leave()])
    return folder


@pytest.fixture
def folder(begun, tmp_path):
    import shutil

    return shutil.copytree(begun, tmp_path / "begun")


def test_the_same_training_made_later_in_a_process_goes_on(folder):
    """Keras numbers the names of layers by how many there were before."""
    for _ in range(3):
        tiny_gan()
    model = tiny_gan(seed=1)
    assert "_" in model.generator.layers[1].name
    assert train(folder, model).rounds_played == 2


def adam(rate=1e-3, **settings):
    names = ("discriminator", "generator")
    return {name: keras.optimizers.Adam(rate, **settings) for name in names}


@pytest.mark.parametrize(
    ("make", "optimizer", "message"),
    [
        (tiny_gan, adam(1e-6), r"optimizer.*learning_rate was 0.001\d* and is now 1e-06|9.99"),
        (tiny_gan, adam(beta_1=0.5), "beta_1 was 0.9 and is now 0.5"),
        # Of as many variables of the same shapes.
        (
            tiny_gan,
            {name: keras.optimizers.Adamax(1e-3) for name in ("discriminator", "generator")},
            "optimizer.discriminator was Adam and is now Adamax",
        ),
        (lambda **k: tiny_gan(loss="hinge", **k), None, "model.loss was .* and is now 'hinge'"),
        (lambda **k: tiny_gan(instance_noise=0.2, **k), None, "model.instance_noise was 0.0 and"),
    ],
)
def test_what_differs_is_named_and_refused(folder, make, optimizer, message):
    with pytest.raises(ValueError, match=f"is of another training: .*{message}.*accept"):
        train(folder, make(seed=1), optimizer)


def test_another_system_of_the_same_shapes_is_refused(folder):
    class Other(models.GAN):
        pass

    with pytest.raises(ValueError, match="model was GAN and is now Other"):
        train(folder, Other(tiny_generator(), tiny_critic(), seed=1), changes="accept")


def test_a_layer_inside_that_differs_is_refused(folder):
    generator = tiny_generator()
    generator.layers[2].activation = keras.activations.softsign
    model = models.GAN(generator, tiny_critic(), seed=1)
    with pytest.raises(ValueError, match=r"model.generator.layers\[2\].*'tanh'.*'softsign'"):
        train(folder, model)


def test_changes_that_are_accepted_take_effect_and_are_told(folder):
    with pytest.warns(UserWarning, match="goes on otherwise: .*learning_rate"):
        model = train(folder, tiny_gan(seed=1), adam(1e-6), changes="accept")
    assert rates(model) == pytest.approx([1e-6, 1e-6])
    assert model.rounds_played == 2
    # It is this training's from there on.
    assert train(folder, tiny_gan(seed=1), adam(1e-6)).rounds_played == 2
    with pytest.raises(ValueError, match="`changes` must be .*received 'ignore'"):
        kgen.callbacks.Checkpoint(folder, changes="ignore")


def test_rates_that_callbacks_have_changed_come_back(tmp_path):
    class Halve(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.rounds_played == 1:
                for optimizer in self.model.optimizer.optimizers:
                    optimizer.learning_rate = 5e-4

    train(tmp_path, tiny_gan(seed=1), rounds=2, callbacks=[Halve()])
    model = train(tmp_path, tiny_gan(seed=1), rounds=2)
    assert rates(model) == pytest.approx([5e-4, 5e-4])


def test_other_data_of_the_same_shapes_are_told(tmp_path):
    train(tmp_path, tiny_gan(seed=1), data=IMAGES)
    with pytest.warns(UserWarning, match="was trained on other data than there are now"):
        train(tmp_path, tiny_gan(seed=1), data=-IMAGES)
    train(tmp_path, tiny_gan(seed=1), data=-IMAGES.copy())


def rewritten(folder, change):
    """Changes the facts of a folder's checkpoints."""
    for path in checkpoint_file.newest_first(folder):
        arrays, facts = checkpoint_file.read(path)
        change(facts)
        checkpoint_file.write(path, arrays, facts)


def test_versions_that_differ_are_told(folder):
    rewritten(folder, lambda facts: facts["identity"]["versions"].update(Keras="3.0.0"))
    told = rf"was written by Keras 3.0.0 \(now {keras.__version__}\): training may not end"
    with pytest.warns(UserWarning, match=told):
        train(folder, tiny_gan(seed=1))


def test_a_later_format_is_refused_and_the_first_one_read(folder):
    rewritten(folder, lambda facts: facts["identity"].update(format=training_identity.FORMAT + 1))
    with pytest.raises(ValueError, match="of format 3, written by kgen .* formats up to 2"):
        train(folder, tiny_gan(seed=1))
    rewritten(folder, lambda facts: facts.pop("identity"))
    assert train(folder, tiny_gan(seed=1)).rounds_played == 2


def test_an_argument_of_a_later_version_is_no_difference(folder):
    rewritten(folder, lambda facts: facts["identity"]["model"]["config"].pop("instance_noise"))
    assert train(folder, tiny_gan(seed=1)).rounds_played == 2


def test_types_and_names_of_variables_are_held():
    model = tiny_gan(seed=1)
    model.compile()
    found = training_identity.identity(model, [])["variables"]
    assert ["dense/kernel", "float32"] in found["model"]
    assert any("momentum" in name for name, _ in found["optimizer"])
    other = json.loads(json.dumps(found))
    other["model"][0][1] = "float16"
    before, now = ({"model": {}, "optimizer": {}, "variables": held} for held in (other, found))
    name, dtype = found["model"][0]
    assert training_identity.changes(before, now) == [
        f"the model held {name} of float16 where there is {name} of {dtype}"
    ]


def test_other_sets_of_kgen_data_and_other_labels_are_told(tmp_path):
    """A set that is loaded with another seed, in another order, is the same."""

    def data_of(data):
        model = tiny_gan(seed=1)
        model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
        return training_identity.identity(model, data)["data"]

    digits = kgen.data.load("digits", batch_size=16, seed=1)
    assert data_of(digits) == data_of(kgen.data.load("digits", batch_size=16, seed=2))
    assert data_of(digits) != data_of(kgen.data.load("digits", batch_size=16, split="test"))
    labels = np.arange(16)
    assert data_of([IMAGES, labels]) == data_of([IMAGES.copy(), labels.copy()])
    assert data_of([IMAGES, labels]) != data_of([IMAGES, labels[::-1]])
    assert data_of(in_order(16, 8)) is None  # Nobody can say.


def test_another_precision_is_named(folder):
    keras.config.set_dtype_policy("mixed_bfloat16")
    with pytest.raises(ValueError, match="was 'float32' and is now 'mixed_bfloat16'"):
        train(folder, tiny_gan(seed=1))


def test_an_optimizer_without_config_goes_on(tmp_path):
    class Own(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 1e-3

        def get_config(self):
            raise NotImplementedError

    for _ in range(2):
        sgd = {name: keras.optimizers.SGD(Own()) for name in ("discriminator", "generator")}
        model = train(tmp_path, tiny_gan(seed=1), sgd)
    assert model.rounds_played == 2


def test_a_lambda_and_names_of_ones_own_compare(tmp_path):
    """What Keras writes of a lambda says in which line it stands."""

    def model(name, function):
        generator = tiny_generator([keras.layers.Lambda(function, name=name)])
        return models.GAN(generator, tiny_critic(), seed=1)

    train(tmp_path, model("half", lambda x: 0.5 * x))
    model_again = train(tmp_path, model("half", lambda x: 0.5 * x))
    assert model_again.rounds_played == 2


def scaled(factor):
    """A loss pair of functions that differ in nothing but a number around them."""

    def of_discriminator(real, fake):
        """Words."""
        return factor * (keras.ops.mean(fake) - keras.ops.mean(real))

    def of_generator(fake):
        return -factor * keras.ops.mean(fake)

    return of_discriminator, of_generator


def test_functions_of_ones_own_are_known_by_what_they_compute(tmp_path):
    train(tmp_path / "pair", tiny_gan(loss=scaled(1.0), seed=1))
    train(tmp_path / "pair", tiny_gan(loss=scaled(1.0), seed=1))
    with pytest.raises(ValueError, match=r"the function at model\.loss\.discriminator is another"):
        train(tmp_path / "pair", tiny_gan(loss=scaled(100.0), seed=1))

    def model(function):
        return models.GAN(tiny_generator([keras.layers.Lambda(function)]), tiny_critic(), seed=1)

    train(tmp_path / "layer", model(lambda x: 0.5 * x))
    with pytest.raises(ValueError, match=r"the function at layer \d+ \(Lambda\)\.function is"):
        train(tmp_path / "layer", model(lambda x: 5.0 * x))


class Unwritten(keras.Model):
    """A network of somebody's own that has no config."""

    def __init__(self, activation):
        super().__init__()
        self.flat = keras.layers.Flatten()
        self.scores = keras.layers.Dense(1, activation=activation)

    def call(self, images):
        return self.scores(self.flat(images))

    def get_config(self):
        raise NotImplementedError


def test_a_network_without_config_is_known_by_its_layers_and_the_rest_by_its_config(tmp_path):
    @keras.saving.register_keras_serializable("kgen_tests")
    class Own(kgen.GenerativeModel):
        def __init__(self, network, weight=1.0, **kwargs):
            super().__init__([kgen.Player("own", (network,), self.error)], **kwargs)
            self.network, self.weight = network, weight

        def error(self, images, training):
            return self.weight * keras.ops.mean(self.network(images, training=training))

    def model(activation="relu", weight=1.0):
        network = Unwritten(activation)
        network(IMAGES)
        return Own(network, weight, seed=1)

    sgd = {"own": keras.optimizers.SGD(1e-3)}
    train(tmp_path, model(), sgd)
    train(tmp_path, model(), {"own": keras.optimizers.SGD(1e-3)})
    for other, words in (
        (model("tanh"), "activation was 'relu' and is now 'tanh'"),
        (model(weight=5.0), r"model\.weight was 1\.0 and is now 5\.0"),
    ):
        with pytest.raises(ValueError, match=words):
            train(tmp_path, other, {"own": keras.optimizers.SGD(1e-3)})


def test_a_schedule_without_config_is_known_by_where_it_starts(tmp_path):
    class Own(keras.optimizers.schedules.LearningRateSchedule):
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, step):
            return self.rate

        def get_config(self):
            raise NotImplementedError

    def optimizers(rate):
        return {n: keras.optimizers.SGD(Own(rate)) for n in ("discriminator", "generator")}

    train(tmp_path, tiny_gan(seed=1), optimizers(1e-3))
    with pytest.raises(ValueError, match="learning_rate was 0.001.* and is now 1.0"):
        train(tmp_path, tiny_gan(seed=1), optimizers(1.0))


def test_names_of_optimizers_are_for_logs_alone(folder):
    named = {n: keras.optimizers.Adam(1e-3, name=f"my_{n}") for n in ("discriminator", "generator")}
    assert train(folder, tiny_gan(seed=1), named).rounds_played == 2


def test_a_model_without_config_goes_on(tmp_path):
    @keras.saving.register_keras_serializable("kgen_tests")
    class Hidden(models.GAN):
        def get_config(self):
            raise NotImplementedError

    for _ in range(2):
        model = train(tmp_path, Hidden(tiny_generator(), tiny_critic(), seed=1))
    assert model.rounds_played == 2
