"""Redraw the page when the visitor changes between light and dark.

Figures have their own template and are drawn on the server, and streamlit does not run a page again
if only its appearance changes: a chart would stay white on a dark page until the next click.
"""

from __future__ import annotations

import streamlit as st

_SCRIPT = """
export default function ({ parentElement, setTriggerValue }) {
  const host = parentElement.host ?? parentElement;
  const surface = getComputedStyle(host).getPropertyValue("--st-background-color").trim();
  if (host.prunepriv_surface && host.prunepriv_surface !== surface) {
    setTriggerValue("changed", surface);
  }
  host.prunepriv_surface = surface;
}
"""

_watch = st.components.v2.component("prunepriv_theme_watch", js=_SCRIPT)


def watch_theme() -> None:
    """Mount the watch, an invisible component, once per page."""
    with st.sidebar:
        _watch(key="theme_watch", on_changed_change=_redraw)


def _redraw() -> None:
    """Do nothing: the callback exists only to run the page again."""
