"""Images of 0 and 1 alone are warned of, whatever holds them."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgen.data
from kgen.data import files

BITS = np.random.default_rng(0).integers(0, 2, (20, 4, 6))
SEEN = "largest value of these integer images is 1"


@pytest.fixture(params=["held", "read when asked for"])
def way(request, monkeypatch):
    if request.param != "held":
        monkeypatch.setattr(files, "HELD_FILES", 0)


def write(folder, images):
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")


def first(source, **arguments):
    return next(iter(kgen.data.load(source, batch_size=2, **arguments)))


def test_pictures_of_0_and_1(tmp_path, way):
    write(tmp_path / "dark", BITS.astype("uint8"))
    with pytest.warns(UserWarning, match=SEEN):
        first(tmp_path / "dark")
    write(tmp_path / "bits", BITS.astype(bool))  # Of one bit, whose 1 is white.
    assert set(np.unique(first(tmp_path / "bits"))) == {-1.0, 1.0}


def test_pictures_of_0_and_1_in_16_bits(tmp_path, way):
    """Of which 8 bits know nothing: they are black."""
    write(tmp_path / "grey", BITS.astype("uint16"))
    with pytest.warns(UserWarning, match=f"{SEEN}.*65535"):
        assert set(np.unique(first(tmp_path / "grey"))) == {-1.0}
    (tmp_path / "colours").mkdir()
    for number, image in enumerate(BITS):
        coloured = np.stack([image, 0 * image, image, 65535 + 0 * image], axis=-1)
        png = tf.io.encode_png(coloured.astype("uint16"))
        (tmp_path / "colours" / f"{number}.png").write_bytes(png.numpy())
    with pytest.warns(UserWarning, match=SEEN):
        first(tmp_path / "colours")


@pytest.mark.parametrize("scale", [0, 2, 65535])
def test_what_is_not_of_0_and_1_is_taken(tmp_path, way, scale):
    write(tmp_path / "grey", (scale * BITS).astype("uint16"))
    first(tmp_path / "grey")


def test_one_side_of_pairs(tmp_path, way):
    write(tmp_path / "photos", 200 * BITS.astype("uint8"))
    for name, dtype in (("masks", "uint8"), ("deep", "uint16")):
        write(tmp_path / name, BITS.astype(dtype))
        with pytest.warns(UserWarning, match=SEEN):
            stream = kgen.data.pairs(tmp_path / name, tmp_path / "photos", batch_size=2)
            next(iter(stream))
