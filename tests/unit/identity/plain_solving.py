"""Solving: who is one customer, from links, profiles and the human word. Pure arrays, no database.

Records are first joined as strongly as they may be: a constrained union, the strongest evidence first, inside every
candidate component (records joined by any link, accepted pair or `always`). All that is accepted or refused depends
on one component alone, so that components can be solved apart, together and in any order.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.comparing import AGAINST, AGREE, CONTRADICT, UNKNOWN, Relation
from kizuna.identity.problem import ALWAYS, REASONS, SCORED, Numbers, Problem, Refusals, Solution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kizuna.identity.comparing import Profile
    from kizuna.identity.policy import Policy


def solve(problem: Problem, policy: Policy, compare: Callable[[Profile, Profile], Relation]) -> Solution:
    """Join the records of one person, as `policy` allows."""
    clusters = _Clusters(problem, policy, compare)
    for a, b in sorted(_pairs(*problem.always)):
        clusters.join(a, b, ALWAYS, 0)
    for values in _values_by_kind(problem, len(policy.names)):
        for agreeing in (True, False):
            for value, kind, carriers in values:
                clusters.follow(carriers, kind, value, agreeing=agreeing)
    ranks = zip((-problem.scored[2]).tolist(), _pairs(*problem.scored[:2]), strict=True)
    scored = [(rank, *pair) for rank, pair in ranks if -rank >= policy.scored.accept]
    for _, a, b in sorted(scored):
        clusters.join(a, b, SCORED, 0)
    return clusters.solution([(a, b) for _, a, b in scored])


def _pairs(left: Numbers, right: Numbers) -> list[tuple[int, int]]:
    return [(min(a, b), max(a, b)) for a, b in zip(left.tolist(), right.tolist(), strict=True)]


def _values_by_kind(problem: Problem, count: int) -> list[list[tuple[int, int, list[int]]]]:
    """Per kind its shared values with their records from the oldest, the value first seen first."""
    carriers: dict[int, list[int]] = defaultdict(list)
    seen: dict[int, int] = {}
    kinds: dict[int, int] = {}
    columns = (problem.link_values, problem.link_records, problem.link_kinds, problem.link_seen)
    for value, record, kind, moment in zip(*(column.tolist() for column in columns), strict=True):
        carriers[value].append(record)
        kinds[value] = kind
        seen[value] = min(seen.get(value, moment), moment)
    ordered = sorted(carriers, key=lambda value: (seen[value], value))
    return [
        [(v, k, sorted(carriers[v])) for v in ordered if kinds[v] == k and len(carriers[v]) > 1] for k in range(count)
    ]


class _Forest:
    """Which records are together, named by the smallest."""

    def __init__(self, count: int) -> None:
        self.above = list(range(count))

    def find(self, record: int) -> int:
        while self.above[record] != record:
            self.above[record] = record = self.above[self.above[record]]
        return record

    def join(self, a: int, b: int) -> None:
        a, b = self.find(a), self.find(b)
        self.above[max(a, b)] = min(a, b)

    def labels(self) -> Numbers:
        return np.array([self.find(record) for record in range(len(self.above))], dtype=np.int64)


class _Clusters:
    """The clusters so far, what their records say, and what was refused."""

    def __init__(self, problem: Problem, policy: Policy, compare: Callable[[Profile, Profile], Relation]) -> None:
        self.problem, self.kinds, self.names = problem, list(policy.kinds.values()), policy.names
        self.compare = compare
        self.conflicts = policy.conflicts
        count = problem.record_count
        self.forest = _Forest(count)
        self.profiles = problem.profiles.tolist()
        self.said = [{profile} - {-1} for profile in self.profiles]
        self.members = [{record} for record in range(count)]
        self.enemies: list[set[int]] = [set() for _ in range(count)]
        for a, b in _pairs(*problem.never):
            self.enemies[a].add(b)
            self.enemies[b].add(a)
        self.owned: list[dict[tuple[int, int], set[int]]] = [defaultdict(set) for _ in range(count)]
        columns = (problem.link_records, problem.link_kinds, problem.link_scopes, problem.link_values)
        for record, kind, scope, value in zip(*(column.tolist() for column in columns), strict=True):
            if self.kinds[kind].max_per_customer:
                self.owned[record][kind, scope].add(value)
        self.relations: dict[tuple[int, int], Relation] = {}
        self.refused: list[tuple[int, int, int, int, int]] = []

    def relation(self, a: int, b: int) -> Relation:
        """What two profiles, by their places, say of each other."""
        if a == -1 or b == -1:
            return UNKNOWN
        pair = (min(a, b), max(a, b))
        if pair not in self.relations:
            texts = self.problem.profile_texts
            self.relations[pair] = self.compare(texts[pair[0]], texts[pair[1]])
        return self.relations[pair]

    def follow(self, carriers: list[int], kind: int, value: int, *, agreeing: bool) -> None:
        """Join the records of one value: those with one profile to each other, then the rest in pairs."""
        heads: list[int] = []
        requires = self._requirement(carriers, kind)
        for record in carriers:
            same = [h for h in heads if self.profiles[h] == self.profiles[record]]
            joined = [
                h for h in same if self._agreeing(h, record) == agreeing and self.join(h, record, kind, value, requires)
            ]
            if not joined and not any(self.forest.find(h) == self.forest.find(record) for h in same):
                heads.append(record)
        for a, b in combinations(heads, 2):
            if self._agreeing(a, b) == agreeing:
                self.join(a, b, kind, value, requires)

    def _agreeing(self, a: int, b: int) -> bool:
        left, right = self.profiles[a], self.profiles[b]
        return left == right != -1 or bool(self.relation(left, right) & AGREE)

    def _requirement(self, carriers: list[int], kind: int) -> str:
        """What is said to be of two persons joins only who agree."""
        requires = self.kinds[kind].requires
        pairs = combinations({self.profiles[record] for record in carriers}, 2)
        if requires == "nothing_against" and any(self.relation(a, b) & CONTRADICT for a, b in pairs):
            return "agreement"
        return requires

    def join(self, a: int, b: int, kind: int, value: int, requires: str = "nothing_against") -> bool:
        """Join the clusters of two records unless something refuses; say whether they are together."""
        left, right = self.forest.find(a), self.forest.find(b)
        if left == right:
            return True
        reason = self._refusal(left, right, a, b, kind, requires)
        if reason:
            self.refused.append((a, b, kind, value, REASONS.index(reason)))
            return False
        self.forest.join(left, right)
        kept, gone = min(left, right), max(left, right)
        self.said[kept] |= self.said[gone]
        self.members[kept] |= self.members[gone]
        self.enemies[kept] |= self.enemies[gone]
        for scope, values in self.owned[gone].items():
            self.owned[kept][scope] |= values
        return True

    def _refusal(self, left: int, right: int, a: int, b: int, kind: int, requires: str) -> str:
        if self.enemies[left] & self.members[right]:
            return "never by decision"
        if kind == ALWAYS:
            return ""
        return self._too_many(left, right) or self._contradiction(left, right) or self._lack(a, b, requires)

    def _too_many(self, left: int, right: int) -> str:
        for scope in sorted(self.owned[left].keys() & self.owned[right].keys()):
            mine, yours = self.owned[left][scope], self.owned[right][scope]
            limit = self.kinds[scope[0]].max_per_customer or 0
            # Where a person has decided for too many, what adds none is still welcome.
            if len(mine | yours) > max(limit, len(mine), len(yours)):
                return {"line": "two line ids", "login": "two logins"}.get(self.names[scope[0]], "too many values")
        return ""

    def _contradiction(self, left: int, right: int) -> str:
        found = UNKNOWN
        for a, b in product(self.said[left], self.said[right]):
            found |= self.relation(a, b) if a != b else UNKNOWN
        if found & Relation.BIRTHS_DIFFER and self.conflicts.birth_dates:
            return "birth dates differ"
        return "names contradict" if found & Relation.NAMES_CONTRADICT and self.conflicts.names else ""

    def _lack(self, a: int, b: int, requires: str) -> str:
        relation = self.relation(self.profiles[a], self.profiles[b])
        if requires != "nothing" and relation & AGAINST:
            return "birth dates differ" if relation & Relation.BIRTHS_DIFFER else "names contradict"
        return "no agreement" if requires == "agreement" and not relation & AGREE else ""

    def solution(self, scored: Iterable[tuple[int, int]]) -> Solution:
        """Label what is together."""
        problem = self.problem
        clusters = self.forest.labels()
        components, households = _Forest(problem.record_count), _Forest(problem.record_count)
        first: dict[int, int] = {}
        for value, record in zip(problem.link_values.tolist(), problem.link_records.tolist(), strict=True):
            components.join(first.setdefault(value, record), record)
        for a, b in (*_pairs(*problem.always), *scored):
            components.join(a, b)
        for record, cluster in enumerate(clusters.tolist()):
            households.join(record, cluster)
        for a, b, kind, _, _ in self.refused:
            if kind >= 0 and self.kinds[kind].is_household_evidence:
                households.join(a, b)
        return Solution(components.labels(), clusters, households.labels(), self._refusals(clusters.tolist()))

    def _refusals(self, clusters: list[int]) -> Refusals:
        """Keep one row per value and pair of customers: its first reason, the oldest carriers of the value."""
        oldest: dict[tuple[int, int], int] = {}
        columns = (self.problem.link_values, self.problem.link_records)
        for value, record in zip(*(column.tolist() for column in columns), strict=True):
            key = (value, clusters[record])
            oldest[key] = min(oldest.get(key, record), record)
        rows: dict[tuple[int, int, int, int], tuple[int, int, int, int, int]] = {}
        for a, b, kind, value, reason in self.refused:
            left, right = sorted((clusters[a], clusters[b]))
            if left != right:
                ends = (oldest[value, left], oldest[value, right]) if kind >= 0 else (a, b)
                rows.setdefault((kind, value, left, right), (min(ends), max(ends), kind, value, reason))
        table = np.array(sorted(rows.values()), dtype=np.int64).reshape(-1, 5)
        return Refusals(*(table[:, place] for place in range(5)))
