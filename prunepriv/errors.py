"""Everything that prunepriv raises on purpose.

::

    PruneprivError                 one clear sentence: rule, what came, what to do
    ├── ExperimentError            a choice that cannot be run (also a ValueError)
    │   └── UnknownNameError       a name that no table lists
    ├── DataError                  a data set that cannot be had or read
    │   └── ArchiveError           a file that is not the archive it should be
    ├── StoreError                 the store cannot serve or keep something
    │   ├── UnknownRunError        no run of that id
    │   ├── MissingArtifactError   nothing (whole) under that key
    │   └── StoreFullError         no space left for an artifact
    ├── EngineError                the engine cannot be started or reached
    └── Cancelled                  the user asked the run to stop
"""

from __future__ import annotations


class PruneprivError(Exception):
    """Base of all; ``str(error)`` is a sentence fit for a user."""


class ExperimentError(PruneprivError, ValueError):
    """A choice that cannot be run."""


class UnknownNameError(ExperimentError):
    """A name that no table lists."""


class DataError(PruneprivError):
    """A data set that cannot be had or read."""


class ArchiveError(DataError):
    """A file that is not the archive it should be."""


class StoreError(PruneprivError):
    """The store cannot serve or keep something."""


class UnknownRunError(StoreError):
    """No run of that id."""


class MissingArtifactError(StoreError):
    """Nothing, or nothing whole, lies under that key."""


class StoreFullError(StoreError):
    """No space is left for an artifact."""


class EngineError(PruneprivError):
    """The engine cannot be started or reached."""


class Cancelled(PruneprivError):
    """The user asked the run to stop."""
