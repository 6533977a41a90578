"""A small Location archive, and a local server whose answers a test can change."""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import numpy as np
import pytest

from prunepriv.datasets.download import Archive


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A gzipped tar archive of these members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def regular(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """A regular file for :func:`tar`."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def describe(content: bytes, url: str = "http://127.0.0.1:9/") -> Archive:
    """The archive that has this content."""
    return Archive(
        dataset="Location",
        file="dataset_location.tgz",
        url=url,
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


def bomb(side: int) -> bytes:
    """A PNG whose header gives side x side pixels, but which holds almost none of them."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


@dataclass
class Server:
    """What the server sends, which faults it has, and which requests it got."""

    content: bytes
    url: str = ""
    ranges: bool = True
    status: int = 200
    breaks: list[int] = field(default_factory=list)
    """Answer k ends after so many bytes; later answers are complete."""
    hangs: bool = False
    asked: list[str | None] = field(default_factory=list)
    """The Range header of every request."""
    released: Event = field(default_factory=Event)

    def archive(self) -> Archive:
        return describe(self.content, self.url)


@pytest.fixture
def official() -> tuple[bytes, np.ndarray, np.ndarray]:
    """(archive, x, y): five records in Location's format."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, (5, 446), dtype=np.uint8)
    y = np.array([0, 29, 12, 8, 9])
    lines = [f'"{label + 1}",' + ",".join(map(str, row)) for label, row in zip(y, x, strict=True)]
    return tar(regular("bangkok", ("\n".join(lines) + "\n").encode())), x, y


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address can be reached.

    The first call of urlopen keeps the proxies of that moment for the whole process: here it makes
    its opener anew, and the one of before is there again after the test.
    """
    for scheme in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on loopback that sends 300 kB of noise unless a test changes that."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Server(np.random.default_rng(0).bytes(300_000))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            state.asked.append(wanted)
            if state.hangs:
                state.released.wait(60)
            first = int(wanted[6:].rstrip("-")) if state.ranges and wanted else 0
            body = state.content[first:]
            if state.status != 200:
                self.send_error(state.status)
                return
            self.send_response(206 if state.ranges else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.breaks.pop(0)] if state.breaks else body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}/dataset_location.tgz"
        thread = Thread(target=http.serve_forever)
        thread.start()
        yield state
        state.released.set()
        http.shutdown()
        thread.join()
