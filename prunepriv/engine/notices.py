"""What the engine tells beside its work: of its workers in the catalogue, of the store in its log."""

from __future__ import annotations

import logging
import time

from prunepriv.store.catalog import Catalog

logger = logging.getLogger(__name__)

TELL_EVERY = 1.0
"""Seconds after which runs that have come since then are told of the workers as well."""


class Notices:
    """What was told last, so that the same is not told on every turn.

    Args:
        catalog: of the store.
        owner: the lock file that this process holds, relative to the store.
    """

    def __init__(self, catalog: Catalog, owner: str) -> None:
        self._catalog, self._owner = catalog, owner
        self._told: tuple[str | None, float] = (None, 0.0)  # an engine before may have told more
        self._trouble = ""

    def tell(self, notice: str) -> None:
        """Write what the workers have to say beside the runs that depend on them.

        Raises:
            StoreError: the catalogue refused it; the next call tries again.
        """
        (told, since), now = self._told, time.monotonic()
        if notice != told or (notice and now - since >= TELL_EVERY):
            self._catalog.tell(self._owner, notice)
            self._told = (notice, now)

    def log_trouble(self, trouble: str) -> None:
        """Log a trouble with the store once, however many turns it lasts; "": there is none."""
        if trouble and trouble != self._trouble:
            logger.error("%s (the engine tries again)", trouble)
        elif self._trouble and not trouble:
            logger.info("the store can be used again")
        self._trouble = trouble
