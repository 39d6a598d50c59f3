"""Records: the same record gives the same bytes, and whatever Postgres would refuse is refused before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.landing.records import RejectedRecord, batches, copy_line
from kizuna.landing.shape import Shape
from kizuna.reading import Stream, TimeUnit

STREAM = Stream("orders", updated="updatedAt")
SHAPE = Shape(STREAM)
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
    found = list(batches(pages, STREAM, datetime(2027, 1, 1, tzinfo=UTC)))

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


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_every_unit_of_time_is_read_to_its_last_digit(moment: datetime) -> None:
    exact = moment.replace(tzinfo=UTC)
    since = round((exact - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    units: dict[TimeUnit, int] = {"microseconds": 1, "milliseconds": 1_000, "seconds": 1_000_000}
    for unit, size in units.items():
        shape = Shape(Stream("events", updated="at", updated_unit=unit))
        assert shape.time_of({"at": since // size}) == exact - timedelta(microseconds=since % size)


@pytest.mark.parametrize("value", [True, None, "soon", 10**18, [], "20206-01-01T00:00:00Z"])
@pytest.mark.parametrize("unit", ["iso", "seconds"])
def test_what_is_no_time_is_rejected_by_the_fields_name(value: Any, unit: TimeUnit) -> None:
    rejected = copy_line(
        {"id": 1, "meta": {"at": value}}, Shape(Stream("events", updated="meta.at", updated_unit=unit))
    )

    assert isinstance(rejected, RejectedRecord)
    assert rejected.reason == "meta.at is not a time"


def test_a_key_may_be_of_several_fields_and_of_fields_within_fields() -> None:
    shape = Shape(Stream("members", key=("list", "profile.id")))

    assert shape.identify({"list": "L1", "profile": {"id": 7}}) == b"L1/7"
    rejected = copy_line({"list": "L1", "profile": {}}, shape)
    assert isinstance(rejected, RejectedRecord)
    assert rejected.reason == "has no profile.id"


def test_a_hashed_key_never_shows_the_address_it_is_made_of() -> None:
    shape = Shape(Stream("bounces", key=("email", "created"), has_hashed_key=True))

    assert shape.identify({"email": "a@example.jp", "created": 5}) == sha256(b"a@example.jp/5").hexdigest().encode()
    rejected = copy_line({"email": "a@example.jp", "created": 5, "reason": "\0"}, shape)
    assert isinstance(rejected, RejectedRecord)
    assert rejected.record_id == sha256(b"a@example.jp/5").hexdigest()


def test_an_id_of_another_form_is_rejected_with_the_form_and_without_the_id() -> None:
    rejected = copy_line({"id": "taro@example.jp"}, Shape(Stream("followers", key_pattern="U[0-9a-f]{32}")))

    assert isinstance(rejected, RejectedRecord)
    assert rejected.reason == "id does not look as it should: U[0-9a-f]{32}"


def test_where_the_vendor_cannot_end_a_window_what_changed_later_is_left_for_the_next() -> None:
    stream = Stream("tickets", updated="at", updated_unit="seconds", is_bounded=False)
    pages = [[{"id": 1, "at": 99}, {"id": 2, "at": 100}, {"id": 3, "at": None}]]
    (batch,) = batches(pages, stream, datetime.fromtimestamp(100, UTC))

    assert batch.record_count == 2
    assert b'"id":1' in batch.lines
    assert [reject.record_id for reject in batch.rejects] == ["3"]
