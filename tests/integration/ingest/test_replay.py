"""A quarantined record lands after it, or the rule that refused it, was mended; the quarantine keeps how."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from scripted import CONNECTION, NOON, ScriptedSource, record

from kizuna.landing import Replay, land_stream, replay_stream
from kizuna.landing.replay import ALREADY_LANDED
from kizuna.reading import Stream

Query = Callable[..., list[tuple[Any, ...]]]
STRICT = Stream("things", updated="updatedAt", key_pattern="[0-9]+")
LATEST = """
select distinct on (_record_id) _record_id, payload ->> 'name'
from raw.scripted__things
order by _record_id, _source_updated_at desc, _sequence desc
"""


def source_with(*records: Any) -> ScriptedSource:
    return ScriptedSource([[list(records)]], stream=STRICT)


def land(source: ScriptedSource, url: str) -> None:
    land_stream(source, STRICT, CONNECTION, url, "run")


def test_a_mended_field_lets_the_record_in_and_a_second_replay_finds_nothing(warehouse_url: str, query: Query) -> None:
    bad = record("1", name="Hana") | {"updatedAt": "soon"}
    source = source_with(bad, record("2", name="Taro"))
    land(source, warehouse_url)

    still = replay_stream(source, STRICT, warehouse_url, "again")
    assert still == Replay(1, 0, {"updatedAt is not a time": 1})
    mended = {"updatedAt": NOON.isoformat()}
    trial = replay_stream(source, STRICT, warehouse_url, "trial", changes=mended, is_trial=True)
    assert (trial.landed_count, query(LATEST)) == (1, [("2", "Taro")])

    assert replay_stream(source, STRICT, warehouse_url, "mended", changes=mended) == Replay(1, 1, {})
    assert query(LATEST) == [("1", "Hana"), ("2", "Taro")]
    assert query("select resolution from ops.quarantine") == [("replayed by mended with updatedAt changed",)]
    assert replay_stream(source, STRICT, warehouse_url, "mended", changes=mended).waiting_count == 0


def test_a_rule_that_was_mended_needs_no_change_of_the_record(warehouse_url: str, query: Query) -> None:
    source = source_with(record("U1", name="Hana"))
    land(source, warehouse_url)
    loose = Stream("things", updated="updatedAt")

    assert replay_stream(source, loose, warehouse_url, "mended").landed_count == 1
    assert query(LATEST) == [("U1", "Hana")]


def test_an_old_record_does_not_cover_what_has_landed_since(warehouse_url: str, query: Query) -> None:
    old = record("1", NOON - timedelta(days=2), name="old") | {"note": "\0"}
    land(source_with(old), warehouse_url)
    source = source_with(record("1", name="new"))
    land(source, warehouse_url)

    assert replay_stream(source, STRICT, warehouse_url, "mended", changes={"note": None}).landed_count == 1
    assert query(LATEST) == [("1", "new")]


def test_only_the_record_that_is_named_is_replayed(warehouse_url: str, query: Query) -> None:
    source = source_with(record("U1"), record("U2"))
    land(source, warehouse_url)
    loose = Stream("things", updated="updatedAt")

    done = replay_stream(source, loose, warehouse_url, "one", record_id="U2")
    assert done == Replay(1, 1, {})
    assert [row[0] for row in query(LATEST)] == ["U2"]


def test_a_record_seen_again_as_it_was_stays_resolved(warehouse_url: str, query: Query) -> None:
    source = source_with(record("1", note="\0"))
    land(source, warehouse_url)
    replay_stream(source, STRICT, warehouse_url, "mended", changes={"note": ""})
    land(source, warehouse_url)

    assert query("select seen_count, resolved_at is not null from ops.quarantine") == [(2, True)]


def test_without_a_time_a_record_that_raw_has_is_left_to_the_next_reading(warehouse_url: str, query: Query) -> None:
    listed = Stream("things", is_snapshot=True)
    for name in ("\0", "new"):
        land_stream(
            ScriptedSource([[[{"id": "1", "name": name}]]], stream=listed), listed, CONNECTION, warehouse_url, "run"
        )

    source = ScriptedSource([[[]]], stream=listed)
    done = replay_stream(source, listed, warehouse_url, "mended", changes={"name": "old"})
    assert done == Replay(1, 0, {ALREADY_LANDED: 1})
    assert query("select payload ->> 'name' from raw.scripted__things order by _sequence desc limit 1") == [("new",)]
