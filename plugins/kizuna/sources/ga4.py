"""GA4: the events that Google Analytics exports to BigQuery, taken from there as files, one or more a day.

Surprises of this vendor:
- A day is rewritten for up to three days after it, and rows may go as well as come: a day's files are one whole.
- `events_intraday_` is a draft of the day; when `events_` of that day is there, the draft does not count any more.
- An event has no id: it is known by user, moment, name, its place in the bundle, and its parameters.
- JSON exports write 64-bit numbers as text and leave nulls out, Parquet does neither: ids must be the same from both.
- `event_date` is in the property's time zone, `event_timestamp` in microseconds of UTC.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kizuna.files.formats import BadRow, Row
from kizuna.files.source import FileSource, FileStream, Intake
from kizuna.reading import UnfitRecord

if TYPE_CHECKING:
    from kizuna.files.stores import StoredFile

PATTERN = "*events_*[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]*"
NAME = re.compile(r"events_(?P<is_draft>intraday_)?(?P<day>\d{8})[^/]*$")
IDENTIFYING = ("user_pseudo_id", "event_timestamp", "event_name", "event_bundle_sequence_id")
DRAFT, FINAL = 0, 1


@lru_cache
def day_of(name: str) -> tuple[str, int]:
    """Return the day that a file is about, and whether it is its draft."""
    found = NAME.search(name)
    if found is None:
        return name, DRAFT
    return found["day"], DRAFT if found["is_draft"] else FINAL


def event(row: Row | BadRow, file: StoredFile) -> dict[str, Any] | UnfitRecord:
    """Give an event the id that it lacks: its day, and a hash of what tells it from others."""
    if isinstance(row, BadRow):
        return UnfitRecord(f"{file.name}:{row.number}", row.reason, json.dumps({"row": row.text}))
    if not row.cells.get("event_timestamp") or not row.cells.get("event_name"):
        whole = json.dumps(row.cells, ensure_ascii=False, default=str)
        return UnfitRecord(f"{file.name}:{row.number}", "has no event_timestamp or no event_name", whole)
    identity = [str(row.cells.get(name)) for name in IDENTIFYING]
    parameters = sorted((plain(one) for one in row.cells.get("event_params") or ()), key=str)
    digest = sha256(json.dumps([identity, parameters], sort_keys=True).encode()).hexdigest()[:32]
    return {**row.cells, "id": f"{day_of(file.name)[0]}/{digest}"}


def plain(value: object) -> object:
    """Write a value as every export format would: without nulls, numbers as text."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return str(value)


SOURCE = FileSource(
    name="ga4",
    streams=(FileStream("events", intakes=lambda: [Intake(PATTERN, event, scope=day_of)], is_snapshot=True),),
)
