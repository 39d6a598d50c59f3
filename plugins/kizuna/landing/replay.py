"""Brings quarantined records into raw after they, or the rules that refused them, were mended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kizuna.landing.records import Batch, RejectedRecord, copy_line
from kizuna.landing.shape import Shape
from kizuna.landing.tables import Stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kizuna.landing.tables import RawTable
    from kizuna.reading import Stream

_WAITING = """
select payload_hash, payload
from ops.quarantine
where source = %s and stream = %s and resolved_at is null and (%s::text is null or record_id = %s)
order by first_seen_at, payload_hash
"""
_RESOLVE = """
update ops.quarantine
set resolved_at = now(), resolution = %(resolution)s
where source = %(source)s and stream = %(stream)s and payload_hash = any(%(hashes)s) and resolved_at is null
"""


ALREADY_LANDED = "raw has it, and nothing tells which is newer: the next reading brings it as it is"


@dataclass(frozen=True)
class Replay:
    """What a replay did: records that were waiting, that landed, and the reasons why the others still cannot."""

    waiting_count: int
    landed_count: int
    reasons: Mapping[str, int]


def replay(
    table: RawTable, stream: Stream, run_id: str, *, record_id: str | None, changes: Mapping[str, Any], is_trial: bool
) -> Replay:
    """Judge the quarantined records anew, with `changes` (dotted field → value) made to them, and land those that fit.

    A record that has since been landed in a newer version stays behind it: versions are ordered by the source's time.
    Where the source tells no time, one that raw has is left to the next reading, which shows it as it is now.
    The quarantine keeps every record, with how and when it was resolved.
    """
    rows = table.session.execute(_WAITING, [table.source, table.stream, record_id, record_id]).fetchall()
    shape, batch, landed, reasons = Shape(stream), Batch(), list[bytes](), dict[str, int]()
    for payload_hash, payload in rows:
        line = copy_line(changed(json.loads(payload), changes), shape)
        if isinstance(line, RejectedRecord):
            reasons[line.reason] = reasons.get(line.reason, 0) + 1
            continue
        if stream.updated is None and table.has(line.split(b"\t", 1)[0].decode()):
            reasons[ALREADY_LANDED] = reasons.get(ALREADY_LANDED, 0) + 1
            continue
        batch.lines += line
        landed.append(bytes(payload_hash))
    if landed and not is_trial:
        with table.session.transaction():
            table.collect(batch)
            table.drop_duplicates()
            table.insert_versions(Stamp(run_id, datetime.now(UTC)))
            resolution = f"replayed by {run_id}" + (f" with {', '.join(sorted(changes))} changed" if changes else "")
            table.session.execute(
                _RESOLVE,
                {"resolution": resolution, "source": table.source, "stream": table.stream, "hashes": landed},
            )
    return Replay(len(rows), len(landed), reasons)


def changed(record: Any, changes: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a vendor's record: anything
    """Return the record with these fields set; the objects on the way to a dotted one are made where missing."""
    for dotted, value in changes.items():
        holder = record
        *path, last = dotted.split(".")
        for name in path:
            if not isinstance(holder, dict):
                break
            holder = holder.setdefault(name, {})
        if isinstance(holder, dict):
            holder[last] = value
    return record
