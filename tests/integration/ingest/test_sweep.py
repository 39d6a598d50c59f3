"""A sweep finds what the vendor has deleted, and believes only the vendor's word on each record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scripted import CONNECTION, ScriptedSource, record

from kizuna.landing import Sweep, SweepRefusedError, land_stream, sweep_stream

Query = Callable[..., list[tuple[Any, ...]]]
GONE = "select _record_id from raw.scripted__things where _is_deleted order by 1"


@pytest.fixture
def source(warehouse_url: str) -> ScriptedSource:
    found = ScriptedSource([[[record(name) for name in "abcd"]]])
    land_stream(found, found.stream, CONNECTION, warehouse_url, "run")
    found.listed = [[{"id": "a"}], [{"id": "d"}, {"id": "new"}]]
    return found


def sweep(source: ScriptedSource, url: str, **options: Any) -> Sweep:
    return sweep_stream(source, source.stream, CONNECTION, url, "sweep", **options)


def test_what_is_neither_listed_nor_there_when_asked_for_is_deleted(
    source: ScriptedSource, warehouse_url: str, query: Query
) -> None:
    source.kept = {"b"}  # its page was dropped, the record is there

    assert sweep(source, warehouse_url) == Sweep("scripted", "things", 3, 2, 1)
    assert query(GONE) == [("c",)]
    assert query("select count(*) from raw.scripted__things where payload is null") == [(0,)]


def test_a_second_sweep_finds_nothing_more(source: ScriptedSource, warehouse_url: str, query: Query) -> None:
    assert sweep(source, warehouse_url).gone_count == 2
    assert sweep(source, warehouse_url).gone_count == 0
    assert query(GONE) == [("b",), ("c",)]


def test_a_sweep_moves_no_watermark(source: ScriptedSource, warehouse_url: str, query: Query) -> None:
    before = query("select * from ops.watermarks")
    sweep(source, warehouse_url)
    assert query("select * from ops.watermarks") == before


def test_another_accounts_ids_delete_nobody(source: ScriptedSource, warehouse_url: str, query: Query) -> None:
    source.listed = [[{"id": "x"}]]
    with pytest.raises(SweepRefusedError, match="more than 3 known records are not among the 1"):
        sweep(source, warehouse_url, most_gone=3)
    assert query(GONE) == []
