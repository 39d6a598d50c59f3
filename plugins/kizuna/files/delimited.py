"""CSV and TSV: UTF-8 or CP932, with or without BOM, quoted line breaks; a broken line costs itself and no other.

In CP932 no second byte of a character is a quote, a comma, a tab or a line break, so that records can be counted on
bytes, apart from the reader that splits them.
"""

from __future__ import annotations

import csv
import gzip
import re
from codecs import BOM_UTF8
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kizuna.files.formats import BadRow, FileError, Format, Row, Table, column_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Above what landing would keep; a quote that nobody closes would otherwise take the rest of the file into memory.
LONGEST_CELL = 4 * 1024 * 1024
_TO_CLOSING_QUOTE = re.compile(rb'(?:[^"]++|"")*+"')


@dataclass(frozen=True)
class Survey:
    """What one pass over the bytes finds: logical records that are not blank, and the encoding."""

    record_count: int
    encoding: str


def open_table(path: Path, file_name: str, written: Format, delimiter: str) -> Table:
    """Count the records, decide the encoding, read the header, and open the rows.

    Raises:
        FileError: when there is no header, a quote stays open, or the encoding cannot be told.
    """
    found = survey(path, file_name, written.encoding, delimiter)
    records = _records(path, file_name, found.encoding, delimiter)
    header: list[str] | None = None
    for _ in range(written.header_row):
        record = next(records, None)
        if record is None or isinstance(record, BadRow):
            message = f"{file_name}: no header in row {written.header_row}: expected the names of the columns there"
            raise FileError(message)
        header = record[1]
    columns = column_names(header or [])
    return Table(found.record_count - written.header_row, columns, _rows(records, columns))


def survey(path: Path, file_name: str, encoding: str, delimiter: str) -> Survey:
    """Count the records on the bytes, quotes respected, and tell UTF-8 from CP932 where that is left open."""
    quoted = _QuoteState(delimiter.encode())
    votes = _EncodingVotes()
    count = 0
    with binary_lines(path, file_name) as lines:
        for line in lines:
            if encoding == "auto" and not line.isascii():
                votes.add(line)
            if not quoted.is_open and not line.strip(b"\r\n"):
                continue
            quoted.read(line)
            count += not quoted.is_open
    if quoted.is_open:
        message = f"{file_name}: a quote is opened and never closed: expected one at the end of that cell"
        raise FileError(message)
    return Survey(count, votes.decide(file_name) if encoding == "auto" else encoding)


class _QuoteState:
    """Whether a record goes on in the next line; as for the csv module, a quote opens at a cell's start only."""

    def __init__(self, delimiter: bytes) -> None:
        self.is_open = False
        self._delimiter = delimiter

    def read(self, line: bytes) -> None:
        if b'"' not in line:
            return
        place = 0
        if not self.is_open and line.startswith(b'"'):
            self.is_open, place = True, 1
        while True:
            if self.is_open:
                closing = _TO_CLOSING_QUOTE.match(line, place)
                if closing is None:
                    return
                self.is_open, place = False, closing.end()
            end_of_cell = line.find(self._delimiter, place)
            if end_of_cell < 0:
                return
            place = end_of_cell + 1
            if line.startswith(b'"', place):
                self.is_open, place = True, place + 1


class _EncodingVotes:
    """How many of the lines that are not plain ASCII can be read as UTF-8, and how many as CP932."""

    def __init__(self) -> None:
        self.lines = self.utf8 = self.cp932 = 0

    def add(self, line: bytes) -> None:
        self.lines += 1
        self.utf8 += _can_read(line, "utf-8")
        self.cp932 += _can_read(line, "cp932")

    def decide(self, file_name: str) -> str:
        if self.utf8 == self.lines:
            return "utf-8"
        if self.cp932 == self.lines and self.utf8 * 2 < self.lines:
            return "cp932"
        message = (
            f"{file_name}: of {self.lines} lines with other than ASCII characters {self.utf8} are UTF-8 and "
            f"{self.cp932} CP932: expected all of one. Next: set format.encoding; lines that do not fit are put aside"
        )
        raise FileError(message)


def _can_read(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


class _DecodedLines:
    """The physical lines as text; remembers whether one since the last asking could not be read."""

    def __init__(self, lines: Iterator[bytes], encoding: str) -> None:
        self._lines, self._encoding = lines, encoding
        self.number, self.is_damaged = 0, False

    def __iter__(self) -> _DecodedLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            self.is_damaged = True
            return line.decode(self._encoding, errors="backslashreplace")


def _records(path: Path, file_name: str, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]] | BadRow]:
    """Yield each record that is not blank with the number of its first line."""
    with binary_lines(path, file_name) as binary:
        lines = _DecodedLines(binary, encoding)
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            number, lines.is_damaged = lines.number + 1, False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                message = f"{file_name}: line {number} is not delimited text ({error})"
                raise FileError(message) from None
            if lines.is_damaged:
                yield BadRow(number, f"line {number} is not {encoding}", delimiter.join(cells))
            elif cells:
                yield number, cells


def _rows(records: Iterator[tuple[int, list[str]] | BadRow], columns: tuple[str, ...]) -> Iterator[Row | BadRow]:
    for record in records:
        if isinstance(record, BadRow):
            yield record
            continue
        number, cells = record
        if len(cells) == len(columns):
            yield Row(number, dict(zip(columns, cells, strict=True)))
        else:
            reason = f"line {number} has {len(cells)} cells, the header {len(columns)}"
            yield BadRow(number, reason, ",".join(cells))


@contextmanager
def binary_lines(path: Path, file_name: str) -> Iterator[Iterator[bytes]]:
    """Open the lines of a file, unpacked where its name ends in .gz, without a byte order mark."""
    is_packed = file_name.endswith(".gz")
    with gzip.open(path, "rb") if is_packed else path.open("rb") as file:
        if file.read(len(BOM_UTF8)) != BOM_UTF8:
            file.seek(0)
        try:
            yield iter(file)
        except (EOFError, gzip.BadGzipFile):
            message = f"{file_name}: the gzip stream ends early or is damaged. Next: have it sent again"
            raise FileError(message) from None
