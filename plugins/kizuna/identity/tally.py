"""Counting which labels meet on how many records, the one operation all id decisions are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.sets import starts

if TYPE_CHECKING:
    from kizuna.identity.problem import Numbers

NOBODY = -1
ABSENT = -1


@dataclass(frozen=True, slots=True)
class Share:
    """How many records carry both labels, and the oldest of them."""

    left: int
    right: int
    count: int
    first_record: int


@dataclass(frozen=True)
class Claims:
    """Records that ended ids once held, as two parallel columns; a record not in the input is ABSENT."""

    records: Numbers
    customers: Numbers

    def present(self) -> Claims:
        """Return the claims whose record is in the input, oldest record first."""
        here = np.flatnonzero(self.records != ABSENT)
        here = here[np.argsort(self.records[here], kind="stable")]
        return Claims(self.records[here], self.customers[here])


@dataclass(frozen=True)
class Shares:
    """All shares of a tally, as columns."""

    left: Numbers
    right: Numbers
    count: Numbers
    first_record: Numbers

    def pick(self, chosen: Numbers) -> list[Share]:
        """Return the chosen rows one by one."""
        columns = (self.left, self.right, self.count, self.first_record)
        return [Share(*row) for row in zip(*(column[chosen].tolist() for column in columns), strict=True)]


def tally_columns(left: Numbers, right: Numbers, records: Numbers) -> Shares:
    """Count the records of every pair of labels."""
    width = int(right.max()) + 1 if len(right) else 1
    pairs = left * width + right
    order = np.argsort(pairs)
    pairs, records = pairs[order], records[order]
    first = np.flatnonzero(starts(pairs))
    if not len(first):
        return Shares(left, right, left, records)
    counts = np.diff(first, append=len(pairs))
    return Shares(pairs[first] // width, pairs[first] % width, counts, np.minimum.reduceat(records, first))


def tally(left: Numbers, right: Numbers, records: Numbers) -> list[Share]:
    """Count the records of every pair of labels, ordered by the pair."""
    shares = tally_columns(left, right, records)
    return shares.pick(np.arange(len(shares.left)))
