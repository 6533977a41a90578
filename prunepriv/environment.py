"""This machine: folders of the store, downloaded data and the program; cores, and other workers."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

NAME = "prunepriv"

_PACKAGE = Path(__file__).resolve().parent


def root(package: Path = _PACKAGE) -> Path:
    """The folder of ``app.py``, ``pages``, ``assets`` and ``.streamlit``.

    Args:
        package: this package. An installed package contains the folder, because it should be the
            only thing that is installed. In a checkout, the folder contains the package.
    """
    installed = package / "_dashboard"
    return installed if installed.is_dir() else package.parent


ASSETS = root() / "assets"
"""Presets, glossary, lessons and the bundled example runs."""

EXAMPLES = ASSETS / "examples"
"""One folder per bundled example run: ``run.json`` and a store of trimmed artifacts."""


def user_folder() -> Path:
    """The user's own folder of application data."""
    return Path(platformdirs.user_data_dir(NAME, appauthor=False))


def store_folder(option: Path | None = None) -> Path:
    """The store: ``--store``, else ``PRUNEPRIV_STORE``, else in the user's folder. Absolute."""
    return _absolute(option or _from_environment("PRUNEPRIV_STORE") or user_folder() / "store")


def data_folder() -> Path:
    """Downloaded archives: ``PRUNEPRIV_DATA``, else in the user's folder. Absolute."""
    return _absolute(_from_environment("PRUNEPRIV_DATA") or user_folder() / "data")


SCHEDULER = "PRUNEPRIV_SCHEDULER"
"""Environment variable: see :func:`scheduler`."""


def scheduler() -> str | None:
    """Address of the Dask scheduler whose workers do the steps; None: the engine has its own.

    It is read from ``PRUNEPRIV_SCHEDULER`` by whatever starts an engine, and by the engine.
    """
    return os.environ.get(SCHEDULER, "").strip() or None


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _from_environment(name: str) -> Path | None:
    text = os.environ.get(name, "")
    return Path(text) if text else None


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
