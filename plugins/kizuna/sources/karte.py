"""KARTE: what its Datahub exports by SQL: the log of events, and the names of segments, campaigns and actions.

Surprises of this vendor:
- Its API's specification is not public; Datahub's tables are, and a query's result is exported as a file.
  docs/sources/karte.md has the queries whose columns are expected here.
- An event has no id: it is known by all its columns. Its moment is `sync_date`, and days are cut in UTC.
- `values` is JSON in a text column.
- The three tables of names have no time of change: what was exported last holds.
"""

from __future__ import annotations

import json
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kizuna.files import values
from kizuna.files.formats import BadRow, FileError, Row
from kizuna.files.source import FileSource, FileStream, Intake
from kizuna.reading import UnfitRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kizuna.files.stores import StoredFile

UTC = ZoneInfo("UTC")
EVENT_COLUMNS = ("sync_date", "user_id", "visitor_id", "session_id", "event_name", "values")
NAMES_COLUMNS = {"segments": ("id", "name"), "campaigns": ("id", "name"), "actions": ("id", "campaign_id", "name")}


def event(row: Row | BadRow, file: StoredFile) -> dict[str, Any] | UnfitRecord:
    """Give an event an id and its moment; its values become an object."""
    if isinstance(row, BadRow):
        return UnfitRecord(f"{file.name}:{row.number}", row.reason, json.dumps({"row": row.text}))
    cells = row.cells
    whole = json.dumps(cells, ensure_ascii=False, default=str, sort_keys=True)
    try:
        moment = values.read_timestamp(str(cells.get("sync_date")), UTC)
        content = cells.get("values") or {}
        content = json.loads(content) if isinstance(content, str) else content
    except values.ValueReadError as error:
        return UnfitRecord(f"{file.name}:{row.number}", f"sync_date {error}", whole)
    except json.JSONDecodeError:
        return UnfitRecord(f"{file.name}:{row.number}", "values is not JSON", whole)
    identity = [moment.isoformat(), *(str(cells.get(name) or "") for name in EVENT_COLUMNS[1:-1]), content]
    digest = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
    return {**cells, "values": content, "id": digest, "occurred_at": moment.isoformat()}


def named(row: Row | BadRow, file: StoredFile) -> dict[str, Any] | UnfitRecord:
    """Take a row of a table of names as it is."""
    if isinstance(row, BadRow) or not row.cells.get("id"):
        reason = row.reason if isinstance(row, BadRow) else "has no id"
        return UnfitRecord(f"{file.name}:{row.number}", reason, json.dumps({"row": str(row)}))
    return row.cells


def check_columns(expected: Sequence[str], columns: Sequence[str], file: StoredFile) -> None:
    """Refuse a file whose query left a column out; an empty JSON file tells of none.

    Raises:
        FileError: naming the columns that are missing.
    """
    missing = [name for name in expected if name not in columns]
    if columns and missing:
        message = f"{file.name}: no column {', '.join(missing)}: expected the query of docs/sources/karte.md"
        raise FileError(message)


def intakes_of(stream_name: str) -> list[Intake]:
    """Take the files whose names have the table's, like karte_segment_20261122.csv."""
    table = f"*karte_{stream_name.removesuffix('s')}[_.]*"
    if stream_name == "events":
        return [Intake(table, event, check_columns=partial(check_columns, EVENT_COLUMNS))]
    return [Intake(table, named, check_columns=partial(check_columns, NAMES_COLUMNS[stream_name]))]


SOURCE = FileSource(
    name="karte",
    streams=(
        FileStream("events", intakes=partial(intakes_of, "events"), updated="occurred_at"),
        *(FileStream(name, intakes=partial(intakes_of, name)) for name in NAMES_COLUMNS),
    ),
)
