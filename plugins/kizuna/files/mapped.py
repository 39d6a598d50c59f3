"""From a row to a record of its entity: each cell read as its field's type, the row kept beside it untouched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

from kizuna.files import values
from kizuna.files.entities import ENTITIES
from kizuna.files.formats import BadRow, FileError, Row
from kizuna.reading import UnfitRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kizuna.files.mapping import Column, Mapping
    from kizuna.files.stores import StoredFile


class MappedRows:
    """Makes records of one mapping's rows."""

    def __init__(self, mapping: Mapping) -> None:
        """Look the types up once."""
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.time_zone)
        types = ENTITIES[mapping.entity]
        self._columns = [(name, column, types[column.field]) for name, column in mapping.columns.items()]

    def check_columns(self, columns: Sequence[str], file: StoredFile) -> None:
        """Refuse a file that lacks a column the mapping needs.

        Raises:
            FileError: naming the columns that are missing.
        """
        missing = missing_columns(self._mapping, columns)
        if missing:
            message = (
                f"{file.name}: no column {', '.join(missing)}: expected as the mapping says; the file has "
                f"{', '.join(columns)}. Next: correct the mapping, or have the file exported whole"
            )
            raise FileError(message)

    def record(self, row: Row | BadRow, file: StoredFile) -> dict[str, Any] | UnfitRecord:
        """Make the record, or say why there is none; the reason shows the form of a value, never the value."""
        if isinstance(row, BadRow):
            return UnfitRecord(f"{file.name}:{row.number}", row.reason, json.dumps({"row": row.text}))
        cells = {name: as_text(cell) for name, cell in row.cells.items()}
        record_id = self._record_id(cells)
        try:
            if record_id is None:
                return self._unfit(f"{file.name}:{row.number}", f"has no {' / '.join(self._mapping.key)}", row)
            return {
                "id": record_id,
                "updated_at": self._updated_at(cells, file),
                "system": self._mapping.system,
                "fields": {**self._mapping.constants, **self._fields(cells)},
                "row": row.cells,
            }
        except values.ValueReadError as error:
            return self._unfit(record_id or f"{file.name}:{row.number}", str(error), row)

    def _record_id(self, cells: dict[str, str]) -> str | None:
        parts = [normalize("NFKC", cells.get(name, "")).strip() for name in self._mapping.key]
        return "/".join([self._mapping.system, *parts]) if all(parts) else None

    def _updated_at(self, cells: dict[str, str], file: StoredFile) -> str:
        name = self._mapping.updated
        if name is None:
            return file.modified_at.isoformat()
        return str(self._read(name, cells.get(name, ""), "timestamp") or file.modified_at.isoformat())

    def _fields(self, cells: dict[str, str]) -> dict[str, Any]:
        return {
            column.field: self._meaning(name, column, cells[name])
            if column.values is not None
            else self._read(name, cells[name], kind)
            for name, column, kind in self._columns
            if name in cells
        }

    def _meaning(self, name: str, column: Column, text: str) -> Any:  # noqa: ANN401 - what the mapping says
        words = column.values or {}
        word = text.strip()
        if word in words:
            return words[word]
        if not word:
            return None
        message = f"{column.field}: column {name}: {values.shape_of(text)!r} is none of the mapping's values"
        raise values.ValueReadError(message)

    def _read(self, name: str, text: str, kind: values.Kind) -> values.Value:
        try:
            return values.read(text, kind, self._zone)
        except values.ValueReadError as error:
            column = self._mapping.columns.get(name)
            field = column.field if column else "updated_at"
            message = f"{field}: column {name}: {values.shape_of(text)!r} {error}"
            raise values.ValueReadError(message) from None

    def _unfit(self, name: str, reason: str, row: Row) -> UnfitRecord:
        return UnfitRecord(name, reason, json.dumps({"row": row.cells}, ensure_ascii=False, default=str))


def missing_columns(mapping: Mapping, columns: Sequence[str]) -> list[str]:
    """Name what the mapping needs and the file does not have."""
    needed = [name for name, column in mapping.columns.items() if not column.is_optional]
    needed += [*mapping.key, *([mapping.updated] if mapping.updated else [])]
    return [name for name in dict.fromkeys(needed) if name not in columns]


def as_text(cell: Any) -> str:  # noqa: ANN401 - whatever Parquet or JSON holds
    """Write a typed cell as a text file would have it."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dict | list):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return str(cell)
