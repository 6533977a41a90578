"""The dashboard: its configuration and its navigation, nothing else.

Start it with ``python -m streamlit run app.py``.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent

st.set_page_config(
    page_title="prunepriv",
    page_icon=str(HERE / "assets" / "favicon.png"),
    layout="wide",
)
st.logo(
    str(HERE / "assets" / "logo.svg"), size="large", icon_image=str(HERE / "assets" / "favicon.png")
)

# The scripts lie in app_pages/, not pages/: beside a folder of that name, streamlit runs the page of
# the first link to a fresh server without this file, and so without its icon and navigation.
PAGES = (
    ("overview", "Overview", ":material/dashboard:"),
    ("run", "Run", ":material/play_circle:"),
    ("leakage", "Leakage", ":material/water_drop:"),
    ("classes", "Classes", ":material/groups:"),
    ("attacks", "Attacks", ":material/target:"),
    ("defences", "Defences", ":material/shield:"),
)

st.navigation(
    [
        st.Page(
            f"app_pages/{name}.py",
            title=title,
            icon=icon,
            url_path=name,
            default=name == "overview",
        )
        for name, title, icon in PAGES
    ]
).run()
