"""Refusing: why two clusters of a contested component may not become one customer. How it runs: see `compiling`."""

from __future__ import annotations

from typing import NamedTuple

from kizuna.identity.comparing import AGAINST, AGREE, CONTRADICT, Relation
from kizuna.identity.connecting import NOBODY, Column, Table

# What two profiles say of each other: the flags of comparing.Relation, and one for pairs nobody has compared yet.
AGREES, BIRTHS_DIFFER, NAMES_CONTRADICT = int(AGREE), int(Relation.BIRTHS_DIFFER), int(Relation.NAMES_CONTRADICT)
CONTRADICTS, SPEAKS_AGAINST = int(CONTRADICT), int(AGAINST)
UNASKED = 1 << 14
# What a kind requires.
NOTHING, NOTHING_AGAINST, AGREEMENT = 0, 1, 2
# Why a union is refused: places in problem.REASONS, and two that are none.
NEVER, TOO_MANY, TWO_LINE_IDS, TWO_LOGINS, BIRTHS, NAMES, NO_AGREEMENT = range(7)
ACCEPTED, UNDECIDED = -1, -2
ALWAYS, SCORED = -1, -2


class Pieces(NamedTuple):
    """The contested components: records renumbered by component and age, values in the order they are followed.

    In `spans`, `values`, and `people.owned`, numbers say where the rows of each begin; a last row says where all end.
    A cluster is its oldest record; at that one `people` has the ends of two chains through the cluster: of its records
    with different profiles, and of its different values of exclusive kinds.
    """

    people: Table  # above, profile, said_first, said_last, said_next, owned, owned_first, owned_last
    owned: Table  # kind, scope, value, next
    values: Table  # kind, requires (of its carriers), carriers
    carriers: Column
    spans: Table  # people, values, always, never, scored, known
    pairs: Table  # left, right
    known: Table  # pair (smaller profile * profile_count + larger; ascending within a component), relation
    kinds: Table  # requires, limit, limit_reason
    profile_count: int
    refusing: int  # flags of contradictions that refuse


class Notes(NamedTuple):
    """What a pass writes down."""

    refusals: Table  # a, b, kind, value, reason
    wanted: Table  # component, pair: profiles to compare
    counts: Column  # refusals, wanted pairs
    heads: Column  # scratch: the records of one value that are not together


def root(people: Table, record: int) -> int:
    """Return the oldest record of a cluster, shortening the way there."""
    while people[record].above != record:
        people[record].above = people[people[record].above].above
        record = people[record].above
    return record


def refuse(
    pieces: Pieces, notes: Notes, component: int, left: int, right: int, a: int, b: int, kind: int, requires: int
) -> int:
    """Say why two clusters, named by their oldest records, may not be joined by the records a and b."""
    if is_never(pieces.people, pieces.pairs, pieces.spans, component, left, right):
        return NEVER
    if kind == ALWAYS:
        return ACCEPTED
    reason = too_many(pieces.people, pieces.owned, pieces.kinds, left, right)
    if reason == ACCEPTED:
        reason = contradiction(pieces, notes, component, left, right)
    if reason == ACCEPTED:
        reason = lack(pieces, notes, component, a, b, requires)
    return reason


def is_never(people: Table, pairs: Table, spans: Table, component: int, left: int, right: int) -> bool:
    """Say whether somebody decided that a record of one cluster is not one of the other."""
    for pair in range(spans[component].never, spans[component + 1].never):
        one, other = root(people, pairs[pair].left), root(people, pairs[pair].right)
        if (one == left and other == right) or (one == right and other == left):
            return True
    return False


def too_many(people: Table, owned: Table, kinds: Table, left: int, right: int) -> int:
    """Say whether two clusters together had more values of a kind in one scope than a customer may have."""
    worst, row = NOBODY, people[right].owned_first
    while row != NOBODY:
        kind = owned[row].kind
        if worst == NOBODY or kind < worst:
            mine = count_owned(people, owned, left, row)
            yours = count_owned(people, owned, right, row)
            both = mine + count_new(people, owned, left, right, row)
            # Where a person has decided for too many, what adds none is still welcome.
            if both > max(kinds[kind].limit, mine, yours):
                worst = kind
        row = owned[row].next
    return ACCEPTED if worst == NOBODY else int(kinds[worst].limit_reason)


