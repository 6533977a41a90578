"""Make a process on Linux follow Windows' rules for files, as far as possible.

Modules such as ``fcntl`` and functions such as ``os.nice`` are missing. An open file is not deleted
or renamed, nor is a folder that holds one. Nothing is renamed to a name that exists. Only files
opened for writing are synchronised. SQLite calls the system directly, so these rules do not apply
to it: its Windows version follows them itself.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # noqa: F401 - its Linux half needs a module that is missing below

MODULES = ("fcntl", "grp", "pwd", "resource", "termios")
FUNCTIONS = ("getpriority", "killpg", "nice", "sched_getaffinity", "setpriority", "setsid")


def apply() -> None:
    """Apply the rules to this process; call it before the modules that must follow them."""
    for module in MODULES:
        sys.modules[module] = None  # type: ignore[assignment]
    for function in FUNCTIONS:
        delattr(os, function)
    for name in ("unlink", "remove", "rename", "replace", "rmdir"):
        setattr(os, name, _refusing_open_files(getattr(os, name)))
    os.rename = _refusing_existing_targets(os.rename)
    os.fsync = _refusing_read_only_files(os.fsync)


def _refusing_open_files(change: Callable[..., None]) -> Callable[..., None]:
    def refusing(*paths: Any, **options: Any) -> None:
        inside = options.get("dir_fd")
        folder = Path(f"/proc/self/fd/{inside}").readlink() if inside is not None else Path()
        for path in paths:
            whole = (folder / os.fsdecode(path)).absolute()
            if any(file == whole or whole in file.parents for file in _open_files()):
                raise PermissionError(errno.EACCES, "another process uses the file", str(whole))
        change(*paths, **options)

    return refusing


def _refusing_existing_targets(rename: Callable[..., None]) -> Callable[..., None]:
    def refusing(source: Any, target: Any) -> None:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "the file already exists", str(target))
        rename(source, target)

    return refusing


def _refusing_read_only_files(fsync: Callable[[int], None]) -> Callable[[int], None]:
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
            continue  # the descriptor of the listing itself
    return {Path(name) for name in mapped | opened if name.startswith("/") and os.path.isfile(name)}  # noqa: PTH113
