"""Users' own pictures: folders, zip archives, Parquet and npz."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from prunepriv.datasets import guards
from prunepriv.datasets.own import folders, npz, read
from prunepriv.errors import DataError

COUNT = 42
REAL = Path(os.environ.get("PRUNEPRIV_DATA", "/nowhere")) / "cifar10-jpeg.parquet"


def pictures(side: int = 12, channels: int = 3) -> np.ndarray:
    """(COUNT, side, side, channels) of noise."""
    size = (COUNT, side, side, channels)
    return np.random.default_rng(2).integers(0, 256, size, dtype=np.uint8)


def encoded(array: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array.squeeze()).save(stream, kind)
    return stream.getvalue()


def members(array: np.ndarray) -> dict[str, bytes]:
    """Files by name: classes a, b and c in turn, in the order of their names."""
    names = sorted(f"{'abc'[i % 3]}/{i:03}.png" for i in range(len(array)))
    return {name: encoded(array[i]) for i, name in enumerate(names)}


def folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def hub(path: Path, cells: list[Any], labels: Any, metadata: dict[str, str] | None = None) -> Path:
    """A Parquet file as the hub writes it, in row groups of 10."""
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    images = pa.array([c if c is None else {"bytes": c, "path": "x"} for c in cells], kind)
    table = pa.table({"image": images, "label": labels, "split": ["train"] * len(cells)})
    pa.parquet.write_table(table.replace_schema_metadata(metadata), path, row_group_size=10)
    return path


def refused(path: Path, match: str) -> None:
    with pytest.raises(DataError, match=match) as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("packing", ["folder", "zip"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_per_class(tmp_path: Path, packing: str, channels: int) -> None:
    array = pictures(channels=channels)
    files = {f"set/{name}": data for name, data in members(array).items()}
    files |= {"set/readme.txt": b"-", "__MACOSX/set/a/._0.png": b"-", "set/.hidden/x.png": b"-"}
    as_folder = packing == "folder"
    path = folder(tmp_path / "p", files) if as_folder else packed(tmp_path / "p.zip", files)
    data = read(path)
    assert (data.kind, data.class_names) == ("image", ("a", "b", "c"))
    np.testing.assert_array_equal(data.y, [0] * 14 + [1] * 14 + [2] * 14)
    np.testing.assert_array_equal(data.x, array.transpose(0, 3, 1, 2))


def test_one_picture_of_another_size_resizes_all_and_one_in_color_colors_all(
    tmp_path: Path,
) -> None:
    files = members(pictures(channels=1))
    files["a/000.png"] = encoded(np.full((40, 20, 3), (255, 0, 0), dtype=np.uint8))
    data = read(folder(tmp_path, files))
    assert data.x.shape == (COUNT, 3, 32, 32)
    assert (data.x[0] == np.array([255, 0, 0])[:, None, None]).all()
    assert (data.x[1, 0] == data.x[1, 2]).all()


@pytest.mark.parametrize(("side", "kept"), [(8, 8), (64, 64), (7, 32), (65, 32)])
def test_sizes_that_networks_take_are_kept(tmp_path: Path, side: int, kept: int) -> None:
    assert read(packed(tmp_path / "p.zip", members(pictures(side)))).x.shape[2:] == (kept, kept)


@pytest.mark.parametrize("name", ["../a/x.png", "/a/x.png", "a/../../x.png", "C:\\a\\x.png"])
def test_an_archive_with_absolute_or_parent_paths(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "p.zip", members(pictures()) | {name: encoded(pictures()[0])})
    refused(path, "absolute or parent path")


def test_an_archive_with_a_link(tmp_path: Path) -> None:
    path = packed(tmp_path / "p.zip", members(pictures()))
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    refused(path, "member 'a/link.png' is a link")


def test_an_archive_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MOST_BYTES", 100_000)
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/x.png", bytes(200_000))
    refused(path, "unpacks to")


def test_an_encrypted_archive(tmp_path: Path) -> None:
    path = packed(tmp_path / "p.zip", members(pictures()))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the first entry of the directory
    path.write_bytes(data)
    refused(path, "is encrypted")


def test_a_damaged_archive(tmp_path: Path) -> None:
    path = packed(tmp_path / "p.zip", members(pictures()))
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    refused(path, "p.zip")


def test_a_link_in_a_folder(tmp_path: Path) -> None:
    root = folder(tmp_path / "p", members(pictures()))
    (root / "a" / "link.png").symlink_to("/etc/passwd")
    refused(root, "a/link.png is a link")


def test_a_folder_that_changes(tmp_path: Path) -> None:
    root = folder(tmp_path / "p", members(pictures()))

    def change(fraction: float, message: str = "", point: Any = None) -> None:
        (root / "a" / "new.png").write_bytes(b"")

    with pytest.raises(DataError, match="changed while it was read"):
        read(root, change)


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"a/readme.txt": b"-"}, "holds no pictures"),
        ({"x.png": b"-"}, "x.png is in no folder"),
        ({"a/x.png": b"-", "a/y.png": b"-"}, "two classes are needed"),
        ({"a/x.png": b"-", "b/y.png": b"-"}, "a/x.png is not a picture that can be read"),
    ],
)
def test_files_that_are_not_a_set_of_pictures(
    tmp_path: Path, files: dict[str, bytes], match: str
) -> None:
    refused(folder(tmp_path / "p", files), match)
    refused(packed(tmp_path / "p.zip", files), match)


def test_folders_have_no_label_column(tmp_path: Path) -> None:
    for path in (
        folder(tmp_path / "p", {"a/x.png": b"-"}),
        packed(tmp_path / "p.zip", {"a/x.png": b"-"}),
    ):
        with pytest.raises(DataError, match="leave the label column out"):
            read(path, label_column="kind")


def test_a_file_too_large_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_PICTURE_BYTES", 20)
    refused(folder(tmp_path / "p", members(pictures())), "a/000.png has more than")


def bomb(side: int) -> bytes:
    """A PNG whose header gives side x side pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (header, body, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("side", [7500, 30_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path, side: int) -> None:
    cells = [encoded(one) for one in pictures()]
    cells[17] = bomb(side)
    path = hub(tmp_path / "p.parquet", cells, [0, 1] * 21)
    refused(path, "row 18, column 'image' has more than 50 million pixels")


def test_parquet_as_the_hub_stores_it(tmp_path: Path) -> None:
    array = pictures()
    about = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    path = hub(
        tmp_path / "p.parquet",
        [encoded(one) for one in array],
        [0, 1] * 21,
        {"huggingface": json.dumps(about)},
    )
    data = read(path)
    assert data.class_names == ("cat", "dog")
    np.testing.assert_array_equal(data.x, array.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(data.y, [0, 1] * 21)


def test_parquet_with_plain_bytes_and_labels_of_text(tmp_path: Path) -> None:
    array = pictures(channels=1)
    path = tmp_path / "p.parquet"
    cells = [encoded(one) for one in array]
    pa.parquet.write_table(pa.table({"img": cells, "class": ["dog", "cat"] * 21}), path)
    data = read(path)
    assert (data.class_names, data.x.shape) == (("cat", "dog"), (COUNT, 1, 12, 12))
    np.testing.assert_array_equal(data.y[:2], [1, 0])


@pytest.mark.parametrize(
    ("cell", "match"),
    [
        (None, "row 18, column 'image': the picture is missing"),
        (b"GIF", "row 18, column 'image' is not a picture"),
        (encoded(pictures()[0])[:-200], "row 18, column 'image' is a damaged picture"),
    ],
)
def test_the_first_bad_picture_is_named(tmp_path: Path, cell: bytes | None, match: str) -> None:
    cells: list[bytes | None] = [encoded(one) for one in pictures()]
    cells[17] = cell
    refused(hub(tmp_path / "p.parquet", cells, [0, 1] * 21), match)


def save(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


LABELS = np.arange(COUNT) % 3


@pytest.mark.parametrize("layout", ["last", "first", "grey"])
def test_npz_of_pictures(tmp_path: Path, layout: str) -> None:
    array = pictures(channels=1 if layout == "grey" else 3)
    expected = array.transpose(0, 3, 1, 2)
    stored = {"last": array, "first": expected, "grey": array[..., 0]}[layout]
    data = read(save(tmp_path / "p.npz", images=stored, labels=LABELS))
    np.testing.assert_array_equal(data.x, expected)
    np.testing.assert_array_equal(data.y, LABELS)


def test_npz_of_large_pictures_is_resized(tmp_path: Path) -> None:
    for channels in (1, 3):
        data = read(save(tmp_path / "p.npz", x=pictures(70, channels), y=LABELS))
        assert data.x.shape == (COUNT, channels, 32, 32)


def test_npz_of_numbers(tmp_path: Path) -> None:
    x = np.random.default_rng(3).normal(5, 2, (COUNT, 4))
    data = read(save(tmp_path / "p.npz", X=x, y=np.array(["b", "a"] * 21)))
    np.testing.assert_allclose(data.x, (x - x.mean(0)) / x.std(0), atol=1e-5)
    assert data.class_names == ("a", "b")


BITS = np.eye(COUNT, dtype=np.uint8)
HOLED = np.where(np.eye(COUNT) > 0, np.nan, 1.0)


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"a": BITS}, "must hold the arrays x and y, .* it holds a"),
        ({"x": BITS, "y": LABELS[:-1]}, r"one label per record, got x of shape \(42, 42\)"),
        ({"x": BITS, "y": LABELS[:, None]}, "one label per record"),
        ({"x": LABELS, "y": LABELS}, "one label per record"),
        ({"x": BITS, "y": LABELS + 1}, r"record 2 \(counted from 0\): 3 different .* got 3"),
        ({"x": BITS, "y": LABELS / 2}, "labels must be whole numbers"),
        ({"x": HOLED, "y": LABELS}, "record 0 .*, column '0': features must be finite"),
        ({"x": BITS.astype("U1"), "y": LABELS}, "features must be numbers, got <U1"),
        ({"x": BITS * 1j, "y": LABELS}, "features must be numbers"),
        ({"x": BITS[:, :0], "y": LABELS}, "features must be numbers"),
        ({"x": pictures() / 255, "y": LABELS}, "pictures must be uint8"),
        ({"x": pictures(channels=2), "y": LABELS}, "pictures must be uint8"),
    ],
)
def test_npz_of_wrong_arrays(tmp_path: Path, arrays: dict[str, Any], match: str) -> None:
    refused(save(tmp_path / "p.npz", **arrays), match)


