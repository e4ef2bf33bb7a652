"""The three systems as tutorials write them: a `keras.Model` with a `train_step` of its own."""

import keras
import tensorflow as tf


class Tutorial(keras.Model):
    """Two networks, an optimizer each and a mean of each loss."""

    def __init__(self, first, second, config, **adam):
        super().__init__()
        self.first, self.second, self.config = first, second, config
        self.first_optimizer = keras.optimizers.Adam(config.learning_rate, **adam)
        self.second_optimizer = keras.optimizers.Adam(config.learning_rate, **adam)
        self.first_loss = keras.metrics.Mean(name="first_loss")
        self.second_loss = keras.metrics.Mean(name="second_loss")
        self.built = True

    @property
    def metrics(self):
        return [self.first_loss, self.second_loss]

    def latents(self, count):
        return tf.random.normal((count, self.config.latent_dim))


class DCGANTutorial(Tutorial):
    """The discriminator learns from fake and real images in one batch; then fresh fakes."""

    def train_step(self, images):
        generator, discriminator = self.first, self.second
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        count = tf.shape(images)[0]

        fakes = generator(self.latents(count), training=True)
        both = tf.concat([fakes, images], axis=0)
        labels = tf.concat([tf.zeros((count, 1)), tf.ones((count, 1))], axis=0)
        with tf.GradientTape() as tape:
            discriminator_loss = 2.0 * loss(labels, discriminator(both, training=True))
        weights = discriminator.trainable_weights
        gradients = tape.gradient(discriminator_loss, weights)
        self.second_optimizer.apply_gradients(zip(gradients, weights, strict=True))

        latents = self.latents(count)
        with tf.GradientTape() as tape:
            logits = discriminator(generator(latents, training=True), training=True)
            generator_loss = loss(tf.ones((count, 1)), logits)
        weights = generator.trainable_weights
        gradients = tape.gradient(generator_loss, weights)
        self.first_optimizer.apply_gradients(zip(gradients, weights, strict=True))

        self.first_loss.update_state(generator_loss)
        self.second_loss.update_state(discriminator_loss)
        return {metric.name: metric.result() for metric in self.metrics}


class WGANGPTutorial(Tutorial):
    """The critic's updates in a Python loop, the penalty by a tape in a tape."""

    def penalty(self, images, fakes):
        alpha = tf.random.uniform((tf.shape(images)[0], 1, 1, 1))
        between = alpha * images + (1.0 - alpha) * fakes
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.second(between, training=True)
        gradients = tape.gradient(scores, between)
        norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3]) + 1e-12)
        return tf.reduce_mean(tf.square(norms - 1.0))

    def train_step(self, batch):
        generator, critic = self.first, self.second
        for images in tf.split(batch, self.config.critic_updates):
            count = tf.shape(images)[0]
            latents = self.latents(count)
            with tf.GradientTape() as tape:
                fakes = generator(latents, training=True)
                fake_scores = critic(fakes, training=True)
                real_scores = critic(images, training=True)
                critic_loss = tf.reduce_mean(fake_scores) - tf.reduce_mean(real_scores)
                critic_loss += self.config.penalty_weight * self.penalty(images, fakes)
            weights = critic.trainable_weights
            gradients = tape.gradient(critic_loss, weights)
            self.second_optimizer.apply_gradients(zip(gradients, weights, strict=True))

        latents = self.latents(count)
        with tf.GradientTape() as tape:
            scores = critic(generator(latents, training=True), training=True)
            generator_loss = -tf.reduce_mean(scores)
        weights = generator.trainable_weights
        gradients = tape.gradient(generator_loss, weights)
        self.first_optimizer.apply_gradients(zip(gradients, weights, strict=True))

        self.first_loss.update_state(generator_loss)
        self.second_loss.update_state(critic_loss)
        return {metric.name: metric.result() for metric in self.metrics}


class VAETutorial(Tutorial):
    """Encoder, sample, decoder, cross-entropy and divergence."""

    def train_step(self, images):
        encoder, decoder = self.first, self.second
        with tf.GradientTape() as tape:
            mean, log_variance = encoder(images, training=True)
            latents = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
            logits = decoder(latents, training=True)
            targets = 0.5 * (images + 1.0)
            cross_entropy = keras.losses.binary_crossentropy(targets, logits, from_logits=True)
            reconstruction = tf.reduce_mean(tf.reduce_sum(cross_entropy, axis=(1, 2)))
            divergence = -0.5 * (1.0 + log_variance - tf.square(mean) - tf.exp(log_variance))
            divergence = tf.reduce_mean(tf.reduce_sum(divergence, axis=1))
            loss = reconstruction + divergence
        weights = encoder.trainable_weights + decoder.trainable_weights
        gradients = tape.gradient(loss, weights)
        self.first_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        self.first_loss.update_state(reconstruction)
        self.second_loss.update_state(divergence)
        return {metric.name: metric.result() for metric in self.metrics}


TUTORIALS = {"dcgan": DCGANTutorial, "wgan_gp": WGANGPTutorial, "vae": VAETutorial}
