"""The identity tables kept in memory, so that the rules of ids can be tried on thousands of small histories."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kizuna.identity.assignment import Assignment, assign
from kizuna.identity.survival import Known
from kizuna.identity.tally import ABSENT, NOBODY, Claims

# A record's name → the values it carries. Names sort by age.
Records = dict[str, frozenset[str]]


def reference_clusters(records: Records) -> set[frozenset[str]]:
    """Union-find in its plainest form: what belongs together, with nothing clever in it."""
    clusters = [({name}, set(values)) for name, values in records.items()]
    merged = True
    while merged:
        merged = False
        for i, (names, values) in enumerate(clusters):
            for other in clusters[i + 1 :]:
                if values & other[1]:
                    names.update(other[0])
                    values.update(other[1])
                    clusters.remove(other)
                    merged = True
                    break
    return {frozenset(names) for names, _ in clusters}


@dataclass
class Keeper:
    """Members, former members, redirects and the alive ids after every run."""

    members: dict[str, int] = field(default_factory=dict)
    former: set[tuple[int, str]] = field(default_factory=set)
    redirects: dict[int, int] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)
    issued: int = 0
    runs: int = 0

    def resolve(self, records: Records) -> Assignment:
        """Run once, as `resolve` does on the tables."""
        self.runs += 1
        names = sorted(records)
        numbers = {name: number for number, name in enumerate(names)}
        assignment = assign(_components(names, records), self._known(names, numbers))
        self._keep(names, numbers, assignment)
        return assignment

    def _known(self, names: list[str], numbers: dict[str, int]) -> Known:
        claims = sorted(self.former)
        return Known(
            previous=np.array([self.members.get(name, NOBODY) for name in names], dtype=np.int64),
            vanished=np.array([c for name, c in self.members.items() if name not in numbers], dtype=np.int64),
            claims=Claims(
                np.array([numbers.get(name, ABSENT) for _, name in claims], dtype=np.int64),
                np.array([customer for customer, _ in claims], dtype=np.int64),
            ),
            ended=dict(self.ended),
            redirects=dict(self.redirects),
            next_number=self.issued,
        )

    def _keep(self, names: list[str], numbers: dict[str, int], assignment: Assignment) -> None:
        gone = {(c, name) for name, c in self.members.items() if name not in numbers}
        merged = {old for old, _ in assignment.merged}
        lived = {c for name, c in self.members.items() if name in numbers} | set(assignment.current.tolist())
        self.former = {(c, name) for c, name in self.former if name not in numbers or c not in lived}
        self.former |= gone | {(c, name) for name, c in self.members.items() if c in merged}
        self.members = dict(zip(names, assignment.current.tolist(), strict=True))
        self.issued += len(assignment.founders)
        for old in [*merged, *assignment.retired]:
            self.ended.setdefault(old, self.runs)
        for back in assignment.restored:
            del self.ended[back]
            self.redirects.pop(back, None)
        self.redirects |= assignment.redirects

    def clusters(self) -> set[frozenset[str]]:
        """Return the records of every customer."""
        return {
            frozenset(name for name, owner in self.members.items() if owner == customer)
            for customer in set(self.members.values())
        }


def _components(names: list[str], records: Records) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    first: dict[str, int] = {}
    roots = list(range(len(names)))
    for number, name in enumerate(names):
        for value in records[name]:
            kept, gone = sorted((roots[first.setdefault(value, number)], roots[number]))
            roots = [kept if root == gone else root for root in roots]
    return np.array(roots, dtype=np.int64)