def count_owned(people: Table, owned: Table, cluster: int, like: int) -> int:
    """Count the values of a cluster that have the kind and scope of the row `like`."""
    count, row = 0, people[cluster].owned_first
    while row != NOBODY:
        count += 1 if is_alike(owned, row, like) else 0
        row = owned[row].next
    return count


def count_new(people: Table, owned: Table, left: int, right: int, like: int) -> int:
    """Count the values of `right` with the kind and scope of the row `like` that `left` does not have."""
    count, row = 0, people[right].owned_first
    while row != NOBODY:
        count += 1 if is_alike(owned, row, like) and not owns(people, owned, left, owned[row].value) else 0
        row = owned[row].next
    return count


def is_alike(owned: Table, row: int, other: int) -> bool:
    """Say whether two rows have one kind and scope."""
    return bool(owned[row].kind == owned[other].kind and owned[row].scope == owned[other].scope)


def owns(people: Table, owned: Table, cluster: int, value: int) -> bool:
    """Say whether a cluster has a value of an exclusive kind."""
    row = people[cluster].owned_first
    while row != NOBODY and owned[row].value != value:
        row = owned[row].next
    return bool(row != NOBODY)


def contradiction(pieces: Pieces, notes: Notes, component: int, left: int, right: int) -> int:
    """Say whether any record of one cluster contradicts any record of the other."""
    people = pieces.people
    found, a = 0, people[left].said_first
    while a != NOBODY:
        b = people[right].said_first
        while b != NOBODY:
            if people[a].profile != people[b].profile:
                found |= relate(pieces, notes, component, people[a].profile, people[b].profile)
            b = people[b].said_next
        a = people[a].said_next
    if found & UNASKED:
        return UNDECIDED
    found &= pieces.refusing
    if found & BIRTHS_DIFFER:
        return BIRTHS
    return NAMES if found & NAMES_CONTRADICT else ACCEPTED


def lack(pieces: Pieces, notes: Notes, component: int, a: int, b: int, requires: int) -> int:
    """Say whether two records lack what evidence requires of them."""
    left, right = pieces.people[a].profile, pieces.people[b].profile
    if requires == NOTHING or (left == right and requires == NOTHING_AGAINST):
        return ACCEPTED
    relation = relate(pieces, notes, component, left, right)
    if relation == UNASKED:
        return UNDECIDED
    if relation & SPEAKS_AGAINST:
        return BIRTHS if relation & BIRTHS_DIFFER else NAMES
    return NO_AGREEMENT if requires == AGREEMENT and not relation & AGREES else ACCEPTED


def is_disputed(pieces: Pieces, notes: Notes, component: int, value: int) -> bool:
    """Say whether two records of a value contradict each other, so that nobody knows whose it is."""
    count = 0
    for place in range(pieces.values[value].carriers, pieces.values[value + 1].carriers):
        profile, known = pieces.people[pieces.carriers[place]].profile, 0
        while known < count and notes.heads[known] != profile:
            known += 1
        if known == count:
            for other in range(count):
                if relate(pieces, notes, component, notes.heads[other], profile) & CONTRADICTS:
                    return True
            notes.heads[count] = profile
            count += 1
    return False


def relate(pieces: Pieces, notes: Notes, component: int, left: int, right: int) -> int:
    """Look up what two profiles say of each other; note the pair when nobody has compared them."""
    if left < 0 or right < 0:
        return 0
    pair = min(left, right) * pieces.profile_count + max(left, right)
    low, end = pieces.spans[component].known, pieces.spans[component + 1].known
    high = end
    while low < high:
        middle = (low + high) // 2
        if pieces.known[middle].pair < pair:
            low = middle + 1
        else:
            high = middle
    if low < end and pieces.known[low].pair == pair:
        return int(pieces.known[low].relation)
    if notes.counts[1] < len(notes.wanted):
        notes.wanted[notes.counts[1]].component = component
        notes.wanted[notes.counts[1]].pair = pair
    notes.counts[1] += 1
    return UNASKED
