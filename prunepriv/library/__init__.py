"""prunepriv as a library: the functions and classes behind ``import prunepriv``.

``calls`` holds the functions and imports little; ``run`` and ``sweep_run`` hold the classes of
their results. Store, engine and validation are those of the command line and the pages.
"""
