"""Reads a window until it is proven whole: by the vendor's count, or by another reading that lacks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kizuna.landing.errors import AccountingError, ReconciliationError
from kizuna.landing.prefetch import prefetched
from kizuna.landing.records import batches

if TYPE_CHECKING:
    from kizuna.landing.tables import RawTable
    from kizuna.reading import Reader, Stream, VendorCount, Window

# A row that changes while its window is walked leaves the window and makes the counts differ; a new walk settles it.
MAX_WALKS = 3
MISSING_ASKED_FOR = 20


@dataclass(frozen=True)
class Walk:
    """What one reading of the window gave; `lost_count`: how many ids of the readings before it lacks, if any."""

    page_count: int
    distinct_count: int
    quarantined_count: int
    has_duplicates: bool
    vendor_count: VendorCount | None
    still_there_count: int
    lost_count: int | None

    @property
    def is_reconciled(self) -> bool:
        """Tell whether the window is proven whole."""
        if self.vendor_count is None:
            return self.lost_count == 0 and self.still_there_count == 0
        return self.vendor_count.agrees_with(self.distinct_count) and self.still_there_count == 0

    @property
    def proof(self) -> str:
        """Say what the reading was held against, in words that a count of records follows."""
        if self.vendor_count is not None:
            return f"the vendor counts {self.vendor_count} records"
        return f"{self.lost_count} records of earlier readings are not in the last one, of the records"


def read_reconciled(table: RawTable, stream: Stream, reader: Reader, window: Window) -> Walk:
    """Walk the window until the vendor's count agrees, or a walk shows all that those before it did.

    Gives up after MAX_WALKS.
    """
    for number in range(1, MAX_WALKS + 1):
        walk = _read(table, stream, reader, window, is_first=number == 1)
        if walk.is_reconciled:
            return walk
        if number < MAX_WALKS:
            table.clear_window()
    missing = (
        f", and {walk.still_there_count} of the missing are there when asked for" if walk.still_there_count else ""
    )
    message = (
        f"{table.source}.{table.stream}: {walk.proof} from {window.lower.isoformat()} "
        f"to {window.upper.isoformat()}, {walk.distinct_count} were read{missing}, after reading {MAX_WALKS} times. "
        f"Nothing was landed and the watermark has not moved. Next: run again; if it stays, the vendor drops pages"
    )
    raise ReconciliationError(message)


def _read(table: RawTable, stream: Stream, reader: Reader, window: Window, *, is_first: bool) -> Walk:
    """Collect every page of the window, then ask the vendor for its count."""
    pages = records = 0
    with prefetched(batches(reader.pages(window), stream, window.upper)) as fetched:
        for batch in fetched:
            table.collect(batch)
            pages += batch.page_count
            records += batch.record_count
    counted = table.count_window()
    collected, rejected = counted.records, counted.rejects
    if collected + rejected != records:
        message = (
            f"{table.source}.{table.stream}: {records} records were read, but {collected} collected and {rejected} "
            f"rejected: expected the sum. Nothing was landed. Next: report this fault of Kizuna"
        )
        raise AccountingError(message)
    # A count of yesterday cannot see that a page is missing today; asking for some of those who left can.
    missing = table.sample_missing(MISSING_ASKED_FOR, reader.scopes) if stream.is_snapshot and counted.distinct else []
    return Walk(
        page_count=pages,
        distinct_count=counted.distinct,
        quarantined_count=counted.distinct_rejects,
        has_duplicates=counted.distinct < records,
        vendor_count=reader.count(window),
        still_there_count=reader.still_there(missing) if missing else 0,
        lost_count=None if is_first else table.count_lost(),
    )
