"""Records: the same record gives the same bytes, and whatever Postgres would refuse is refused before."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kizuna.landing.records import RejectedRecord, Shape, batches, copy_line

SHAPE = Shape("id", "updatedAt")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.text(), VALUES, max_size=5).map(
    lambda fields: {**fields, "id": "gid://1", "updatedAt": "2026-11-22T00:00:00Z"}
)


@given(RECORDS)
def test_the_order_of_fields_does_not_change_the_line(record: dict[str, Any]) -> None:
    assert copy_line(record, SHAPE) == copy_line(dict(reversed(record.items())), SHAPE)


@given(RECORDS)
def test_a_line_has_four_fields_and_one_end(record: dict[str, Any]) -> None:
    line = copy_line(record, SHAPE)
    if isinstance(line, bytes):
        assert line.count(b"\t") == 3
        assert line.count(b"\n") == 1


@given(st.lists(st.lists(st.one_of(RECORDS, VALUES), max_size=4), max_size=6))
def test_every_record_is_either_a_line_or_rejected(pages: list[list[Any]]) -> None:
    found = list(batches(pages, SHAPE))

    assert sum(batch.page_count for batch in found) == len(pages)
    lines = sum(batch.lines.count(b"\n") for batch in found)
    assert lines + sum(len(batch.rejects) for batch in found) == sum(len(page) for page in pages)


def test_an_escaped_backslash_before_u0000_is_not_nul() -> None:
    updated = {"updatedAt": "2026-11-22T00:00:00Z"}
    assert isinstance(copy_line({"id": "1", "name": "\\u0000", **updated}, SHAPE), bytes)
    assert isinstance(copy_line({"id": "1", "name": "\\\0", **updated}, SHAPE), RejectedRecord)


def test_numbers_are_ids_and_truths_are_not() -> None:
    updated = {"updatedAt": "2026-11-22T00:00:00Z"}
    line = copy_line({"id": 7, **updated}, SHAPE)
    assert isinstance(line, bytes)
    assert line.startswith(b"7\t")
    assert isinstance(copy_line({"id": True, **updated}, SHAPE), RejectedRecord)


def test_a_rejected_record_does_not_show_itself() -> None:
    rejected = copy_line({"id": "1", "email": "taro@example.jp"}, SHAPE)

    assert isinstance(rejected, RejectedRecord)
    assert "taro" not in repr(rejected)


def test_nesting_without_end_is_rejected() -> None:
    deep: Any = {}
    for _ in range(400):
        deep = {"deeper": deep}
    rejected = copy_line({"id": "1", "updatedAt": "2026-11-22T00:00:00Z", "deep": deep}, SHAPE)

    assert isinstance(rejected, RejectedRecord)
    assert rejected.record_id == "1"
