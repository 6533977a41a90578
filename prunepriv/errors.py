"""Everything that prunepriv raises on purpose.

::

    PruneprivError                 one clear sentence: the rule, the value, what to do
    ├── ExperimentError            a choice that cannot be run (also a ValueError)
    │   └── UnknownNameError       a name that no table lists
    ├── DataError                  a data set that cannot be obtained or read
    │   └── ArchiveError           a file that is not the expected archive
    ├── TrainingError              a model whose loss or answers are no longer finite numbers
    ├── StoreError                 the store cannot read or write something
    │   ├── UnknownRunError        no run has that id
    │   ├── MissingArtifactError   no complete artifact has that key
    │   └── StoreFullError         no space left for an artifact
    ├── EngineError                the engine cannot be started or reached
    └── Cancelled                  the user asked the run to stop
"""

from __future__ import annotations


class PruneprivError(Exception):
    """Base of all; ``str(error)`` is a sentence for the user."""


class ExperimentError(PruneprivError, ValueError):
    """A choice that cannot be run."""


class UnknownNameError(ExperimentError):
    """A name that no table lists."""


class DataError(PruneprivError):
    """A data set that cannot be obtained or read."""


class ArchiveError(DataError):
    """A file that is not the expected archive."""


class TrainingError(PruneprivError):
    """A model whose loss or answers are no longer finite numbers."""


class StoreError(PruneprivError):
    """The store cannot read or write something."""


class UnknownRunError(StoreError):
    """No run has that id."""


class MissingArtifactError(StoreError):
    """No complete artifact has that key."""


class StoreFullError(StoreError):
    """No space is left for an artifact."""


class EngineError(PruneprivError):
    """The engine cannot be started or reached."""


class Cancelled(PruneprivError):
    """The user asked the run to stop."""
