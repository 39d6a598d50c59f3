"""JSON lines, plain or gzip: one object a line; a line that is none costs itself and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from kizuna.files.delimited import binary_lines
from kizuna.files.formats import BadRow, Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def open_table(path: Path, file_name: str) -> Table:
    """Count the lines that are not blank, and open the rows; the columns are those of the first object."""
    with binary_lines(path, file_name) as lines:
        count = sum(not line.isspace() for line in lines)
    first = next((row for row in _rows(path, file_name) if isinstance(row, Row)), None)
    return Table(count, tuple(first.cells) if first else (), _rows(path, file_name))


def _rows(path: Path, file_name: str) -> Iterator[Row | BadRow]:
    with binary_lines(path, file_name) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.isspace():
                yield _row(number, line)


def _row(number: int, line: bytes) -> Row | BadRow:
    try:
        cells = orjson.loads(line)
    except orjson.JSONDecodeError:
        cells = None
    if not isinstance(cells, dict):
        return BadRow(number, f"line {number} is not a JSON object", line.decode(errors="backslashreplace"))
    return Row(number, cells)
