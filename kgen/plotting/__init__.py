"""Drawing images, animations and training curves, on NumPy arrays alone."""

from kgen.plotting.before_after import before_after
from kgen.plotting.curves import curves
from kgen.plotting.gif import save_gif
from kgen.plotting.grid import image_grid, save_grid
from kgen.plotting.image_map import image_map
from kgen.plotting.pixels import to_uint8
from kgen.plotting.roc import roc
from kgen.plotting.search import search

__all__ = [
    "before_after",
    "curves",
    "image_grid",
    "image_map",
    "roc",
    "save_gif",
    "save_grid",
    "search",
    "to_uint8",
]
