"""`.npy` and `.npz` files."""

import pickle

import numpy as np
import pytest

import kgen.data


@pytest.fixture
def write(tmp_path):
    """Return a function that saves an array, or arrays by key, and returns the path."""

    def write(array=None, **arrays):
        if array is None:
            np.savez(tmp_path / "images.npz", **arrays)
            return tmp_path / "images.npz"
        np.save(tmp_path / "images.npy", array)
        return tmp_path / "images.npy"

    return write


def both(path, count, **arguments):
    """Return the images of train, validation and test, sorted by their sum.

    In order: `load` reads them by the same function, and its streams take longer to make.
    """
    images = [
        next(iter(kgen.data.in_order(path, split=split, batch_size=count, **arguments))).numpy()
        for split in ("train", "validation", "test")
    ]
    assert [len(part) for part in images] == [count - count // 5, count // 10, count // 10]
    images = np.concatenate(images)
    return images[np.argsort(images.sum((1, 2, 3)), kind="stable")]


def ramp(low, high, dtype, shape=(20, 3, 4)):
    """Return images whose values rise from low to high."""
    return np.linspace(low, high, int(np.prod(shape))).reshape(shape).astype(dtype)


@pytest.mark.parametrize("shape", [(20, 3, 4), (20, 3, 4, 1), (20, 3, 4, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, ">i2"])
def test_integers_of_every_shape(write, shape, dtype):
    images = ramp(0, 255, dtype, shape)
    expected = images.reshape(20, 3, 4, -1) / 127.5 - 1
    np.testing.assert_allclose(both(write(images), 20), expected, atol=2e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_of_either_range(write, dtype):
    images = ramp(0, 1, dtype)
    expected = images.astype(np.float64) * 2 - 1
    np.testing.assert_allclose(both(write(images), 20)[..., 0], expected, atol=2e-7)
    images = ramp(-1, 1, dtype)
    np.testing.assert_allclose(both(write(images), 20)[..., 0], images, atol=2e-7)


def test_booleans(write):
    images = np.zeros((20, 3, 4), bool)
    images[10:] = True
    loaded = both(write(images), 20)
    assert (loaded[:10] == -1).all() and (loaded[10:] == 1).all()


def test_value_range(write):
    loaded = both(write(ramp(0, 65535, np.uint16)), 20, value_range=(0, 65535))
    assert (loaded.min(), loaded.max()) == (-1.0, 1.0)
    loaded = both(write(ramp(0.25, 0.5, np.float64)), 20, value_range=[0, 0.5])
    assert (loaded.min(), loaded.max()) == (0.0, 1.0)
    loaded = both(write(ramp(0, 1, np.uint8)), 20, value_range=(0, 1))
    assert set(np.unique(loaded)) == {-1.0, 1.0}
    loaded = both(write(ramp(0, 255, np.float32)), 20, value_range=(0, 255))
    assert (loaded.min(), loaded.max()) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            ramp(0, 300, np.int32),
            r"integers in 0..255, found values in \[0.0, 300.0\].*value_range",
        ),
        (ramp(-1, 200, np.int32), r"integers in 0..255, found values in \[-1.0, 200.0\]"),
        (ramp(0, 255, np.float32), r"floats in \[0, 1\] or in \[-1, 1\], found .*\[0.0, 255.0\]"),
        (ramp(-2, 1, np.float32), r"found values in \[-2.0, 1.0\]"),
        (ramp(0, 1, np.float32) * np.nan, "finite values, found NaN or infinity"),
        (np.where(ramp(0, 1, np.float32) > 0.99, np.nan, 0), "finite values, found NaN"),
        (np.where(ramp(0, 1, np.float32) > 0.99, -np.inf, 0), "finite values"),
        (ramp(0, 1, np.complex64), "real numbers, got complex64"),
        (ramp(0, 1, np.float32).astype(str), "real numbers, got <U"),
        (np.zeros((20, 2, 2), [("r", "u1")]), "real numbers, got "),
        (np.zeros((20, 2, 2), "M8[s]"), "real numbers, got datetime64"),
        (np.zeros((20, 2, 2), object), "cannot be read as an array of numbers .* refused"),
        (np.zeros(20), r"got \(20,\)"),
        (np.zeros((20, 2)), r"got \(20, 2\)"),
        (np.zeros((20, 2, 2, 2)), r"got \(20, 2, 2, 2\)"),
        (np.zeros((20, 2, 2, 4)), r"got \(20, 2, 2, 4\)"),
        (np.zeros((20, 3, 8, 8)), "channels seem to come first"),
        (np.zeros((20, 2, 2, 2, 1)), r"got \(20, 2, 2, 2, 1\)"),
        (np.zeros((0, 2, 2)), "at least one image"),
        (np.zeros((20, 0, 2)), r"got \(20, 0, 2\)"),
    ],
)
def test_refused_arrays(write, images, message):
    with pytest.raises(ValueError, match=r"images.npy: .*" + message):
        kgen.data.load(write(images), batch_size=4)


