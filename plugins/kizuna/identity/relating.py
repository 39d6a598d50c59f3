"""Relating: which pairs of profiles to compare, each once, and what the comparing said."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from kizuna.identity.comparing import Profile, Relation
    from kizuna.identity.compiling import Machine
    from kizuna.identity.connecting import Table
    from kizuna.identity.problem import Numbers, Problem

# In a component with more profiles than this few of all pairs are ever asked about.
ALL_PAIRS_UP_TO = 12
PAIRS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Known:
    """Compared pairs by component: smaller profile * number of profiles + larger, ascending, and their relations."""

    components: Numbers
    pairs: Numbers
    relations: Numbers

    def table(self, machine: Machine) -> Table:
        """Give it to a machine."""
        return machine.table({"pair": self.pairs, "relation": self.relations}, np.int64)


NOTHING_KNOWN = Known(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16))


def likely_pairs(
    components: Numbers, profiles: Numbers, profile_count: int, strict: Numbers
) -> tuple[Numbers, Numbers]:
    """Return (component, pair) of all profiles in small components; in strict ones with themselves too.

    Args:
        components: per record its contested component, ascending.
        profiles: per record its profile, -1 for none.
        profile_count: how many profiles there are.
        strict: per component whether something requires agreement, which even one profile with itself may lack.
    """
    said = np.flatnonzero(profiles >= 0)
    keys = np.unique(components[said] * np.int64(profile_count) + profiles[said])
    owners, texts = np.divmod(keys, profile_count)
    sizes = np.bincount(owners, minlength=1)[owners] if len(owners) else owners
    small = sizes <= ALL_PAIRS_UP_TO
    owners, texts = owners[small], texts[small]
    alone = strict[owners]
    found = [(owners[alone], texts[alone] * (profile_count + 1))]
    # Neighbours at distance 1, 2, …: all pairs of a component, without a loop over components.
    left = np.arange(len(owners) - 1)
    for distance in range(1, ALL_PAIRS_UP_TO):
        left = left[left + distance < len(owners)]
        left = left[owners[left] == owners[left + distance]]
        found.append((owners[left], texts[left] * profile_count + texts[left + distance]))
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


def learn(
    known: Known, components: Numbers, pairs: Numbers, problem: Problem, compare: Callable[[Profile, Profile], Relation]
) -> Known:
    """Compare pairs of profiles and add them to what is known; pairs may come twice, but not be known already."""
    order = np.lexsort((pairs, components))
    components, pairs = components[order], pairs[order]
    new = np.ones(len(pairs), dtype=bool)
    new[1:] = (components[1:] != components[:-1]) | (pairs[1:] != pairs[:-1])
    components, pairs = components[new], pairs[new]
    distinct, places = np.unique(pairs, return_inverse=True)
    relations = np.empty(len(distinct), dtype=np.int16)
    for start in range(0, len(distinct), PAIRS_AT_ONCE):
        slots = slice(start, start + PAIRS_AT_ONCE)
        relations[slots] = _compare(distinct[slots], problem, compare)
    return _merge(known, Known(components, pairs, relations[places]))


def _compare(pairs: Numbers, problem: Problem, compare: Callable[[Profile, Profile], Relation]) -> list[int]:
    left, right = np.divmod(pairs, len(problem.profile_texts))
    places = np.union1d(left, right)
    if fetch := getattr(problem.profile_texts, "fetch", None):  # texts that are read from afar like to come together
        fetch(places)
    texts = {place: problem.profile_texts[place] for place in places.tolist()}
    both = ((texts[a], texts[b]) for a, b in zip(left.tolist(), right.tolist(), strict=True))
    return [int(relation) for relation in starmap(compare, both)]


def _merge(known: Known, new: Known) -> Known:
    if not len(known.pairs):
        return new
    components = np.concatenate([known.components, new.components])
    pairs = np.concatenate([known.pairs, new.pairs])
    order = np.lexsort((pairs, components))
    return Known(components[order], pairs[order], np.concatenate([known.relations, new.relations])[order])
