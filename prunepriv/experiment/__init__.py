"""What the user chose: an experiment or a sweep of experiments, and all their names.

``parts`` describes each field, ``defaults`` fills in what follows from other choices, ``rules``
refuses what cannot be combined, ``settings`` names each field for options, form and tables.
"""

from prunepriv.experiment.added_later import completed, identity
from prunepriv.experiment.defaults import PARTS
from prunepriv.experiment.experiment import Experiment, canonical_json, make_experiment

__all__ = ["PARTS", "Experiment", "canonical_json", "completed", "identity", "make_experiment"]
