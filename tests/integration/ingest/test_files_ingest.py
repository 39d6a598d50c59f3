"""Mapped files from a folder to raw: each file once, in any order, whole or not at all."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kizuna.files import stores
from kizuna.files.formats import FileError
from kizuna.files.stores import StoreError
from kizuna.landing import Landing, ReconciliationError, land_stream
from kizuna.reading import Span
from kizuna.settings import Connection
from kizuna.sources.files import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

Query = Callable[..., list[tuple[Any, ...]]]
Drop = Callable[..., None]
Land = Callable[..., Landing]

MAPPING = """
entity: customers
system: pos
files: "cards_*.csv"
key: [番号]
updated: 更新
columns: {番号: customer_number, 氏名: full_name, 誕生日: birth_on}
"""
LATEST = """
select distinct on (_record_id) _record_id, payload -> 'fields' ->> 'full_name'
from raw.files__customers order by _record_id, _source_updated_at desc, _sequence desc
"""
FILES = "select name, row_count, byte_count > 0, run_id from ops.landed_files order by name"
LONG_AGO = timedelta(hours=2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the drops, with a mapping in force beside it."""
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    (mappings / "cards.yml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setenv("KIZUNA_MAPPINGS", str(mappings))
    drops = tmp_path / "drops"
    drops.mkdir()
    return drops


@pytest.fixture
def drop(folder: Path) -> Drop:
    """Write a file of cards: (number, name, day of the last change) each."""

    def write(name: str, *cards: tuple[str, str, str], age: timedelta = LONG_AGO, tail: bytes = b"") -> None:
        lines = ["番号,氏名,誕生日,更新", *(f"{number},{full},S60.1.2,{day}" for number, full, day in cards)]
        path = folder / name
        path.write_bytes("\n".join([*lines, ""]).encode("cp932") + tail)
        at = (datetime.now(UTC) - age).timestamp()
        os.utime(path, (at, at))

    return write


@pytest.fixture
def land(warehouse_url: str, folder: Path) -> Land:
    """Land the customers of the folder."""

    def run(run_id: str = "run-1", stream_name: str = "customers", span: Span | None = None, **extra: str) -> Landing:
        stream = next(stream for stream in SOURCE.streams if stream.name == stream_name)
        connection = Connection("files", "", "", {"path": str(folder), **extra}, kind="fs")
        return land_stream(SOURCE, stream, connection, warehouse_url, run_id, span=span)

    return run


def test_a_file_is_landed_and_remembered_in_one_go(drop: Drop, land: Land, query: Query) -> None:
    drop("cards_1.csv", ("1", "髙橋", "2026-11-01"), ("2", "佐藤", "2026-11-01"))

    landed = land()

    assert (landed.read_count, landed.vendor_count, landed.landed_count, landed.quarantined_count) == (2, 2, 2, 0)
    assert query(LATEST) == [("pos/1", "髙橋"), ("pos/2", "佐藤")]
    assert query(FILES) == [("cards_1.csv", 2, True, "run-1")]


def test_a_landed_file_is_not_read_again(drop: Drop, land: Land, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    drop("cards_1.csv", ("1", "髙橋", "2026-11-01"))
    land()
    monkeypatch.setattr(stores.LocalStore, "chunks", lambda *_: pytest.fail("the file was read"))

    again = land("run-2")

    assert (again.read_count, again.landed_count) == (0, 0)
    assert len(query(FILES)) == 1


def test_the_same_content_under_another_name_is_told_and_not_landed(
    drop: Drop, land: Land, query: Query, caplog: pytest.LogCaptureFixture
) -> None:
    drop("cards_1.csv", ("1", "髙橋", "2026-11-01"))
    land()
    drop("cards_2.csv", ("1", "髙橋", "2026-11-01"))

    with caplog.at_level(logging.WARNING):
        again = land("run-2")

    assert again.read_count == 0
    assert "cards_2.csv has the content that was landed as cards_1.csv: not landed again" in caplog.text
    assert query(FILES) == [("cards_1.csv", 1, True, "run-1"), ("cards_2.csv", 0, True, "run-2")]
    caplog.clear()
    land("run-3")
    assert caplog.text == ""


def test_new_content_under_a_known_name_is_landed_and_so_is_going_back(drop: Drop, land: Land, query: Query) -> None:
    for run, (name, age) in enumerate((("A", 5), ("B", 4), ("A", 3))):
        drop("cards_1.csv", ("1", name, ""), age=timedelta(hours=age))
        land(f"run-{run}")

    assert query("select payload -> 'fields' ->> 'full_name' from raw.files__customers order by _sequence") == [
        ("A",),
        ("B",),
        ("A",),
    ]
    assert query(LATEST) == [("pos/1", "A")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_in_which_files_land_makes_no_difference(
    drop: Drop, land: Land, query: Query, order: tuple[int, ...]
) -> None:
    files = [
        ("cards_1.csv", [("1", "one", "2026-11-01"), ("2", "two", "2026-11-01")]),
        ("cards_2.csv", [("1", "one again", "2026-11-02")]),
        ("cards_3.csv", [("2", "two again", "2026-11-03"), ("3", "three", "2026-11-03")]),
    ]
    for run, place in enumerate(order):
        name, cards = files[place]
        drop(name, *cards)
        land(f"run-{run}")

    assert query(LATEST) == [("pos/1", "one again"), ("pos/2", "two again"), ("pos/3", "three")]


def test_a_young_file_waits_and_a_temporary_one_is_never_read(
    drop: Drop, land: Land, query: Query, folder: Path
) -> None:
    every_name = MAPPING.replace("cards_*.csv", "*") + "format: {name: csv}\n"
    (folder.parent / "mappings" / "cards.yml").write_text(every_name, encoding="utf-8")
    drop("cards_young.csv", ("1", "A", ""), age=timedelta(seconds=5))
    for name in ("cards_2.csv.part", ".cards_3.csv", "~$cards_4.csv"):
        drop(name, ("9", "Z", ""))

    assert land().read_count == 0
    assert land(quiet_seconds="1").read_count == 1
    assert query(LATEST) == [("pos/1", "A")]


def test_a_file_waits_for_its_marker(drop: Drop, land: Land, folder: Path) -> None:
    mappings = folder.parent / "mappings" / "cards.yml"
    mappings.write_text(MAPPING + "marker: .done\n", encoding="utf-8")
    drop("cards_1.csv", ("1", "A", ""))

    assert land().read_count == 0
    (folder / "cards_1.csv.done").touch()
    assert land("run-2").read_count == 1


def test_a_file_that_grows_while_it_is_read_lands_nothing(
    drop: Drop, land: Land, query: Query, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("cards_1.csv", ("1", "A", ""))
    drop("cards_2.csv", ("2", "B", ""))
    whole = stores.LocalStore.chunks

    def grow(store: Any, file: Any) -> Any:
        yield from whole(store, file)
        if file.name == "cards_2.csv":
            with (folder / file.name).open("ab") as more:
                more.write(b"3,C,,\n")

    monkeypatch.setattr(stores.LocalStore, "chunks", grow)
    with pytest.raises(StoreError, match=r"cards_2\.csv: changed while it was read"):
        land()

    assert query("select count(*) from raw.files__customers") == [(0,)]
    assert query(FILES) == []


def test_bad_rows_are_put_aside_with_reason_and_place_and_the_rest_land(drop: Drop, land: Land, query: Query) -> None:
    drop("cards_1.csv", ("1", "A", ""), ("2", "B", "きのう"), tail=b"3,C\n4,D,S60.1.2,\n")

    landed = land()

    assert (landed.read_count, landed.landed_count, landed.quarantined_count) == (4, 2, 2)
    assert query("select record_id, reason from ops.quarantine order by record_id") == [
        ("cards_1.csv:4", "line 4 has 2 cells, the header 4"),
        ("pos/2", "updated_at: column 更新: 'xxx' is not a date"),
    ]


def test_rows_of_one_record_count_once(drop: Drop, land: Land, query: Query) -> None:
    drop("cards_1.csv", ("1", "A", "2026-11-01"), ("1", "B", "2026-11-02"), ("2", "C", "2026-11-01"))

    landed = land()

    assert (landed.read_count, landed.vendor_count, landed.landed_count) == (2, 2, 2)
    assert query(LATEST) == [("pos/1", "B"), ("pos/2", "C")]


def test_rows_that_the_reader_loses_are_missed_by_the_independent_count(
    drop: Drop, land: Land, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kizuna.files import delimited

    drop("cards_1.csv", ("1", "A", ""), ("2", "B", ""))
    real = delimited._rows
    monkeypatch.setattr(delimited, "_rows", lambda *given: itertools.islice(real(*given), 1))

    with pytest.raises(ReconciliationError, match=r"the vendor counts 2 records .* 1 were read"):
        land()

    assert query(FILES) == []


def test_a_header_alone_is_zero_rows_and_told(
    drop: Drop, land: Land, query: Query, caplog: pytest.LogCaptureFixture
) -> None:
    drop("cards_1.csv")

    assert land().read_count == 0
    assert "cards_1.csv has a header and no rows" in caplog.text
    assert query(FILES) == [("cards_1.csv", 0, True, "run-1")]


def test_a_file_without_a_needed_column_is_named_and_lands_nothing(land: Land, folder: Path) -> None:
    path = folder / "cards_1.csv"
    path.write_text("番号,氏名\n1,A\n", encoding="utf-8")
    os.utime(path, (0, 0))

    with pytest.raises(FileError, match=r"cards_1\.csv: no column 誕生日, 更新"):
        land()


def test_a_span_is_read_again_with_the_mapping_as_it_is_now(drop: Drop, land: Land, query: Query, folder: Path) -> None:
    drop("cards_1.csv", ("1", "A", "2026-11-01"), age=timedelta(days=3))
    drop("cards_2.csv", ("2", "B", "2026-11-01"), age=timedelta(days=1))
    land()
    mapping = folder.parent / "mappings" / "cards.yml"
    mapping.write_text(MAPPING.replace("full_name", "full_name_kana"), encoding="utf-8")
    now = datetime.now(UTC)

    again = land("run-2", span=Span(now - timedelta(days=2), now))

    assert (again.read_count, again.landed_count) == (1, 1)
    assert query(
        "select _record_id, payload -> 'fields' ->> 'full_name_kana' from raw.files__customers where _run_id = 'run-2'"
    ) == [("pos/2", "B")]
    assert land("run-3").read_count == 0


def test_an_entity_without_a_mapping_reads_nothing(drop: Drop, land: Land) -> None:
    drop("cards_1.csv", ("1", "A", ""))

    assert land(stream_name="orders").read_count == 0
