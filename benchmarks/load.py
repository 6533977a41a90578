"""The dashboard under load: many sessions on finished runs, with and without a run beside them.

The sessions are real WebSocket clients in this one process; the server is started as a user starts
it. An interaction lasts from the request to the message that the script has finished. After it the
visitor reads for a while, and then follows the navigation or changes a control of the page.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from websockets.exceptions import WebSocketException

from benchmarks.machine import describe
from benchmarks.running import run, stop_engine
from prunepriv.engine.client import engine_is_alive
from tests.e2e.conftest import Server, start_server, stop_server
from tests.e2e.session import Answer, Control, ScriptError, Session

Pauses = tuple[float, float]
"""Shortest and longest time that a visitor reads, in seconds."""
SLOW: Pauses = (10.0, 20.0)
FAST: Pauses = (2.0, 5.0)
PAGES = ("", "leakage", "classes", "attacks", "defences", "run")
TURNS_TO_A_PAGE = 1 / 3
"""Share of the interactions that follow the navigation; the others change a control."""
AT_ONCE = 8
"""Sessions at a time in the visits after which the server's memory is measured."""
RUN = ("--dataset", "checkins", "--models", "pruned")


@dataclass
class Seen:
    """What the sessions of one row met with."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def count(self, interaction: Awaitable[Answer]) -> None:
        try:
            self.seconds.append((await interaction).seconds)
        except (ScriptError, WebSocketException, TimeoutError, OSError) as error:
            self.errors.append(f"{type(error).__name__}: {error}")


def report(sessions: int, seconds: float, visits: int, beside: bool) -> None:
    """Print a row per kind of load.

    Args:
        sessions: how many visitors there are at a time.
        seconds: how long each of the loads lasts.
        visits: after how many visits the server's memory is measured.
        beside: whether a run is timed too, alone and beside the visitors.
    """
    print(describe())
    print("| load | interactions | median s | 95th percentile s | longest s | errors | server % | clients % |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    with _server() as server:
        _row(server, f"cold burst of {sessions}", _burst(server, sessions))
        _row(server, f"warm burst of {sessions}", _burst(server, sessions))
        for pauses in (FAST, SLOW):
            name = f"{sessions} sessions, {pauses[0]:g}-{pauses[1]:g} s between interactions"
            _row(server, name, _crowd(server, sessions, pauses, seconds))
    if beside:
        _beside(sessions)
    with _server() as server:
        _memory(server, visits)
    print(describe())


@contextmanager
def _server() -> Iterator[Server]:
    with TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        try:
            yield server
        finally:
            stop_server(server)


def _row(server: Server, name: str, load: Awaitable[Seen]) -> Seen:
    """Put a load on the server and print its row."""
    process, ours = psutil.Process(server.process.pid), psutil.Process()
    before = [sum(one.cpu_times()[:2]) for one in (process, ours)]
    started = time.perf_counter()
    seen = asyncio.run(_wait(load))
    lasted = time.perf_counter() - started
    busy = [
        100 * (sum(one.cpu_times()[:2]) - then) / lasted
        for one, then in zip((process, ours), before, strict=True)
    ]
    median, late, most = np.quantile(seen.seconds or [np.nan], [0.5, 0.95, 1.0])
    print(
        f"| {name} | {len(seen.seconds)} | {median:.2f} | {late:.2f} | {most:.2f} "
        f"| {len(seen.errors)} | {busy[0]:.0f} | {busy[1]:.0f} |",
        flush=True,
    )
    for sentence in sorted(set(seen.errors)):
        print(f"    {sentence}")
    return seen


async def _wait(load: Awaitable[Seen]) -> Seen:
    return await load


async def _burst(server: Server, sessions: int) -> Seen:
    """Everybody opens the first page at the same moment."""
    seen = Seen()

    async def visit() -> None:
        async with Session(server.port) as session:
            await seen.count(session.open())

    await asyncio.gather(*(visit() for _ in range(sessions)))
    return seen


async def _crowd(
    server: Server,
    sessions: int,
    pauses: Pauses,
    seconds: float,
    until: asyncio.Event | None = None,
) -> Seen:
    """Visitors who read and click for so many seconds, or until the event."""
    seen, over = Seen(), until or asyncio.Event()
    if until is None:
        asyncio.get_running_loop().call_later(seconds, over.set)

    async def visit(number: int) -> None:
        dice = random.Random(number)
        await _read(dice.uniform(0, pauses[1]), over)  # they do not come at one moment
        async with Session(server.port) as session:
            await session.open()
            while not over.is_set():
                await _read(dice.uniform(*pauses), over)
                if not over.is_set():
                    await seen.count(_interact(session, dice))

    await asyncio.gather(*(visit(number) for number in range(sessions)))
    return seen


async def _read(seconds: float, over: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return


async def _interact(session: Session, dice: random.Random) -> Answer:
    controls = list(session.controls.values())
    if dice.random() < TURNS_TO_A_PAGE or not controls:
        return await session.go(dice.choice(PAGES))
    return await _turn(session, dice.choice(controls), dice)


async def _turn(session: Session, control: Control, dice: random.Random) -> Answer:
    """Choose another option; only finished examples in the list of runs."""
    options = control.options
    if control.key == "picked_run":
        options = tuple(one for one in options if one.startswith("Example"))
    return await session.use(control, [dice.choice(options)])


def _memory(server: Server, visits: int) -> None:
    """Memory of the server while visitors come and go."""
    process = psutil.Process(server.process.pid)
    print("\n| visits | memory of the server, MB |")
    print("|---|---|")
    done = 0
    for quarter in range(4):
        share = visits * (quarter + 1) // 4 - done
        seen = asyncio.run(_wait(_come_and_go(server, done, share)))
        done += share
        errors = f", {len(seen.errors)} errors" if seen.errors else ""
        print(f"| {done} | {process.memory_info().rss / 2**20:.0f}{errors} |", flush=True)


async def _come_and_go(server: Server, first: int, visits: int) -> Seen:
    seen, seats = Seen(), asyncio.Semaphore(AT_ONCE)

    async def visit(number: int) -> None:
        dice = random.Random(number)
        async with seats, Session(server.port) as session:
            await seen.count(session.open(dice.choice(PAGES)))
            for _ in range(3):
                await seen.count(_interact(session, dice))

    await asyncio.gather(*(visit(number) for number in range(first, first + visits)))
    return seen


def _beside(sessions: int) -> None:
    """A run alone and beside visitors, by turns; each starts its own engine on an empty store."""
    alone, together = [], []
    for seed in (1, 2):
        with _server() as server:
            alone.append(_timed(server.store, seed))
        with _server() as server:

            async def load(server: Server = server, seed: int = seed) -> Seen:
                over = asyncio.Event()
                crowd = asyncio.create_task(_crowd(server, sessions, SLOW, 0, over))
                await asyncio.sleep(SLOW[1])  # until everybody is there
                together.append(await asyncio.to_thread(_timed, server.store, seed))
                over.set()
                return await crowd

            _row(server, f"{sessions} sessions, {SLOW[0]:g}-{SLOW[1]:g} s, beside a run", load())
    print(
        f"    the run alone {min(alone):.1f} s, beside them {min(together):.1f} s: "
        f"{min(together) / min(alone):.2f} times as long"
    )


def _timed(store: Path, seed: int) -> float:
    """Seconds of one run on a store that holds none of its steps."""
    job = run(store, *RUN, "--seed", str(seed))
    if engine_is_alive(store):
        stop_engine(store)
    return job.seconds
