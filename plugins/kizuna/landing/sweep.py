"""Finds what a vendor has deleted: most tell it by webhook only, and a webhook may be lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kizuna.landing.errors import SweepRefusedError
from kizuna.landing.records import batches
from kizuna.landing.tables import Stamp
from kizuna.reading import EPOCH

if TYPE_CHECKING:
    from kizuna.landing.tables import RawTable
    from kizuna.reading import Reader, Stream

# Each missing record is asked for by itself; so many deletions since the last sweep are a mistake somewhere.
MOST_GONE = 1_000


@dataclass(frozen=True)
class Sweep:
    """What a sweep found: ids that the vendor lists, known records not among them, and those it says are gone."""

    source: str
    stream: str
    listed_count: int
    missing_count: int
    gone_count: int


def sweep(table: RawTable, stream: Stream, reader: Reader, run_id: str, *, most_gone: int) -> Sweep:
    """List all ids, ask for each known record that is not listed, and mark deleted what is not there when asked for.

    A page that the vendor drops costs questions and no record: only its own word on a record counts.

    Raises:
        SweepRefusedError: when more than `most_gone` records are missing; nothing is marked.
    """
    now = reader.start(EPOCH, None)
    bare = replace(stream, updated=None, is_bounded=True)
    listed = 0
    for batch in batches(reader.id_pages(), bare, now):
        listed += batch.record_count
        table.collect(batch)
    missing = table.sample_missing(most_gone + 1, None)
    if len(missing) > most_gone:
        message = (
            f"{table.source}.{table.stream}: more than {most_gone} known records are not among the {listed} that the "
            f"vendor lists: refusing to ask for each. Next: check that the token belongs to the same account as before"
        )
        raise SweepRefusedError(message)
    present = [record_id for record_id in missing if reader.still_there([record_id])]
    table.keep(present)
    with table.session.transaction():
        gone = table.insert_deletions(Stamp(run_id, now), None)
    return Sweep(table.source, table.stream, listed, len(missing), gone)
