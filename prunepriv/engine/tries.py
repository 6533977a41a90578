"""How often workers have begun a group of steps: the only trace of one that ends its worker.

When a worker is lost, Dask counts that against every task it had, also against those that waited
behind the one at work. A group that was not begun is not to blame.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

FOLDER = "tries"


def note_try(store: Path, key: str) -> None:
    """A worker begins a group; ``key`` is that of its first step."""
    with suppress(OSError):  # the step is more important
        (store / FOLDER).mkdir(exist_ok=True)
        with (store / FOLDER / key).open("ab") as stream:
            stream.write(b".")


def tries(store: Path, key: str) -> int:
    """How often a group was begun since :func:`forget_tries`."""
    try:
        return (store / FOLDER / key).stat().st_size
    except OSError:
        return 0


def forget_tries(store: Path, key: str) -> None:
    """The group has ended, or is given out anew."""
    with suppress(OSError):
        (store / FOLDER / key).unlink(missing_ok=True)
