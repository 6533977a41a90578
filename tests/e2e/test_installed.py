"""The program as ``pip install .`` leaves it: built, installed in a fresh environment, started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from prunepriv.version import __version__
from tests.e2e.conftest import ROOT, free_port
from tests.e2e.engine_process import wait_until, wait_until_gone

OTHERWISE = {
    "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",
    "STREAMLIT_SERVER_HEADLESS": "false",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true",
}
"""What a user may have set for other programs, in his environment and in his configuration."""
CONFIGURATION = '[server]\naddress = "0.0.0.0"\n[browser]\ngatherUsageStats = true\n[theme]\nbaseRadius = "1px"\n'


@dataclass
class Installed:
    """An environment with the program installed, and an empty folder to work in."""

    environment: Path
    folder: Path

    @property
    def packages(self) -> Path:
        """Where installed packages lie."""
        paths = {"base": str(self.environment), "platbase": str(self.environment)}
        return Path(sysconfig.get_path("purelib", vars=paths))

    @property
    def distribution(self) -> Distribution:
        """What the environment's metadata say of the program."""
        (found,) = distributions(name="prunepriv", path=[str(self.packages)])
        return found

    def run(self, program: str, *words: str) -> str:
        """A program's output, run in the empty folder."""
        command = [str(self.environment / "bin" / program), *words]
        done = subprocess.run(
            command, cwd=self.folder, env=clean(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def clean() -> dict[str, str]:
    """This process's environment, but for where it finds packages."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The program, installed beside the dependencies of this environment."""
    made = Installed(tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("empty"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.environment], check=True)
    (made.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [Path(sys.base_prefix) / "bin" / "python3", "-m", "pip", "--python"]
    command = [*pip, made.environment / "bin" / "python", "install", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*command, "--no-build-isolation", ROOT],
        env=clean(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_nothing_else_lies_among_the_installed_packages(installed: Installed) -> None:
    there = {entry.name for entry in installed.packages.iterdir()} - {"dependencies.pth"}
    assert there == {"prunepriv", f"prunepriv-{__version__}.dist-info"}
    dashboard = installed.packages / "prunepriv" / "_dashboard"
    for name in ("app.py", "pages", "assets", ".streamlit/config.toml"):
        assert (dashboard / name).exists(), name
    pages = {page.name for page in (ROOT / "pages").glob("*.py")}
    assert {page.name for page in (dashboard / "pages").glob("*.py")} == pages


def test_it_asks_for_the_pinned_packages(installed: Installed) -> None:
    pins = {
        line.partition("#")[0].strip()
        for line in (ROOT / "requirements.txt").read_text().splitlines()
    } - {""}
    asked = map(Requirement, installed.distribution.requires or ())
    assert {canonicalize_name(one.name) + str(one.specifier) for one in asked} == {
        canonicalize_name(one.name) + str(one.specifier) for one in map(Requirement, pins)
    }


def test_the_command_runs_from_any_folder(installed: Installed) -> None:
    assert installed.run("prunepriv", "--version") == f"prunepriv {__version__}\n"
    where = installed.run("python", "-c", "import prunepriv; print(prunepriv.__file__)")
    assert Path(where.strip()).is_relative_to(installed.packages)
    assert f"no runs in {installed.folder / 'mine'} yet" in installed.run(
        "prunepriv", "list", "--store", "mine"
    )


def test_an_engine_can_be_started(installed: Installed) -> None:
    installed.run(
        "python",
        "-c",
        "import pathlib, time\n"
        "from prunepriv.engine.client import engine_is_alive, ensure_engine\n"
        "store = pathlib.Path('worked').absolute()\n"
        "store.mkdir()\n"
        "ensure_engine(store, ('--workers', '1', '--idle-timeout', '0'))\n"
        "while engine_is_alive(store): time.sleep(0.05)\n",
    )
    wait_until(
        lambda: "ended" in (installed.folder / "worked" / "engine.log").read_text(), "no end"
    )


@dataclass
class Dashboard:
    """``prunepriv dashboard --store mine``, started in a folder with a project of another kind."""

    folder: Path
    port: int
    process: subprocess.Popen[str]


@pytest.fixture
def dashboard(installed: Installed, tmp_path: Path) -> Iterator[Dashboard]:
    folder, home, port = tmp_path / "project", tmp_path / "home", free_port()
    for place in (folder, home):
        (place / ".streamlit").mkdir(parents=True)
        (place / ".streamlit" / "config.toml").write_text(CONFIGURATION)
    command = [str(installed.environment / "bin" / "prunepriv"), "dashboard"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--store", "mine"],
            cwd=folder,
            env={**clean(), **OTHERWISE, "HOME": str(home)},
            stdout=log,
            stderr=log,
            text=True,
        )
    wait_until(lambda: answers(port) or process.poll() is not None, "no dashboard")
    assert process.poll() is None, (tmp_path / "log").read_text()
    try:
        yield Dashboard(folder, port, process)
    finally:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        wait_until_gone(family)
    assert not re.search(
        "(?i)traceback|not a valid config|deprecat", (tmp_path / "log").read_text()
    )


def answers(port: int) -> bool:
    """Whether a dashboard says that it is well."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/_stcore/health", timeout=10
        ) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, ConnectionError):
        return False


def visited(port: int) -> list[ForwardMsg]:
    """All that the server sends to somebody who opens its first page."""
    told: list[ForwardMsg] = []
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None
    ) as stream:
        opened = BackMsg()
        opened.rerun_script.query_string = ""
        stream.send(opened.SerializeToString())
        while not told or told[-1].WhichOneof("type") != "script_finished":
            message = stream.recv(timeout=120)
            assert isinstance(message, bytes)
            told.append(ForwardMsg.FromString(message))
    return told


def test_the_dashboard_is_ours_whatever_the_user_has_set(dashboard: Dashboard) -> None:
    assert answers(dashboard.port)
    server = psutil.Process(dashboard.process.pid)
    sockets = {
        connection.laddr
        for process in (server, *server.children(recursive=True))
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert sockets == {("127.0.0.1", dashboard.port)}
    told = visited(dashboard.port)
    begun = next(one.new_session for one in told if one.WhichOneof("type") == "new_session")
    assert begun.config.gather_usage_stats is False
    assert begun.custom_theme.base_radius == "8px"
    elements = [one.delta.new_element for one in told if one.WhichOneof("type") == "delta"]
    assert "exception" not in {element.WhichOneof("type") for element in elements}
    assert "Overview" in {element.heading.body for element in elements}
    assert sum(element.WhichOneof("type") == "plotly_chart" for element in elements) >= 1
    assert (dashboard.folder / "mine" / "catalog.sqlite").is_file()
