"""Solving: who is one customer, from links, profiles and the human word. Pure arrays, no database.

In two levels: candidate components are what any link, accepted pair or `always` joins; inside each, records are joined
as strongly as they may be, the strongest evidence first. All that is accepted or refused depends on one component
alone, so that components can be solved apart, together and in any order. Components in which nothing can be refused
are one customer as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity import compiling, connecting, joining
from kizuna.identity.gathering import Contest, gather
from kizuna.identity.grouping import connect, find_components, find_contested, group
from kizuna.identity.problem import Numbers, Problem, Refusals, Solution
from kizuna.identity.refusing import Notes, Pieces
from kizuna.identity.relating import Known, learn, relate_contested

if TYPE_CHECKING:
    from collections.abc import Callable

    from kizuna.identity.comparing import Profile, Relation
    from kizuna.identity.compiling import Machine
    from kizuna.identity.connecting import Column
    from kizuna.identity.policy import Policy

    Compare = Callable[[Profile, Profile], Relation]

MOST_NOTES = 1 << 18
NO_ROWS = np.empty((0, 5), np.int32)  # record a, record b, kind, value, reason


def solve(problem: Problem, policy: Policy, compare: Compare, machine: Machine | None = None) -> Solution:
    """Join the records of one person, as `policy` allows.

    Args:
        problem: records, links, profiles and decisions.
        policy: what a shared value is worth and what refuses.
        compare: what two profiles say of each other; symmetric.
        machine: how to run; by default as fits the size of the problem.
    """
    machine = machine or compiling.machine(len(problem.link_values))
    evidence = group(problem, policy)
    components = find_components(problem, evidence, machine)
    contested = find_contested(problem, policy, evidence, components, machine)
    doubtful, known = relate_contested(problem, components, contested, compare)
    contest = gather(problem, policy, evidence, components, doubtful)
    above, refused = _join(contest, known.only(contest.roots), problem, compare, machine)
    clusters = components.copy()
    clusters[contest.members] = contest.members[above]
    households = _households(policy, contest, clusters, refused, machine)
    return Solution(components, clusters, households, _tell(contest, clusters, refused))


def _join(
    contest: Contest, known: Known, problem: Problem, compare: Compare, machine: Machine
) -> tuple[Numbers, Numbers]:
    """Return the oldest member of its cluster for each contested record, and the refusals as rows."""
    pieces = contest.pieces(machine)
    unfinished = machine.column(np.ones(contest.count, dtype=np.int8), np.int8)
    refused = [NO_ROWS]
    while len(todo := np.flatnonzero(np.asarray(unfinished))):
        pieces = pieces._replace(spans=contest.spans(known, machine), known=known.table(machine))
        rows, wanted = _pass(pieces, machine.column(todo), unfinished, contest, machine)
        refused.append(rows)
        known = learn(known, *wanted, problem, compare) if len(wanted[0]) else known
    above = machine.column(machine.read(pieces.people, ["above"], len(contest.members))[:, 0])
    machine.run(connecting.flatten, above)
    return np.asarray(above, dtype=np.int32), np.concatenate(refused)


def _pass(
    pieces: Pieces, todo: Column, unfinished: Column, contest: Contest, machine: Machine
) -> tuple[Numbers, tuple[Numbers, Numbers]]:
    """Go once through the components of `todo`; return refusals as rows, and (components, pairs) to compare."""
    size, begin = min(MOST_NOTES, 64 + len(contest.members) // 8), 0
    refused, wanted = [NO_ROWS], [np.empty((0, 2), np.int64)]
    notes = _notes(size, contest.most_carriers, machine)
    while begin < len(todo):
        begin = machine.run(joining.join_components, pieces, notes, todo, begin, unfinished)
        refusals = notes.counts[0]
        refused.append(machine.read(notes.refusals, ["a", "b", "kind", "value", "reason"], refusals))
        wanted.append(machine.read(notes.wanted, ["component", "pair"], min(notes.counts[1], size)))
        if not refusals:  # What one component refuses alone does not fit.
            size *= 2
            notes = _notes(size, contest.most_carriers, machine)
        notes.counts[0] = notes.counts[1] = 0
    questions = np.concatenate(wanted)
    return np.concatenate(refused), (questions[:, 0], questions[:, 1])


def _notes(size: int, most_carriers: int, machine: Machine) -> Notes:
    empty = np.zeros(size, np.int64)
    return Notes(
        refusals=machine.table(dict.fromkeys(("a", "b", "kind", "value", "reason"), empty)),
        wanted=machine.table(dict.fromkeys(("component", "pair"), empty), np.int64),
        counts=machine.column(np.zeros(2), np.int64),
        heads=machine.column(np.zeros(most_carriers)),
    )


def _households(policy: Policy, contest: Contest, clusters: Numbers, refused: Numbers, machine: Machine) -> Numbers:
    """Label customers that share evidence of a household, as refused for one customer, with their oldest record."""
    evident = np.array([*(kind.is_household_evidence for kind in policy.kinds.values()), False, False])
    rows = refused[evident[refused[:, 2]]]
    if not len(rows):
        return clusters
    return connect(
        machine.column(clusters.copy()), [(contest.members[rows[:, 0]], contest.members[rows[:, 1]])], machine
    )


def _tell(contest: Contest, clusters: Numbers, refused: Numbers) -> Refusals:
    """Keep one row per value and pair of customers: its first reason, the oldest carriers of the value."""
    sides = clusters[contest.members[refused[:, :2]]]
    apart = sides[:, 0] != sides[:, 1]
    refused, sides = refused[apart], np.sort(sides[apart], axis=1)
    keys = np.column_stack([refused[:, 2:4], sides])
    order = np.lexsort((*keys.T[::-1],))  # stable: the first refusal stays first
    first = np.ones(len(order), dtype=bool)
    first[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    refused, sides = refused[order[first]], sides[order[first]]
    records = contest.members[refused[:, :2]]
    valued = refused[:, 3] >= 0
    for side in range(2):
        records[valued, side] = contest.oldest_carriers(refused[valued, 3], sides[valued, side], clusters)
    hashes = np.zeros(len(refused), dtype=np.int64)
    hashes[valued] = contest.value_hashes[refused[valued, 3]]
    columns = (records.min(axis=1), records.max(axis=1), refused[:, 2], hashes, refused[:, 4])
    order = np.lexsort(columns[::-1])
    return Refusals(*(column[order] for column in columns))
