"""The program's version, told here and nowhere else."""

from __future__ import annotations

__version__ = "0.3.0"
