"""KARTE Datahub exports: events get a moment and an id, tables of names stay as they are."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest

from kizuna.files.formats import FileError, Row
from kizuna.files.stores import StoredFile
from kizuna.reading import UnfitRecord
from kizuna.sources.karte import SOURCE, event, intakes_of, named

FILE = StoredFile("karte_event_20261120.csv", 1, datetime(2026, 11, 21, tzinfo=UTC))
EVENT: dict[str, Any] = {
    "sync_date": "2026-11-20 10:00:00.123 UTC",
    "user_id": "u1",
    "visitor_id": "v1",
    "session_id": "s1",
    "event_name": "view",
    "values": '{"view": {"title": "椿"}}',
}


def test_an_event_gets_its_moment_in_utc_and_its_values_as_an_object() -> None:
    found = event(Row(2, EVENT), FILE)

    assert isinstance(found, dict)
    assert found["occurred_at"] == "2026-11-20T10:00:00.123000+00:00"
    assert found["values"] == {"view": {"title": "椿"}}


def test_the_same_event_has_the_same_id_however_it_was_exported() -> None:
    from_json = {**EVENT, "sync_date": "2026-11-20T10:00:00.123Z", "values": {"view": {"title": "椿"}}}
    first, second = event(Row(2, EVENT), FILE), event(Row(9, from_json), FILE)
    other = event(Row(3, {**EVENT, "session_id": "s2"}), FILE)

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert isinstance(other, dict)
    assert first["id"] == second["id"] != other["id"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [({"sync_date": "soon"}, "sync_date is not a date"), ({"values": "{"}, "values is not JSON")],
)
def test_an_event_that_cannot_be_read_is_put_aside(cells: dict[str, str], reason: str) -> None:
    found = event(Row(2, {**EVENT, **cells}), FILE)

    assert isinstance(found, UnfitRecord)
    assert found.reason == reason


def test_a_name_needs_an_id() -> None:
    assert named(Row(2, {"id": "k1", "name": "会員"}), FILE) == {"id": "k1", "name": "会員"}
    assert isinstance(named(Row(2, {"id": "", "name": "会員"}), FILE), UnfitRecord)


def test_each_stream_takes_the_files_of_its_table_and_no_other() -> None:
    names = ["x/karte_event_20261120.csv", "karte_segment.jsonl", "karte_campaign_1.csv", "karte_action_1.csv"]
    for stream, own in zip([stream.name for stream in SOURCE.streams], names, strict=True):
        taken = [name for name in names if fnmatchcase(name, intakes_of(stream)[0].pattern)]
        assert taken == [own]


def test_a_query_that_left_a_column_out_is_named() -> None:
    with pytest.raises(FileError, match=r"karte_event_20261120\.csv: no column session_id, values"):
        intakes_of("events")[0].check_columns(["sync_date", "user_id", "visitor_id", "event_name"], FILE)