def test_integers_of_0_and_1_are_warned_of_and_value_range_takes_them(write):
    bits = np.arange(80).reshape(20, 2, 2) % 2
    with pytest.warns(UserWarning, match=r"largest value .* is 1: .*value_range=\(0, 1\)"):
        kgen.data.load(write(bits), batch_size=4)
    assert set(np.unique(both(write(bits), 20, value_range=(0, 1)))) == {-1.0, 1.0}
    assert set(np.unique(both(write(bits.astype(bool)), 20))) == {-1.0, 1.0}


@pytest.mark.parametrize(
    "value_range",
    [(1, 0), (0, 0), (0,), (0, 1, 2), 1, "01", (0, float("inf")), (0, float("nan")), ("0", "1")],
)
def test_refused_value_range(write, value_range):
    with pytest.raises(ValueError, match=r"value_range: expected \(low, high\)"):
        kgen.data.load(write(ramp(0, 1, np.float32)), value_range=value_range)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_values_outside_the_stated_range(write, dtype):
    with pytest.raises(ValueError, match=r"images.npy: expected value_range=\(0, 16\), found .*17"):
        kgen.data.load(write(ramp(0, 17, dtype)), value_range=(0, 16))


# Keys of images and of labels are looked for apart, but for those of Keras.
@pytest.mark.parametrize(
    ("key", "label_key"),
    [
        ("images", "labels"),
        ("x", "y"),
        ("x_train", "y_train"),
        ("arr_0", "labels"),
        ("images", "y"),
        ("arr_0", None),
        ("x_train", None),
    ],
)
def test_keys(write, key, label_key):
    images = ramp(0, 255, np.uint8)
    classes = {label_key: np.arange(20)} if label_key else {}
    path = write(**{key: images}, **classes, other=np.zeros(3))
    assert both(path, 20).shape == (20, 3, 4, 1)
    if not label_key:
        with pytest.raises(ValueError, match=r"labels: expected False .*images\.npz has no labels"):
            kgen.data.load(path, labels=True, batch_size=2)
        return
    loaded, labels = next(iter(kgen.data.load(path, labels=True, batch_size=16)))
    expected = images[labels.numpy()][..., None] / 127.5 - 1
    np.testing.assert_allclose(loaded, expected, atol=2e-7)


def test_train_and_test_keys_are_the_splits(write):
    train, test = ramp(0, 200, np.uint8, (30, 2, 2)), ramp(201, 255, np.uint8, (7, 2, 2))
    path = write(x_train=train, y_train=np.arange(30), x_test=test, y_test=np.arange(7))
    images, labels = next(iter(kgen.data.load(path, split="test", labels=True, batch_size=7)))
    np.testing.assert_allclose(images[..., 0], test / 127.5 - 1, atol=2e-7)
    assert labels.numpy().tolist() == list(range(7))  # in their own order
    stream = kgen.data.load(path, split="train+validation", labels=True, batch_size=30)
    images, labels = next(iter(stream))
    assert sorted(labels.numpy()) == list(range(30))
    np.testing.assert_allclose(
        images[..., 0], train[labels.numpy()] / np.float32(127.5) - 1, atol=2e-7
    )


@pytest.mark.parametrize("key", ["x_val", "x_valid", "x_validation"])
def test_a_validation_key_is_that_split_and_a_missing_test_split_is_cut(write, key):
    train, held_out = ramp(0, 200, np.uint8, (30, 2, 2)), ramp(201, 255, np.uint8, (7, 2, 2))
    path = write(x_train=train, y_train=np.arange(30), **{key: held_out})
    parts = {
        split: next(iter(kgen.data.in_order(path, split=split, batch_size=50))).numpy()
        for split in ("train", "validation", "test", "train+validation")
    }
    assert {split: len(part) for split, part in parts.items()} == {
        "train": 27,
        "validation": 7,
        "test": 3,
        "train+validation": 34,
    }
    np.testing.assert_allclose(parts["validation"][..., 0], held_out / 127.5 - 1, atol=2e-7)
    trained = [image.tobytes() for image in np.concatenate([parts["train"], parts["test"]])]
    assert set(trained) == {
        np.float32(image / np.float32(127.5) - 1).tobytes() for image in train[..., None]
    }


def test_two_validation_keys_are_refused(write):
    images = ramp(0, 255, np.uint8)
    with pytest.raises(ValueError, match="expected one validation split"):
        kgen.data.load(write(x_train=images, x_val=images, x_valid=images), batch_size=1)
    with pytest.raises(ValueError, match="training images of its splits under 'x_train'"):
        kgen.data.load(write(x=images, x_test=images), batch_size=1)


