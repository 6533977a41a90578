"""The dashboard in a real browser: time to the first figure and to change pages, and memory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import CHROMIUM_ARGUMENTS, SETTLED, start_server, stop_server

FIGURE = "[data-testid=stPlotlyChart] .main-svg"


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of the speed table."""
    chromium = shutil.which("chromium")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_ARGUMENTS])
        page = browser.new_page()
        started = time.perf_counter()
        server = start_server(Path(folder))
        page.goto(server.url)
        page.locator(FIGURE).first.wait_for()
        yield (
            "dashboard: start of the server to the first figure",
            time.perf_counter() - started,
            "2",
        )
        for name in ("leakage", "classes", "attacks", "defences"):
            page.goto(f"{server.url}/{name}")
            page.locator(SETTLED).wait_for()
            started = time.perf_counter()
            page.goto(f"{server.url}/{name}")
            page.locator(FIGURE).first.wait_for()
            page.locator(SETTLED).wait_for()
            yield f"dashboard: {name}, loaded and drawn", time.perf_counter() - started, "-"
        megabytes = server.family[0].memory_info().rss / 2**20
        browser.close()
        stop_server(server)
    print(f"| dashboard: memory of the server, MB | {megabytes:.0f} | 350 |")
