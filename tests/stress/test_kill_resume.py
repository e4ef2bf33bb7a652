"""A GAN, a WGAN-GP and a VAE with dropout, killed and started again, end at the same bits."""

import pytest

from tests.stress.kill_resume import Config, run

pytestmark = pytest.mark.forks


def test_killed_trainings_end_where_undisturbed_ones_do(tmp_path):
    kills, different = run(Config(kills=3), tmp_path)
    assert [kill.system for kill in kills] == ["gan", "wgan_gp", "vae"]
    assert kills[2].mid_write
    assert not different