def test_rows_that_are_added_leave_the_others_in_their_splits(write):
    images = np.arange(256, dtype=np.uint8).reshape(256, 1, 1)

    def levels(count, split):
        batch = next(iter(kgen.data.in_order(write(images[:count]), split=split, batch_size=256)))
        return set(np.rint((batch.numpy().ravel() + 1) * 127.5).astype(int))

    for split in ("train", "validation", "test"):
        before, after = levels(95, split), levels(256, split)
        assert before == {level for level in after if level < 95}
    # Of ten in a row one each, so that every class of a sorted file is in every split.
    assert sorted(level // 10 for level in levels(250, "test")) == list(range(25))


def test_the_splits_share_one_range(write):
    path = write(x_train=ramp(-1, 1, np.float32), x_test=ramp(0, 1, np.float32))
    images = next(iter(kgen.data.load(path, split="test", batch_size=20)))
    assert images.numpy().min() == 0.0  # taken for itself, the test part would have become -1


def test_labels_of_the_shape_of_cifar(write):
    path = write(x=ramp(0, 255, np.uint8), y=np.arange(20, dtype=np.uint8)[:, None])
    _, labels = next(iter(kgen.data.load(path, labels=True, batch_size=16)))
    assert labels.shape == (16,)


def test_labels_that_are_whole_numbers_in_floats(write):
    path = write(x=ramp(0, 255, np.uint8), y=np.arange(20.0))
    _, labels = next(iter(kgen.data.load(path, labels=True, batch_size=16)))
    assert labels.dtype == "int32" and set(labels.numpy()) < set(range(20))


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.float64])
def test_labels_that_would_wrap_are_refused(write, dtype):
    labels = np.arange(20, dtype=dtype) + dtype(2**32)
    path = write(x=ramp(0, 255, np.uint8), y=labels)
    with pytest.raises(ValueError, match=r"images\.npz: expected .* 32 bits.*found 4294967296"):
        kgen.data.load(path, labels=True, batch_size=2)
    with pytest.raises(ValueError, match="32 bits"):
        kgen.data.class_count(path)


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(19),
        np.arange(20) / 2,
        np.full(20, np.inf),
        np.full(20, np.nan),
        np.eye(20, dtype=int),
        np.zeros((), int),
    ],
)
def test_refused_labels(write, labels):
    with pytest.raises(
        ValueError, match=r"images\.npz: expected integer labels of the shape \(20,"
    ):
        kgen.data.load(write(x=ramp(0, 255, np.uint8), y=labels))


def test_keys_that_are_none_of_ours(write):
    with pytest.raises(ValueError, match=r"images.npz: .*'x_train'.*found \['pictures'\]"):
        kgen.data.load(write(pictures=np.zeros((20, 2, 2))))


def test_objects_in_an_archive(write):
    with pytest.raises(ValueError, match=r"images\.npz: cannot be read .* refused"):
        kgen.data.load(write(x=np.array([{}, {}], object)))


@pytest.mark.parametrize("name", ["bad.npy", "bad.npz"])
def test_files_that_are_broken_or_pickled(tmp_path, name):
    path = tmp_path / name
    np.savez(tmp_path / "good.npz", x=np.zeros((20, 8, 8)))
    archive = (tmp_path / "good.npz").read_bytes()
    broken = archive.replace(bytes(100), bytes([1]) * 100, 1)  # no longer of its checksum
    for content in (b"", b"hello", pickle.dumps([1, 2]), archive[:200], broken):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: cannot be read"):
            kgen.data.load(path)


def test_test_split_without_images(write):
    with pytest.raises(ValueError, match=r"split='test' of .*images\.npy is empty: .* there are 8"):
        kgen.data.load(write(np.zeros((8, 2, 2))), split="test", batch_size=1)


def test_suffix_of_any_case(write):
    path = write(ramp(0, 255, np.uint8))
    assert both(path.rename(path.with_suffix(".NPY")), 20).shape == (20, 3, 4, 1)


def test_channels_of_bytes_and_floats(write):
    random = np.random.default_rng(0)
    colour = random.integers(0, 256, (10, 5, 5, 3), np.uint8)
    luminance = colour @ np.array([0.299, 0.587, 0.114])
    for images in (colour, (colour / 255).astype(np.float32)):
        path = write(images)
        loaded = next(iter(kgen.data.load(path, channels=1, batch_size=1, split="test"))).numpy()
        grey = (loaded[0, :, :, 0] + 1) * 127.5
        assert min(np.abs(grey - image).max() for image in luminance) <= 0.51
    grey = both(write(ramp(0, 1, np.float32)), 20, channels=3)
    assert grey.shape == (20, 3, 4, 3)
    assert np.array_equal(grey[..., 0], grey[..., 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_resizing_covers_and_crops_the_centre(write, dtype):
    images = np.zeros((10, 8, 16, 1), dtype)
    images[:, :, 4:12] = 255 if dtype == np.uint8 else 1  # the centre square
    loaded = both(write(images), 10, image_size=4)
    assert loaded.shape == (10, 4, 4, 1)
    assert loaded[:, :, 1:3].min() > 0.95
    assert loaded.min() >= -1 and loaded.max() <= 1
    # Bicubic overshoots beside an edge; the range holds all the same.
    loaded = both(write(images), 10, image_size=(32, 64))
    assert (loaded.min(), loaded.max()) == (-1.0, 1.0)
