"""Removes what processes that were killed have left in the store."""

from __future__ import annotations

import shutil
from pathlib import Path

from prunepriv.engine.client import ENGINE_LOCK
from prunepriv.store.artifacts import DRAFTS
from prunepriv.store.locks import LOCKS, claim, is_held


def remove_leftovers(store: Path, mine: str) -> None:
    """Remove the locks that nobody holds, and all drafts unless another process may write one.

    Args:
        store: the store's folder.
        mine: the lock file, relative to the store, that the caller holds, who writes none now.
    """
    found = list((store / DRAFTS).glob("*"))  # first: who writes one of these has his lock by now
    locks = {store / ENGINE_LOCK, *(store / LOCKS).glob("*.lock")} - {store / mine}
    held = [lock for lock in locks if is_held(lock)]
    for lock in locks.difference(held, [store / ENGINE_LOCK]):
        if (left := claim(lock)) is not None:  # else it is that of one who has just begun
            left.remove()
    if not held:
        for draft in found:
            shutil.rmtree(draft, ignore_errors=True)
