"""The steps of a run: ``plan`` (which, and their keys; no torch) and ``steps`` (how each is done)."""
