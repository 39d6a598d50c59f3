"""Gathering: the contested components with their own numbering, everything in the order in which it is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity import connecting
from kizuna.identity.capping import spread
from kizuna.identity.refusing import (
    AGREEMENT,
    BIRTHS_DIFFER,
    NAMES_CONTRADICT,
    NOTHING,
    NOTHING_AGAINST,
    TOO_MANY,
    TWO_LINE_IDS,
    TWO_LOGINS,
    Pieces,
)
from kizuna.identity.relating import NOTHING_KNOWN

if TYPE_CHECKING:
    from kizuna.identity.compiling import Machine
    from kizuna.identity.connecting import Table
    from kizuna.identity.grouping import Evidence, Pairs
    from kizuna.identity.policy import Policy
    from kizuna.identity.problem import Numbers, Problem
    from kizuna.identity.relating import Known

REQUIREMENTS = {"nothing": NOTHING, "nothing_against": NOTHING_AGAINST, "agreement": AGREEMENT}
LIMIT_REASONS = {"line": TWO_LINE_IDS, "login": TWO_LOGINS}


@dataclass(frozen=True)
class Owned:
    """Values of exclusive kinds, in rows by record."""

    starts: Numbers  # per record
    kinds: Numbers
    scopes: Numbers
    values: Numbers


@dataclass(frozen=True)
class Contest:
    """The records of contested components by component and age, and what joins or parts them."""

    policy: Policy
    roots: Numbers  # per component its oldest record's number in the problem
    members: Numbers  # per contested record its number in the problem
    components: Numbers  # per contested record the number of its component
    profiles: Numbers
    profile_count: int
    value_components: Numbers
    value_kinds: Numbers
    value_hashes: Numbers
    carrier_starts: Numbers
    carriers: Numbers
    owned: Owned
    always: Pairs
    never: Pairs
    scored: Pairs

    @property
    def count(self) -> int:
        """How many components are contested."""
        return int(self.components[-1]) + 1 if len(self.components) else 0

    @property
    def most_carriers(self) -> int:
        """How many records the most shared value has."""
        return int(np.diff(self.carrier_starts).max(initial=1))

    def oldest_carriers(self, values: Numbers, sides: Numbers, clusters: Numbers) -> Numbers:
        """Return the oldest record of a value in a cluster, for each of `values` and `sides`."""
        asked = np.unique(values)
        sizes = self.carrier_starts[asked + 1] - self.carrier_starts[asked]
        carriers = self.members[self.carriers[spread(self.carrier_starts[asked], sizes)]]
        keys = np.repeat(asked, sizes) * np.int64(len(clusters)) + clusters[carriers]
        keys, first = np.unique(keys, return_index=True)  # the carriers of a value stand from the oldest
        return carriers[first[np.searchsorted(keys, values * np.int64(len(clusters)) + sides)]]

    def pieces(self, machine: Machine) -> Pieces:
        """Give the columns to a machine; nothing is joined yet and nothing known of profiles."""
        kinds = list(self.policy.kinds.values())
        conflicts = self.policy.conflicts
        carriers = machine.column(self.carriers)
        machine.run(connecting.sort_carriers, machine.column(self.carrier_starts), carriers)
        self.carriers[:] = carriers
        requires = [REQUIREMENTS[kind.requires] for kind in kinds]
        people, rows = np.zeros(len(self.members) + 1), np.zeros(len(self.owned.values))
        chains = ("said_first", "said_last", "said_next", "owned_first", "owned_last")
        return Pieces(
            people=machine.table(
                {"above": people, "profile": np.append(self.profiles, -1), "owned": self.owned.starts}
                | dict.fromkeys(chains, people)
            ),
            owned=machine.table(
                {"kind": self.owned.kinds, "scope": self.owned.scopes, "value": self.owned.values, "next": rows}
            ),
            values=machine.table(
                {
                    "kind": np.append(self.value_kinds, -1),
                    "requires": self.carrier_starts,  # is settled before it is read
                    "carriers": self.carrier_starts,
                }
            ),
            carriers=carriers,
            spans=self.spans(NOTHING_KNOWN, machine),
            pairs=machine.table(
                {
                    "left": np.concatenate([self.always[0], self.never[0], self.scored[0]]),
                    "right": np.concatenate([self.always[1], self.never[1], self.scored[1]]),
                }
            ),
            known=NOTHING_KNOWN.table(machine),
            kinds=machine.table(
                {
                    "requires": np.array(requires),
                    "limit": np.array([kind.max_per_customer or 0 for kind in kinds]),
                    "limit_reason": np.array([LIMIT_REASONS.get(name, TOO_MANY) for name in self.policy.names]),
                }
            ),
            profile_count=self.profile_count,
            refusing=BIRTHS_DIFFER * conflicts.birth_dates | NAMES_CONTRADICT * conflicts.names,
        )

    def spans(self, known: Known, machine: Machine) -> Table:
        """Where the rows of each component begin."""
        always, never = len(self.always[0]), len(self.never[0])
        columns = {
            "people": self.components,
            "values": self.value_components,
            "always": self.components[self.always[0]],
            "never": self.components[self.never[0]],
            "scored": self.components[self.scored[0]],
            "known": known.components,
        }
        starts = {name: np.searchsorted(column, np.arange(self.count + 1)) for name, column in columns.items()}
        starts["never"] += always
        starts["scored"] += always + never
        return machine.table(starts)


def gather(problem: Problem, policy: Policy, evidence: Evidence, roots: Numbers, contested: Numbers) -> Contest:
    """Take the contested components out of the problem.

    Args:
        problem: all records.
        policy: the kinds.
        evidence: the links value by value, and the pairs.
        roots: per record the oldest record of its component.
        contested: per oldest record of a component whether it is contested.
    """
    inside = np.flatnonzero(contested[roots])
    members = inside[np.argsort(roots[inside], kind="stable")].astype(np.int32)
    components = (np.cumsum(np.diff(roots[members], prepend=-1) != 0) - 1).astype(np.int32)
    place = np.full(problem.record_count, connecting.NOBODY, dtype=np.int32)
    place[members] = np.arange(len(members), dtype=np.int32)
    values = np.flatnonzero(contested[roots[evidence.records[evidence.firsts]]])
    shared = values[evidence.sizes[values] > 1]
    shared, hashes = _in_order(problem, evidence, shared, components[place[evidence.records[evidence.firsts[shared]]]])
    sizes = evidence.sizes[shared]
    carriers = place[evidence.records[spread(evidence.firsts[shared], sizes)]]
    carrier_starts = np.concatenate([[0], np.cumsum(sizes)])
    return Contest(
        policy=policy,
        roots=np.unique(roots[members]),
        members=members,
        components=components,
        profiles=problem.profiles[members],
        profile_count=max(1, len(problem.profile_texts)),
        value_components=components[carriers[carrier_starts[:-1]]],
        value_kinds=evidence.kinds[shared],
        value_hashes=hashes,
        carrier_starts=carrier_starts,
        carriers=carriers,
        owned=_owned(problem, policy, evidence, values, place),
        always=_inside(evidence.always, place, components),
        never=_inside(evidence.never, place, components),
        scored=_inside(evidence.scored, place, components),
    )


def _in_order(problem: Problem, evidence: Evidence, values: Numbers, components: Numbers) -> tuple[Numbers, Numbers]:
    """Order values by component, strength, first seen, hash; return them with their hashes."""
    sizes = evidence.sizes[values]
    seen = problem.link_seen[evidence.order[spread(evidence.firsts[values], sizes)]]
    seen = np.minimum.reduceat(seen, np.cumsum(sizes) - sizes) if len(values) else seen
    hashes = problem.link_values[evidence.order[evidence.firsts[values]]]
    kinds = int(evidence.kinds.max(initial=0)) + 1
    order = np.lexsort((hashes, seen, components.astype(np.int64) * kinds + evidence.kinds[values]))
    return values[order], hashes[order]


def _owned(problem: Problem, policy: Policy, evidence: Evidence, values: Numbers, place: Numbers) -> Owned:
    exclusive = np.array([kind.max_per_customer is not None for kind in policy.kinds.values()])
    values = values[exclusive[evidence.kinds[values]]]
    sizes = evidence.sizes[values]
    places = spread(evidence.firsts[values], sizes)
    records = place[evidence.records[places]]
    numbers = np.repeat(np.arange(len(values)), sizes)
    order = np.lexsort((numbers, records))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(records[order]) != 0) | (np.diff(numbers[order]) != 0)
    order = order[new]
    return Owned(
        starts=np.searchsorted(records[order], np.arange(place.max(initial=-1) + 2)),
        kinds=np.repeat(evidence.kinds[values], sizes)[order],
        scopes=np.unique(problem.link_scopes[evidence.order[places[order]]], return_inverse=True)[1],
        values=numbers[order],
    )


def _inside(pairs: Pairs, place: Numbers, components: Numbers) -> Pairs:
    """Return the pairs within contested components, by component."""
    left, right = place[pairs[0]], place[pairs[1]]
    both = (left >= 0) & (right >= 0)
    left, right = left[both], right[both]
    within = components[left] == components[right]
    left, right = left[within], right[within]
    order = np.argsort(components[left], kind="stable")
    return left[order], right[order]
