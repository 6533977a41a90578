"""Tests: unit/ mirrors prunepriv/, pages/ runs the pages, e2e/ drives a browser."""
