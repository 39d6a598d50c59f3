"""Knowing: the previous map of customers as far as it concerns the records that are solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from psycopg import sql

from kizuna.identity import sets
from kizuna.identity.exchange import Int4Array, ask, count, read_columns, read_table
from kizuna.identity.survival import Known
from kizuna.identity.tally import ABSENT, NOBODY, Claims

if TYPE_CHECKING:
    from kizuna.identity.exchange import Column, Connection
    from kizuna.identity.reading import Places
    from kizuna.identity.touching import Touched

HELD = {"record_number": "int4", "customer_number": "int4"}
MEMBERS = (
    "select record_number, customer_number from identity.memberships where record_number = any(%s) and valid_to is null"
)
CLAIMS = "select record_number, customer_number from identity.claims where customer_number = any(%s)"
ENDED = (
    "select customer_number, ended_at from identity.customers where customer_number = any(%s) and ended_at is not null"
)
REDIRECTS = """
select old_number, customer_number from identity.redirections where old_number = any(%s)
union
select old_number, customer_number from identity.redirections where customer_number = any(%s)
"""
ALL_ENDED = """
select customer_number, ended_at from identity.customers
where
    ended_at is not null
    and exists (select from identity.claims where claims.customer_number = customers.customer_number)
"""
ENDED_TYPES = {"customer_number": "int4", "ended_at": "timestamptz"}
REDIRECT_TYPES = {"old_number": "int4", "customer_number": "int4"}


@dataclass(frozen=True)
class Knowledge:
    """What earlier runs decided, with customers numbered densely; `customers` tells their numbers in the warehouse."""

    known: Known
    customers: Column
    next_number: int  # in the warehouse
    vanished_records: Column  # record numbers that have a customer and no evidence any more

    def number(self, dense: Column) -> Column:
        """Return the warehouse's numbers of densely numbered customers, new ones included."""
        size = len(self.customers)
        old = self.customers[np.minimum(dense, max(size - 1, 0))] if size else dense
        return np.where(dense < size, old, dense - size + self.next_number).astype(np.int32)


def know_touched(connection: Connection, touched: Touched, places: Places) -> Knowledge:
    """Read the previous map of the touched records."""
    members = ask(connection, MEMBERS, HELD, Int4Array(touched.records))
    claims = ask(connection, CLAIMS, HELD, Int4Array(touched.claimants))
    concerned = sets.union(members["customer_number"], touched.claimants)
    ended = ask(connection, ENDED, ENDED_TYPES, Int4Array(concerned))
    redirects = ask(connection, REDIRECTS, REDIRECT_TYPES, Int4Array(concerned), Int4Array(concerned))
    return _knowledge(connection, places, members, claims, ended, redirects)


def know_everything(connection: Connection, places: Places) -> Knowledge:
    """Read the whole previous map."""
    members = read_table(connection, sql.SQL("identity.memberships"), HELD, sql.SQL("valid_to is null"))
    claims = read_table(connection, sql.SQL("identity.claims"), HELD)
    ended = read_columns(connection, sql.SQL(ALL_ENDED), ENDED_TYPES)
    redirects = read_table(connection, sql.SQL("identity.redirections"), REDIRECT_TYPES)
    return _knowledge(connection, places, members, claims, ended, redirects)


def _knowledge(
    connection: Connection,
    places: Places,
    members: dict[str, Column],
    claims: dict[str, Column],
    ended: dict[str, Column],
    redirects: dict[str, Column],
) -> Knowledge:
    next_number = count(connection, "select coalesce(max(customer_number), -1) + 1 from identity.customers")
    mentioned = [members["customer_number"], claims["customer_number"], *redirects.values(), ended["customer_number"]]
    customers = sets.distinct(np.concatenate(mentioned))

    def dense(numbers: Column) -> Column:
        return np.searchsorted(customers, numbers).astype(np.int64)

    spots = places.find(members["record_number"])
    previous = np.full(len(places.numbers), NOBODY, dtype=np.int64)
    here = spots >= 0
    previous[spots[here]] = dense(members["customer_number"][here])
    claimed = places.find(claims["record_number"]).astype(np.int64)
    claimed[claimed < 0] = ABSENT
    known = Known(
        previous=previous,
        vanished=dense(members["customer_number"][~here]),
        claims=Claims(claimed, dense(claims["customer_number"])),
        ended=dict(zip(dense(ended["customer_number"]).tolist(), ended["ended_at"].tolist(), strict=True)),
        redirects=dict(zip(*(dense(column).tolist() for column in redirects.values()), strict=True)),
        next_number=len(customers),
    )
    return Knowledge(known, customers, next_number, members["record_number"][~here])
