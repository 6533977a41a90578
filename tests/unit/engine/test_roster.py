"""Which workers of a cluster get steps, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from prunepriv.engine import roster as module
from prunepriv.engine.roster import Roster
from prunepriv.engine.worker_setup import join_engine
from tests.fake_runner import RUNNER
from tests.unit.engine.fake_cluster import FakeClient

OURS = "9.9.9 (code abc)"


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(one=1)


@pytest.fixture
def roster(client: FakeClient, tmp_path: Path) -> Roster:
    return Roster(client, tmp_path, RUNNER, "this one", OURS)


def look(roster: Roster, client: FakeClient) -> None:
    roster.look(client.threads.items())


def answer(
    roster: Roster, client: FakeClient, value: Any = None, error: Exception | None = None
) -> None:
    """The one worker that was asked answers."""
    (task,) = client.pending()
    task.end(value, error)
    look(roster, client)


def test_a_worker_joins_after_it_has_said_what_it_has(
    roster: Roster, client: FakeClient, tmp_path: Path
) -> None:
    assert roster.empty
    look(roster, client)
    assert not roster.empty
    assert client.tasks[0].function is resolve_name, "every version of the program has it"
    assert client.tasks[0].place == "one"
    answer(roster, client, OURS)
    assert roster.threads == {}
    assert client.tasks[1].function is join_engine
    assert client.tasks[1].arguments == (tmp_path, "this one", RUNNER)
    answer(roster, client, "")
    assert roster.threads == {"one": 1}
    assert roster.refusals == []
    look(roster, client)
    assert len(client.tasks) == 2, "it is asked once"


def other_version(roster: Roster, client: FakeClient) -> None:
    answer(roster, client, "9.9.8 (code def)")


def other_code(roster: Roster, client: FakeClient) -> None:
    answer(roster, client, error=ImportError("no module"))
    answer(roster, client, "9.9.9")


def other_program(roster: Roster, client: FakeClient) -> None:
    answer(roster, client, error=ImportError("no module"))
    answer(roster, client, error=ImportError("no package"))


def other_store(roster: Roster, client: FakeClient) -> None:
    answer(roster, client, OURS)
    answer(roster, client, "does not see the store /there")


def fault(roster: Roster, client: FakeClient) -> None:
    answer(roster, client, OURS)
    answer(roster, client, error=RuntimeError("no thread"))


PROGRAM = (
    f"and the engine prunepriv {OURS}, so it gets no steps: install the engine's version there and "
    "start the worker again"
)
REFUSALS = {
    other_version: f"the worker one runs prunepriv 9.9.8 (code def) {PROGRAM}",
    other_code: f"the worker one runs prunepriv 9.9.9 (another code) {PROGRAM}",
    other_program: f"the worker one has no prunepriv {PROGRAM}",
    other_store: "the worker one does not see the store /there, so it gets no steps: mount the "
    "engine's folder there under the same path",
    fault: "the worker one cannot join, so it gets no steps: no thread",
}


@pytest.mark.parametrize(
    ("happen", "sentence"), REFUSALS.items(), ids=[one.__name__ for one in REFUSALS]
)
def test_a_worker_that_cannot_do_our_steps_is_refused(
    roster: Roster,
    client: FakeClient,
    happen: Callable[[Roster, FakeClient], None],
    sentence: str,
) -> None:
    look(roster, client)
    happen(roster, client)
    assert roster.refusals == [sentence]
    assert roster.threads == {}
    look(roster, client)
    assert client.pending() == [], "it is left alone for a while"


def test_a_refused_worker_is_asked_again_after_a_while(
    roster: Roster, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(roster, client)
    other_store(roster, client)
    monkeypatch.setattr(module, "AGAIN", 0.0)
    look(roster, client)
    answer(roster, client, OURS)
    answer(roster, client, "")
    assert roster.refusals == []
    assert roster.threads == {"one": 1}


def test_a_worker_that_leaves_is_forgotten(roster: Roster, client: FakeClient) -> None:
    look(roster, client)
    (asked,) = client.pending()
    client.threads = {"two": 3}
    look(roster, client)
    assert asked.released
    answer(roster, client, OURS)
    answer(roster, client, "")
    assert roster.threads == {"two": 3}
