"""Relating: which pairs of profiles to compare, each once, and what the comparing said."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.comparing import AGAINST
from kizuna.identity.connecting import BY_PROFILES, BY_REQUIREMENT
from kizuna.identity.sets import distinct, distinct_places, union

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

    def only(self, components: Numbers) -> Known:
        """Keep what is known of some components, ascending, and number them anew."""
        places = np.searchsorted(components, self.components)
        kept = np.flatnonzero(places < len(components))
        kept = kept[components[places[kept]] == self.components[kept]]
        return Known(places[kept], self.pairs[kept], self.relations[kept])


NOTHING_KNOWN = Known(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16))


def relate_contested(
    problem: Problem, components: Numbers, contested: Numbers, compare: Callable[[Profile, Profile], Relation]
) -> tuple[Numbers, Known]:
    """Compare the profiles of contested components; say at their oldest records in which something may be refused.

    Args:
        problem: all records.
        components: per record the oldest record of its component.
        contested: per oldest record of a component, flags of why something may be refused.
        compare: what two profiles say of each other.
    """
    count = np.int64(max(1, len(problem.profile_texts)))
    said = np.flatnonzero((contested[components] > 0) & (problem.profiles >= 0))
    roots, profiles = np.divmod(distinct(components[said] * count + problem.profiles[said]), count)
    firsts = np.flatnonzero(np.diff(roots, prepend=-1))
    sizes = np.diff(firsts, append=len(roots))
    few = np.repeat(sizes <= ALL_PAIRS_UP_TO, sizes)
    # What requires agreement may lack it even between two records of one profile.
    strict = few & (contested[roots] & BY_REQUIREMENT > 0)
    left, right = _all_pairs(roots[few])
    asked = np.concatenate([profiles[strict] * (count + 1), profiles[few][left] * count + profiles[few][right]])
    known = learn(NOTHING_KNOWN, np.concatenate([roots[strict], roots[few][left]]), asked, problem, compare)
    doubtful = contested & ~BY_PROFILES > 0
    doubtful[roots[~few]] = True
    doubtful[known.components[known.relations & int(AGAINST) > 0]] = True
    return doubtful, known


def _all_pairs(groups: Numbers) -> tuple[Numbers, Numbers]:
    """Return the places of all pairs within a group; groups stand together and have up to ALL_PAIRS_UP_TO places."""
    left = np.arange(len(groups))
    found = [(left[:0], left[:0])]
    for distance in range(1, ALL_PAIRS_UP_TO):
        left = left[left + distance < len(groups)]
        left = left[groups[left] == groups[left + distance]]
        found.append((left, left + distance))
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
    asked, places = distinct_places(pairs)
    relations = np.empty(len(asked), dtype=np.int16)
    for start in range(0, len(asked), PAIRS_AT_ONCE):
        slots = slice(start, start + PAIRS_AT_ONCE)
        relations[slots] = _compare(asked[slots], problem, compare)
    return _merge(known, Known(components, pairs, relations[places]))


def _compare(pairs: Numbers, problem: Problem, compare: Callable[[Profile, Profile], Relation]) -> list[int]:
    left, right = np.divmod(pairs, len(problem.profile_texts))
    places = union(left, right)
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
