"""Functions on latents, NumPy arrays in and out: ways, grids, directions, maps and inversion."""

from kgen.latent.analogies import analogy
from kgen.latent.attributes import AttributeVector, attribute_vector, move
from kgen.latent.interpolation import corner_grid, interpolate
from kgen.latent.inversion import Inversion, invert
from kgen.latent.layout import label_width
from kgen.latent.maps import code_map, quantile_plane
from kgen.latent.regressor import LatentRegressor
from kgen.latent.traversal import traverse
from kgen.latent.walks import random_walk

__all__ = [
    "AttributeVector",
    "Inversion",
    "LatentRegressor",
    "analogy",
    "attribute_vector",
    "code_map",
    "corner_grid",
    "interpolate",
    "invert",
    "label_width",
    "move",
    "quantile_plane",
    "random_walk",
    "traverse",
]
