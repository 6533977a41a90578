"""The command line. Each command imports what it needs when it runs, so that ``list`` is quick."""

from prunepriv.cli import (  # noqa: F401  (each adds its commands)
    dashboard,
    data,
    example,
    export,
    run,
    show,
    sweep,
)
from prunepriv.cli.app import main

__all__ = ["main"]
