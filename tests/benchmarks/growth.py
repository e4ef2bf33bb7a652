"""How the time of a `fit` step grows with batch size, image size and critic updates."""

from tests.benchmarks.variants import Runner, Sizes, Variant

BATCH_SIZES = (32, 64, 128, 256)
IMAGE_SIZES = (28, 56)
CRITIC_UPDATES = (1, 3, 5)


def measure_growth(systems, sizes, rounds, block, xla=False):
    """Returns rows of `report.growth_table`; each system's settings are interleaved."""
    rows = []
    for system in systems:
        settings = [("batch_size", value) for value in BATCH_SIZES]
        settings += [("image_size", value) for value in IMAGE_SIZES]
        if system == "wgan_gp":
            settings += [("critic_updates", value) for value in CRITIC_UPDATES]
        runners = {}
        for name, value in settings:
            changed = Sizes(**{**sizes._asdict(), name: value})
            runners[name, value] = Runner(Variant(system, "fit", xla=xla), changed)
        for runner in runners.values():
            runner.first()
        for _ in range(rounds):
            for runner in runners.values():
                runner.block(block)
        for (name, value), runner in runners.items():
            rows.append({**runner.row(), "setting": name, "value": value})
    return rows
