"""The floating-point operations of a step's convolutions and matrix products, and the ceiling."""

import statistics
import time

import tensorflow as tf
from keras import layers

# (rows of pixels, channels, filters, kernel) of convolutions that keep a processor busy.
CEILING_SHAPES = [(16, 128, 128, 3), (14, 64, 128, 5), (32, 64, 64, 3)]


def network_costs(network):
    """Operations of one image's forward pass: (all layers, the layers that read the input).

    A multiplication and an addition are two. A layer's gradients at its kernel and at its inputs
    cost what its forward pass does. Padding counts as if it were image.
    """
    costs = [(layer, _layer_cost(layer)) for layer in network.layers]
    costs = [(layer, cost) for layer, cost in costs if cost]
    return sum(cost for _, cost in costs), costs[0][1]


def step_cost(system, implementation, networks, batch_size, critic_updates=1, shared=True):
    """Operations of a step (a round) with `batch_size` images an update."""
    first, second = networks
    a, a_input = network_costs(first)  # generator or encoder
    b, b_input = network_costs(second)  # discriminator, critic or decoder
    learning_a = 2 * a - a_input  # gradients at kernels and at inputs but the network's own
    learning_b = 2 * b - b_input
    if system == "vae":
        return batch_size * (a + b + learning_a + 2 * b)
    generator_turn = b + b + learning_a  # through the discriminator, then the generator
    passes = 1 if shared and implementation != "tutorial" else 2
    if system == "dcgan":
        return batch_size * (passes * a + 2 * (b + learning_b) + generator_turn)
    # Forward and to the points; through that gradient; and through the forward pass.
    penalty = 2 * b + 2 * b + learning_b
    critic_turn = a + 2 * (b + learning_b) + penalty
    return batch_size * (critic_updates * critic_turn + (passes - 1) * a + generator_turn)


def measure_ceiling(precision, repeats=3):
    """Returns GFLOP/s of each of some large convolutions: the best of `repeats` runs."""
    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    return [_convolution_speed(shape, dtype, repeats) for shape in CEILING_SHAPES]


class Ceiling:
    """The machine's convolution speed, measured between the rounds of everything else."""

    def __init__(self, precision):
        self.precision = precision
        self.speeds = []

    def measure(self):
        self.speeds.append(measure_ceiling(self.precision))

    @property
    def gflops(self):
        """GFLOP/s of the fastest convolution, its median over the rounds."""
        return max(statistics.median(speeds) for speeds in zip(*self.speeds, strict=True))


def _layer_cost(layer):
    if isinstance(layer, layers.Dense):
        return 2 * layer.kernel.shape[0] * layer.kernel.shape[1]
    if isinstance(layer, layers.Conv2DTranspose):
        _, height, width, _ = layer.input.shape
    elif isinstance(layer, layers.Conv2D):
        _, height, width, _ = layer.output.shape
    else:
        return 0
    return 2 * height * width * _size(layer.kernel)


def _size(kernel):
    size = 1
    for length in kernel.shape:
        size *= length
    return size


_CONVOLUTIONS = {}


def _convolution_speed(shape, dtype, repeats):
    side, channels, filters, kernel = shape
    if (shape, dtype) not in _CONVOLUTIONS:
        images = tf.cast(tf.random.normal((64, side, side, channels)), dtype)
        weights = tf.cast(tf.random.normal((kernel, kernel, channels, filters)), dtype)

        @tf.function(autograph=False)
        def convolve():
            outputs = tf.nn.conv2d(images, weights, 1, "SAME")
            return tf.cast(outputs[0, 0, 0, 0], "float32")  # Little to bring back, all computed.

        convolve()
        _CONVOLUTIONS[shape, dtype] = convolve
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        float(_CONVOLUTIONS[shape, dtype]())
        seconds.append(time.perf_counter() - start)
    return 2 * 64 * side**2 * kernel**2 * channels * filters / min(seconds) / 1e9
