"""Removes the drafts of artifacts whose writers were killed."""

from __future__ import annotations

import shutil
from pathlib import Path

from prunepriv.engine.client import ENGINE_LOCK
from prunepriv.store.artifacts import DRAFTS
from prunepriv.store.locks import LOCKS, is_held


def remove_drafts(store: Path, mine: str) -> None:
    """Remove all drafts, unless another process may be writing one.

    Args:
        store: the store's folder.
        mine: the lock file, relative to the store, that the caller holds, who writes none now.
    """
    found = list((store / DRAFTS).glob("*"))  # first: who writes one of these has his lock by now
    locks = {store / ENGINE_LOCK, *(store / LOCKS).glob("*.lock")} - {store / mine}
    if found and not any(map(is_held, locks)):
        for draft in found:
            shutil.rmtree(draft, ignore_errors=True)
