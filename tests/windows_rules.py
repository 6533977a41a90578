"""Makes a process on Linux keep to what Windows asks of it, as far as that can be done.

What is not there is not there: modules such as ``fcntl``, functions such as ``os.nice``. A file that
is open is neither deleted nor renamed, nor is a folder that holds one; nothing is renamed onto what
is there; and only what was opened for writing is synchronised. SQLite, which talks to the system by
itself, is not held to it: on Windows it keeps to these rules of its own accord.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODULES = ("fcntl", "grp", "pwd", "resource", "termios")
FUNCTIONS = ("getpriority", "killpg", "nice", "sched_getaffinity", "setpriority", "setsid")


def apply() -> None:
    """Hold this process to the rules; before anything that is to be held to them is imported."""
    for module in MODULES:
        sys.modules[module] = None  # type: ignore[assignment]
    for function in FUNCTIONS:
        delattr(os, function)
    for name in ("unlink", "remove", "rename", "replace", "rmdir"):
        setattr(os, name, _refusing_what_is_open(getattr(os, name)))
    os.rename = _refusing_what_is_there(os.rename)
    os.fsync = _refusing_what_is_read_only(os.fsync)


def _refusing_what_is_open(change: Callable[..., None]) -> Callable[..., None]:
    def refusing(*paths: Any, **options: Any) -> None:
        inside = options.get("dir_fd")
        folder = Path(f"/proc/self/fd/{inside}").readlink() if inside is not None else Path()
        for path in paths:
            whole = (folder / os.fsdecode(path)).absolute()
            if any(file == whole or whole in file.parents for file in _open_files()):
                raise PermissionError(errno.EACCES, "another process uses the file", str(whole))
        change(*paths, **options)

    return refusing


def _refusing_what_is_there(rename: Callable[..., None]) -> Callable[..., None]:
    def refusing(source: Any, target: Any) -> None:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "the file is there already", str(target))
        rename(source, target)

    return refusing


def _refusing_what_is_read_only(fsync: Callable[[int], None]) -> Callable[[int], None]:
    def refusing(descriptor: int) -> None:
        about = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
        flags = int(about.partition("flags:")[2].split()[0], 8)
        if flags & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        fsync(descriptor)

    return refusing


def _open_files() -> set[Path]:
    """The regular files that this process has open or mapped into memory."""
    mapped = {
        line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines()
    }
    opened = set()
    for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            opened.add(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
        except FileNotFoundError:
            continue  # the listing's own
    return {Path(name) for name in mapped | opened if name.startswith("/") and os.path.isfile(name)}  # noqa: PTH113
