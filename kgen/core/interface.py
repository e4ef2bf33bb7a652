"""What users ask of a trained system: to sample, decode, encode, translate, score and so on."""

import contextlib
import itertools

import numpy as np
from keras import ops

from kgen.core import engine
from kgen.core.arrays import float_images, in_batches, rows_of, seed_of
from kgen.core.noise import ImageNoise, SeededNoise
from kgen.core.numbers import is_count


class GenerativeInterface:
    """The methods common to all systems; a system writes the parts that it can do.

    `sample`, `decode`, `encode`, `reconstruct`, `translate`, `log_prob`, `score` and `classify`
    take and return NumPy arrays and work through them in batches, as `keras.Model.predict` does. A
    system writes the tensor functions behind them, which are also what an export traces:

    | public | tensor function |
    |---|---|
    | `sample` | `draw_latents(count, noise)`, of conditional systems `draw_latents(count, noise, \
labels)`, and `decode_step(latents)` |
    | `decode` | `decode_step(latents)` |
    | `encode` | `encode_step(images)`, where `encoded_with` is "labels" `encode_step(images, \
labels)` |
    | `reconstruct` | `reconstruct_step(images)`, likewise; by default both of them in turn |
    | `translate` | `translate_step(images, direction, noise)` |
    | `log_prob` | `log_prob_step(images, noise, samples)`, likewise with `labels` at its end |
    | `score` | `score_step(images, given, domain)` |
    | `classify` | `classify_step(images)` |

    What it leaves out raises `NotImplementedError` naming what it can do.
    """

    # The names of the ways in which a system that can `translate` does so.
    directions = ("forward",)

    # Whether `translate_step` makes use of its `noise`.
    has_translation_noise = False

    # How many classes samples can be asked for; `None` where a system knows none.
    classes = None

    # The name of what truncates samples, an argument of `sample`; `None` where nothing does. Its
    # tensor function is then `truncated_step(latents, truncation)`.
    truncation_name = None

    # Whether `encode` gives all that `decode` takes, and not a part of it, such as a code.
    encodes_latents = True

    # How far out of [-1, 1] the images that it encodes and reconstructs may be.
    image_margin = 0.0

    # What images are encoded, reconstructed and given a probability together with: `None`, or the
    # argument "labels" of `encode`, `reconstruct` and `log_prob`.
    encoded_with = None

    # What images are scored together with: `None`, or the argument "labels" or "inputs" of `score`.
    scored_with = None

    # The names of the sets whose images are scored, where there are several.
    score_domains = (None,)

    # What graphs depend on beside the variables' values, where that may change.
    structure = None

    def sample(self, count, seed=None, batch_size=64, labels=None, *, raw=False):
        """Draws new images.

        Args:
            count: How many.
            seed: Integer that decides the images: the same seed gives the same images, whatever the
                batch size, and a smaller count gives the first of them. `None` draws a seed from
                NumPy's global generator.
            batch_size: Images computed at once.
            labels: Of a conditional system the class of all images, an integer, or the class of
                each, integers `(count,)`; `None` draws them evenly.
            raw: Whether to use the weights as training left them where there is a moving average of
                them, too; see `raw_weights`.

        Returns:
            float32 array `(count, height, width, channels)` in [-1, 1].
        """
        return self.decode(self.latents(count, seed, labels), batch_size, raw=raw)

    def latents(self, count, seed=None, labels=None):
        """Draws `count` rows of latents, `(count, ...)` float32; arguments as in `sample`.

        A row holds all that decides an image; of a conditional system that is its class, too.
        """
        self._require("sample")
        if not is_count(count):
            raise ValueError(f"`count` must be a positive integer, received {count!r}.")
        noise = SeededNoise(seed_of(seed))
        if labels is None:
            return ops.convert_to_numpy(self.draw_latents(int(count), noise))
        labels = self._labels(labels, int(count))
        return ops.convert_to_numpy(self.draw_latents(int(count), noise, labels))

    def decode(self, latents, batch_size=64, *, raw=False):
        """Returns the images of `latents`, `(count, height, width, channels)` in [-1, 1].

        For `raw` see `sample`.
        """
        self._require("decode")
        with self.weights_used(raw):
            step = self._compiled["decode"]
            return in_batches(step, self._latents(latents), batch_size=batch_size)

    def encode(self, images, batch_size=64, labels=None):
        """Returns the latents of `images` in [-1, 1], `(count, latent dimensions)`.

        Args:
            images: Array `(count, height, width, channels)` in [-1, 1].
            batch_size: Images computed at once.
            labels: Where images are encoded together with labels, the class of all images, an
                integer, or of each, `(count,)`. It is the end of their latents, too, as of
                `latents`: `decode` of latents with another class there gives the same in that one.
        """
        self._require("encode")
        return in_batches(
            self._compiled["encode"], *self._to_encode(images, labels), batch_size=batch_size
        )

    def reconstruct(self, images, batch_size=64, labels=None):
        """Returns `images` after encoding and decoding, of the same shape; see `encode`."""
        self._require("reconstruct")
        return in_batches(
            self._compiled["reconstruct"], *self._to_encode(images, labels), batch_size=batch_size
        )

    @property
    def reconstruct_step(self):
        """What decodes what it has encoded, where the system can do both; or its own method."""
        if not (self.encodes_latents and hasattr(self, "encode_step")):
            raise AttributeError("reconstruct_step")
        decode_step = self.decode_step  # An AttributeError where it cannot.
        return lambda *given: decode_step(self.encode_step(*given))

    def translate(self, images, direction=None, seed=None, batch_size=64):
        """Returns the images that `images` become, such as photographs of drawings.

        Args:
            images: Array `(count, height, width, channels)` in [-1, 1].
            direction: One of `directions`; `None` for the first, often the only one.
            seed: Integer seed of the noise in the translation, where the system has some, such as
                dropout; the draws also depend on `batch_size`. `None` for none.
            batch_size: Images computed at once.

        Returns:
            float32 array `(count, ...)` in [-1, 1].
        """
        self._require("translate")
        direction = self.directions[0] if direction is None else direction
        if direction not in self.directions:
            raise ValueError(
                f"`direction` must be one of {list(self.directions)}, received {direction!r}."
            )
        images = self._images(images, self.translation_shape(direction))
        step = self._compiled["translate"]
        if seed is None or not self.has_translation_noise:
            return in_batches(lambda x: step(x, direction, None), images, batch_size=batch_size)
        batches = itertools.count()
        return in_batches(
            lambda x: step(x, direction, np.array([seed_of(seed), next(batches)])),
            images,
            batch_size=batch_size,
        )

    def translation_shape(self, direction):
        """Shape of one image to translate; `None` stands for any height or width."""
        return self.image_shape

    def log_prob(self, images, samples=128, seed=0, batch_size=64, labels=None):
        """Returns log p(image) in nats per image, `(count,)`; an estimate where it has to be.

        Where images are encoded together with labels it is log p(image | label).

        Args:
            images: Array `(count, height, width, channels)` in [-1, 1].
            samples: Draws per image of the estimate, where it is one.
            seed: Integer seed of the draws, which are an image's own: its estimate does not depend
                on the other images.
            batch_size: Images computed at once.
            labels: As of `encode`.
        """
        self._require("log_prob")
        if not is_count(samples):
            raise ValueError(f"`samples` must be a positive integer, received {samples!r}.")
        seed = seed_of(seed)

        def step(x, *labels):
            x = ops.convert_to_tensor(x)
            return self.log_prob_step(x, ImageNoise(seed, x), int(samples), *labels)

        return in_batches(step, *self._to_encode(images, labels), batch_size=batch_size)

    def bits_per_dimension(self, images, **kwargs):
        """Returns -log2 p(image) / number of pixels and channels, `(count,)`; see `log_prob`."""
        dimensions = np.prod(np.shape(images)[1:])
        return -self.log_prob(images, **kwargs) / (dimensions * np.log(2.0))

    def score(self, images, labels=None, inputs=None, domain=None, batch_size=64):
        """Returns the logits that the discriminator or critic gives images, float32 `(count, ...)`.

        Args:
            images: Array `(count, height, width, channels)` in [-1, 1].
            labels: Where labels are judged, too, the class of all images, an integer, or of each,
                `(count,)`.
            inputs: Where what images were translated from is judged, too, those images.
            domain: One of `score_domains`; `None` for the first, often the only one.
            batch_size: Images computed at once.

        Raises:
            ValueError: If an argument is not of this form, or what is judged, too, is missing.
        """
        self._require("score")
        domain = self.score_domains[0] if domain is None else domain
        if domain not in self.score_domains:
            raise ValueError(
                f"`domain` must be one of {list(self.score_domains)}, received {domain!r}."
            )
        images = float_images(images, self.scored_shape(domain))
        for name, value in (("labels", labels), ("inputs", inputs)):
            if (value is None) == (name == self.scored_with):
                expected = "given" if value is None else "None"
                raise ValueError(
                    f"`{name}` must be {expected}: this {type(self).__name__} judges images "
                    f"{f'together with {self.scored_with}' if self.scored_with else 'alone'}."
                )
        given = []
        if labels is not None:
            given = [self._labels(labels, len(images))]
        elif inputs is not None:
            given = [float_images(inputs, self.image_shape, "inputs")]
            if len(given[0]) != len(images):
                raise ValueError(
                    f"`inputs` must be as many as images, {len(images)}, received {len(given[0])}."
                )
        step = self._compiled["score"]
        return in_batches(
            lambda x, *given: step(x, *(given or [None]), domain),
            images,
            *given,
            batch_size=batch_size,
        )

    def classify(self, images, batch_size=64):
        """Returns the probabilities of the classes of images, float32 `(count, classes)`.

        By a network that has learned classes beside, such as the discriminator of a GAN with
        `condition="auxiliary"`.

        Args:
            images: Array `(count, height, width, channels)` in [-1, 1].
            batch_size: Images computed at once.
        """
        self._require("classify")
        return in_batches(self._compiled["classify"], self._images(images), batch_size=batch_size)

    def scored_shape(self, domain):
        """Shape of one image to score; `None` stands for any height or width."""
        return self.image_shape

    @property
    def abilities(self):
        """What the system can do: names out of `sample`, `decode`, `encode` and so on."""
        return [name for name, step in _STEPS.items() if hasattr(self, step)]

    @property
    def image_shape(self):
        """Shape of one image, `(height, width, channels)`, or `None` where a system says none."""
        return None

    @property
    def call_inputs(self):
        """What a call of the model, such as by `predict`, takes: pairs of a name and a row's shape.

        `None` where a system does not say.
        """
        return None

    @property
    def sampling_weights(self):
        """Which weights samples are made with: `"raw"`, or `"averaged"` over the training."""
        return "raw"

    # Whether samples are made with the weights as training left them though there is an average.
    uses_raw_weights = False

    def raw_weights(self):
        """Context in which all is done with raw weights, where there is a moving average, too.

        Example:
            with model.raw_weights():
                scores = evaluation(model)
        """
        return self.weights_used(raw=True)

    @contextlib.contextmanager
    def weights_used(self, raw):
        """Context of `raw_weights` if `raw` is true, otherwise one in which nothing is other."""
        if not isinstance(raw, bool):
            raise ValueError(f"`raw` must be True or False, received {raw!r}.")
        before = self.uses_raw_weights
        self.uses_raw_weights = raw or before
        try:
            yield
        finally:
            self.uses_raw_weights = before

    def before_use(self):
        """Runs before the model is used for anything but training; nothing by default."""

    def _images(self, images, shape=None):
        shape = self.image_shape if shape is None else shape
        return float_images(images, shape, margin=self.image_margin)

    def _to_encode(self, images, labels):
        """Returns images, and the labels that they are encoded together with, if they are."""
        images = self._images(images)
        if (labels is None) == (self.encoded_with == "labels"):
            expected = "given" if labels is None else "None"
            raise ValueError(
                f"`labels` must be {expected}: this {type(self).__name__} encodes images "
                f"{f'together with {self.encoded_with}' if self.encoded_with else 'alone'}."
            )
        return (images,) if labels is None else (images, self._labels(labels, len(images)))

    def _labels(self, labels, count):
        if self.classes is None:
            raise ValueError(
                f"`labels` must be None: this {type(self).__name__} was not made to be asked for "
                f"classes. Received {labels!r}."
            )
        labels = np.asarray(labels)
        fits = labels.dtype.kind in "iu" and labels.shape in ((), (count,))
        if not fits or labels.min() < 0 or labels.max() >= self.classes:
            raise ValueError(
                f"`labels` must be an integer from 0 to {self.classes - 1}, or {count} of them, "
                f"received {labels!r}."
            )
        return np.broadcast_to(labels, (count,)).astype("int32")

    def _latents(self, latents):
        can_draw = hasattr(self, "draw_latents")
        return rows_of(latents, "latents", self.latents(1, 0).shape[1:] if can_draw else None)

    @property
    def _compiled(self):
        """The tensor functions as graphs, by name; traced anew where `structure` has changed."""
        self.before_use()
        graphs = self.__dict__.setdefault("_graphs", {})  # Nothing for Keras to track.
        structure, functions = graphs.get(self.uses_raw_weights, (None, None))
        if functions is None or structure != self.structure:
            functions = {name: engine.function(f) for name, f in self.tensor_functions().items()}
            graphs[self.uses_raw_weights] = (self.structure, functions)
        return functions

    def tensor_functions(self):
        """Returns what the public methods run as graphs, functions of tensors by name."""
        names = ("decode", "encode", "reconstruct", "score", "classify")
        functions = {n: getattr(self, _STEPS[n]) for n in names if hasattr(self, _STEPS[n])}
        if hasattr(self, "translate_step"):
            functions["translate"] = self._translate_batch
        return functions

    def _translate_batch(self, images, direction, seed_and_batch):
        if seed_and_batch is None:
            return self.translate_step(images, direction, None)
        return self.translate_step(images, direction, SeededNoise(*ops.unstack(seed_and_batch)))

    def _require(self, ability):
        if ability not in self.abilities:
            raise NotImplementedError(
                f"{type(self).__name__} cannot `{ability}`. It can: "
                f"{', '.join(self.abilities) or 'nothing'}."
            )


_STEPS = {
    "sample": "draw_latents",
    "decode": "decode_step",
    "encode": "encode_step",
    "reconstruct": "reconstruct_step",
    "translate": "translate_step",
    "log_prob": "log_prob_step",
    "score": "score_step",
    "classify": "classify_step",
}
