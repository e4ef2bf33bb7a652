"""BigGAN's networks and SAGAN's: where latents and labels go in, and how weights are held."""

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import layers

from kgen import networks
from kgen.core.keras_private import flatten_layers
from kgen.layers import ConditionalBatchNormalization, SelfAttention, SpectralNormalization
from kgen.networks import biggan

SHAPE, CLASSES = (8, 8, 1), 3
SAGAN = {"hierarchical": False, "shared_embedding": False}
# Both and none of what BigGAN has before SAGAN; one without the other is slow.
KINDS = [
    {"attention_size": None},
    pytest.param({"hierarchical": False}, marks=pytest.mark.slow),
    pytest.param({"shared_embedding": False, "attention_size": None}, marks=pytest.mark.slow),
    {"latent_dim": 5, **SAGAN},
]


@functools.cache  # No test changes what another one asks.
def generator(shape=SHAPE, latent_dim=6, filters=2, **arguments):
    keras.utils.set_random_seed(0)
    return networks.biggan_generator(shape, CLASSES, latent_dim, filters, **arguments)


@functools.cache
def discriminator(shape=SHAPE, filters=2, **arguments):
    keras.utils.set_random_seed(0)
    return networks.biggan_discriminator(shape, CLASSES, filters, **arguments)


def inputs_of(network, count=4):
    rng = np.random.default_rng(0)
    main = rng.standard_normal((count, *network.inputs[0].shape[1:])).astype("float32")
    return [main, np.eye(CLASSES, dtype="float32")[np.arange(count) % CLASSES]]


def of_type(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    ("shape", "base", "blocks", "attention"),
    [
        pytest.param((28, 28, 1), (7, 7), 2, (14, 14), marks=pytest.mark.slow),
        pytest.param((64, 64, 3), (4, 4), 4, (32, 32), marks=pytest.mark.slow),
        ((12, 20, 1), (3, 5), 2, (6, 10)),
        ((4, 4, 1), (1, 1), 2, (2, 2)),
    ],
)
def test_images_shapes_and_sizes(shape, base, blocks, attention):
    makes = generator(shape, latent_dim=60)  # Divisible by all numbers of chunks.
    judges = discriminator(shape)
    images = makes(inputs_of(makes)).numpy()
    assert images.shape == (4, *shape) and np.abs(images).max() <= 1.0
    assert judges([images, inputs_of(judges)[1]]).shape == (4, 1)
    (reshape,) = of_type(makes, layers.Reshape)
    assert reshape.output.shape[1:3] == base
    assert len(of_type(makes, ConditionalBatchNormalization)) == 2 * blocks
    for network in (makes, judges):
        (found,) = of_type(network, SelfAttention)
        assert found.input.shape[1:3] == attention and found.spectral


@pytest.mark.parametrize(
    ("size", "maps"), [pytest.param(8, 4, marks=pytest.mark.slow), (16, 2)]
)  # In the middle it acts above.
def test_attention_acts_where_it_is_asked_for(size, maps):
    (found,) = of_type(generator((16, 16, 1), attention_size=size), SelfAttention)
    assert found.input.shape[1:] == (size, size, maps)


def test_attention_of_the_discriminator_and_none():
    (found,) = of_type(discriminator((16, 16, 1), attention_size=4), SelfAttention)
    assert found.input.shape[1:] == (4, 4, 4)
    for make in (generator, discriminator):
        assert not of_type(make(attention_size=None), SelfAttention)


def test_maps_double_inwards_up_to_16_times():
    def widths(network):
        return [add.output.shape[-1] for add in of_type(network, layers.Add)]

    big = (256, 256, 3)
    assert widths(generator(big, 7, 1, attention_size=None)) == [16, 16, 8, 4, 2, 1]
    # The last is a block that does not halve, then the sum of the two terms of the projection.
    expected = [1, 2, 4, 8, 16, 16, 16, 1]
    assert widths(discriminator(big, 1, attention_size=None)) == expected


# ---------------------------------------------------------------- where it goes in


def block_outputs(network):
    """The network up to each of its blocks' ends, and the base."""
    ends = [layer.output for layer in of_type(network, layers.Add)]
    return keras.Model(network.inputs, [of_type(network, layers.Reshape)[0].output, *ends])


