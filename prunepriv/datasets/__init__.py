"""Labelled records, and how they are split between target and shadows. Imports no torch."""

from prunepriv.datasets.base import Dataset
from prunepriv.datasets.registry import load
from prunepriv.datasets.splits import Split, split

__all__ = ["Dataset", "Split", "load", "split"]
