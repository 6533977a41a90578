"""The dashboard: only its configuration and its navigation.

Start it with ``python -m streamlit run app.py``.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from prunepriv.ui.entrance import enter

HERE = Path(__file__).resolve().parent

st.set_page_config(
    page_title="prunepriv",
    page_icon=str(HERE / "assets" / "favicon.png"),
    layout="wide",
)
st.logo(
    str(HERE / "assets" / "logo.svg"), size="large", icon_image=str(HERE / "assets" / "favicon.png")
)

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
