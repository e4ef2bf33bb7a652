"""The pictures: ways, grids, traversals, walks, analogies, maps and the plane."""

import numpy as np

import kgen.plotting
from kgen.latent import (
    analogy,
    code_map,
    corner_grid,
    interpolate,
    quantile_plane,
    random_walk,
    traverse,
)
from kgen.metrics import stroke_thickness
from recipes.latents.section import Found, Skipped

STEPS = 9  # Of a way and a traversal.
ROWS = 8
WALKS = 9
PLANE = 20  # Images a side.
OF_EACH = 10  # Examples that a mean is taken of.


def interpolations(subject, folder):
    """Ways between two examples, of one class where classes are known."""
    firsts, seconds = subject.pairs(ROWS)
    ends = subject.codes[firsts], subject.codes[seconds]
    way = interpolate(*ends, STEPS, subject.path, subject.labels)  # (steps, rows, ...)
    return _grid(subject, folder, "interpolation", np.swapaxes(way, 0, 1), STEPS)


def corners(subject, folder):
    """A grid between four examples, of four classes where classes are known."""
    chosen = np.arange(4)
    if subject.classes is not None:
        _, firsts = np.unique(subject.classes, return_index=True)
        chosen = np.concatenate([firsts, chosen])[:4]
    grid = corner_grid(subject.codes[chosen], ROWS, ROWS, subject.path, subject.labels)
    return _grid(subject, folder, "corners", grid, ROWS)


def traversals(subject, folder):
    """The coordinates that vary most, each by itself: of one example, of styles of the mean one.

    An InfoGAN's continuous codes, which are to stand for something, come before its noise.
    """
    rows = subject.codes.reshape(len(subject.codes), -1, subject.codes.shape[-1])[:, 0]  # (n, d)
    start = subject.codes.mean(axis=0) if subject.styles else subject.codes[0]
    codes = subject.layout.codes if subject.draws else 0
    width = rows.shape[-1]
    noise = np.argsort(-rows[:, : width - subject.labels].std(axis=0), kind="stable")
    moved = []
    for number in [*range(width - codes, width), *noise.tolist()][:ROWS]:
        if subject.uniform or number >= width - codes:
            values = np.linspace(-1.0, 1.0, STEPS)
        elif subject.normal:
            values = np.linspace(-2.5, 2.5, STEPS)
        else:
            seen = rows[:, number]
            values = seen.mean() + seen.std() * np.linspace(-2.5, 2.5, STEPS)
        moved.append(traverse(start, number, values))
    return _grid(subject, folder, "traversal", np.stack(moved), STEPS)


def walks(subject, folder):
    """A GIF of nine random walks that come back to where they start."""
    model = subject.model
    if not subject.draws:
        raise Skipped("no walk.gif, as nothing says how the model's codes are distributed.")
    if subject.uniform:
        raise Skipped("no walk.gif, as latents are uniform and random walks are of normal ones.")
    labels = subject.layout.labels + subject.layout.codes
    start = model.latents(WALKS, seed=subject.config.seed + 1)
    walk = random_walk(start, 48, 6.0, seed=subject.config.seed, labels=labels)
    frames = [kgen.plotting.image_grid(model.decode(rows), 3, clip=True) for rows in walk]
    scale = max(1, 256 // max(frames[0].shape))
    frames = [frame.repeat(scale, 0).repeat(scale, 1) for frame in frames]
    path = kgen.plotting.save_gif(frames, folder / "walk.gif", milliseconds=80, rest=False)
    return Found({"walk": path})


def analogies(subject, folder):
    """A thick one less a thin one of its class, plus a thin one of another: a thick other one."""
    if subject.classes is None:
        raise Skipped("no analogy.png, as nothing tells the classes of the examples.")
    if subject.images.shape[-1] != 1:
        raise Skipped("no analogy.png, as the thickness of strokes is that of grey images.")
    thickness = stroke_thickness(subject.images)
    order = {}
    for label in np.unique(subject.classes):
        members = np.flatnonzero(subject.classes == label)
        if len(members) >= 2 * OF_EACH:
            order[label] = members[np.argsort(thickness[members], kind="stable")]
    if len(order) < 2:
        raise Skipped(
            f"no analogy.png, as fewer than 2 classes have {2 * OF_EACH} examples (--examples)."
        )
    labels = list(order)
    rows = []
    for label, other in zip(labels, [*labels[1:], labels[0]], strict=True):
        thick, thin = order[label][-OF_EACH:], order[label][:OF_EACH]
        sides = [subject.codes[numbers] for numbers in (thick, thin, order[other][:OF_EACH])]
        means = [side.mean(axis=0) for side in sides]
        rows.append(np.stack([*means, analogy(*sides)]))
    return _grid(subject, folder, "analogy", np.float32(rows), 4)


def pca_map(subject, folder):
    """The examples at their places among the two directions in which codes vary most."""
    return _map(subject, folder, "map_pca", code_map(_free(subject)))


def tsne_map(subject, folder):
    """The examples at their places by t-SNE."""
    places = code_map(
        _free(subject), "tsne", min(30.0, len(subject.codes) / 4), subject.config.seed
    )
    return _map(subject, folder, "map_tsne", places)


def plane(subject, folder):
    """The images of the whole of a model's two latents: of N(0, 1), or where the examples lie."""
    rows = subject.model.latents(1, seed=0) if subject.draws else subject.codes
    size = rows.shape[-1] - subject.labels
    if subject.uniform:
        raise Skipped("no plane.png, as latents are uniform and the plane is of normal ones.")
    if size != 2 or subject.labels:
        beside = " beside its labels" if subject.labels else ""
        raise Skipped(
            f"no plane.png, as the model has {size} latents{beside} and the plane needs 2 alone."
        )
    if subject.draws:
        grid = quantile_plane(PLANE, PLANE)
    else:
        (left, bottom), (right, top) = np.quantile(subject.codes, (0.05, 0.95), axis=0)
        corners = [(left, top), (right, top), (left, bottom), (right, bottom)]
        grid = corner_grid(corners, PLANE, PLANE, path="linear")
    images = np.clip(subject.model.decode(grid.reshape(-1, 2)), -1.0, 1.0)
    return Found({"plane": kgen.plotting.save_grid(images, folder / "plane.png", PLANE, clip=True)})


def _free(subject):
    """The examples' codes without their labels."""
    return subject.codes[..., : subject.codes.shape[-1] - subject.labels]


def _map(subject, folder, name, places):
    path = folder / f"{name}.png"
    kgen.plotting.image_map(subject.images, places, path, subject.classes, clip=True)
    return Found({name: path})


def _grid(subject, folder, name, latents, columns):
    path = kgen.plotting.save_grid(
        subject.decode(latents), folder / f"{name}.png", columns, clip=True
    )
    return Found({name: path})


SECTIONS = (interpolations, corners, traversals, walks, analogies, pca_map, tsne_map, plane)
