"""``dashboard``: the pages, from any folder."""

from __future__ import annotations

import os
import runpy
import sys
import tomllib
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from prunepriv.cli.app import Store, app
from prunepriv.environment import data_folder, root, store_folder


@app.command()
def dashboard(
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port to listen on.", show_default="8501, or the next free port"
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it in a browser window too.")
    ] = False,
    store: Store = None,
) -> None:
    """Open the dashboard. It listens on this machine only and prints its address."""
    os.environ["PRUNEPRIV_STORE"] = str(store_folder(store))  # absolute, as the folder changes now
    os.environ["PRUNEPRIV_DATA"] = str(data_folder())
    os.chdir(root())  # so that no config.toml of another project is read
    sys.argv = ["streamlit", *streamlit_words(port, browser)]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def streamlit_words(port: int | None, browser: bool) -> list[str]:
    """Streamlit's arguments: the app, and all settings of our ``config.toml`` except the theme.

    Flags override ``STREAMLIT_`` variables and the user's own ``config.toml``. So neither can make
    the dashboard listen on another address or send usage statistics.
    """
    settings = tomllib.loads((root() / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    del settings["theme"]
    if port is not None:
        settings["server"]["port"] = port
    if browser:
        settings["server"] |= {"headless": False, "showEmailPrompt": False}
    return ["run", str(root() / "app.py"), *_flags(settings)]


def _flags(settings: dict[str, dict[str, Any]]) -> Iterator[str]:
    for section, values in settings.items():
        for name, value in values.items():
            for one in value if isinstance(value, list) else [value]:
                yield f"--{section}.{name}={str(one).lower() if isinstance(one, bool) else one}"
