"""`kgen anomaly <model> <images>`: says which images are unlike those a model was trained on."""

import csv
import dataclasses
import pathlib
from typing import Literal

import tyro

from recipes.ending import errors_told


@dataclasses.dataclass(frozen=True)
class Anomaly:
    """Says which images are unlike those that a model was trained on, and how unlike."""

    model: tyro.conf.Positional[str]
    """A run's folder, such as runs/autoencoder, a .keras file, or what --save has written."""
    images: tyro.conf.Positional[list[str]]
    """Image files, and folders of them, to judge."""
    normal: str | None = None
    """Normal images that the model was not trained on, for the threshold: a folder of them, or the
    name of a set, of which the validation split counts; None for the validation split of the run's
    data, or of a run that was trained on that the test split."""
    false_positive_rate: float | None = None
    """Share of normal images that may be called anomalies; None for 0.05."""
    score: Literal["reconstruction_ratio", "reconstruction", "log_prob"] | None = None
    """What is compared; None for reconstruction_ratio. log_prob calls simple images normal."""
    save: str | None = None
    """File, such as detector.keras, that the model and the threshold are saved to."""
    out: str | None = None
    """File of comma-separated values: image, score, anomaly; None for none."""


def main(arguments):
    """Prints each image's score and whether it is an anomaly, the most anomalous first.

    Raises:
        ValueError: If a field is not as described, or the model cannot be asked for the score.
    """
    config = tyro.cli(Anomaly, prog="kgen anomaly", args=arguments)
    files = files_at(config.images)
    detector = calibrated(config)
    scores = detector.score(read(files, detector.model)).tolist()
    rows = sorted(zip(scores, files, strict=True), reverse=True)
    found = [(str(file), score, score > detector.threshold) for score, file in rows]
    for file, score, is_anomaly in found:
        print(f"{score:<12.5g}{'anomaly' if is_anomaly else 'normal':10}{file}")
    count = sum(is_anomaly for *_, is_anomaly in found)
    kind = getattr(detector.kind, "__name__", detector.kind)
    print(f"{count} of {len(found)} are anomalies: a {kind} above {detector.threshold:.5g}.")
    if config.out is not None:
        out = pathlib.Path(config.out).expanduser()
        with errors_told(out), open(out, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([("image", "score", "anomaly"), *found])
    if config.save is not None:
        detector.save(pathlib.Path(config.save).expanduser())


def calibrated(config):
    """Returns the `AnomalyDetector` that an `Anomaly` asks for, with its threshold."""
    # Not above: `--help` need not wait for TensorFlow.
    import kgen
    from kgen.anomaly import AnomalyDetector, fewest_images
    from recipes.command_line.saved import load

    found = load(config.model)
    if isinstance(found, kgen.GenerativeModel):
        found = AnomalyDetector(found, config.score or "reconstruction_ratio")
    elif not isinstance(found, AnomalyDetector):
        raise ValueError(
            f"model: {config.model} holds a {type(found).__name__}, expected a model of kgen's or "
            "an AnomalyDetector."
        )
    elif config.score not in (None, found.kind):
        raise ValueError(
            f"score: {config.model} holds a detector by {found.kind}, received {config.score!r}."
        )
    if len(found.model.image_shape or ()) != 3:
        raise ValueError(
            f"model: expected one of images, received one of {found.model.image_shape}."
        )
    rate = config.false_positive_rate
    if found.threshold is None or rate is not None or config.normal is not None:
        rate = (found.false_positive_rate or 0.05) if rate is None else rate
        images, place = normal_images(config, found.model)
        fewest = fewest_images(rate)
        if len(images) < fewest:
            raise ValueError(
                f"normal: a threshold for --false-positive-rate {rate:g} takes at least {fewest} "
                f"normal images, received the {len(images)} of {place}. Expected more of them "
                "(--normal), or a larger --false-positive-rate."
            )
        found.calibrate(images, rate)
    return found


def normal_images(config, model):
    """Returns normal images to calibrate on, and which they are, in words.

    The images are `(count, height, width, channels)`.
    """
    import numpy as np

    import kgen.data
    from kgen.data.registry import is_named
    from recipes.command_line.saved import run_config, warn_if_data_changed

    of_run = run_config(config.model)
    data = config.normal or of_run.get("data")
    if data is None:
        raise ValueError(
            f"normal: expected with {config.model}, which is in no run's folder, received none."
        )
    own = of_run.get("data")
    is_own = own is not None and _place(data) == _place(own)
    if not is_own and not is_named(data) and pathlib.Path(data).expanduser().is_dir():
        return read(files_at([data]), model), f"the folder {data}"
    if is_own:
        warn_if_data_changed(config.model)
    *size, channels = model.image_shape
    is_unseen = not is_own or of_run.get("split") == "train"
    split = "validation" if is_unseen else "test"
    batches = kgen.data.in_order(
        data,
        size,
        split=split,
        channels=channels,
        on_bad_file=of_run.get("on_bad_file", "error"),
        follow_links=of_run.get("follow_links", False),
    )
    images = np.concatenate([np.asarray(batch) for batch in batches])
    return images, f"the {split} split of {data}"


def files_at(places):
    """Returns the image files that files and folders stand for, a list of paths.

    Raises:
        ValueError: If there is no such file, or a folder holds no images.
    """
    from kgen.data.folder import image_names

    files = []
    for place in places:
        path = pathlib.Path(place).expanduser()
        if not path.exists():
            raise ValueError(f"images: {path} does not exist.")
        files += [path / name for name in image_names(path)] if path.is_dir() else [path]
    return files


def read(files, model):
    """Returns image files as float32 `(count, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: If one cannot be read; it is named.
    """
    import numpy as np

    from kgen.data.decoding import decode_file

    pixels = np.stack([decode_file(file, model.image_shape) for file in files])
    return (pixels / 127.5 - 1.0).astype("float32")


def _place(data):
    """A set's name, or the folder or file that a path leads to."""
    path = pathlib.Path(data).expanduser()
    return path.resolve() if path.exists() else data
