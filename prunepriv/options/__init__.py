"""The tables of everything that can be chosen. They import no torch, so pages list them fast.

Each method is one class or function in a file of its package, and one entry here. The form, the
command line, the tables of the documentation and the contract tests are made from these tables.
"""

from prunepriv.options.approaches import APPROACHES
from prunepriv.options.attacks import ATTACKS, RECIPES
from prunepriv.options.data import DATASETS, OWN, SHAPE_NAMES, knob_values
from prunepriv.options.defenses import DEFENSES
from prunepriv.options.models import MODELS
from prunepriv.options.option import (
    ADVERSARIES,
    MODEL_KIND_SUMMARIES,
    MODEL_KINDS,
    ON_REQUEST,
    UNPRUNED,
    Adversary,
    ApproachOption,
    AttackOption,
    DatasetOption,
    DefenseOption,
    Knob,
    ModelKind,
    ModelOption,
    Option,
    RecipeOption,
    lookup,
    records_of_fit,
    table,
)

__all__ = [
    "ADVERSARIES",
    "APPROACHES",
    "ATTACKS",
    "DATASETS",
    "DEFENSES",
    "MODELS",
    "MODEL_KINDS",
    "MODEL_KIND_SUMMARIES",
    "ON_REQUEST",
    "OWN",
    "RECIPES",
    "SHAPE_NAMES",
    "UNPRUNED",
    "Adversary",
    "ApproachOption",
    "AttackOption",
    "DatasetOption",
    "DefenseOption",
    "Knob",
    "ModelKind",
    "ModelOption",
    "Option",
    "RecipeOption",
    "knob_values",
    "lookup",
    "records_of_fit",
    "table",
]
