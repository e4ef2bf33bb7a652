"""What `fit` does, written out by hand for each system: the least that such a step can cost."""

import tensorflow as tf


def dcgan(model, jit_compile):
    """A round of the recipe's GAN: one pass of the generator serves both updates."""
    generator, discriminator = model.generator, model.discriminator
    optimizers = model.optimizer.by_player
    generator_values = [variable.value for variable in generator.trainable_variables]
    discriminator_values = [variable.value for variable in discriminator.trainable_variables]

    @tf.function(jit_compile=jit_compile, autograph=False)
    def step(images):
        latents = tf.random.normal((images.shape[0], *generator.input_shape[1:]))
        with tf.GradientTape(watch_accessed_variables=False) as generation:
            generation.watch(generator_values)
            fakes = generator(latents, training=True)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(discriminator_values)
            real_logits = discriminator(images, training=True)
            fake_logits = discriminator(fakes, training=True)
            discriminator_loss = _mean_softplus(-real_logits) + _mean_softplus(fake_logits)
        gradients = tape.gradient(discriminator_loss, discriminator_values)
        optimizers["discriminator"].apply(gradients, discriminator.trainable_variables)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fakes)
            generator_loss = _mean_softplus(-discriminator(fakes, training=True))
        upstream = tape.gradient(generator_loss, fakes)
        gradients = generation.gradient(fakes, generator_values, output_gradients=upstream)
        optimizers["generator"].apply(gradients, generator.trainable_variables)
        _average(model)
        return discriminator_loss, generator_loss

    return step


def wgan_gp(model, jit_compile):
    """A round of the recipe's WGAN-GP; the generator's update has a pass of its own or shares."""
    generator, critic = model.generator, model.critic
    optimizers = model.optimizer.by_player
    generator_values = [variable.value for variable in generator.trainable_variables]
    critic_values = [variable.value for variable in critic.trainable_variables]

    def generate(count):
        latents = tf.random.normal((count, *generator.input_shape[1:]))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(generator_values)
            fakes = generator(latents, training=True)
        return fakes, tape

    def penalty(images, fakes):
        alpha = tf.random.uniform((images.shape[0], 1, 1, 1))
        points = alpha * images + (1.0 - alpha) * fakes
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(points)
            scores = critic(points, training=True)
        gradients = tape.gradient(scores, points)
        norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3)) + 1e-12)
        return tf.reduce_mean(tf.square(norms - 1.0))

    @tf.function(jit_compile=jit_compile, autograph=False)
    def step(batch):
        for images in tf.split(batch, model.critic_updates):
            fakes, generation = generate(images.shape[0])
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(critic_values)
                real_scores = critic(images, training=True)
                fake_scores = critic(fakes, training=True)
                critic_loss = tf.reduce_mean(fake_scores) - tf.reduce_mean(real_scores)
                critic_loss += model.penalty_weight * penalty(images, fakes)
            gradients = tape.gradient(critic_loss, critic_values)
            optimizers["critic"].apply(gradients, critic.trainable_variables)
        if not model.prepares_once:
            fakes, generation = generate(images.shape[0])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fakes)
            generator_loss = -tf.reduce_mean(critic(fakes, training=True))
        upstream = tape.gradient(generator_loss, fakes)
        gradients = generation.gradient(fakes, generator_values, output_gradients=upstream)
        optimizers["generator"].apply(gradients, generator.trainable_variables)
        _average(model)
        return critic_loss, generator_loss

    return step


def vae(model, jit_compile):
    """A step of the recipe's VAE."""
    encoder, decoder = model.encoder, model.decoder
    (optimizer,) = model.optimizer.optimizers
    variables = encoder.trainable_variables + decoder.trainable_variables
    values = [variable.value for variable in variables]

    @tf.function(jit_compile=jit_compile, autograph=False)
    def step(images):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            mean, log_variance = encoder(images, training=True)
            latents = mean + tf.exp(0.5 * log_variance) * tf.random.normal(mean.shape)
            logits = decoder(latents, training=True)
            cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(0.5 * (images + 1.0), logits)
            reconstruction = tf.reduce_sum(cross_entropy) / images.shape[0]
            divergence = tf.square(mean) + tf.exp(log_variance) - log_variance - 1.0
            divergence = 0.5 * tf.reduce_sum(divergence) / images.shape[0]
            loss = reconstruction + divergence
        optimizer.apply(tape.gradient(loss, values), variables)
        return reconstruction, divergence

    return step


def _mean_softplus(logits):
    return tf.reduce_mean(tf.nn.softplus(logits))


def _average(model):
    """The moving average of the generator's weights, which the recipes' samples come from."""
    momentum = model.ema_momentum
    trainable = {id(variable) for variable in model.generator.trainable_variables}
    pairs = zip(model.generator_average.weights, model.generator.weights, strict=True)
    for mean, variable in pairs:
        if id(variable) in trainable:
            mean.assign(momentum * mean + (1.0 - momentum) * variable)
        else:
            mean.assign(variable)


LOOPS = {"dcgan": dcgan, "wgan_gp": wgan_gp, "vae": vae}
