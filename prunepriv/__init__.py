"""Membership leakage in pruned neural networks: train, prune, attack, defend, and look.

Data flows one way through the package:
experiment -> datasets -> training -> pruning and defenses -> signals -> attacks -> evaluation
-> figures -> pages.
"""

from prunepriv.version import __version__

__all__ = ["__version__"]
