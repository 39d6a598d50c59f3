"""Which customer number every cluster of records carries: ids stay where most of their records are.

Pure integers, no database: records are numbered from the oldest, customers in the order their ids were issued, so
"oldest" and "smallest" are the same comparison everywhere and every tie has one answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.sets import contained, difference, distinct, union
from kizuna.identity.survival import Known, choose_survivors, restore_vacant
from kizuna.identity.tally import NOBODY, tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kizuna.identity.problem import Numbers


@dataclass(frozen=True)
class Assignment:
    """The customer of every record, and what changed against the previous map."""

    current: Numbers
    founders: Numbers  # the oldest record of each newly issued id; ids are next_number, next_number + 1, …
    restored: list[int]
    merged: list[tuple[int, int]]
    retired: list[int]
    split: list[tuple[int, int]]
    redirects: dict[int, int]  # new or changed
    settled: list[
        int
    ]  # ids whose claims on records of the input are over: they live, or died with members of their own
    changed: Numbers = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def assign(roots: Numbers, known: Known) -> Assignment:
    """Give every cluster (named by `roots`, its oldest record) its customer."""
    owner = choose_survivors(roots, known)
    restore_vacant(owner, roots, known)
    founders = np.flatnonzero((roots == np.arange(len(roots))) & (owner == NOBODY))
    owner[founders] = known.next_number + np.arange(len(founders))
    return _compare(owner[roots], founders, known)


def _compare(current: Numbers, founders: Numbers, known: Known) -> Assignment:
    before = union(known.previous[known.previous != NOBODY], known.vanished)
    after = distinct(current)
    ended = difference(before, after)
    restored = difference(after[after < known.next_number], before)
    targets = _targets(current, after, ended, known)
    redirects = _redirects(targets, set(restored.tolist()), known.redirects)
    ends = set(ended.tolist())
    returned = {old for old in targets if old not in ends and old not in known.redirects}
    return Assignment(
        current=current,
        founders=founders,
        restored=restored.tolist(),
        merged=[(old, targets[old]) for old in sorted(returned | (ends & targets.keys()))],
        retired=sorted(ends - targets.keys()),
        split=_splits(current, known.previous, ends, targets),
        redirects=redirects,
        settled=_settled(known, after),
        changed=np.flatnonzero(current != known.previous),
    )


def _settled(known: Known, after: Numbers) -> list[int]:
    claimants = distinct(known.claims.present().customers)
    settled: list[int] = claimants[contained(claimants, union(after, known.previous))].tolist()
    return settled


def _targets(current: Numbers, after: Numbers, ended: Numbers, known: Known) -> dict[int, int]:
    """Return, for every ended id with records in the input, the customer that holds most of them now."""
    claimed = known.claims.present()
    # Where its members go is where an id goes; what had vanished before has no say unless nothing else is left.
    open_claims = ~contained(claimed.customers, union(after, known.previous))
    losing = np.flatnonzero(contained(known.previous, ended)) if len(ended) else ended
    records = np.concatenate([claimed.records[open_claims], losing])
    customers = np.concatenate([claimed.customers[open_claims], known.previous[losing]])
    best: dict[int, tuple[int, int, int]] = {}
    for share in tally(customers, current[records], records):
        rank = (-share.count, share.first_record, share.right)
        best[share.left] = min(best.get(share.left, rank), rank)
    return {customer: rank[2] for customer, rank in best.items()}


def _redirects(targets: Mapping[int, int], restored: set[int], known: Mapping[int, int]) -> dict[int, int]:
    wanted = {old: targets.get(target, known.get(target, target)) for old, target in known.items()}
    wanted.update(targets)
    return {old: target for old, target in wanted.items() if old not in restored and known.get(old) != target}


def _splits(current: Numbers, previous: Numbers, ends: set[int], targets: Mapping[int, int]) -> list[tuple[int, int]]:
    moved = np.flatnonzero((previous != NOBODY) & (previous != current))
    shares = tally(previous[moved], current[moved], moved)
    return [(s.left, s.right) for s in shares if s.left not in ends or targets[s.left] != s.right]
