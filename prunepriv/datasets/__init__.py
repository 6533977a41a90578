"""Labelled records, and how they are split between target and shadows. Imports no torch."""

from prunepriv.datasets.base import Dataset
from prunepriv.datasets.registry import load
from prunepriv.datasets.splits import Splits, split

__all__ = ["Dataset", "Splits", "load", "split"]
