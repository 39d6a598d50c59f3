"""Snapshots: who is missing has left, unless the snapshot itself is not to be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scripted import LISTED, ScriptedSource

from kizuna.landing import EmptySnapshotError, Landing, ReconciliationError
from kizuna.reading import VendorCount

if TYPE_CHECKING:
    from collections.abc import Callable

    Land = Callable[..., Landing]
    Query = Callable[..., list[tuple[Any, ...]]]

LATEST = """
select distinct on (_record_id) _record_id, _is_deleted
from raw.scripted__things
order by _record_id, _sequence desc
"""


def followers(*names: str) -> ScriptedSource:
    return ScriptedSource([[[{"id": name} for name in names]]], stream=LISTED)


def test_who_is_missing_from_a_snapshot_is_deleted_and_comes_back(land: Land, query: Query) -> None:
    land(followers("a", "b"))
    left = land(followers("a", "c"))
    assert left.landed_count == 2
    assert query(LATEST) == [("a", False), ("b", True), ("c", False)]

    assert land(followers("a", "c")).landed_count == 0
    assert land(followers("a", "b", "c")).landed_count == 1
    assert query(LATEST) == [("a", False), ("b", False), ("c", False)]
    assert query("select payload from raw.scripted__things where _is_deleted") == [({"id": "b"},)]


def test_who_is_missing_but_still_there_was_dropped_and_not_deleted(land: Land, query: Query) -> None:
    land(followers("a", "b", "c"))
    cut = followers("a")
    cut.says, cut.kept = VendorCount(3, tolerance=20), {"b"}

    with pytest.raises(ReconciliationError, match=r"counts 3 ± 20 .* 1 were read, and 1 of the missing are there"):
        land(cut)
    assert query("select count(*) from raw.scripted__things where _is_deleted") == [(0,)]


def test_an_empty_snapshot_of_known_records_is_refused(land: Land, query: Query) -> None:
    empty = followers()
    assert land(empty).landed_count == 0
    land(followers("a", "b"))

    with pytest.raises(EmptySnapshotError, match="snapshot is empty, but 2 records are known"):
        land(empty)
    assert query(LATEST) == [("a", False), ("b", False)]


def test_a_rejected_record_of_a_snapshot_has_not_left(land: Land, query: Query) -> None:
    land(followers("a", "b"))
    bad = ScriptedSource([[[{"id": "a"}, {"id": "b", "name": "\0"}]]], stream=LISTED)
    land(bad)

    assert query(LATEST) == [("a", False), ("b", False)]