def changed(network, *changes):
    """Which of the base and the blocks' outputs change with the inputs, for each change of them."""
    cut = block_outputs(network)
    given = inputs_of(network)
    expected = cut(given, training=False)
    for change in changes:
        other = [array.copy() for array in given]
        change(other)
        pairs = zip(expected, cut(other, training=False), strict=True)
        yield [not np.allclose(one, two, atol=1e-6) for one, two in pairs]


@pytest.mark.parametrize("shared_embedding", [True, False])
def test_each_chunk_of_the_latents_goes_to_one_place(shared_embedding):
    arguments = {} if shared_embedding else {"shared_embedding": False}
    network = generator(**arguments, attention_size=None)
    assert len(of_type(network, layers.Add)) == 2

    def another(chunk):
        def change(inputs):
            inputs[0][:, 2 * chunk : 2 * chunk + 2] += 1.0

        return change

    assert list(changed(network, *(another(chunk) for chunk in range(3)))) == [
        [True, True, True],
        [False, True, True],
        [False, False, True],
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_go_to_every_block_and_not_to_the_base(kind):
    network = generator(**kind)
    for layer in of_type(network, ConditionalBatchNormalization):
        if not layer.spectral:  # A label's own scales start at those of plain batch norm.
            layer.scale.kernel.assign(
                np.random.default_rng(0).normal(size=layer.scale.kernel.shape)
            )

    def another(inputs):
        inputs[1] = np.roll(inputs[1], 1, axis=1)

    assert list(changed(network, another)) == [[False, True, True]]


def test_latents_that_are_not_hierarchical_go_to_the_base_alone():
    network = generator(latent_dim=5, hierarchical=False)
    base = of_type(network, SpectralNormalization)[0]
    assert base.layer.kernel.shape[0] == 5
    norms = of_type(network, ConditionalBatchNormalization)
    assert {layer.input[1].shape[1] for layer in norms} == {128}


def test_the_condition_is_the_embedding_and_a_chunk():
    network = generator(latent_dim=9, embedding_dim=5)
    norms = of_type(network, ConditionalBatchNormalization)
    assert {layer.input[1].shape[1] for layer in norms} == {5 + 3}
    network = generator(latent_dim=9, shared_embedding=False)
    norms = of_type(network, ConditionalBatchNormalization)
    assert {layer.input[1].shape[1] for layer in norms} == {CLASSES + 3}


def test_the_shared_embedding_is_one_variable():
    def embeddings(network):
        return [v for v in network.trainable_variables if biggan.SHARED_EMBEDDING in v.path]

    (found,) = embeddings(generator(latent_dim=9, embedding_dim=5))
    assert found.shape == (CLASSES, 5)
    assert not embeddings(generator(latent_dim=9, shared_embedding=False))


def test_sagan_s_batch_norms_have_scales_of_each_label():
    network = generator(latent_dim=5, **SAGAN)
    for layer in of_type(network, ConditionalBatchNormalization):
        assert not layer.spectral
        assert layer.scale.kernel.shape[0] == layer.offset.kernel.shape[0] == CLASSES
    assert of_type(network, layers.Dense) == []  # The base is within its normalisation.


def test_the_discriminator_sums_over_pixels_and_projects():
    network = discriminator()
    given = inputs_of(network)
    last = [layer for layer in network.layers if isinstance(layer, layers.ReLU)][-1]
    features = keras.Model(network.inputs, last.output)(given).numpy().sum(axis=(1, 2))
    (psi,), (v,) = (
        [
            layer
            for layer in of_type(network, SpectralNormalization)
            if isinstance(layer.layer, layers.Dense) and layer.layer.use_bias == use_bias
        ]
        for use_bias in (True, False)
    )
    expected = features @ psi.normalized_weight()[0] + psi.layer.bias
    expected += np.sum((given[1] @ v.normalized_weight()[0].numpy()) * features, 1, keepdims=True)
    np.testing.assert_allclose(network(given), expected, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------- blocks and weights


def test_blocks_are_the_paper_s_although_their_skips_cost_a_quarter():
    """The skip of the paper's up-sampling block is repeated first, that of the other pooled last.

    Figure 15 there.
    """
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    maps, condition = keras.Input((4, 4, 3)), keras.Input((2,))
    up = keras.Model([maps, condition], biggan._up_block(maps, 5, condition, spectral=False))
    down = keras.Model(maps, biggan._down_block(maps, 5, first=False))
    for network, inputs in ((up, [x, np.ones((2, 2), "float32")]), (down, x)):
        convolutions = of_type(network, SpectralNormalization)
        (skip,) = [one for one in convolutions if one.layer.kernel_size == (1, 1)]
        first, second = [one for one in convolutions if one.layer.kernel_size == (3, 3)]
        if network is up:
            repeated = x.repeat(2, axis=1).repeat(2, axis=2)
            # At the start moments are 0 and 1.
            y = first(np.maximum(repeated, 0) / np.sqrt(1.001)).numpy()
            expected = second(np.maximum(y, 0) / np.sqrt(1.001)) + skip(repeated)
        else:
            y = second(np.maximum(first(np.maximum(x, 0)).numpy(), 0)) + skip(x)
            expected = y.numpy().reshape(2, 2, 2, 2, 2, 5).mean(axis=(2, 4))
        np.testing.assert_allclose(network(inputs, training=False), expected, atol=1e-5)


def test_the_discriminator_s_first_block_reads_images_as_they_are():
    """Without a ReLU before its convolution: negative pixels count."""
    network = discriminator(attention_size=None)
    first = of_type(network, layers.Add)[0]
    cut = keras.Model(network.inputs[0], first.output)
    assert len(of_type(cut, layers.ReLU)) == 1
    assert not np.allclose(cut(-np.ones((1, *SHAPE))), cut(np.zeros((1, *SHAPE))))


@pytest.mark.parametrize("kind", [{}, {"latent_dim": 5, **SAGAN}])
def test_every_kernel_is_normalised_but_what_labels_pick_alone(kind):
    for network in (generator(**kind), discriminator()):
        flat = flatten_layers(network)
        normalised = {id(one.layer) for one in flat if isinstance(one, SpectralNormalization)}
        picked = {
            id(part)
            for one in flat
            if isinstance(one, ConditionalBatchNormalization) and not one.spectral
            for part in (one.scale, one.offset)
        }
        for layer in flat:
            if isinstance(getattr(layer, "kernel", None), keras.Variable):
                assert (id(layer) in normalised) != (id(layer) in picked), layer.path
    assert not picked and (len(normalised) > 8)


def test_weights_start_orthogonal_and_each_with_its_own():
    """Those of the attention, too."""
    for network in (generator(attention_size=4), discriminator(attention_size=4)):
        attention = of_type(network, SelfAttention)
        assert len(attention) == 1 and len(attention[0].trainable_variables) > 4
        kernels = [v.numpy() for v in network.trainable_variables if v.path.endswith("kernel")]
        assert len(kernels) > 12
        for kernel in kernels:
            matrix = kernel.reshape(-1, kernel.shape[-1])
            matrix = matrix if len(matrix) >= matrix.shape[1] else matrix.T
            np.testing.assert_allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-5)
        for one, other in itertools.combinations(kernels, 2):
            assert one.shape != other.shape or not np.allclose(one, other)


# A file of the generator is among those of tests/test_systems.py.
@pytest.mark.parametrize("make", [discriminator, pytest.param(generator, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore:__array__")  # Keras' saving on NumPy 2
def test_a_clone_and_a_file_keep_it(make, tmp_path):
    network = make(attention_size=None)  # Attention's own file is among the layers' tests.
    network(inputs_of(network), training=True)
    expected = network(inputs_of(network))
    clone = keras.models.clone_model(network)
    clone.set_weights(network.get_weights())
    network.save(tmp_path / "network.keras")
    for other in (clone, keras.models.load_model(tmp_path / "network.keras")):
        np.testing.assert_array_equal(other(inputs_of(network)), expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: generator(latent_dim=7), "`latent_dim` must be divisible by 3, .* received 7"),
        (lambda: generator(attention_size=5), r"`attention_size` must be .*\[8, 4\], received 5"),
        (lambda: discriminator(attention_size=8), r"one of \[4, 2\], received 8"),
        (lambda: generator(filters=0), "`filters` must be a positive integer"),
        (lambda: generator(embedding_dim=0), "`embedding_dim` must be a positive integer"),
        (lambda: discriminator((10, 8, 1)), "divisible by 4"),
        (lambda: networks.biggan_generator(SHAPE, None), "`classes` must be a positive integer"),
        (lambda: networks.biggan_discriminator(SHAPE, 0), "`classes` must be a positive integer"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
