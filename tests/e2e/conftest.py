"""A real server, a real browser, and what each must never do.

With no browser on the machine these tests are skipped, with a reason; under ``CI=true`` they fail.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO

import psutil
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.store.catalog import Catalog
from tests.e2e.engine_process import FAKE, EngineProcess, stop_engine, wait_until_gone
from tests.fake_runner import make_steering

_numbers = count(1)
ROOT = Path(__file__).resolve().parents[2]
START_DEADLINE = 60.0
PATIENCE_MS = 60_000
"""How long a page may take on a busy machine before a test gives up."""

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SETTLED = (
    "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
)


@dataclass
class Server:
    """The dashboard in a process of its own, on a store of its own."""

    store: Path
    port: int
    process: subprocess.Popen[str]
    drain: threading.Thread
    log: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def family(self) -> list[psutil.Process]:
        """The server and whatever it started, an engine and its workers too."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def close(self) -> None:
        """Wait for the end of a server that was told to end, and read its log to the end."""
        self.process.wait(START_DEADLINE)
        assert self.process.stdout is not None
        self.drain.join(START_DEADLINE)
        self.process.stdout.close()


def start_server(store: Path, program: str = "streamlit") -> Server:
    """The dashboard on a free port; returns when it says where it listens."""
    port = free_port()
    command = [sys.executable, "-m", program, "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PRUNEPRIV_STORE": str(store)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    listening = threading.Event()
    log: list[str] = []
    assert process.stdout is not None
    drain = threading.Thread(target=_drain, args=(process.stdout, log, listening), daemon=True)
    drain.start()
    server = Server(store, port, process, drain, log)
    assert listening.wait(START_DEADLINE), "the server did not start: " + "".join(server.log)
    return server


def stop_server(server: Server) -> None:
    """End the server and the engine that it started, which would outlive it otherwise."""
    family = server.family
    for process in family:
        if process.is_running():
            process.send_signal(signal.SIGTERM)
    server.process.wait(START_DEADLINE)
    wait_until_gone(family)
    server.close()


def _drain(stream: IO[str], log: list[str], listening: threading.Event) -> None:
    for line in stream:
        log.append(line)
        if "URL:" in line:
            listening.set()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = "needs chromium: `apt install chromium fonts-liberation`"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; in CI the browser tests must run")
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One dashboard for all browser tests; afterwards its log must hold nothing to complain of."""
    running = start_server(tmp_path_factory.mktemp("dashboard") / "store")
    yield running
    stop_server(running)
    log = "".join(running.log).lower()
    for word in ("traceback", "deprecat", "will be removed", "exception"):
        assert word not in log, log


@dataclass
class Visitor:
    """A browser's page, and what it did wrong.

    Attributes:
        outside: requests that left the machine.
        complaints: errors and warnings of the console, exceptions of the page.
    """

    page: Page
    server: Server
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> None:
        """Go to a path of the dashboard and wait until the page is drawn."""
        self.page.goto(self.server.url + path)
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run to its end."""
        self.page.locator(SETTLED).wait_for(state="attached")

    def go(self, title: str) -> None:
        """Follow the navigation to a page."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
        self.heading(title)

    def heading(self, name: str) -> None:
        """Wait for the page of that title."""
        self.page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
        self.settle()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests; each visit gets a profile of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=list(CHROMIUM_ARGUMENTS)
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Callable[..., Visitor]]:
    """Opens a window on the dashboard, as ``visit(width=390, dark=True)``; checks it at the end."""
    visitors: list[Visitor] = []

    def new(
        width: int = 1440, height: int = 900, dark: bool = False, to: Server = server
    ) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        visitors.append(_watched(context.new_page(), to))
        return visitors[-1]

    yield new
    for visitor in visitors:
        visitor.page.context.close()
        assert visitor.outside == []
        assert visitor.complaints == []


def _watched(page: Page, server: Server) -> Visitor:
    visitor = Visitor(page, server)

    def on_request(request: Request) -> None:
        local = request.url.startswith(
            (server.url, server.url.replace("http", "ws"), "data:", "blob:")
        )
        if not local:
            visitor.outside.append(request.url)

    def on_console(message: ConsoleMessage) -> None:
        # on a deep link streamlit's frontend looks for its own base path below the page's name first
        probing = "/_stcore/" in str(message.location.get("url", ""))
        if message.type in ("error", "warning") and not probing:
            visitor.complaints.append(message.text)

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    return visitor


# --- an engine whose steps are the fake runner's ---


@pytest.fixture(scope="module")
def steering_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("steering")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_RUNNER", str(folder))
        yield folder


@pytest.fixture
def steering(steering_folder: Path) -> Path:
    """See fake_runner.py."""
    make_steering(steering_folder)
    return steering_folder


@pytest.fixture(scope="module")
def engine(
    steering_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineProcess]:
    """One engine, at work for all tests that it has to survive."""
    with EngineProcess(tmp_path_factory.mktemp("engine") / "store", *FAKE) as started:
        yield started
        assert started.process.poll() is None, "it ended before its time"


@pytest.fixture
def served(engine: EngineProcess) -> Iterator[Catalog]:
    """The catalogue of the store at which that engine works."""
    made = Catalog(engine.store)
    yield made
    made.close()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """Of a store of the test's own; an engine that was started there is ended afterwards."""
    made = Catalog(tmp_path / "store")
    yield made
    made.close()
    stop_engine(made.store)


@pytest.fixture
def rich() -> Experiment:
    """One with steps of every kind, which shares none with another test's."""
    return make_experiment(
        {
            "data": {"knobs": {"distinctiveness": 0.4 + next(_numbers) / 1000}},
            "attacks": {"names": ["conf", "nn", "lira"]},
            "models": ["original", "pruned"],
            "shadows": 3,
        }
    )


@pytest.fixture
def small(rich: Experiment) -> Experiment:
    """One with few steps."""
    attacks = rich.attacks.model_copy(update={"names": ("conf",)})
    return rich.model_copy(update={"attacks": attacks, "models": ("original",), "shadows": 1})
