"""Does the steps of runs.

``service`` is the engine: a separate process that takes runs from the catalogue's queue and does
their steps on Dask. ``client`` starts the engine if it does not run. ``inline`` does the same work
in the caller's process. ``follow`` watches both until the runs have ended. Only the
workers import the code that computes, by its name (``runner``).
"""
