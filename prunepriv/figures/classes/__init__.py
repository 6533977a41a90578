"""Which classes leak most: gaps and distances by class.

The tables come from :mod:`prunepriv.divergence`, one row per class. A class holds few records, so
every bar has a 95 % interval: without it, readers would trust the order of the bars too much.
"""

from prunepriv.figures.classes.bars import gap_bars
from prunepriv.figures.classes.distances import (
    DISTANCE_LABELS,
    Distance,
    class_distances,
    distance_dots,
    distance_order,
)
from prunepriv.figures.classes.gaps import (
    GAP_LABELS,
    MOST_CLASSES,
    Z95,
    Gap,
    class_gaps,
    class_order,
    gap_margins,
)
from prunepriv.figures.classes.heatmap import gap_heatmap
from prunepriv.figures.classes.means import class_means

__all__ = [
    "DISTANCE_LABELS",
    "GAP_LABELS",
    "MOST_CLASSES",
    "Z95",
    "Distance",
    "Gap",
    "class_distances",
    "class_gaps",
    "class_means",
    "class_order",
    "distance_dots",
    "distance_order",
    "gap_bars",
    "gap_heatmap",
    "gap_margins",
]
