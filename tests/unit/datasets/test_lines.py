"""Lines equal a slow reading by the csv module; for any block size the first wrong one is named."""

from __future__ import annotations

import csv
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.datasets import lines
from prunepriv.datasets.lines import features_only, label_first, labels_only
from prunepriv.errors import ArchiveError
from tests.official_files import features_text


def read(text: bytes, records: int, features: int = 3, classes: int = 3):
    return label_first(
        io.BytesIO(text), records=records, features=features, classes=classes, where="small"
    )


@pytest.mark.parametrize("block", [1, 7, 64, 1000, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_equal_to_a_slow_reading(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, block: int, end: bytes
):
    monkeypatch.setattr(lines, "BLOCK", block)
    x = rng.integers(0, 2, (40, 17))
    labels = rng.integers(1, 101, 40)
    rows = [f"{label},{row}" for label, row in zip(labels, features_text(x), strict=True)]
    text = (end or b"\n").join(row.encode() for row in rows) + end
    slow = list(csv.reader(io.StringIO(text.decode())))
    found_x, found_y = read(text, 40, 17, 100)
    np.testing.assert_array_equal(found_x, np.array([row[1:] for row in slow], np.uint8))
    np.testing.assert_array_equal(found_y, [int(row[0]) - 1 for row in slow])


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'"1",0,1,0\n"9",0,0,0\n', "line 2: expected a label of 1 to 3 and 3 features"),
        (b'"0",0,1,0\n', "line 1: expected a label"),
        (b'"1",0,1,0\n"2",0,1\n', "line 2: expected a label"),
        (b'"1",0,1,0,1\n', "line 1: expected a label"),
        (b'"1",0,1,0\n\n', "line 2: expected a label"),
        (b'"1",0,1,0\n"2",0,2,0\n', "line 2: expected 3 features of 0 or 1"),
        (b'"1",0,1,0\n"2",0;1,0\n', "line 2: expected 3 features of 0 or 1"),
        (b'"1",0,1,0\n"2",0,1,/\n', "line 2: expected 3 features of 0 or 1"),
        (b'"1",0,1,0\n"2,0,1,1\n', "line 2: expected a label"),
        (b"1,0,1,0\n02,0,1,1\n", "line 2: expected a label"),
        (b"1,0,1,0\n2,0,1,9\n7,0,1,0\n", "line 2: expected 3 features"),
        (b"1,0,1,0\n7,0,1,0\n2,0,1,9\n", "line 2: expected a label"),
        (b"1,0,1,0\n1,0,1,0\n1,0,1,1\n9", "line 4: expected 3 records and no more"),
        (b"1,0,1,0\n" + b"1" * 500, r"line 2: expected a label .*got b'1{24}'\.\.\. of"),
        (b"", "holds 0 records, and 3 were expected"),
        (b"1,0,1,0\n2,0,1,0", "holds 2 records, and 3 were expected"),
    ],
)
def test_the_first_wrong_line_is_named(
    monkeypatch: pytest.MonkeyPatch, text: bytes, rule: str, block: int
):
    monkeypatch.setattr(lines, "BLOCK", block)
    with pytest.raises(ArchiveError, match=f"^small.*{rule}") as told:
        read(text, 3)
    assert "\n" not in str(told.value)


def test_labels_may_have_no_quotes():
    x, y = read(b"3,0,1,0\n1,1,1,1\n", 2)
    assert x.tolist() == [[0, 1, 0], [1, 1, 1]]
    assert y.tolist() == [2, 0]


def test_features_and_labels_in_separate_files():
    x = features_only(io.BytesIO(b"0,1\n1,1\n"), records=2, features=2, where="small")
    y = labels_only(io.BytesIO(b"2\n1\n"), records=2, classes=2, where="small")
    assert x.tolist() == [[0, 1], [1, 1]]
    assert y.tolist() == [1, 0]


@given(st.binary(max_size=60), st.integers(1, 40))
def test_any_text_is_read_or_refused_in_a_sentence(text: bytes, block: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK", block)
        try:
            x, y = read(text, 2, 1, 2)
        except ArchiveError as error:
            told = str(error)
        else:
            told = "small"
            assert x.max() <= 1
            assert 0 <= y.min() <= y.max() <= 1
        assert told.startswith("small")
        assert "\n" not in told


def test_the_text_is_never_in_memory_as_a_whole():
    """4 MB of text, and one line of 4 MB without an end; the array itself takes half of that."""
    rows = b"1," + b"0," * 999 + b"1\n"
    for text in (rows * 2000, b"0," * 2_000_000):
        stream = io.BytesIO(text)
        tracemalloc.start()
        try:
            label_first(stream, records=2000, features=1000, classes=1, where="large")
        except ArchiveError:
            assert text != rows * 2000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2_000_000 + 8 * lines.BLOCK
