"""What the user chose: an experiment, a sweep of experiments, and every way to name them."""

from prunepriv.experiment.experiment import (
    PARTS,
    Experiment,
    canonical_json,
    make_experiment,
)

__all__ = ["PARTS", "Experiment", "canonical_json", "make_experiment"]
