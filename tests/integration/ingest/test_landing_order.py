"""Whatever the pages' sizes and the order in which states are read: the latest is the latest, and twice is once."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import CONNECTION, NOON, ScriptedSource, record

from kizuna import warehouse
from kizuna.landing import land_stream
from kizuna.reading import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = count()
STATES = st.tuples(st.sampled_from("abcd"), st.integers(1, 6))


@st.composite
def readings(draw: st.DrawFn) -> list[list[list[tuple[str, int]]]]:
    """Windows of pages of (record, minute of its last change), in any order and any cut."""
    states = draw(st.permutations(draw(st.lists(STATES, min_size=1, max_size=14))))
    cuts = draw(st.lists(st.booleans(), min_size=len(states), max_size=len(states)))
    page_cuts = draw(st.lists(st.booleans(), min_size=len(states), max_size=len(states)))
    windows: list[list[list[tuple[str, int]]]] = [[[]]]
    for state, ends_window, ends_page in zip(states, cuts, page_cuts, strict=True):
        windows[-1][-1].append(state)
        if ends_window:
            windows.append([[]])
        elif ends_page:
            windows[-1].append([])
    return windows


def source_of(window: list[list[tuple[str, int]]], stream: Stream) -> ScriptedSource:
    pages = [
        [record(name, NOON - timedelta(minutes=60 - minute), at=minute) for name, minute in page] for page in window
    ]
    return ScriptedSource([pages], stream=stream)


@pytest.fixture
def session(warehouse_url: str) -> Iterator[Any]:
    with warehouse.connect(warehouse_url, autocommit=True) as opened:
        yield opened


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=readings())
def test_the_order_of_reading_is_no_difference(
    windows: list[list[list[tuple[str, int]]]], warehouse_url: str, session: Any
) -> None:
    stream = Stream(f"order_{next(NUMBERS)}", updated="updatedAt")
    sources = [source_of(window, stream) for window in windows]

    for source in sources:
        land_stream(source, stream, CONNECTION, warehouse_url, "run")
    again = [land_stream(source, stream, CONNECTION, warehouse_url, "again").landed_count for source in sources]

    latest = session.execute(
        f"""
        select distinct on (_record_id) _record_id, (payload ->> 'at')::int
        from raw.scripted__{stream.name}
        order by _record_id, _source_updated_at desc nulls last, _sequence desc
        """
    ).fetchall()
    expected: dict[str, int] = {}
    for name, minute in (state for window in windows for page in window for state in page):
        expected[name] = max(expected.get(name, 0), minute)
    assert dict(latest) == expected
    assert set(again) == {0}
