"""The dashboard: its server, its configuration and its navigation.

Start it with ``python -m streamlit run app.py``. The server imports this file once and takes ``app``
from it; at every visit streamlit runs it as a script, as ``__main__``.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from prunepriv.ui.entrance import enter
from prunepriv.ui.server import ROUTES, lifespan

HERE = Path(__file__).resolve().parent

# pages whose address differs from their file's name, so that existing links still work
URL_PATHS = {"defenses": "defences"}

PAGES = (
    ("overview", "Overview", ":material/dashboard:"),
    ("run", "Run", ":material/play_circle:"),
    ("leakage", "Leakage", ":material/water_drop:"),
    ("classes", "Classes", ":material/groups:"),
    ("attacks", "Attacks", ":material/target:"),
    ("defenses", "Defences", ":material/shield:"),
    ("sweeps", "Sweeps", ":material/grid_on:"),
)


def visit() -> None:
    """Show the page that a visitor has asked for."""
    favicon = str(HERE / "assets" / "favicon.png")
    st.set_page_config(page_title="prunepriv", page_icon=favicon, layout="wide")
    st.logo(str(HERE / "assets" / "logo.svg"), size="large", icon_image=favicon)
    enter()
    st.navigation(
        [
            st.Page(
                f"pages/{name}.py",
                title=title,
                icon=icon,
                url_path=URL_PATHS.get(name, name),
                default=name == "overview",
            )
            for name, title, icon in PAGES
        ]
    ).run()


if __name__ == "__main__":
    visit()
else:
    app = st.App(__file__, lifespan=lifespan, routes=ROUTES)
