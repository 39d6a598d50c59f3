"""Landing: what is added, what is refused, and that nothing is landed by half."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from scripted import NOON, ScriptedSource, record

from kizuna import landing, warehouse
from kizuna.landing import Landing, ReconciliationError, StreamBusyError
from kizuna.reading import VendorCount

Land = Callable[..., Landing]
Query = Callable[..., list[tuple[Any, ...]]]

VERSIONS = "select _record_id, payload ->> 'name' from raw.scripted__things order by _sequence"
LATEST = """
select distinct on (_record_id) _record_id, payload ->> 'name', _is_deleted
from raw.scripted__things
order by _record_id, _source_updated_at desc nulls last, _sequence desc
"""
WATERMARK = "select upper_at from ops.watermarks"


def minutes_ago(minutes: int) -> datetime:
    return NOON - timedelta(minutes=minutes)


def test_a_landed_window_is_counted_and_moves_the_watermark(land: Land, query: Query) -> None:
    source = ScriptedSource([[[record("a"), record("b")], [record("c")]]])

    landed = land(source)

    assert (landed.read_count, landed.vendor_count, landed.landed_count, landed.page_count) == (3, 3, 3, 2)
    assert query(WATERMARK) == [(NOON - source.hold_back,)]
    assert query("select run_id, read_count, vendor_count, landed_count, window_upper from ops.landings") == [
        ("run-1", 3, 3, 3, NOON - source.hold_back)
    ]


def test_landing_the_same_bytes_again_adds_nothing(land: Land, query: Query) -> None:
    source = ScriptedSource([[[record("a", name="A"), record("b", name="B")]]])
    land(source)

    again = land(source, "run-2")

    assert (again.read_count, again.landed_count) == (2, 0)
    assert len(query(VERSIONS)) == 2


def test_the_order_of_keys_is_no_difference(land: Land, query: Query) -> None:
    one = record("a", name="A", email="x")
    land(ScriptedSource([[[one]]]))

    assert land(ScriptedSource([[[dict(reversed(one.items()))]]])).landed_count == 0


def test_a_changed_record_adds_a_version(land: Land, query: Query) -> None:
    land(ScriptedSource([[[record("a", minutes_ago(30), name="A"), record("b")]]]))

    changed = land(ScriptedSource([[[record("a", minutes_ago(20), name="A2"), record("b")]]]))

    assert changed.landed_count == 1
    assert query(VERSIONS) == [("a", "A"), ("b", None), ("a", "A2")]


def test_going_there_and_back_adds_two_versions(land: Land, query: Query) -> None:
    for minutes, name in ((30, "A"), (20, "B"), (10, "A")):
        land(ScriptedSource([[[record("a", minutes_ago(minutes), name=name)]]]))

    assert [name for _, name in query(VERSIONS)] == ["A", "B", "A"]


def test_a_change_without_a_new_time_is_a_version(land: Land, query: Query) -> None:
    land(ScriptedSource([[[record("a", name="A")]]]))
    land(ScriptedSource([[[record("a", name="B")]]]))

    assert [name for _, name in query(VERSIONS)] == ["A", "B"]
    assert query(LATEST) == [("a", "B", False)]


def test_an_older_state_read_late_does_not_become_the_latest(land: Land, query: Query) -> None:
    land(ScriptedSource([[[record("a", minutes_ago(10), name="new")]]]))
    late = ScriptedSource([[[record("a", minutes_ago(30), name="old")]]])
    land(late)
    land(late)

    assert query(LATEST) == [("a", "new", False)]
    assert len(query(VERSIONS)) == 2


def test_a_repeated_row_is_no_mismatch_and_its_newest_state_wins(land: Land, query: Query) -> None:
    newer, older = record("a", minutes_ago(10), name="new"), record("a", minutes_ago(20), name="old")

    landed = land(ScriptedSource([[[newer, record("b")], [older, record("b")]]]))

    assert (landed.read_count, landed.vendor_count, landed.landed_count) == (2, 2, 2)
    assert query(LATEST) == [("a", "new", False), ("b", None, False)]


def test_a_dropped_page_fails_with_both_counts_and_lands_nothing(land: Land, query: Query) -> None:
    land(ScriptedSource([[[record("a", minutes_ago(60))]]]))
    before = query(WATERMARK)
    later = NOON + timedelta(hours=1)

    with pytest.raises(ReconciliationError, match=r"scripted\.things: the vendor counts 5 records .* 2 were read"):
        land(ScriptedSource([[[record("b", NOON), record("c", NOON)], []]], says=5, clock=later))

    assert query(WATERMARK) == before
    assert len(query(VERSIONS)) == 1
    assert query("select count(*) from ops.landings") == [(1,)]


def test_a_row_that_changed_during_the_walk_is_settled_by_walking_again(land: Land, query: Query) -> None:
    source = ScriptedSource([[[record("a"), record("moved")]], [[record("a")]]], says=1)

    assert land(source).landed_count == 1
    assert len(source.windows) == 2
    assert query(VERSIONS) == [("a", None)]


def test_the_vendor_is_asked_three_times_before_giving_up(land: Land) -> None:
    source = ScriptedSource([[[record("a")]]], says=2)

    with pytest.raises(ReconciliationError):
        land(source)

    assert len(source.windows) == 3


def test_a_count_of_yesterday_may_be_off_by_its_tolerance_and_no_more(land: Land) -> None:
    source = ScriptedSource([[[record("a")]]], says=VendorCount(3, tolerance=2))
    assert land(source).landed_count == 1

    source.says = VendorCount(4, tolerance=2)
    with pytest.raises(ReconciliationError, match="counts 4 ± 2 records"):
        land(source)


def test_windows_follow_each_other_with_overlap(land: Land) -> None:
    source = ScriptedSource([[[]]])
    land(source)
    source.clock = NOON + timedelta(hours=1)
    land(source)

    first, second = source.windows
    assert first.lower == datetime(1970, 1, 1, tzinfo=UTC)
    assert second.lower == first.upper - source.overlap
    assert second.upper == source.clock - source.hold_back


def test_a_clock_set_back_does_not_move_the_watermark_back(land: Land, query: Query) -> None:
    source = ScriptedSource([[[]]])
    land(source)
    before = query(WATERMARK)
    source.clock = NOON - timedelta(minutes=5)
    land(source)
    source.clock = NOON - timedelta(minutes=30)
    nothing = land(source)

    assert query(WATERMARK) == before
    assert (nothing.read_count, nothing.page_count) == (0, 0)
    assert len(source.windows) == 2


BAD_RECORDS = [
    ({"updatedAt": NOON.isoformat()}, "has no id"),
    ({"id": "", "updatedAt": NOON.isoformat()}, "has no id"),
    ("not an object", "is not an object"),
    (None, "is not an object"),
    ({"id": "x", "updatedAt": "yesterday"}, "updatedAt is not a time"),
    ({"id": "x"}, "updatedAt is not a time"),
    ({"id": "x", "updatedAt": "2026-11-22T10:00:00"}, "updatedAt has no offset from UTC"),
    (record("x", name="nul \0 inside"), "holds the character NUL, which Postgres cannot store"),
    (record("x", name="half \ud83d emoji"), "holds a character or a number that JSON in UTF-8 cannot carry"),
    (record("x" * 501), "id is longer than 500 characters"),
    (record("x", name="x" * 4_200_000), "is larger than 4194304 bytes"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_RECORDS)
def test_a_bad_record_is_kept_aside_and_fails_nobody(land: Land, query: Query, bad: object, reason: str) -> None:
    source = ScriptedSource([[[record("a"), bad, record("b")]]])

    landed = land(source)
    land(source, "run-2")

    assert (landed.read_count, landed.landed_count, landed.quarantined_count) == (3, 2, 1)
    rows = query(
        "select reason, seen_count, run_id, first_seen_at < last_seen_at, length(payload) > 3 from ops.quarantine"
    )
    assert rows == [(reason, 2, "run-2", True, True)]
    assert [name for name, _ in query(VERSIONS)] == ["a", "b"]


def test_a_quarantined_payload_is_whole_and_closed_to_readers(land: Land, query: Query) -> None:
    land(ScriptedSource([[[{"id": "x", "updatedAt": "never", "email": "someone@example.jp"}]]]))

    assert query("select record_id, payload::jsonb ->> 'email' from ops.quarantine") == [("x", "someone@example.jp")]
    for role in ("kizuna_bi", "kizuna_transform", "kizuna_activate"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query("select payload from ops.quarantine", role)


def test_text_that_looks_like_copy_escapes_arrives_as_it_was(land: Land, query: Query) -> None:
    name = 'tab\t newline\n backslash\\ \\u0000 \\N \\. "quote" 絆 😀'
    land(ScriptedSource([[[record("a\\b\tc\n", name=name)]]]))

    assert query(VERSIONS) == [("a\\b\tc\n", name)]


def test_two_runs_do_not_land_one_stream_at_once(
    land: Land, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "LOCK_WAIT_SECONDS", 0.05)
    with (
        landing._session(warehouse_url, "scripted", "things"),
        pytest.raises(StreamBusyError, match=r"scripted\.things is being landed by another run"),
    ):
        land(ScriptedSource([[[record("a")]]]))


def test_an_error_of_the_vendor_in_the_middle_lands_nothing(land: Land, query: Query) -> None:
    def break_down(number: int) -> None:
        if number == 1:
            message = "the vendor went away"
            raise ConnectionError(message)

    source = ScriptedSource([[[record("a")], [record("b")]]], at_page=break_down)
    with pytest.raises(ConnectionError, match="the vendor went away"):
        land(source)

    assert query(VERSIONS) == []
    assert query(WATERMARK) == []


def test_comparing_costs_by_the_window_and_not_by_the_history(land: Land, warehouse_url: str) -> None:
    land(ScriptedSource([[[record(f"{number:05}") for number in range(3000)]]]))
    with warehouse.connect(warehouse_url) as session:
        session.execute("analyze raw.scripted__things")
        session.execute("set role kizuna_ingest")
        table = landing.RawTable(session, "scripted", "things")
        table.open_window()
        plan = session.execute(
            table._text("explain " + landing.tables._INSERT_VERSIONS), {"run_id": "run", "at": NOON}
        ).fetchall()
    text = "\n".join(str(row[0]) for row in plan)

    assert "Index Scan using scripted__things_record_id" in text
    assert "Seq Scan on scripted__things" not in text


def test_raw_tables_of_all_sources_exist_for_their_readers(warehouse_url: str, query: Query) -> None:
    landing.ensure_tables(warehouse_url)
    landing.ensure_tables(warehouse_url)

    for table in ("shopify__customers", "shopify__orders", "shopify__products", "line__followers"):
        assert query(f"select count(*) from raw.{table}", "kizuna_transform") == [(0,)]
        owner = query(f"select tableowner from pg_tables where schemaname = 'raw' and tablename = '{table}'")
        assert owner == [("kizuna_ingest",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(f"select count(*) from raw.{table}", "kizuna_bi")
