"""Human word on who is who: two records are never or always one person, or a value is shared by many.

Every decision has who, when and why. None is deleted: it is in force until someone revokes it, with the same three.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from kizuna.identity.exchange import Connection

Word = Literal["never", "always", "shared"]
READ = """
select
    override_id, decision, record_key_a, record_key_b, value_hash, who, why, at, is_from_file,
    revoked_by, revoked_at, revoked_why
from identity.overrides
where revoked_at is null or %s
order by override_id
"""


class OverrideError(ValueError):
    """A decision cannot be taken or revoked; the text has one line per reason."""


@dataclass(frozen=True)
class Revocation:
    """Who took a decision back, when and why."""

    who: str
    at: datetime
    why: str


@dataclass(frozen=True)
class Override:
    """One decision: on two records (`never`, `always`), or on an identifier by its hash (`shared`)."""

    decision: Word
    record_key_a: str | None
    record_key_b: str | None
    value_hash: int | None
    who: str
    why: str
    at: datetime | None = None
    override_id: int | None = None
    is_from_file: bool = False
    revocation: Revocation | None = None

    def subject(self) -> tuple[str, str | None, str | None, int | None]:
        """Return what is decided, whoever decided it: no two decisions in force have the same."""
        return self.decision, self.record_key_a, self.record_key_b, self.value_hash

    def name(self) -> str:
        """Return how messages speak of it, without a personal value."""
        number = f"decision {self.override_id}" if self.override_id else "this decision"
        on = f"value {self.value_hash}" if self.decision == "shared" else f"{self.record_key_a} and {self.record_key_b}"
        when = f", {self.at:%Y-%m-%d}" if self.at else ""
        return f"{number} ({self.decision}: {on}; by {self.who}{when})"


def on_records(decision: Literal["never", "always"], one: str, other: str, *, who: str, why: str) -> Override:
    """Return the decision that two records are never, or always, one person.

    Raises:
        OverrideError: when it is one record, or nobody or no reason is named.
    """
    if one == other:
        message = f"{one} is the same record twice: expected two records"
        raise OverrideError(message)
    first, second = sorted((one, other))
    return _signed(Override(decision, first, second, None, who.strip(), why.strip()))


def on_value(value_hash: int, *, who: str, why: str) -> Override:
    """Return the decision that a value is shared by people who have nothing else to do with each other.

    Raises:
        OverrideError: when nobody or no reason is named.
    """
    return _signed(Override("shared", None, None, value_hash, who.strip(), why.strip()))


def _signed(override: Override) -> Override:
    if not override.who or not override.why:
        message = "expected who decided and why: neither may be empty"
        raise OverrideError(message)
    return override


def living(connection: Connection) -> list[Override]:
    """Return the decisions in force, in the order they were written down."""
    return [_from_row(row) for row in connection.execute(READ, [False])]


def ever(connection: Connection) -> list[Override]:
    """Return every decision, those revoked too, in the order they were written down."""
    return [_from_row(row) for row in connection.execute(READ, [True])]


def _from_row(row: tuple[Any, ...]) -> Override:
    number, decision, first, second, value_hash, who, why, at, is_from_file, *end = row
    revocation = Revocation(*end) if end[1] else None
    return Override(decision, first, second, value_hash, who, why, at, number, is_from_file, revocation)


def decide(connection: Connection, override: Override) -> Override:
    """Put a decision in force from the next run on; return it with its number.

    Raises:
        OverrideError: when it is in force already, contradicts what is, or speaks of records nobody knows.
    """
    # Two people deciding at once must see each other's word.
    connection.execute("select pg_advisory_xact_lock(hashtext('kizuna.identity.overrides'))")
    in_force = living(connection)
    problems = [*_unknown(connection, override), *objections(override, in_force)]
    if problems:
        raise OverrideError("\n".join(problems))
    return add(connection, override)


def add(connection: Connection, override: Override) -> Override:
    """Write a checked decision down; `at` is now unless it says when."""
    row = connection.execute(
        """
        insert into identity.overrides
            (decision, record_key_a, record_key_b, value_hash, who, why, at, is_from_file)
        values (%s, %s, %s, %s, %s, %s, coalesce(%s, now()), %s)
        returning override_id, at
        """,
        [*override.subject(), override.who, override.why, override.at, override.is_from_file],
    ).fetchone()
    number, at = cast("tuple[int, datetime]", row)
    return replace(override, override_id=number, at=at)


def revoke(connection: Connection, override_id: int, *, who: str, why: str) -> Override:
    """Take a decision back from the next run on; return what it was.

    Raises:
        OverrideError: when there is no such decision in force, it stands in the file, or nobody or no reason is named.
    """
    found = next((one for one in living(connection) if one.override_id == override_id), None)
    if found is None:
        message = f"no decision {override_id} is in force: `kizuna identity override list` shows those that are"
        raise OverrideError(message)
    if found.is_from_file:
        message = f"{found.name()} stands in identity_overrides.csv: take its line out there"
        raise OverrideError(message)
    _signed(replace(found, who=who.strip(), why=why.strip()))
    end_all(connection, [override_id], who=who.strip(), why=why.strip())
    return found


def end_all(connection: Connection, override_ids: list[int], *, who: str, why: str) -> None:
    """Mark decisions as revoked."""
    connection.execute(
        """
        update identity.overrides set revoked_at = now(), revoked_by = %s, revoked_why = %s
        where override_id = any(%s) and revoked_at is null
        """,
        [who, why, override_ids],
    )


def objections(override: Override, in_force: Iterable[Override]) -> list[str]:
    """Return why a decision cannot stand beside those in force: one line each, none when it can."""
    in_force = list(in_force)
    same = [one for one in in_force if one.subject() == override.subject()]
    if same:
        return [f"this is {same[0].name()} already: {same[0].why}"]
    return [
        f"{never.name()} and a chain of always cannot both hold: {', '.join(one.name() for one in chain)}; "
        "revoke one of them first"
        for never, chain in contradictions([*in_force, override])
        if override is never or override in chain
    ]


def contradictions(overrides: Iterable[Override]) -> Iterator[tuple[Override, list[Override]]]:
    """Yield every `never` whose two records a chain of `always` joins, with a shortest such chain."""
    neighbours: dict[str | None, list[tuple[str | None, Override]]] = defaultdict(list)
    nevers = []
    for one in overrides:
        if one.decision == "always":
            neighbours[one.record_key_a].append((one.record_key_b, one))
            neighbours[one.record_key_b].append((one.record_key_a, one))
        elif one.decision == "never":
            nevers.append(one)
    for never in nevers:
        chain = _chain(neighbours, never.record_key_a, never.record_key_b)
        if chain:
            yield never, chain


def _chain(
    neighbours: Mapping[str | None, list[tuple[str | None, Override]]], start: str | None, goal: str | None
) -> list[Override]:
    came_by: dict[str | None, list[Override]] = {start: []}
    waiting = deque([start])
    while waiting and goal not in came_by:
        here = waiting.popleft()
        for there, by in neighbours.get(here, []):
            if there not in came_by:
                came_by[there] = [*came_by[here], by]
                waiting.append(there)
    return came_by.get(goal, [])


def _unknown(connection: Connection, override: Override) -> Iterator[str]:
    for key in (override.record_key_a, override.record_key_b):
        known = connection.execute("select 1 from identity.members where record_key = %s and valid_to is null", [key])
        if key is not None and not known.fetchone():
            nearest = connection.execute("select identity.nearest(%s)", [key]).fetchone()
            near = (nearest and nearest[0]) or "none: no run has seen any"
            yield f"{key!r} is no record that identity knows; nearest by name: {near}"
