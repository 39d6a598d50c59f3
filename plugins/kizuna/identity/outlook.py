"""What the next run will make of a decision, told before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection
    from kizuna.identity.overrides import Override

NEXT_RUN = "The next run (`transform`, or `kizuna identity rebuild`)"


def of_decision(connection: Connection, override: Override) -> str:
    """Return what changes when the decision is in force."""
    if override.decision == "shared":
        return f"{NEXT_RUN} lets this value link nothing: {_carriers(connection, override.value_hash)} carry it now."
    ours, theirs = (_customer(connection, key) for key in (override.record_key_a, override.record_key_b))
    if None in (ours, theirs):
        return f"{NEXT_RUN} sees it once both records are there."
    if override.decision == "never":
        return _never(connection, str(ours), str(theirs))
    return _always(connection, str(ours), str(theirs))


def of_revocation(connection: Connection, override: Override) -> str:
    """Return what changes when the decision is in force no more."""
    if override.decision == "shared":
        carriers = _carriers(connection, override.value_hash)
        return f"{NEXT_RUN} lets this value link again, as far as the policy does: {carriers} carry it now."
    keys = [key for key in (override.record_key_a, override.record_key_b) if key]
    return f"{NEXT_RUN} solves {' and '.join(keys)} anew by what they share; ids that were merged or split come back."


def _never(connection: Connection, ours: str, theirs: str) -> str:
    if ours != theirs:
        return f"They are two customers now ({ours}, {theirs}): {NEXT_RUN[0].lower()}{NEXT_RUN[1:]} keeps them apart."
    size = _size(connection, ours)
    return f"{NEXT_RUN} splits customer {ours} ({size}): the id stays where most of its records are."


def _always(connection: Connection, ours: str, theirs: str) -> str:
    if ours == theirs:
        return f"They are one customer now ({ours}): {NEXT_RUN[0].lower()}{NEXT_RUN[1:]} keeps them together."
    one, other = (f"{customer} ({_size(connection, customer)})" for customer in (ours, theirs))
    return (
        f"{NEXT_RUN} makes customers {one} and {other} one, unless another decision forbids it; "
        "the other id then redirects to the one that stays."
    )


def _customer(connection: Connection, record_key: str | None) -> str | None:
    row = connection.execute(
        "select customer_id from identity.members where record_key = %s and valid_to is null", [record_key]
    ).fetchone()
    return str(row[0]) if row else None


def _size(connection: Connection, customer_id: str) -> str:
    return _count(
        connection.execute(
            "select count(*) from identity.members where customer_id = %s and valid_to is null", [customer_id]
        ).fetchone(),
        "record",
    )


def _carriers(connection: Connection, value_hash: int | None) -> str:
    row = connection.execute(
        """
        select count(distinct links.record_key), count(distinct members.customer_id)
        from identity.links
        left join identity.members on links.record_key = members.record_key and members.valid_to is null
        where links.value_hash = %s
        """,
        [value_hash],
    ).fetchone()
    records, customers = cast("tuple[int, int]", row)
    return f"{_count((records,), 'record')} of {_count((customers,), 'customer')}"


def _count(row: tuple[object, ...] | None, noun: str) -> str:
    number = cast("int", row[0]) if row else 0
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
