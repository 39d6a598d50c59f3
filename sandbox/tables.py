"""Reads the tables of an order history (csv, csv.gz, parquet) as text, each row with its line number.

Values stay the text they are in the file: an id with leading zeros keeps them, and money keeps every digit.
"""

from __future__ import annotations

import csv
import gzip
import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TextIO, cast

from pyarrow import ArrowInvalid, parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SUFFIXES = (".csv", ".csv.gz", ".parquet")
Row = tuple[int, tuple[str, ...]]


class OrderHistoryError(Exception):
    """An order history that cannot be replayed; the text names file, line, column, value and what was expected."""

    def __init__(
        self, file: str, expected: str, *, line: int | None = None, column: str | None = None, value: str | None = None
    ) -> None:
        """Keep where the problem is, and say it in one sentence."""
        self.file, self.line, self.column, self.value, self.expected = file, line, column, value, expected
        place = file + ("" if line is None else f", line {line}") + ("" if column is None else f", column {column}")
        found = "" if value is None else f" found {value!r},"
        super().__init__(f"{place}:{found} expected {expected}; correct the file and start again, nothing was loaded")


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """One file of a history, and the columns that are read from it."""

    file: str
    path: Path
    columns: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """Give each row's line number and its values in the order of `columns`; a column the file lacks is empty."""
        return parquet_rows(self) if self.path.suffix == ".parquet" else csv_rows(self)


def find_table(folder: Path, name: str, required: Sequence[str], optional: Sequence[str]) -> HistoryTable | None:
    """Find a table in a folder and check its columns; None when there is no such file."""
    found = [folder / f"{name}{suffix}" for suffix in SUFFIXES if (folder / f"{name}{suffix}").is_file()]
    if not found:
        return None
    if len(found) > 1:
        raise OrderHistoryError(found[1].name, f"only one file for {name}, there is {found[0].name} too")
    path = found[0]
    header = read_header(path)
    for column in required:
        if column not in header:
            raise OrderHistoryError(
                path.name, f"this column; the file has {', '.join(header) or 'none'}", line=1, column=column
            )
    return HistoryTable(path.name, path, (*required, *optional))


def open_text(path: Path) -> TextIO:
    """Open a csv file, packed or not; a byte order mark as spreadsheets write it is skipped."""
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def read_header(path: Path) -> list[str]:
    """Read a file's column names."""
    if path.suffix == ".parquet":
        try:
            return list(parquet.read_schema(path).names)
        except ArrowInvalid:
            raise OrderHistoryError(path.name, "a parquet file") from None
    with open_text(path) as lines:
        try:
            return [name.strip() for name in next(csv.reader(lines), [])]
        except UnicodeDecodeError:
            raise OrderHistoryError(path.name, "text in UTF-8") from None
        except (EOFError, OSError):
            raise OrderHistoryError(path.name, "a csv file packed by gzip") from None


def csv_rows(table: HistoryTable) -> Iterator[Row]:
    """Read a csv file."""
    with open_text(table.path) as lines:
        reader = csv.reader(lines)
        header = [name.strip() for name in next(reader)]
        places = [header.index(column) if column in header else None for column in table.columns]
        width = len(header)
        try:
            for row in reader:
                if len(row) == width:
                    yield reader.line_num, tuple("" if place is None else row[place].strip() for place in places)
                elif row:
                    raise OrderHistoryError(
                        table.file, f"{width} values as in the header", line=reader.line_num, value=f"{len(row)} values"
                    )
        except UnicodeDecodeError:
            raise OrderHistoryError(table.file, "text in UTF-8", line=reader.line_num + 1) from None
        except (csv.Error, EOFError, OSError) as problem:
            expected = f"a readable csv file ({problem})"
            raise OrderHistoryError(table.file, expected, line=reader.line_num + 1) from None


def parquet_rows(table: HistoryTable) -> Iterator[Row]:
    """Read a parquet file; a row's number counts as its line, the first row being line 1."""
    content = parquet.read_table(table.path)
    for name in table.columns:
        if name.endswith("_id") and name in content.column_names and "double" in str(content.schema.field(name).type):
            raise OrderHistoryError(table.file, "text or whole numbers, as fractions would change the ids", column=name)
    empty = [None] * content.num_rows
    columns = [content[name].to_pylist() if name in content.column_names else empty for name in table.columns]
    for number, values in enumerate(zip(*columns, strict=True), start=1):
        yield number, tuple(as_text(value) for value in values)


def as_text(value: object) -> str:
    """Write a parquet value as a csv file would show it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value).strip()