def test_npz_with_pickled_objects_is_not_unpickled(tmp_path: Path) -> None:
    unpickled = tmp_path / "unpickled"
    things = np.array([Trap(unpickled)] * COUNT, dtype=object)
    refused(save(tmp_path / "p.npz", x=things[:, None], y=LABELS), "x holds pickled objects")
    assert not unpickled.exists()


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_the_trap_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "unpickled")))
    assert (tmp_path / "unpickled").exists()


def test_npz_whose_header_gives_too_large_a_shape(tmp_path: Path) -> None:
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 100)}
    np.lib.format.write_array_header_1_0(stream, header)
    labels = io.BytesIO()
    np.save(labels, LABELS)
    path = packed(
        tmp_path / "p.npz", {"x.npy": stream.getvalue() + bytes(64), "y.npy": labels.getvalue()}
    )
    refused(path, "is incomplete or too large")
    refused(packed(path, {"x.npy": b"noise" * 9, "y.npy": b""}), "is not an array that NumPy wrote")


def test_npz_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leave the column out"):
        npz.read(save(tmp_path / "p.npz", x=BITS, y=LABELS), "p.npz", "kind", lambda *_: None)


@pytest.mark.skipif(not REAL.exists(), reason="set PRUNEPRIV_DATA to a folder with the file")
def test_the_real_file_of_60_000_photographs(tmp_path: Path) -> None:
    """Two thousand of them, copied to a file and read by the same code."""
    with pyarrow.parquet.ParquetFile(REAL) as file:
        assert file.metadata.num_rows == 60_000
        last = file.num_row_groups - 1
        parts = [file.read_row_group(group).slice(0, 1000) for group in (0, last)]
    first = pa.concat_tables(parts)
    labels = first["label"].to_numpy()
    kinds = np.unique(labels)
    place = first.column_names.index("label")
    first = first.set_column(place, "label", pa.array(np.searchsorted(kinds, labels)))
    pa.parquet.write_table(first, tmp_path / "p.parquet")
    data = read(tmp_path / "p.parquet")
    assert data.x.shape == (2000, 3, 32, 32)
    assert data.classes == len(kinds)
    np.testing.assert_array_equal(data.y, first["label"].to_numpy())
    one = Image.open(io.BytesIO(first["image"][1234].as_py()["bytes"])).convert("RGB")
    np.testing.assert_array_equal(data.x[1234].transpose(1, 2, 0), np.asarray(one))
