"""GA4 export files to raw: a rewritten day replaces itself and no other, a draft gives way to the day."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kizuna.files.formats import FileError
from kizuna.landing import Landing, land_stream
from kizuna.settings import Connection
from kizuna.sources.ga4 import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

Query = Callable[..., list[tuple[Any, ...]]]
PRESENT = """
select split_part(_record_id, '/', 1), payload ->> 'event_name'
from (
    select distinct on (_record_id) * from raw.ga4__events order by _record_id, _sequence desc
) as latest
where not _is_deleted order by 1, 2
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """Write a file of events by their names; each writing is an hour younger than the one before."""
    ages = iter(range(40, 0, -1))

    def run(name: str, *events: str) -> None:
        rows = [
            {
                "event_timestamp": 1_795_100_400_000_000 + place,
                "event_name": event,
                "user_pseudo_id": "1.2",
                "event_params": [{"key": "ga_session_id", "value": {"int_value": 17}}],
            }
            for place, event in enumerate(events)
        ]
        path = tmp_path / name
        if name.endswith(".parquet"):
            pq.write_table(pa.Table.from_pylist(rows), path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        at = (datetime.now(UTC) - timedelta(hours=next(ages))).timestamp()
        os.utime(path, (at, at))

    return run


@pytest.fixture
def land(warehouse_url: str, tmp_path: Path) -> Callable[..., Landing]:
    """Land the events."""

    def run(run_id: str = "run-1") -> Landing:
        connection = Connection("ga4", "", "", {"path": str(tmp_path)}, kind="fs")
        return land_stream(SOURCE, SOURCE.streams[0], connection, warehouse_url, run_id)

    return run


def test_a_rewritten_day_loses_what_it_no_longer_has_and_no_other_day_does(
    write: Callable[..., None], land: Callable[..., Landing], query: Query
) -> None:
    write("events_20261119.parquet", "old")
    write("events_20261120.parquet", "a", "b")
    first = land()
    write("events_20261120.parquet", "a", "c", "late")
    second = land("run-2")

    assert (first.read_count, first.vendor_count, first.landed_count) == (3, 3, 3)
    assert second.read_count == 3
    assert query(PRESENT) == [("20261119", "old"), ("20261120", "a"), ("20261120", "c"), ("20261120", "late")]
    assert query("select count(*) from raw.ga4__events where _is_deleted") == [(1,)]


def test_nothing_new_reads_nothing_and_deletes_nothing(
    write: Callable[..., None], land: Callable[..., Landing], query: Query
) -> None:
    write("events_20261120.parquet", "a")
    land()

    assert land("run-2").read_count == 0
    assert query(PRESENT) == [("20261120", "a")]


def test_a_new_part_of_a_day_does_not_delete_the_parts_before(
    write: Callable[..., None], land: Callable[..., Landing], query: Query
) -> None:
    write("events_20261120_000.jsonl", "a", "b")
    land()
    write("events_20261120_001.jsonl", "c", "d", "e")
    land("run-2")

    assert [name for _, name in query(PRESENT)] == ["a", "b", "c", "d", "e"]


def test_the_final_day_replaces_its_draft_and_a_later_draft_changes_nothing(
    write: Callable[..., None], land: Callable[..., Landing], query: Query
) -> None:
    write("events_intraday_20261120.parquet", "draft", "a")
    land()
    write("events_20261120.parquet", "b", "a")
    land("run-2")
    write("events_intraday_20261120.parquet", "draft", "a", "again")

    assert land("run-3").read_count == 0
    assert query(PRESENT) == [("20261120", "a"), ("20261120", "b")]


def test_an_empty_day_is_refused_because_it_would_delete_what_is_known(
    write: Callable[..., None], land: Callable[..., Landing], query: Query
) -> None:
    write("events_20261120.jsonl", "a")
    land()
    write("events_20261120.jsonl")

    with pytest.raises(FileError, match=r"events_20261120\.jsonl: no rows: expected those of 20261120"):
        land("run-2")
    assert query(PRESENT) == [("20261120", "a")]
