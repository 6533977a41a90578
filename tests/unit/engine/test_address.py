"""Addresses of schedulers, and whether something is there."""

from __future__ import annotations

import socket

import pytest

from prunepriv.engine.address import check_scheduler
from prunepriv.errors import EngineError


@pytest.fixture
def port() -> int:
    """A port on which nobody listens any more."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("form", ["tcp://127.0.0.1:{}", "tls://localhost:{}", "127.0.0.1:{}"])
def test_something_that_listens_may_be_a_scheduler(form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        check_scheduler(form.format(listener.getsockname()[1]))


def test_nothing_there_is_told_with_what_to_do(port: int) -> None:
    address = f"tcp://127.0.0.1:{port}"
    with pytest.raises(EngineError) as told:
        check_scheduler(address)
    assert str(told.value) == (
        f"no Dask scheduler answers at {address} (Connection refused): start it, give the address "
        "of another one, or give none (--scheduler, PRUNEPRIV_SCHEDULER) to use this machine's "
        "workers"
    )


@pytest.mark.parametrize(
    "address", ["", "here", "tcp://here", "tcp://:8786", "tcp://here:seven", "tcp://here:99999"]
)
def test_a_text_that_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(
        EngineError, match=f"is tcp://HOST:PORT or tls://HOST:PORT, got '{address}'"
    ):
        check_scheduler(address)


def test_what_only_dask_can_reach_is_left_to_it() -> None:
    check_scheduler("ucx://127.0.0.1:1")
