"""Working through the steps of runs.

``service`` is the engine: a process of its own that takes runs from the catalogue's queue and works
through their steps on Dask. ``client`` starts one where none is. ``inline`` does the same work in
the caller's process. ``follow`` watches either until the runs have ended. Only the workers reach
what computes, and only by its name (``runner``).
"""
