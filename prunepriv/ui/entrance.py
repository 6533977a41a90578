"""Every page is opened through ``app.py``, which sets its icon, title and navigation.

If there is a folder named ``pages``, streamlit treats the first visit to a new server in its old way:
it runs only the page in the link, without ``app.py``. It treats every later visit in the new way.
"""

from __future__ import annotations

import runpy

import streamlit as st

from prunepriv.environment import root

APP = root() / "app.py"
_ENTERED = "entered_through_app"


def enter() -> None:
    """Note that ``app.py`` has run; ``app.py`` calls it before the navigation."""
    st.session_state[_ENTERED] = True


def enter_through_app() -> None:
    """Run ``app.py``, which runs this page too, if streamlit has started the page alone."""
    if _ENTERED not in st.session_state:
        runpy.run_path(str(APP), run_name="__main__")
        st.stop()
