"""Where the vendor has no count, a second reading must show all that the first one did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from scripted import CONNECTION, NOON, ScriptedSource, record

from kizuna.landing import ReconciliationError, land_stream
from kizuna.reading import Span, Stream

Query = Callable[..., list[tuple[Any, ...]]]
PAGES = [[record("a"), record("b")], [record("c")]]
HALF = [[record("a"), record("b")], []]
IDS = "select _record_id from raw.scripted__things order by 1"


def source_of(*walks: list[list[Any]], stream: Stream | None = None) -> ScriptedSource:
    source = ScriptedSource(list(walks), says="nothing")
    if stream:
        source.stream = stream
    return source


def test_two_equal_readings_land_and_no_vendor_count_is_claimed(warehouse_url: str, query: Query) -> None:
    source = source_of(PAGES, PAGES)
    landed = land_stream(source, source.stream, CONNECTION, warehouse_url, "run")

    assert (landed.read_count, landed.vendor_count, landed.landed_count) == (3, None, 3)
    assert len(source.windows) == 2
    assert query("select vendor_count from ops.landings") == [(None,)]


@pytest.mark.parametrize("walks", [(HALF, PAGES), (PAGES, HALF, PAGES), (HALF, PAGES, PAGES)])
def test_a_page_dropped_in_one_reading_is_found_by_the_others(
    walks: tuple[Any, ...], warehouse_url: str, query: Query
) -> None:
    # A reading that shows more than the one before lacks nothing of it: new records may have come in between.
    source = source_of(*walks)
    landed = land_stream(source, source.stream, CONNECTION, warehouse_url, "run")

    assert landed.landed_count == 3
    assert query(IDS) == [("a",), ("b",), ("c",)]


def test_who_changes_between_two_readings_is_left_for_the_next_window_and_not_lost(
    warehouse_url: str, query: Query
) -> None:
    changed = [[record("a"), record("c")], [record("b", NOON + timedelta(seconds=5))]]
    stream = Stream("things", updated="updatedAt", is_bounded=False)
    source = source_of(PAGES, changed, stream=stream)
    land_stream(source, stream, CONNECTION, warehouse_url, "run")

    assert len(source.windows) == 2
    assert query(IDS) == [("a",), ("c",)]


def test_readings_that_keep_losing_records_land_nothing(warehouse_url: str, query: Query) -> None:
    others = [[record("a")], [record("c")]]
    source = source_of(PAGES, HALF, others)
    with pytest.raises(ReconciliationError, match="1 records of earlier readings are not in the last one"):
        land_stream(source, source.stream, CONNECTION, warehouse_url, "run")

    assert query("select count(*) from raw.scripted__things") == [(0,)]
    assert query("select count(*) from ops.watermarks") == [(0,)]


def test_a_page_dropped_twice_in_a_row_is_not_believed_because_an_earlier_reading_had_it(
    warehouse_url: str, query: Query
) -> None:
    source = source_of(PAGES, HALF, HALF)
    with pytest.raises(ReconciliationError, match="1 records of earlier readings are not in the last one"):
        land_stream(source, source.stream, CONNECTION, warehouse_url, "run")

    assert query("select count(*) from raw.scripted__things") == [(0,)]


def test_a_kept_cursor_moves_with_the_watermark_only(warehouse_url: str, query: Query) -> None:
    source = source_of(PAGES, PAGES)
    source.cursor = "after c"
    land_stream(source, source.stream, CONNECTION, warehouse_url, "run")
    land_stream(source, source.stream, CONNECTION, warehouse_url, "run")

    assert [window.cursor for window in source.windows] == [None, None, "after c", "after c"]
    source.walks = [PAGES, HALF, [[record("b")]]]
    source.windows.clear()
    source.cursor = "lost"
    with pytest.raises(ReconciliationError):
        land_stream(source, source.stream, CONNECTION, warehouse_url, "run")
    assert query("select cursor from ops.watermarks") == [("after c",)]


def test_a_span_that_is_asked_for_lands_beside_the_schedule_and_moves_nothing(warehouse_url: str, query: Query) -> None:
    source = ScriptedSource([[[record("new")]]])
    land_stream(source, source.stream, CONNECTION, warehouse_url, "scheduled")
    before = query("select upper_at, cursor, run_id from ops.watermarks")

    source.walks, source.windows = [[[record("old", NOON - timedelta(days=9))]]], []
    span = Span(NOON - timedelta(days=10), NOON + timedelta(days=1))
    first = land_stream(source, source.stream, CONNECTION, warehouse_url, "backfill", span=span)
    again = land_stream(source, source.stream, CONNECTION, warehouse_url, "backfill", span=span)

    assert (first.landed_count, again.landed_count) == (1, 0)
    assert {(window.lower, window.upper) for window in source.windows} == {(span.lower, NOON - source.hold_back)}
    assert query("select upper_at, cursor, run_id from ops.watermarks") == before


def test_a_snapshot_of_some_parts_says_nothing_of_the_others(warehouse_url: str, query: Query) -> None:
    days = Stream("days", is_snapshot=True)
    both = [[{"id": name} for name in ("20261120/a", "20261120/b", "20261121/a", "20261121")]]
    source = source_of(both, stream=days)
    land_stream(source, days, CONNECTION, warehouse_url, "run")
    source.walks, source.scopes = [[[{"id": "20261120/b"}]]], ["20261120"]
    land_stream(source, days, CONNECTION, warehouse_url, "run")

    assert query("select _record_id from raw.scripted__days where _is_deleted") == [("20261120/a",)]
