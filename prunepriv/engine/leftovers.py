"""Removes what processes that were killed have left in the store."""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path

from prunepriv.engine.client import ENGINE_LOCK, engine_scheduler
from prunepriv.store.artifacts import DRAFTS
from prunepriv.store.locks import LOCKS, claim, is_held

GRACE = 3600.0
"""Seconds for which nobody may have touched a draft that a worker of a cluster may be writing.

Such a worker holds no lock, and goes on when its engine has ended or has lost sight of it.
"""


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
    if held:
        return
    latest = time.time() - GRACE if engine_scheduler(store) else math.inf
    for draft in found:
        if _touched(draft) <= latest:
            shutil.rmtree(draft, ignore_errors=True)


def _touched(draft: Path) -> float:
    """When anything in a folder was written, in seconds since 1970; 0 if it is gone."""
    try:
        return max(one.stat().st_mtime for one in (draft, *draft.iterdir()))
    except OSError:
        return 0.0
