"""The rows of a file, whatever its format: counted independently, then read as a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FormatName = Literal["csv", "tsv", "xlsx", "parquet", "jsonl"]
NAMES_BY_ENDING: dict[str, FormatName] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


class FileError(Exception):
    """A file cannot be read as declared; the text names the file, what was found and what was expected, no contents."""


class Format(BaseModel):
    """How the rows of a file are written; without `name` its ending says so."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: FormatName | None = None
    encoding: Literal["auto", "utf-8", "cp932"] = "auto"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    header_row: int = Field(default=1, ge=1)
    sheet: str | None = None

    def name_for(self, file_name: str) -> FormatName:
        """Name the format of a file.

        Raises:
            FileError: when neither the declaration nor the ending says it.
        """
        ending = PurePosixPath(file_name.removesuffix(".gz")).suffix.lower()
        found = self.name or NAMES_BY_ENDING.get(ending)
        if found is None:
            message = f"{file_name}: no format is known for {ending or 'a name without ending'}: expected format.name"
            raise FileError(message)
        return found


@dataclass(frozen=True)
class Row:
    """One row: its number (line, or place in the sheet) and its cells by column."""

    number: int
    cells: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class BadRow:
    """What should have been a row, whole, and why it is none."""

    number: int
    reason: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Table:
    """One file, surveyed: how many rows an independent count finds, its columns, and the rows as a stream."""

    row_count: int
    columns: tuple[str, ...]
    rows: Iterator[Row | BadRow] = field(repr=False)


def open_table(path: Path, file_name: str, written: Format) -> Table:
    """Survey the file at `path`, which the store calls `file_name`, and open its rows.

    Raises:
        FileError: when the file as a whole is not what the format says.
    """
    from kizuna.files import delimited, json_lines, parquet, spreadsheets  # noqa: PLC0415 - only what a file needs

    name = written.name_for(file_name)
    if name == "xlsx":
        return spreadsheets.open_table(path, file_name, written)
    if name == "parquet":
        return parquet.open_table(path, file_name)
    if name == "jsonl":
        return json_lines.open_table(path, file_name)
    return delimited.open_table(path, file_name, written, written.delimiter or ("\t" if name == "tsv" else ","))


def column_names(cells: list[str]) -> tuple[str, ...]:
    """Name the columns of a header: blank ones by their place, repeated ones by their turn."""
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {place}"
        turn = 2
        while name in names:
            name = f"{cell.strip() or f'column {place}'} ({turn})"
            turn += 1
        names.append(name)
    return tuple(names)
