"""One run of identity: take what is new, solve what it touches, write what changed, in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from psycopg.types.json import Json

from kizuna import warehouse
from kizuna.identity import overrides_file, sets
from kizuna.identity import policy as policies
from kizuna.identity.assignment import assign
from kizuna.identity.blocking import TABLES, block
from kizuna.identity.comparing import compare
from kizuna.identity.deciding import decide
from kizuna.identity.errors import IdentityDriftError
from kizuna.identity.exchange import accept_arrays, count
from kizuna.identity.guarding import guard
from kizuna.identity.knowing import know_everything, know_touched
from kizuna.identity.outcome import write_households, write_over_caps, write_refusals
from kizuna.identity.reading import read_everything, read_touched
from kizuna.identity.ruling import rule, touch_ruled
from kizuna.identity.solving import solve
from kizuna.identity.stamp import Stamp
from kizuna.identity.taking import take
from kizuna.identity.touching import spread
from kizuna.identity.writing import Change, write_customers

if TYPE_CHECKING:
    from kizuna.identity.exchange import Column, Connection
    from kizuna.identity.policy import Policy

# Above this part of all records, reading everything is faster than finding what is touched.
MOST_TOUCHED = 0.2
STAMP = """
select
    coalesce(max(run_number), 0) + 1,
    greatest(
        clock_timestamp(), (select at + interval '1 microsecond' from identity.runs order by run_number desc limit 1)
    )
