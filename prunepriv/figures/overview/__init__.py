"""Overview's small charts: one per step of the pipeline, in a card.

As in all of ``figures``, each function returns the figure and the table of exactly what it draws.
"""

from prunepriv.figures.overview.attacks import attacks_chart, defense_chart
from prunepriv.figures.overview.models import gap_chart, layers_chart, split_chart, training_chart

__all__ = [
    "attacks_chart",
    "defense_chart",
    "gap_chart",
    "layers_chart",
    "split_chart",
    "training_chart",
]
