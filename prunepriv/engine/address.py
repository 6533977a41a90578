"""Whether a Dask scheduler can be reached at an address. Imports no Dask, so that pages can ask."""

from __future__ import annotations

import socket
from urllib.parse import SplitResult, urlsplit

from prunepriv.errors import EngineError

PATIENCE = 5.0
"""Most seconds until a connection is made."""

_OTHER_NETWORKS = ("ucx", "ws", "wss")
"""What Dask alone can connect to."""


def check_scheduler(address: str, patience: float = PATIENCE) -> None:
    """Refuse an address where no scheduler can be.

    Args:
        address: as Dask writes it: tcp://host:port, tls://host:port or host:port.
        patience: most seconds that it may take.

    Raises:
        EngineError: it is no address, or nothing accepts connections there.
    """
    parts = _parts(address)
    if parts.scheme in _OTHER_NETWORKS:
        return
    try:
        socket.create_connection((parts.hostname, parts.port), patience).close()
    except OSError as error:
        raise no_scheduler(address, error.strerror or str(error)) from None


def no_scheduler(address: str, why: str) -> EngineError:
    """The error of a scheduler that does not answer."""
    return EngineError(
        f"no Dask scheduler answers at {address} ({why.strip()}): start it, give the address of "
        "another one, or give none (--scheduler, PRUNEPRIV_SCHEDULER) to use this machine's workers"
    )


def _parts(address: str) -> SplitResult:
    """Raises EngineError for text that names no host and port."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        complete = parts.hostname and parts.port
    except ValueError:  # a port that is no number up to 65535
        complete = None
    if not complete:
        raise EngineError(
            f"a scheduler's address is tcp://HOST:PORT or tls://HOST:PORT, got {address!r}"
        )
    return parts