from identity.runs
"""
RECORD_RUN = """
insert into identity.runs (
    run_number, run_id, mode, policy_version, taken_evidence, touched_records, touched_components, component_sizes,
    minted, merged, split, restored, retired, refused, seconds, at
) values (
    %(run_number)s, %(run_id)s, %(mode)s, %(policy_version)s, %(taken)s, %(records)s, %(components)s, %(sizes)s,
    %(minted)s, %(merged)s, %(split)s, %(restored)s, %(retired)s, %(refused)s, %(seconds)s, %(at)s
)
"""


@dataclass(frozen=True)
class Resolution:
    """What one run took, solved and changed, in counts; all 0 where there was no news."""

    taken_evidence: int = 0
    touched_records: int = 0
    touched_components: int = 0
    customers: int = 0  # of the touched records
    minted: int = 0
    merged: int = 0
    split: int = 0
    restored: int = 0
    retired: int = 0
    refused_links: int = 0
    written_blocks: int = 0  # rows of values over the caps, written by a full run
    written_memberships: int = 0  # rows of everything that says whose a record is or was
    written_refusals: int = 0
    written_households: int = 0

    @property
    def written_rows(self) -> int:
        """How many rows differ from those before the run."""
        return self.written_blocks + self.written_memberships + self.written_refusals + self.written_households


def resolve(warehouse_url: str, run_id: str, *, full: bool = False) -> Resolution:
    """Take the changed evidence and give every record it touches its customer.

    Everything happens in one transaction, so that readers and killed runs see the map before or after it. A run
    without news writes nothing. The answer is that of solving everything, whatever came in whichever batches.

    Args:
        warehouse_url: where identity's tables are.
        run_id: named in events and runs.
        full: solve all records, not only those touched.

    Raises:
        IdentityError: when evidence is missing or all gone, when hashes collide, or when the answer is above the
            policy's limits; nothing is changed then.
    """
    started = time.monotonic()
    policy = policies.load()
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        stamp = _begin(connection, run_id, policy)
        overrides_file.take_file(connection)
        ruling = rule(connection, policy)
        taken = take(connection, policy)
        decided = decide(connection, policy, rescore=ruling.rescored)
        touch_ruled(connection, policy, ruling)
        seeds = sets.distinct(np.concatenate([taken.records, decided, block(connection, policy, stamp)]))
        if not len(seeds) and not full and not ruling.is_new:
            return Resolution(taken_evidence=taken.evidence)
        if ruling.is_new:
            _remember(connection, policy)
        everything = full or ruling.everything or len(seeds) > MOST_TOUCHED * _record_count(connection)
        resolution, sizes = _solve(connection, policy, stamp, None if everything else seeds)
        resolution = Resolution(**{**vars(resolution), "taken_evidence": taken.evidence})
        if resolution.written_rows or taken.evidence or ruling.is_new or len(seeds):
            _record(connection, stamp, resolution, sizes, "full" if full else "incremental", time.monotonic() - started)
        return resolution


def verify(warehouse_url: str, run_id: str) -> Resolution:
    """Solve everything again by the rules of the last run, and compare; write nothing.

    Raises:
        IdentityDriftError: when the answer differs from what the runs have left, with counts of what differs.
    """
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        stamp = _begin(connection, run_id, policies.load())
        row = connection.execute(
            "select policy from identity.runs inner join identity.policies using (policy_version) "
            "order by run_number desc limit 1"
        ).fetchone()
        policy = policies.known(row[0]) if row else policies.load()  # type: ignore[arg-type]
        resolution, _ = _solve(connection, policy, stamp, None)
        connection.rollback()
    if resolution.written_rows:
        differing = {name: number for name, number in vars(resolution).items() if number and name != "customers"}
        message = (
            f"Solving everything again would write {resolution.written_rows} rows, expected none ({differing}): the "
            "map has drifted from its links. Nothing was changed; `kizuna identity rebuild` brings it back"
        )
        raise IdentityDriftError(message)
    return resolution


def _begin(connection: Connection, run_id: str, policy: Policy) -> Stamp:
    connection.execute("select pg_advisory_xact_lock(hashtext('kizuna.identity'))")
    connection.execute("set local work_mem = '128MB'")
    accept_arrays(connection)
    for statement in TABLES:
        connection.execute(statement)
    # Taken after the lock, so that the order of these stamps is the order of the runs.
    row = connection.execute(STAMP).fetchone()
    number, at = row  # type: ignore[misc]
    return Stamp(number, run_id, policy.digest(), at)


def _remember(connection: Connection, policy: Policy) -> None:
    connection.execute(
        "insert into identity.policies (policy_version, policy) values (%s, %s) on conflict do nothing",
        [policy.digest(), Json(policy.model_dump(mode="json"))],
    )
    connection.execute(
        "update identity.kinds set strength = array_position(%(names)s, kind) "
        "where strength is distinct from array_position(%(names)s, kind)",
        {"names": list(policy.names)},
    )


def _record_count(connection: Connection) -> int:
    return count(connection, "select coalesce(max(record_number), 0) from identity.records")


def _solve(
    connection: Connection, policy: Policy, stamp: Stamp, seeds: Column | None
) -> tuple[Resolution, dict[str, int]]:
    """Solve what `seeds` touch (everything where None) and write what it changes."""
    touched = None if seeds is None else spread(connection, seeds)
    written_blocks = 0
    if touched is None:
        reading, over = read_everything(connection, policy)
        written_blocks = write_over_caps(connection, over, policy, stamp)
        knowledge = know_everything(connection, reading.places)
    else:
        reading = read_touched(connection, touched, policy)
        knowledge = know_touched(connection, touched, reading.places)
    solution = solve(reading.problem, policy, compare)
    assignment = assign(solution.clusters.astype(np.int64), knowledge.known)
    guard(reading.problem, solution, assignment, policy, knowledge.next_number)
    change = Change(reading.places, knowledge, assignment)
    sizes = np.bincount(np.bincount(solution.components)) if len(solution.components) else np.zeros(1, np.int64)
    resolution = Resolution(
        touched_records=len(assignment.current),
        touched_components=int(sizes[1:].sum()),
        customers=len(sets.distinct(assignment.current)),
        minted=len(assignment.founders),
        merged=len(assignment.merged),
        split=len(assignment.split),
        restored=len(assignment.restored),
        retired=len(assignment.retired),
        refused_links=len(solution.refusals.kinds),
        written_blocks=written_blocks,
        written_memberships=write_customers(connection, change, stamp),
        written_refusals=write_refusals(connection, change, solution, touched, policy),
        written_households=write_households(connection, change, solution, everything=touched is None),
    )
    return resolution, {str(size): int(sizes[size]) for size in np.flatnonzero(sizes) if size}


def _record(
    connection: Connection, stamp: Stamp, resolution: Resolution, sizes: dict[str, int], mode: str, seconds: float
) -> None:
    counts = vars(resolution)
    values = {
        **counts,
        **vars(stamp),
        "mode": mode,
        "taken": resolution.taken_evidence,
        "records": resolution.touched_records,
        "components": resolution.touched_components,
        "sizes": Json(sizes),
        "refused": resolution.refused_links,
        "seconds": seconds,
    }
    connection.execute(RECORD_RUN, values)
