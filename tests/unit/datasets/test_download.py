from __future__ import annotations

import gzip
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from prunepriv.datasets.download import fetch, fetch_all
from prunepriv.errors import ArchiveError, Cancelled, DataError

from .conftest import Server, describe


def test_a_file_in_the_folder_is_used_without_asking_the_server(server: Server, tmp_path: Path):
    path = tmp_path / "dataset_location.tgz"
    path.write_bytes(server.content)
    assert fetch(server.archive(), tmp_path) == path
    assert server.asked == []


def test_an_absent_file_is_downloaded_with_growing_progress(server: Server, tmp_path: Path):
    heard: list[tuple[float, str]] = []
    folder = tmp_path / "not" / "yet" / "there"
    path = fetch(
        server.archive(), folder, lambda share, text="", point=None: heard.append((share, text))
    )
    assert path.read_bytes() == server.content
    assert [item.name for item in folder.iterdir()] == ["dataset_location.tgz"]
    shares = [share for share, _ in heard]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert shares[-1] == 1
    assert heard[0][1] == "downloading dataset_location.tgz: 65 of 300 kB"


def test_a_broken_connection_is_continued_where_it_broke(server: Server, tmp_path: Path):
    server.breaks = [100_000, 50_000]
    assert fetch(server.archive(), tmp_path).read_bytes() == server.content
    assert server.asked == ["bytes=0-", "bytes=100000-", "bytes=150000-"]


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path):
    server.ranges, server.breaks = False, [100_000]
    assert fetch(server.archive(), tmp_path).read_bytes() == server.content


def test_what_was_received_is_kept_for_the_next_time(server: Server, tmp_path: Path):
    server.breaks = [1000, 1000, 1000]
    with pytest.raises(DataError, match=r"could not be downloaded .*the connection was lost"):
        fetch(server.archive(), tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["dataset_location.tgz.part"]
    fetch(server.archive(), tmp_path)
    assert server.asked[-1] == "bytes=3000-"


def test_cancelling_keeps_what_was_received(server: Server, tmp_path: Path):
    def stop(fraction: float, message: str = "", point: object = None) -> None:
        raise Cancelled("stopped by the user")

    with pytest.raises(Cancelled):
        fetch(server.archive(), tmp_path, stop)
    part = tmp_path / "dataset_location.tgz.part"
    assert server.content.startswith(part.read_bytes())
    assert fetch(server.archive(), tmp_path).read_bytes() == server.content


@pytest.mark.parametrize("left", [b"something else", b"x" * 300_000, b"y" * 400_000])
def test_a_part_of_another_file_is_replaced(server: Server, tmp_path: Path, left: bytes):
    (tmp_path / "dataset_location.tgz.part").write_bytes(left)
    assert fetch(server.archive(), tmp_path).read_bytes() == server.content


@pytest.mark.parametrize("sent", [b"a wrong archive".ljust(300_000), b"z" * 500_000])
def test_a_wrong_download_is_refused_and_not_kept(server: Server, tmp_path: Path, sent: bytes):
    archive, server.content = server.archive(), sent
    with pytest.raises(
        ArchiveError, match=f"expected sha256 {archive.digest}, got [0-9a-f]{{64}}; put"
    ):
        fetch(archive, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_digest_a_download_must_be_a_whole_gzip_file(server: Server, tmp_path: Path):
    whole = gzip.compress(bytes(range(256)) * 400, compresslevel=1)
    archive = replace(server.archive(), digest="", size=None)
    server.content = whole[:-9]
    with pytest.raises(ArchiveError, match="expected a whole gzip file"):
        fetch(archive, tmp_path)
    assert list(tmp_path.iterdir()) == []
    server.content = whole
    assert fetch(archive, tmp_path).read_bytes() == whole


@pytest.mark.parametrize("wrong", ["truncated", "empty", "foreign"])
def test_a_wrong_file_of_the_user_is_refused_and_never_changed(
    server: Server, tmp_path: Path, wrong: str
):
    path = tmp_path / "dataset_location.tgz"
    content = {"truncated": server.content[:1234], "empty": b"", "foreign": b"mine"}[wrong]
    path.write_bytes(content)
    archive = server.archive()
    with pytest.raises(ArchiveError) as told:
        fetch(archive, tmp_path)
    for part in (str(path), archive.digest, describe(content).digest, "move it away"):
        assert part in str(told.value)
    assert path.read_bytes() == content
    assert server.asked == []


def test_offline_the_error_names_the_file_and_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as closed:  # bound, but it does not listen
        closed.bind(("127.0.0.1", 0))
        archive = describe(b"data", f"http://127.0.0.1:{closed.getsockname()[1]}/")
        with pytest.raises(DataError) as told:
            fetch(archive, tmp_path)
    message = str(told.value)
    assert message.startswith("Location is not on this machine and could not be downloaded (")
    assert message.endswith(f": put dataset_location.tgz (sha256 {archive.digest}) into {tmp_path}")
    assert not isinstance(told.value, ArchiveError)


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_server_that_refuses_gets_one_request(server: Server, tmp_path: Path, status: int):
    server.status = status
    with pytest.raises(
        DataError, match=f"the server answered {status} .*: put dataset_location.tgz"
    ):
        fetch(server.archive(), tmp_path)
    assert len(server.asked) == 1


def test_a_server_that_does_not_answer_times_out(server: Server, tmp_path: Path):
    server.hangs = True
    with pytest.raises(DataError, match="timed out"):
        fetch(server.archive(), tmp_path, timeout=0.05)


def test_a_folder_that_cannot_be_made_is_reported(server: Server, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be saved in .*choose another data folder"):
        fetch(server.archive(), tmp_path / "file" / "data")


def test_only_the_missing_one_of_two_files_is_downloaded(server: Server, tmp_path: Path):
    one, two = (replace(server.archive(), file=file) for file in ("one.mat", "two.mat"))
    (tmp_path / one.file).write_bytes(server.content)
    heard: list[float] = []
    paths = fetch_all((one, two), tmp_path, lambda share, *_: heard.append(share))
    assert paths == [tmp_path / "one.mat", tmp_path / "two.mat"]
    assert paths[1].read_bytes() == server.content
    assert len(server.asked) == 1
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_a_wrong_file_is_refused_before_the_other_is_downloaded(server: Server, tmp_path: Path):
    one, two = (replace(server.archive(), file=file) for file in ("one.mat", "two.mat"))
    (tmp_path / two.file).write_bytes(server.content[:-1])
    with pytest.raises(ArchiveError, match=r"two\.mat is not the Location archive"):
        fetch_all((one, two), tmp_path)
    assert not server.asked


def test_offline_all_missing_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    one, two = (replace(describe(file), file=file.decode()) for file in (b"one.mat", b"two.mat"))
    with pytest.raises(DataError, match=r"put one\.mat \(sha256 \w+\) and two\.mat \(sha256 \w+\)"):
        fetch_all((one, two), tmp_path)
    (tmp_path / one.file).write_bytes(b"one.mat")
    with pytest.raises(DataError, match=rf"put two\.mat \(sha256 \w+\) into {tmp_path}$"):
        fetch_all((one, two), tmp_path)
