"""Rows of files: every format gives the rows that an independent count finds; what is broken costs itself alone."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.files.formats import BadRow, FileError, Format, Row, open_table

if TYPE_CHECKING:
    from pathlib import Path

CELLS = st.lists(st.sampled_from([*'abc,"\t\n 髙①ｱ。表ソ', "\r\n"]), max_size=8).map("".join)
TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))


def write(tmp_path: Path, content: bytes, name: str = "file.csv") -> Path:
    path = tmp_path / "copy"
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def rows_of(path: Path, file_name: str = "file.csv", **written: object) -> list[Row | BadRow]:
    table = open_table(path, file_name, Format.model_validate(written))
    rows = list(table.rows)
    assert table.row_count == len(rows), "the independent count must agree with the reader"
    return rows


def cells_of(path: Path, file_name: str = "file.csv", **written: object) -> list[dict[str, object]]:
    rows = rows_of(path, file_name, **written)
    assert all(isinstance(row, Row) for row in rows)
    return [row.cells for row in rows if isinstance(row, Row)]


@given(TABLES, st.sampled_from(["utf-8", "utf-8-sig", "cp932"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_whatever_is_written_as_csv_is_read_back_and_counted(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], encoding: str, line_end: str, quotes_all: bool
) -> None:
    width = len(table[0]) if table else 1
    header = [f"列{number}" for number in range(width)]
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows([header, *table])
    path = tmp_path_factory.mktemp("csv") / "copy"
    path.write_bytes(text.getvalue().encode(encoding))

    found = cells_of(path, encoding=encoding.removesuffix("-sig"))

    assert [list(cells.values()) for cells in found] == table


@pytest.mark.parametrize("name", ["file.csv", "file.csv.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_the_encoding_is_told_from_the_bytes(tmp_path: Path, name: str, encoding: str) -> None:
    text = '番号,氏名,メモ\r\n1,髙橋,"一行目\r\n二行目, ""引用"""\r\n\r\n2,ソ表,\r\n'

    found = cells_of(write(tmp_path, text.encode(encoding), name), name)

    assert found == [
        {"番号": "1", "氏名": "髙橋", "メモ": '一行目\r\n二行目, "引用"'},
        {"番号": "2", "氏名": "ソ表", "メモ": ""},
    ]


def test_a_file_in_two_encodings_is_refused_with_both_counts(tmp_path: Path) -> None:
    lines = ["氏名", "佐藤", "鈴木", "高橋"]
    content = b"\n".join(line.encode("utf-8" if place < 3 else "cp932") for place, line in enumerate(lines))

    with pytest.raises(FileError, match=r"of 4 lines .* 3 are UTF-8 and .* CP932: expected all of one"):
        rows_of(write(tmp_path, content))


def test_a_line_in_another_encoding_is_put_aside_and_the_rest_land(tmp_path: Path) -> None:
    content = "番号,氏名\n1,佐藤\n2,".encode() + "鈴木".encode("cp932") + "\n3,高橋\n".encode()

    rows = rows_of(write(tmp_path, content), encoding="utf-8")

    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert isinstance(rows[1], BadRow)
    assert (rows[1].number, rows[1].reason) == (3, "line 3 is not utf-8")


def test_a_line_with_another_number_of_cells_is_put_aside(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, b'a,b\n1,"x\ny"\n2\n3,4,5\n6,7\n'))

    reasons = [row.reason for row in rows if isinstance(row, BadRow)]
    assert reasons == ["line 4 has 1 cells, the header 2", "line 5 has 3 cells, the header 2"]
    assert [row.number for row in rows] == [2, 4, 5, 6]


def test_a_quote_in_the_middle_of_a_cell_is_a_letter(tmp_path: Path) -> None:
    assert cells_of(write(tmp_path, b'a,b\n24" screen,5\'6"\n"x"y,"z"\n')) == [
        {"a": '24" screen', "b": "5'6\""},
        {"a": "xy", "b": "z"},
    ]


