"""The same systems on the same networks in PyTorch, eager; run as a script it is a worker.

A process of its own, because PyTorch and TensorFlow would share one's threads. It imports nothing
but PyTorch, so that any interpreter which has it can run it. Requests are lines of JSON.
"""

import contextlib
import itertools
import json
import subprocess
import sys
import time


class Worker:
    """A process that takes steps when asked; `None` as `problem` if it can."""

    def __init__(self, python, settings):
        self.process = subprocess.Popen(
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        answer = self._ask(settings)
        self.problem = None if answer else self.process.stderr.read().strip().splitlines()[-1]

    def steps(self, count):
        """Returns the milliseconds of each step."""
        return self._ask(count)

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def _ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else None


def generator(torch, s):
    nn, (base, widths) = torch.nn, _pyramid(s)
    parts = [
        nn.Linear(s["latent_dim"], base[0] * base[1] * widths[0], bias=False),
        nn.Unflatten(1, (widths[0], *base)),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
    ]
    for before, after in itertools.pairwise(widths):
        parts += [_up(nn, s, before, after, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*parts, _up(nn, s, widths[-1], s["channels"]), nn.Tanh())


def discriminator(torch, s):
    nn, (base, widths) = torch.nn, _pyramid(s)
    parts, before = [], s["channels"]
    for stage, maps in enumerate(reversed(widths)):
        parts.append(_down(nn, s, before, maps))
        if stage:
            norm = nn.GroupNorm(1, maps) if s["system"] == "wgan_gp" else nn.BatchNorm2d(maps)
            parts.append(norm)
        parts.append(nn.LeakyReLU(0.2))
        before = maps
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(base[0] * base[1] * before, 1))


def encoder(torch, s):
    nn, (base, widths) = torch.nn, _pyramid(s)
    parts, before = [], s["channels"]
    for maps in reversed(widths):
        parts += [_down(nn, s, before, maps), nn.ReLU()]
        before = maps
    hidden = 8 * s["filters"]
    parts += [nn.Flatten(), nn.Linear(base[0] * base[1] * before, hidden), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(hidden, 2 * s["latent_dim"]))


def decoder(torch, s):
    nn, (base, widths) = torch.nn, _pyramid(s)
    hidden = 8 * s["filters"]
    units = base[0] * base[1] * widths[0]
    parts = [nn.Linear(s["latent_dim"], hidden), nn.ReLU(), nn.Linear(hidden, units), nn.ReLU()]
    parts.append(nn.Unflatten(1, (widths[0], *base)))
    for before, after in itertools.pairwise(widths):
        parts += [_up(nn, s, before, after), nn.ReLU()]
    return nn.Sequential(*parts, _up(nn, s, widths[-1], s["channels"]))


def step_of(torch, s):
    """Returns a function of images that takes a step."""
    functional = torch.nn.functional
    makers = (encoder, decoder) if s["system"] == "vae" else (generator, discriminator)
    first, second = (make(torch, s) for make in makers)
    if s["channels_last"]:
        first, second = (net.to(memory_format=torch.channels_last) for net in (first, second))
    betas = {"dcgan": (0.5, 0.999), "wgan_gp": (0.0, 0.9), "vae": (0.9, 0.999)}[s["system"]]

    def adam(*nets):
        weights = [weight for net in nets for weight in net.parameters()]
        return torch.optim.Adam(weights, lr=s["learning_rate"], betas=betas)

    def update(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def latents(count):
        return torch.randn(count, s["latent_dim"])

    if s["system"] == "vae":
        optimizer = adam(first, second)

        def step(images):
            mean, log_variance = first(images).float().chunk(2, dim=1)
            codes = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
            logits = second(codes).float()
            target = 0.5 * (images + 1.0)
            loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="sum")
            loss = loss + 0.5 * (mean**2 + log_variance.exp() - log_variance - 1.0).sum()
            update(optimizer, loss / len(images))

        return step
    ours, theirs = adam(first), adam(second)

    def dcgan(images):
        fakes = first(latents(len(images)))  # Once for both updates, as PyTorch's tutorial does.
        real_loss = functional.softplus(-second(images).float()).mean()
        update(theirs, real_loss + functional.softplus(second(fakes.detach()).float()).mean())
        update(ours, functional.softplus(-second(fakes).float()).mean())

    def wgan_gp(batch):
        for images in batch.chunk(s["critic_updates"]):
            fakes = first(latents(len(images))).detach()
            loss = second(fakes).float().mean() - second(images).float().mean()
            alpha = torch.rand(len(images), 1, 1, 1)
            points = (alpha * images + (1.0 - alpha) * fakes).requires_grad_()
            score = second(points).float().sum()
            (slope,) = torch.autograd.grad(score, points, create_graph=True)
            norms = (slope.float().square().sum((1, 2, 3)) + 1e-12).sqrt()
            update(theirs, loss + s["penalty_weight"] * (norms - 1.0).square().mean())
        update(ours, -second(first(latents(len(images)))).float().mean())

    return dcgan if s["system"] == "dcgan" else wgan_gp


def main():
    settings = json.loads(sys.stdin.readline())
    import torch

    torch.set_num_threads(settings["threads"])
    torch.manual_seed(0)
    step = step_of(torch, settings)
    shape = (settings["batch"], settings["channels"], settings["height"], settings["width"])
    images = 2.0 * torch.rand(shape) - 1.0
    if settings["channels_last"]:
        images = images.to(memory_format=torch.channels_last)
    bfloat16 = settings["precision"] == "mixed_bfloat16"
    context = contextlib.nullcontext()
    print(json.dumps(torch.__version__), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(json.loads(line)):
            start = time.perf_counter()
            if bfloat16:
                context = torch.autocast("cpu", dtype=torch.bfloat16)
            with context:
                step(images)
            times.append(1000.0 * (time.perf_counter() - start))
        print(json.dumps(times), flush=True)


def _pyramid(s):
    stages = s["stages"]
    widths = [s["filters"] * 2**stage for stage in reversed(range(stages))]
    return (s["height"] // 2**stages, s["width"] // 2**stages), widths


def _up(nn, s, before, after, bias=True):
    size = s["kernel_size"]
    # Twice the height and width, for an odd kernel too.
    padding = {"padding": (size - 1) // 2, "output_padding": size % 2}
    return nn.ConvTranspose2d(before, after, size, 2, bias=bias, **padding)


def _down(nn, s, before, after):
    size = s["kernel_size"]
    return nn.Conv2d(before, after, size, 2, padding=(size - 1) // 2)


if __name__ == "__main__":
    main()
