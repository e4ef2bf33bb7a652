"""Spectral normalisation as a reparameterisation of a layer's weight."""

import keras
from keras import ops

from kgen.core.numbers import is_count, plain_arguments

_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


@keras.saving.register_keras_serializable("kgen")
class SpectralNormalization(keras.layers.Wrapper):
    """Runs a layer with its weight divided by the weight's largest singular value.

    Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018, equation 8
    and algorithm 1 (arXiv:1802.05957): the layer uses W / sigma(W), where sigma(W) = u^T W v, and a
    power iteration, which starts from the u of the last training call, finds u and v. The gradient
    with respect to W flows through sigma too (their equation 12); u and v count as constants.

    The variable W itself is never changed (`keras.layers.SpectralNormalization` overwrites it, and
    lets no gradient through sigma). W is seen as a matrix with one row for each output channel: the
    last axis of a kernel, the last but one of a transposed convolution, the last two of a depthwise
    one. For a convolution this is the paper's estimate, not the norm of the convolution as an
    operator.

    Args:
        layer: Layer with a weight `kernel` or `embeddings`: Dense, Embedding, any (transposed or
            depthwise) convolution, or a layer of your own.
        power_iterations: Positive integer, steps of the power iteration in a call, 1 in the paper.

    Input and output shape: those of `layer`. A training call stores u, an inference call starts
    from the same u and stores nothing. sigma is computed in float32 also under mixed precision. A
    weight that is zero everywhere is left as it is.

    Raises:
        ValueError: If `layer` has no such weight or is normalised already, or if `power_iterations`
            is not a positive integer.

    Example:
    >>> layer = kgen.layers.SpectralNormalization(keras.layers.Conv2D(8, 3, padding="same"))
    >>> layer(keras.random.normal((2, 8, 8, 3)), training=True).shape
    TensorShape([2, 8, 8, 8])
    """

    @plain_arguments
    def __init__(self, layer, power_iterations=1, **kwargs):
        # This wrapper reads the weight before the wrapped layer's policy casts it, and must not
        # open a half-precision scope around that: its own policy is the dtype of its variables.
        policy = keras.dtype_policies.get(kwargs.pop("dtype", None))
        super().__init__(layer, dtype=policy.variable_dtype, **kwargs)
        self.autocast = False
        if not is_count(power_iterations):
            raise ValueError(
                "SpectralNormalization: `power_iterations` should be a positive integer. Received: "
                f"power_iterations={power_iterations}"
            )
        wrappers = (SpectralNormalization, keras.layers.SpectralNormalization)
        if any(isinstance(layer, wrapper) for wrapper in wrappers):
            raise ValueError(
                "SpectralNormalization: `layer` is normalised already. Expected the bare layer. "
                f"Received: layer={layer.name!r} of class {type(layer).__name__}"
            )
        self.power_iterations = power_iterations
        if layer.built:
            self._weight()  # raises where there is none

    def build(self, input_shape):
        super().build(input_shape)
        weight = self._weight()
        output_channels = 1
        for axis in self._output_axes(weight):
            output_channels *= weight.shape[axis]
        self.vector_u = self.add_weight(
            shape=(output_channels,),
            initializer="random_normal",
            trainable=False,
            # Each replica writes its own copy: all see the same weight, and compute the same.
            # (Writing together would switch between replicas' threads in the middle of a call.)
            aggregation="none",
            name="vector_u",
        )

    def call(self, inputs, training=False):
        weight = self._weight()
        normalized, vector_u = self.normalized_weight()
        if training:
            self.vector_u.assign(vector_u)
        # The layer's other variables keep the values that they have out here, which are not their
        # own where the caller has opened a stateless scope too.
        values = [(variable, variable.value) for variable in self.layer.variables]
        values = [pair for pair in values if pair[0] is not weight]
        with keras.StatelessScope(
            [(weight, normalized), *values], collect_losses=True, initialize_variables=False
        ) as scope:
            before = [scope.get_current_value(variable) for variable, _ in values]
            outputs = self.layer(inputs)  # Keras hands `training` on
        # What the layer has updated (a random state, say) would be lost with the scope.
        for (variable, _), old in zip(values, before, strict=True):
            new = scope.get_current_value(variable)
            if new is not old:
                variable.assign(new)
        for loss in scope.losses:
            self.add_loss(loss)
        return outputs

    def normalized_weight(self):
        """Returns `(W / sigma(W), u)`, with u after this call's power iterations."""
        weight = ops.convert_to_tensor(self._weight())
        dtype = keras.backend.result_type(weight.dtype, "float32")
        weight = ops.cast(weight, dtype)
        vector_u = ops.cast(self.vector_u, dtype)
        matrix = self._as_matrix(weight)  # (output channels, the rest)
        constant = ops.stop_gradient(matrix)
        for _ in range(self.power_iterations):
            vector_v = _unit(ops.matmul(vector_u, constant))  # (the rest,)
            vector_u = _unit(ops.matmul(constant, vector_v))  # (output channels,)
        sigma = ops.sum(vector_u * ops.matmul(matrix, vector_v))
        # A layer that starts at zero, as some last layers do, has sigma = 0.
        sigma = ops.where(sigma > 0, sigma, ops.ones_like(sigma))
        return weight / sigma, vector_u

    def converge(self):
        """Sets u to the first left singular vector of W, by a full decomposition."""
        matrix = self._as_matrix(ops.cast(self._weight(), self.vector_u.dtype))
        self.vector_u.assign(ops.svd(matrix, full_matrices=False)[0][:, 0])

    def _weight(self):
        """The variable to normalise."""
        for name in ("kernel", "embeddings"):
            weight = getattr(self.layer, name, None)
            if isinstance(weight, keras.Variable):
                return weight
        raise ValueError(
            "SpectralNormalization: `layer` should have a variable `kernel` or `embeddings`. "
            f"Received: layer={self.layer.name!r} of class {type(self.layer).__name__}, which has "
            "none (or not as a plain variable: quantised, or adapted by LoRA)"
        )

    def _output_axes(self, weight):
        rank = len(weight.shape)
        if isinstance(self.layer, _TRANSPOSED):
            return (rank - 2,)
        if isinstance(self.layer, _DEPTHWISE):
            return (rank - 2, rank - 1)
        return (rank - 1,)

    def _as_matrix(self, weight):
        first = self._output_axes(weight)
        others = tuple(axis for axis in range(len(weight.shape)) if axis not in first)
        return ops.reshape(ops.transpose(weight, (*first, *others)), (self.vector_u.shape[0], -1))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(vector):
    """The vector divided by its length, or zero if it is zero."""
    return vector * ops.rsqrt(ops.maximum(ops.sum(ops.square(vector)), 1e-24))
