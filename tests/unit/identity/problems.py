"""Small problems written as a story: records with a profile, and the values they carry."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kizuna.identity.comparing import Profile, compare
from kizuna.identity.policy import Policy
from kizuna.identity.problem import REASONS, Problem, Solution
from kizuna.identity.solving import solve

POLICY = Policy()
Pairs = list[tuple[int, int]]


def columns(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@dataclass
class Story:
    """Records 0, 1, … from the oldest; a value is `kind:text` or `kind:scope:text`."""

    profiles: list[Profile | None]
    values: list[tuple[int, str]] = field(default_factory=list)  # first seen in the order of this list
    always: Pairs = field(default_factory=list)
    never: Pairs = field(default_factory=list)
    scored: list[tuple[int, int, float]] = field(default_factory=list)

    def problem(self, policy: Policy = POLICY) -> Problem:
        texts = list(dict.fromkeys(profile for profile in self.profiles if profile))
        values = list(dict.fromkeys(value for _, value in self.values))
        links = list(dict.fromkeys(self.values))
        kinds = [policy.names.index(value.split(":")[0]) for _, value in links]
        scopes = [hash_scope(value) for _, value in links]
        return Problem(
            record_count=len(self.profiles),
            link_records=np.array([record for record, _ in links], dtype=np.int32),
            link_values=np.array([values.index(value) + 1000 for _, value in links], dtype=np.int64),
            link_kinds=np.array(kinds, dtype=np.int8),
            link_seen=np.array([values.index(value) for _, value in links], dtype=np.int64),
            link_scopes=np.array(scopes, dtype=np.int64),
            profiles=np.array([texts.index(p) if p else -1 for p in self.profiles], dtype=np.int32),
            profile_texts=texts,
            always=columns(self.always),
            never=columns(self.never),
            scored=(*columns([pair[:2] for pair in self.scored]), np.array([pair[2] for pair in self.scored], float)),
        )

    def solve(self, policy: Policy = POLICY) -> Solution:
        return solve(self.problem(policy), policy, compare)


def hash_scope(value: str) -> int:
    parts = value.split(":")
    return sum(parts[1].encode()) if len(parts) == 3 else 0


def clusters(solution: Solution) -> list[int]:
    return solution.clusters.tolist()


def reasons(solution: Solution) -> list[tuple[int, int, str]]:
    found = solution.refusals
    rows = zip(found.record_a.tolist(), found.record_b.tolist(), found.reasons.tolist(), strict=True)
    return [(a, b, REASONS[reason]) for a, b, reason in rows]
