"""Clocks that are wrong, commits that come late, and counts that lie: found next time, found by a span, or said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from scripted import CONNECTION, NOON, ScriptedSource, record

from kizuna.landing import Landing, ReconciliationError, land_stream
from kizuna.reading import Span, VendorCount

if TYPE_CHECKING:
    from kizuna.reading import Window

Query = Callable[..., list[tuple[Any, ...]]]
IDS = "select _record_id from raw.scripted__things order by 1"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@dataclass
class Shop(ScriptedSource):
    """A vendor with records of (changed at, seen from): it answers a window as it is at its `true` time."""

    walks: list[Any] = field(default_factory=list)
    records: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    true: datetime = NOON
    lies: int = 0

    def walk(self) -> list[list[Any]]:
        window: Window = self.windows[-1]
        found = [
            record(name, changed)
            for name, changed, seen in self.records
            if window.lower <= changed < window.upper and seen <= self.true
        ]
        return [found[start : start + 2] for start in range(0, len(found), 2)]

    def count(self, window: Window) -> VendorCount:
        return VendorCount(sum(map(len, self.walk())) + self.lies)

    def land(self, url: str, at: datetime, span: Span | None = None, skew: timedelta = timedelta(0)) -> Landing:
        self.true, self.clock = at, at + skew
        return land_stream(self, self.stream, CONNECTION, url, "run", span=span)


def changed(name: str, at: datetime, seen: datetime | None = None) -> tuple[str, datetime, datetime]:
    return name, at, seen or at


@pytest.mark.parametrize("skew", [timedelta(seconds=90), timedelta(seconds=-90)], ids=["ahead", "behind"])
def test_a_clock_of_the_vendor_that_is_wrong_by_90_seconds_loses_nothing(
    warehouse_url: str, query: Query, skew: timedelta
) -> None:
    names = [changed(f"{number:03}", NOON - timedelta(seconds=10 * number)) for number in range(60)]
    shop = Shop(records=names)
    for minutes in range(-8, 3):
        shop.land(warehouse_url, NOON + minutes * MINUTE, skew=skew if minutes % 2 else timedelta(0))
    shop.land(warehouse_url, NOON + 4 * MINUTE, skew=skew)

    assert query(IDS) == [(f"{number:03}",) for number in range(60)]


def test_a_commit_that_comes_late_lands_with_the_next_window_and_later_still_with_a_span(
    warehouse_url: str, query: Query
) -> None:
    within, beyond = NOON - 11 * MINUTE, NOON - timedelta(hours=3)
    shop = Shop(records=[changed("a", NOON - 20 * MINUTE), changed("late", within, NOON), changed("old", beyond, NOON)])
    shop.land(warehouse_url, NOON - SECOND)
    assert query(IDS) == [("a",)]

    shop.land(warehouse_url, NOON + MINUTE)
    assert query(IDS) == [("a",), ("late",)]

    before = query("select upper_at from ops.watermarks")
    found = shop.land(warehouse_url, NOON + MINUTE, Span(beyond - MINUTE, NOON))
    assert found.landed_count == 1
    assert query(IDS) == [("a",), ("late",), ("old",)]
    assert query("select upper_at from ops.watermarks") == before


def test_rows_of_one_second_on_the_edge_of_pages_and_windows_land_once(warehouse_url: str, query: Query) -> None:
    edge = NOON - 2 * MINUTE
    shop = Shop(records=[changed(f"tie-{number}", edge) for number in range(5)])
    assert shop.land(warehouse_url, NOON).read_count == 0
    assert shop.land(warehouse_url, NOON + SECOND).landed_count == 5
    assert shop.land(warehouse_url, NOON + MINUTE).landed_count == 0
    assert query("select count(*) from raw.scripted__things") == [(5,)]


@pytest.mark.parametrize(
    ("lies", "says"), [(-2, "counts 1 records .* 3 were read"), (7, "counts 10 records .* 3 were")]
)
def test_a_count_that_lies_is_said_with_both_numbers_and_moves_nothing(
    warehouse_url: str, query: Query, lies: int, says: str
) -> None:
    shop = Shop(records=[changed(name, NOON - timedelta(hours=1)) for name in "abc"])
    shop.land(warehouse_url, NOON - timedelta(hours=2))
    before = query("select upper_at, cursor from ops.watermarks")
    shop.lies = lies
    with pytest.raises(ReconciliationError, match=says):
        shop.land(warehouse_url, NOON)
    assert query("select upper_at, cursor from ops.watermarks") == before
    assert query(IDS) == []

    shop.lies = 0
    assert shop.land(warehouse_url, NOON).landed_count == 3


def test_a_row_that_changes_while_it_is_paged_lands_in_its_last_state_once(warehouse_url: str, query: Query) -> None:
    shop = Shop(records=[changed(name, NOON - timedelta(hours=1)) for name in "abcd"])

    def change(number: int) -> None:
        if number == 1 and len(shop.windows) == 1:
            shop.records[0] = changed("a", NOON - MINUTE)

    shop.at_page = change
    shop.land(warehouse_url, NOON)
    shop.land(warehouse_url, NOON + 5 * MINUTE)

    latest = (
        "select distinct on (_record_id) _record_id, payload ->> 'updatedAt' from raw.scripted__things"
        " order by _record_id, _source_updated_at desc, _sequence desc"
    )
    found = dict(query(latest))
    assert sorted(found) == ["a", "b", "c", "d"]
    assert found["a"] == (NOON - MINUTE).isoformat()
