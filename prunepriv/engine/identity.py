"""Which program this is: the engine compares its own with that of workers started elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

from prunepriv.version import __version__


def code_digest(package: Path) -> str:
    """SHA-256 in hex over the names and texts of a package's modules.

    The dashboard's pages, which an installed package contains, do not count: a checkout has them
    elsewhere, and no worker needs them.
    """
    digest = hashlib.sha256()
    files = {file.relative_to(package).as_posix(): file for file in package.rglob("*.py")}
    for name in sorted(files):
        if not name.startswith("_dashboard/"):
            text = files[name].read_text(encoding="utf-8")  # with every system's ends of lines
            digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()


IDENTITY = f"{__version__} (code {code_digest(Path(__file__).resolve().parents[1])[:12]})"
"""Two programs of the same identity do every step in the same way."""
