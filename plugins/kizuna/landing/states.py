"""How far every stream has been read, and what waits in its quarantine."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kizuna import warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# Row counts are the planner's: counting a large history for a listing would take longer than reading the vendor.
_STATES = """
with known as (
    select source, stream from ops.watermarks
    union
    select source, stream from ops.landings
    union
    select source, stream from ops.quarantine
),
last_landings as (
    select distinct on (source, stream) source, stream, read_count, at
    from ops.landings
    order by source asc, stream asc, landing_id desc
),
waiting as (
    select source, stream, count(*) as quarantined_count
    from ops.quarantine
    where resolved_at is null
    group by source, stream
)
select
    known.source,
    known.stream,
    watermarks.upper_at,
    extract(epoch from now() - last_landings.at)::float,
    greatest(coalesce(classes.reltuples, 0), 0)::bigint,
    coalesce(last_landings.read_count, 0),
    coalesce(waiting.quarantined_count, 0)
from known
left join ops.watermarks using (source, stream)
left join last_landings using (source, stream)
left join waiting using (source, stream)
left join pg_class as classes on classes.oid = to_regclass(format('raw.%I', known.source || '__' || known.stream))
"""


@dataclass(frozen=True)
class StreamState:
    """One stream: read up to which source time, last read how many seconds ago, about how many versions are in raw."""

    upper_at: datetime | None = None
    lag_seconds: float | None = None
    row_count: int = 0
    last_read_count: int = 0
    quarantined_count: int = 0


def states(warehouse_url: str) -> Mapping[tuple[str, str], StreamState]:
    """Return the state of each (source, stream); one that was never read has an empty state."""
    found: dict[tuple[str, str], StreamState] = defaultdict(StreamState)
    with warehouse.connect(warehouse_url, "kizuna_ingest", read_only=True) as session:
        for row in session.execute(_STATES).fetchall():
            found[row[0], row[1]] = StreamState(*row[2:])  # type: ignore[index, arg-type]
    return found