def test_a_quote_that_nobody_closes_is_told_and_does_not_swallow_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"file\.csv: a quote is opened and never closed"):
        rows_of(write(tmp_path, b'a,b\n1,"2\n3,4\n'))


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileError, match="no header in row 1"):
        rows_of(write(tmp_path, content))


def test_a_header_alone_is_no_rows(tmp_path: Path) -> None:
    assert rows_of(write(tmp_path, b"a,b\n")) == []


def test_the_header_may_come_after_title_lines(tmp_path: Path) -> None:
    assert cells_of(write(tmp_path, b"report\n\na,b\n1,2\n"), header_row=2) == [{"a": "1", "b": "2"}]


def test_repeated_and_blank_column_names_get_names_of_their_own(tmp_path: Path) -> None:
    assert cells_of(write(tmp_path, b"a,a,\n1,2,3\n")) == [{"a": "1", "a (2)": "2", "column 3": "3"}]


def test_tabs_divide_a_tsv(tmp_path: Path) -> None:
    assert cells_of(write(tmp_path, b"a\tb\n1,5\t2\n"), "file.tsv") == [{"a": "1,5", "b": "2"}]


def test_a_gzip_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(gzip.compress(b"a\n" + b"123456\n" * 1000)[:-20])

    with pytest.raises(FileError, match="ends early or is damaged"):
        rows_of(path, "file.csv.gz")


def test_a_workbook_is_read_as_text_would_be(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (
        ["番号", "日付", "金額", "有効"],
        [1, date(2024, 5, 1), 12.5, True],
        [],
        [2.0, None, "¥1,200", False],
    ):
        sheet.append(row)
    workbook.create_sheet("二枚目").append(["x"])
    workbook.save(path)

    assert cells_of(path, "file.xlsx") == [
        {"番号": "1", "日付": "2024-05-01 00:00:00", "金額": "12.5", "有効": "True"},
        {"番号": "2", "日付": "", "金額": "¥1,200", "有効": "False"},
    ]
    assert cells_of(path, "file.xlsx", sheet="二枚目") == []
    with pytest.raises(FileError, match="no sheet '三枚目': expected one of Sheet, 二枚目"):
        rows_of(path, "file.xlsx", sheet="三枚目")


def test_cells_beyond_the_header_of_a_sheet_are_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (["a", "b"], [1, 2, "note"], [3]):
        sheet.append(row)
    workbook.save(path)

    bad, good = rows_of(path, "file.xlsx")

    assert isinstance(bad, BadRow)
    assert bad.reason == "row 2 has cells beyond the 2 columns of the header"
    assert isinstance(good, Row)
    assert good.cells == {"a": "3", "b": ""}


def test_parquet_keeps_its_types_and_is_counted_by_its_metadata(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    table = pa.table({"n": list(range(5000)), "inner": [{"x": [1, 2]}] * 5000})
    pq.write_table(table, path, row_group_size=700)

    found = cells_of(path, "file.parquet")

    assert [cells["n"] for cells in found] == list(range(5000))
    assert found[0]["inner"] == {"x": [1, 2]}


def test_half_a_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    pq.write_table(pa.table({"n": [1, 2, 3]}), path)
    path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(FileError, match="not a whole Parquet file"):
        rows_of(path, "file.parquet")


def test_a_line_that_is_no_json_object_is_put_aside(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, b'{"a": 1}\n\n[1]\n{"a": \n{"a": 2}', "file.jsonl.gz"), "file.jsonl.gz")

    assert [row.reason for row in rows if isinstance(row, BadRow)] == [
        "line 3 is not a JSON object",
        "line 4 is not a JSON object",
    ]
    assert [row.cells for row in rows if isinstance(row, Row)] == [{"a": 1}, {"a": 2}]


def test_an_ending_that_says_nothing_needs_a_declared_format(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\n1\n")

    with pytest.raises(FileError, match=r"export\.dat: no format is known for \.dat"):
        rows_of(path, "export.dat")
    assert cells_of(path, "export.dat", name="csv") == [{"a": "1"}]
