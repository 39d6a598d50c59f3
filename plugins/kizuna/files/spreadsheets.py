"""XLSX: one sheet, row by row; counted in the sheet's own XML, apart from the library that reads the cells."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import iterparse
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook

from kizuna.files.formats import BadRow, FileError, Format, Row, Table, column_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def open_table(path: Path, file_name: str, written: Format) -> Table:
    """Count the rows that hold something, read the header, and open the rows.

    Raises:
        FileError: when the file is no workbook, the sheet is missing, or there is no header.
    """
    filled = _filled(path, file_name, written.sheet)
    header: list[str] | None = None
    for _ in range(written.header_row):
        found = next(filled, None)
        if found is None:
            message = f"{file_name}: no header in row {written.header_row}: expected the names of the columns there"
            raise FileError(message)
        header = [_text(cell) for cell in found[1]]
    columns = column_names(header or [])
    return Table(_count_rows(path, file_name, written.sheet) - written.header_row, columns, _rows(filled, columns))


@contextmanager
def _opened(path: Path, file_name: str, name: str | None) -> Iterator[Any]:
    """Open a sheet by its name, or the first; the library's types know nothing of its read-only sheets."""
    with path.open("rb") as file:
        try:
            workbook = load_workbook(file, read_only=True, data_only=True)
        except (BadZipFile, KeyError, OSError):
            message = f"{file_name}: not a whole workbook: expected XLSX. Next: have it sent again"
            raise FileError(message) from None
        if name is not None and name not in workbook.sheetnames:
            message = f"{file_name}: no sheet {name!r}: expected one of {', '.join(workbook.sheetnames)}"
            raise FileError(message)
        sheet: Any = workbook[name] if name else workbook.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size is often wrong
        yield sheet
        workbook.close()


def _filled(path: Path, file_name: str, name: str | None) -> Iterator[tuple[int, tuple[Any, ...]]]:
    with _opened(path, file_name, name) as sheet:
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            if any(cell is not None for cell in row):
                yield number, row


def _rows(filled: Iterator[tuple[int, tuple[Any, ...]]], columns: tuple[str, ...]) -> Iterator[Row | BadRow]:
    for number, row in filled:
        cells = [_text(cell) for cell in row]
        if any(cells[len(columns) :]):
            reason = f"row {number} has cells beyond the {len(columns)} columns of the header"
            yield BadRow(number, reason, ",".join(cells))
        else:
            cells += [""] * (len(columns) - len(cells))
            yield Row(number, dict(zip(columns, cells, strict=False)))


def _text(cell: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    """Write a cell as a text file would have it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _count_rows(path: Path, file_name: str, name: str | None) -> int:
    """Count the rows with a value in the sheet's XML."""
    with _opened(path, file_name, name) as opened:
        part = opened._worksheet_path  # noqa: SLF001 - the library resolves names to parts, but tells nobody
    count = 0
    with ZipFile(path) as parts, parts.open(part.lstrip("/")) as sheet:
        for _, element in iterparse(sheet):  # noqa: S314 - expat expands no entity of a workbook, which declares none
            if element.tag.endswith("}row"):
                count += any(_has_value(value) for cell in element for value in cell)
                element.clear()
    return count


def _has_value(element: Any) -> bool:  # noqa: ANN401 - an XML element
    return element.tag.endswith("}is") or (element.tag.endswith("}v") and element.text is not None)
