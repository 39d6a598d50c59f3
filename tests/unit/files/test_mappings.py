"""Mappings: what is wrong in one is told with file, line and what was expected; what is right becomes records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from kizuna.files import mapping
from kizuna.files.formats import BadRow, FileError, Row
from kizuna.files.mapped import MappedRows
from kizuna.files.mapping import MappingError
from kizuna.files.stores import StoredFile
from kizuna.reading import UnfitRecord

if TYPE_CHECKING:
    from pathlib import Path

FILE = StoredFile("pos/cards.csv", 10, datetime(2026, 11, 22, 3, tzinfo=UTC))
CARDS = """
    entity: customers
    system: pos
    files: pos/cards_*.csv
    format: {encoding: cp932}
    key: [会員番号]
    updated: 更新日時
    columns:
      会員番号: customer_number
      氏名: full_name
      生年月日: birth_on
      DM: {field: accepts_mail, values: {"要": true, "否": false}}
      ポイント: {field: points, is_optional: true}
    constants: {brand: Tsubaki, channel: store}
"""
CELLS = {
    "会員番号": "００１２",
    "氏名": "髙橋 花子 ",
    "生年月日": "昭和60年1月2日",
    "DM": "要",
    "ポイント": "1,200",
    "更新日時": "2026/11/21 10:00",
    "備考": "そのまま",
}


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "cards.yml"
    file.write_text(dedent(text), encoding="utf-8")
    return file


def record_of(tmp_path: Path, text: str = CARDS, **cells: str) -> dict[str, Any] | UnfitRecord:
    return MappedRows(mapping.load(write(tmp_path, text))).record(Row(2, {**CELLS, **cells}), FILE)


def test_a_row_becomes_a_record_with_the_row_beside_it(tmp_path: Path) -> None:
    assert record_of(tmp_path) == {
        "id": "pos/0012",
        "updated_at": "2026-11-21T10:00:00+09:00",
        "system": "pos",
        "fields": {
            "customer_number": "0012",
            "full_name": "髙橋 花子",
            "birth_on": "1985-01-02",
            "accepts_mail": True,
            "points": 1200,
            "brand": "Tsubaki",
            "channel": "store",
        },
        "row": CELLS,
    }


def test_without_an_updated_column_a_record_is_as_old_as_its_file(tmp_path: Path) -> None:
    found = record_of(tmp_path, CARDS.replace("updated: 更新日時", "time_zone: UTC"))

    assert isinstance(found, dict)
    assert found["updated_at"] == FILE.modified_at.isoformat()


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"生年月日": "昭和65年X月2日"}, "birth_on: column 生年月日: 'xx99xxx9x' is not a date"),
        ({"DM": "たぶん"}, "accepts_mail: column DM: 'xxx' is none of the mapping's values"),
        ({"ポイント": "1,200.5"}, "points: column ポイント: '9,999.9' is not a whole number"),
        ({"更新日時": "きのう"}, "updated_at: column 更新日時: 'xxx' is not a date"),
        ({"会員番号": " "}, "has no 会員番号"),
    ],
)
def test_a_value_that_cannot_be_read_puts_its_record_aside_and_is_not_told(
    tmp_path: Path, cells: dict[str, str], reason: str
) -> None:
    found = record_of(tmp_path, **cells)

    assert isinstance(found, UnfitRecord)
    assert found.reason == reason
    assert found.record_id == ("pos/cards.csv:2" if "会員番号" in cells else "pos/0012")
    assert json.loads(found.payload)["row"] == {**CELLS, **cells}


def test_a_broken_row_is_put_aside_under_its_file_and_line(tmp_path: Path) -> None:
    rows = MappedRows(mapping.load(write(tmp_path, CARDS)))

    found = rows.record(BadRow(7, "line 7 has 2 cells, the header 6", "a,b"), FILE)

    assert isinstance(found, UnfitRecord)
    assert (found.record_id, found.reason) == ("pos/cards.csv:7", "line 7 has 2 cells, the header 6")


def test_a_file_that_lacks_a_column_is_refused_by_name_unless_it_may(tmp_path: Path) -> None:
    rows = MappedRows(mapping.load(write(tmp_path, CARDS)))
    rows.check_columns([*CELLS.keys() - {"ポイント"}], FILE)

    with pytest.raises(FileError, match=r"pos/cards\.csv: no column 更新日時: expected as the mapping says"):
        rows.check_columns([*CELLS.keys() - {"更新日時"}], FILE)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "birth_on",
            "birthday",
            "cards.yml:2: the file: unknown field of customers 'birthday': expected one of customer",
        ),
        (
            "entity: customers",
            "entity: people",
            "cards.yml:2: entity: unknown entity 'people': expected one of customers,",
        ),
        (
            "encoding: cp932",
            "encoding: sjis",
            "cards.yml:5: format.encoding: Input should be 'auto', 'utf-8' or 'cp932'",
        ),
        ("key: [会員番号]", "keys: [会員番号]", "cards.yml:6: keys: Extra inputs are not permitted"),
        ("氏名: full_name", "氏名: birth_on", "field 'birth_on' is filled twice"),
        ('"要": true', '"要": "yes"', "field 'accepts_mail' is given 'yes': expected a value of type boolean"),
        ("updated:", "time_zone: Tokyo/Asia\n    updated:", "time_zone: expected a time zone of the IANA database"),
        ("entity:", "\tentity:", "cards.yml is not YAML"),
    ],
)
def test_a_fault_is_told_with_file_line_and_what_was_expected(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(MappingError) as raised:
        mapping.load(write(tmp_path, CARDS.replace(old, new)))

    assert fault in str(raised.value)


def test_every_faulty_mapping_of_the_folder_is_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yml").write_text("entity: customers\n")

    with pytest.raises(MappingError, match=r"(?s)one\.yml:1: system: .*two\.yml:1: system: "):
        mapping.load_all(tmp_path)


def test_no_folder_is_no_mappings(tmp_path: Path) -> None:
    assert mapping.load_all(tmp_path / "none") == {}
