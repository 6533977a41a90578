"""Opens the catalogue's database, and reports its errors in one sentence."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError, IntegrityError

from prunepriv.errors import StoreError, StoreFullError
from prunepriv.store.schema import METADATA

FILE = "catalog.sqlite"
PATIENCE = 15.0
"""Seconds for which a writer waits for another; each locks the database for milliseconds."""


class Database:
    """The catalogue's database: SQLite in the store, or the URL in ``PRUNEPRIV_CATALOG``.

    Args:
        store: the store's folder.
        patience: seconds for which a writer waits for another.

    Attributes:
        fresh: whether there was no catalogue before.
    """

    def __init__(self, store: Path, patience: float = PATIENCE) -> None:
        self.store = store
        self._patience = patience
        url = os.environ.get("PRUNEPRIV_CATALOG", "")
        file = store / FILE
        self.fresh = not url and not file.exists()
        if url:
            self._engine = create_engine(url)
        else:
            _make_folder(store)
            self._engine = _sqlite(file, patience)
        try:
            self._create_tables()
        except DatabaseError as error:
            if url or not _is_damaged(error):
                raise self._refusal(error) from None
            self._engine.dispose()
            _set_aside(file)
            self.fresh = True
            self._engine = _sqlite(file, patience)
            self._create_tables()

    def _create_tables(self) -> None:
        if METADATA.tables.keys() <= set(inspect(self._engine).get_table_names()):
            return  # so that one who only reads does not wait for a writer
        with self._engine.execution_options(writes=True).begin() as connection:
            METADATA.create_all(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise self._refusal(error) from None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction without another writer at the same time; rolled back if the block raises.

        Raises:
            StoreFullError: no space left.
            StoreError: it cannot be written to.
        """
        try:
            with self._engine.execution_options(writes=True).begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DatabaseError as error:
            raise self._refusal(error) from None

    def close(self) -> None:
        """Close the database's files."""
        self._engine.dispose()

    def _refusal(self, error: DatabaseError) -> StoreError:
        text = str(error.orig)
        if not self.store.is_dir():
            return StoreError(f"the store {self.store} was removed: submit its runs again")
        if "locked" in text:
            return StoreError(
                f"another process has kept the catalogue of {self.store} locked for "
                f"{self._patience:g} s: end that process, then try again"
            )
        if "readonly" in text:
            return StoreError(
                f"the catalogue of {self.store} cannot be written to: make its files writable, or "
                "choose another folder with --store"
            )
        if "full" in text or "disk I/O" in text:
            return StoreFullError(
                f"no space left in {self.store}: free some, or choose another folder with --store"
            )
        return StoreError(f"the catalogue of {self.store} cannot be used ({text})")


def _sqlite(file: Path, patience: float) -> Engine:
    engine = create_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's "begin" decides, not the driver
        connection.execute(f"PRAGMA busy_timeout={round(1000 * patience)}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # SQLite refuses a transaction that reads first and writes later if another wrote in
        # between; it does not wait. A writer therefore takes the lock at its beginning.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_folder(store: Path) -> None:
    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the store {store} cannot be made ({error.strerror}): choose another with --store"
        ) from None


def _is_damaged(error: DatabaseError) -> bool:
    return "not a database" in str(error.orig) or "malformed" in str(error.orig)


def _set_aside(file: Path) -> None:
    """Rename a damaged database; its journal must not be applied to a new one."""
    file.rename(file.with_name(f"{FILE}.damaged-{time.time_ns()}"))
    for journal in ("-wal", "-shm"):
        file.with_name(FILE + journal).unlink(missing_ok=True)
