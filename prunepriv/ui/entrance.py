"""Every page is reached through ``app.py``, which gives it its icon, title and navigation.

Beside a folder named ``pages``, streamlit answers the first visitor of a fresh server in its old way:
it runs the page that the link names, and leaves ``app.py`` out. Every later run is in the new way.
"""

from __future__ import annotations

import runpy

import streamlit as st

from prunepriv.environment import root

APP = root() / "app.py"
_ENTERED = "entered_through_app"


def enter() -> None:
    """Note that ``app.py`` has run; to be called by it, before the navigation."""
    st.session_state[_ENTERED] = True


def enter_through_app() -> None:
    """Run ``app.py``, and with it this page, instead of the page alone, where that was left out."""
    if _ENTERED not in st.session_state:
        runpy.run_path(str(APP))
        st.stop()
