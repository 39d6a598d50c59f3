"""GA4 exports: which files make a day, and an id that is the same from every format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.files.formats import BadRow, Row
from kizuna.files.stores import StoredFile
from kizuna.reading import UnfitRecord
from kizuna.sources.ga4 import DRAFT, FINAL, day_of, event

FILE = StoredFile("ga4/events_20261120.parquet", 1, datetime(2026, 11, 21, tzinfo=UTC))
EVENT = {
    "event_date": "20261120",
    "event_timestamp": 1_795_100_400_000_001,
    "event_name": "page_view",
    "event_bundle_sequence_id": 7,
    "user_pseudo_id": "1.2",
    "event_params": [
        {"key": "page_title", "value": {"string_value": "home", "int_value": None}},
        {"key": "ga_session_id", "value": {"string_value": None, "int_value": 17}},
    ],
}


def made(cells: dict[str, Any], file: StoredFile = FILE) -> dict[str, Any]:
    found = event(Row(1, cells), file)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("events_20261120.parquet", ("20261120", FINAL)),
        ("x/events_20261120_000000000003.jsonl.gz", ("20261120", FINAL)),
        ("x/events_intraday_20261120.parquet", ("20261120", DRAFT)),
    ],
)
def test_a_files_name_says_its_day_and_whether_it_is_a_draft(name: str, day: tuple[str, int]) -> None:
    assert day_of(name) == day


def test_an_event_is_kept_as_exported_under_its_day() -> None:
    found = made(EVENT)

    assert found["id"].startswith("20261120/")
    assert {name: found[name] for name in EVENT} == EVENT


def test_the_id_is_the_same_from_parquet_and_from_json() -> None:
    from_json = {
        "event_timestamp": "1795100400000001",
        "event_name": "page_view",
        "event_bundle_sequence_id": "7",
        "user_pseudo_id": "1.2",
        "event_params": [
            {"key": "ga_session_id", "value": {"int_value": "17"}},
            {"key": "page_title", "value": {"string_value": "home"}},
        ],
    }

    assert made(from_json)["id"] == made(EVENT)["id"]


@given(st.sampled_from(["user_pseudo_id", "event_timestamp", "event_name", "event_bundle_sequence_id"]))
def test_events_that_differ_in_what_tells_them_apart_have_different_ids(name: str) -> None:
    assert made({**EVENT, name: "other"})["id"] != made(EVENT)["id"]


def test_parameters_tell_events_apart_and_geography_does_not() -> None:
    assert made({**EVENT, "event_params": EVENT["event_params"][:1]})["id"] != made(EVENT)["id"]  # type: ignore[index]
    assert made({**EVENT, "geo": {"country": "Japan"}})["id"] == made(EVENT)["id"]


def test_what_is_no_event_is_put_aside() -> None:
    for row in (Row(4, {"event_name": "x"}), BadRow(4, "line 4 is not a JSON object", "{")):
        found = event(row, FILE)
        assert isinstance(found, UnfitRecord)
        assert found.record_id == "ga4/events_20261120.parquet:4"
