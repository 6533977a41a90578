"""Take the README's pictures of the dashboard with a browser.

``python -m tests.pictures`` starts the dashboard on an empty store, so that it shows the bundled
examples, and writes ``assets/pictures`` again. It needs chromium.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.documents import ROOT
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, SETTLED, start_server, stop_server

FOLDER = ROOT / "assets" / "pictures"
SHOTS = {
    "overview": ("/", ".st-key-card_6"),
    "leakage": ("/leakage", "[data-testid=stPlotlyChart] >> nth=1"),
}
"""Name of a picture -> the page, and the element that it ends with."""
WIDTH, HEIGHT, MARGIN = 1440, 1600, 10
"""Size of the window, and margin below the last element, in pixels."""
COLORS = 256
"""Colours of the palette: it makes the file three times smaller, with no visible change."""
LOOKS, WAIT_MS = 60, 500
ALL_DRAWN = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
    .every(chart => chart.querySelector('.main-svg'))"""


def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("pictures need chromium: `apt install chromium fonts-liberation`")
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as store, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_ARGUMENTS])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        server = start_server(Path(store))
        try:
            for name, (path, last) in SHOTS.items():
                page.goto(server.url + path)
                file = FOLDER / f"{name}.png"
                with_palette(take(page, last)).save(file, optimize=True)
                print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes")  # noqa: T201
        finally:
            browser.close()
            stop_server(server)


def take(page: Page, last: str) -> bytes:
    """The page down to an element, as PNG, once it no longer changes.

    Raises:
        RuntimeError: it still changes after half a minute.
    """
    page.locator(SETTLED).wait_for(state="attached")
    page.locator(last).wait_for()
    page.wait_for_function(ALL_DRAWN)
    before = b""
    for _ in range(LOOKS):
        box = page.locator(last).bounding_box()
        assert box is not None
        bottom = min(HEIGHT, box["y"] + box["height"] + MARGIN)
        png = page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": bottom})
        if png == before:
            return png
        before = png
        page.wait_for_timeout(WAIT_MS)
    raise RuntimeError(f"{page.url} still changes after {LOOKS * WAIT_MS / 1000:g} s")


def with_palette(png: bytes) -> Image.Image:
    """The same picture in few colours."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    return picture.quantize(COLORS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
