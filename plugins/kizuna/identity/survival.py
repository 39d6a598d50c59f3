"""Which existing id a cluster keeps, and which ended id comes back to a cluster that has none."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.sets import contained, union
from kizuna.identity.tally import NOBODY, Claims, Share, tally_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kizuna.identity.problem import Numbers


@dataclass(frozen=True)
class Known:
    """What earlier runs decided."""

    previous: Numbers  # customer of each record of the input, or NOBODY
    vanished: Numbers  # customer of each record that is not in the input any more
    claims: Claims  # what ended ids once held
    ended: Mapping[int, int]  # ended customer → its place in the order of endings
    redirects: Mapping[int, int]  # ended customer → customer
    next_number: int


def choose_survivors(roots: Numbers, known: Known) -> Numbers:
    """Return the surviving customer of each cluster, indexed by root; NOBODY elsewhere.

    A live id stays with the cluster that holds most of its records (tie: its oldest record). Where several ids want
    one cluster, the one with most records there stays (tie: issued first). A cluster that is exactly what an id held
    when it was merged away gets that id back before anything else is compared.
    """
    owner = np.full(len(roots), NOBODY, dtype=np.int64)
    held = np.flatnonzero(known.previous != NOBODY)
    shares = tally_columns(roots[held], known.previous[held], held)
    alone = _occurs_once(shares.left) & _occurs_once(shares.right)
    owner[shares.left[alone]] = shares.right[alone]
    contested = shares.pick(np.flatnonzero(~alone))
    if contested:
        reversed_merges = _reverse_merges(contested, roots, known)
        for root, customer in {**reversed_merges, **_settle(contested, reversed_merges)}.items():
            owner[root] = customer
    return owner


def _occurs_once(labels: Numbers) -> Numbers:
    return np.asarray(np.bincount(labels)[labels] == 1) if len(labels) else np.empty(0, dtype=bool)


def _settle(contested: Sequence[Share], taken: Mapping[int, int]) -> dict[int, int]:
    wishes: dict[int, Share] = {}
    for share in contested:
        if share.left in taken:
            continue
        rival = wishes.get(share.right)
        if rival is None or (-share.count, share.first_record) < (-rival.count, rival.first_record):
            wishes[share.right] = share
    winners: dict[int, Share] = {}
    for share in wishes.values():
        rival = winners.get(share.left)
        if rival is None or (-share.count, share.right) < (-rival.count, rival.right):
            winners[share.left] = share
    return {root: share.right for root, share in winners.items()}


def _reverse_merges(contested: Sequence[Share], roots: Numbers, known: Known) -> dict[int, int]:
    """Find clusters that are exactly what an id held when it ended; the last merge is reversed first."""
    clusters = _claimed_clusters(contested, roots, known.claims)
    if not clusters:
        return {}
    holders, spans = _holders(contested)
    sizes = np.bincount(roots)
    restored: dict[int, int] = {}
    order = sorted(clusters, key=lambda customer: (-known.ended.get(customer, 0), customer))
    progress = True
    while progress:
        progress = False
        for customer in order:
            # What a smaller, already restored id took back no longer counts: merges are reversed from the inside, too.
            rest = {root: count for root, count in clusters[customer].items() if root not in restored}
            if customer in restored.values() or len(rest) != 1:
                continue
            ((root, count),) = rest.items()
            holder = holders.get(root)
            if holder is None or count != sizes[root] or spans[holder] < 2:
                continue
            restored[root] = customer
            spans[holder] -= 1
            progress = True
    return restored


def _claimed_clusters(contested: Sequence[Share], roots: Numbers, claims: Claims) -> dict[int, dict[int, int]]:
    """Return, for every ended id with a claim on a contested cluster, how many records it claims in which cluster."""
    present = claims.present()
    touched = contained(roots[present.records], np.array([share.left for share in contested]))
    relevant = contained(present.customers, present.customers[touched])
    shares = tally_columns(present.customers[relevant], roots[present.records[relevant]], present.records[relevant])
    clusters: dict[int, dict[int, int]] = defaultdict(dict)
    for share in shares.pick(np.arange(len(shares.left))):
        clusters[share.left][share.right] = share.count
    return clusters


def _holders(contested: Sequence[Share]) -> tuple[dict[int, int | None], dict[int, int]]:
    """Return the one live id of each cluster (None: several), and over how many clusters each id is spread."""
    holders: dict[int, int | None] = {}
    spans: dict[int, int] = defaultdict(int)
    for share in contested:
        holders[share.left] = None if share.left in holders else share.right
        spans[share.right] += 1
    return holders, spans


def restore_vacant(owner: Numbers, roots: Numbers, known: Known) -> None:
    """Give a cluster without a live id the ended id whose records it holds, where there is one.

    The id that records had when they vanished comes before any they had been merged away from; among the first the one
    with most records here wins, among the latter the one with the largest share of what it held; then age.
    """
    present = known.claims.present()
    vacant = owner[roots[present.records]] == NOBODY
    # An id that still had records at the start of this run and lost them to another cluster is merged, not free.
    free = ~contained(present.customers, union(owner, known.previous))
    chosen = np.flatnonzero(vacant & free)
    if not len(chosen):
        return
    sizes = np.bincount(np.concatenate([known.claims.customers, known.vanished]))
    shares = tally_columns(present.customers[chosen], roots[present.records[chosen]], present.records[chosen])

    def rank(share: Share) -> tuple[bool, float, int, int, int]:
        is_merged = share.left in known.redirects
        part = share.count / int(sizes[share.left]) if is_merged else 1.0
        return is_merged, -part, -share.count, share.left, share.right

    given: set[int] = set()
    for share in sorted(shares.pick(np.arange(len(shares.left))), key=rank):
        if share.left not in given and owner[share.right] == NOBODY:
            owner[share.right] = share.left
            given.add(share.left)
