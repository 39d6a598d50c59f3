"""Joining: the constrained union inside the contested components. How it runs: see `compiling`."""

from __future__ import annotations

from kizuna.identity.connecting import NOBODY, Column, Table
from kizuna.identity.refusing import (
    ACCEPTED,
    AGREEMENT,
    AGREES,
    ALWAYS,
    NOTHING_AGAINST,
    SCORED,
    UNASKED,
    Notes,
    Pieces,
    is_disputed,
    owns,
    refuse,
    relate,
    root,
)


def join_components(pieces: Pieces, notes: Notes, todo: Column, begin: int, unfinished: Column) -> int:
    """Join the records of the components `todo[begin:]`; return the place of the first one left over.

    A component is left over when the notes are full. One where profiles had to be compared first is marked as
    unfinished: it is as if nothing had been done in it, and must be done again.
    """
    for place in range(begin, len(todo)):
        component = todo[place]
        refusals, wanted = notes.counts[0], notes.counts[1]
        reset(pieces.people, pieces.owned, pieces.spans[component].people, pieces.spans[component + 1].people)
        settle_requirements(pieces, notes, component)
        follow_evidence(pieces, notes, component)
        is_full = notes.counts[0] > len(notes.refusals)
        if is_full or notes.counts[1] > wanted:
            notes.counts[0] = refusals
            if is_full:
                notes.counts[1] = wanted
                return place
            unfinished[component] = 1
        else:
            unfinished[component] = 0
    return len(todo)


def reset(people: Table, owned: Table, begin: int, end: int) -> None:
    """Begin a component: every record is a cluster of its own."""
    for record in range(begin, end):
        people[record].above = record
        said = record if people[record].profile >= 0 else NOBODY
        people[record].said_first = said
        people[record].said_last = said
        people[record].said_next = NOBODY
        first, after = people[record].owned, people[record + 1].owned
        people[record].owned_first = first if after > first else NOBODY
        people[record].owned_last = after - 1 if after > first else NOBODY
        for row in range(first, after):
            owned[row].next = row + 1 if row + 1 < after else NOBODY


def settle_requirements(pieces: Pieces, notes: Notes, component: int) -> None:
    """Say of each value what it requires: one that is said to be of two persons joins only who agree."""
    for value in range(pieces.spans[component].values, pieces.spans[component + 1].values):
        requires = pieces.kinds[pieces.values[value].kind].requires
        if requires == NOTHING_AGAINST and is_disputed(pieces, notes, component, value):
            requires = AGREEMENT
        pieces.values[value].requires = requires


def follow_evidence(pieces: Pieces, notes: Notes, component: int) -> None:
    """Join what belongs together in one component, the strongest evidence first."""
    here, after = pieces.spans[component], pieces.spans[component + 1]
    for pair in range(here.always, after.always):
        join(pieces, notes, component, pieces.pairs[pair].left, pieces.pairs[pair].right, ALWAYS, NOBODY)
    value = here.values
    while value < after.values:
        weaker = value
        while weaker < after.values and pieces.values[weaker].kind == pieces.values[value].kind:
            weaker += 1
        for agreeing in range(1, -1, -1):
            for followed in range(value, weaker):
                follow_value(pieces, notes, component, followed, agreeing)
        value = weaker
    for pair in range(here.scored, after.scored):
        join(pieces, notes, component, pieces.pairs[pair].left, pieces.pairs[pair].right, SCORED, NOBODY)


def follow_value(pieces: Pieces, notes: Notes, component: int, value: int, agreeing: int) -> None:
    """Join the records of one value: those with one profile to each other, then the rest in pairs."""
    kind, count = pieces.values[value].kind, 0
    for place in range(pieces.values[value].carriers, pieces.values[value + 1].carriers):
        record = pieces.carriers[place]
        if not is_with_alike(pieces, notes, component, record, count, kind, value, agreeing):
            notes.heads[count] = record
            count += 1
    for i in range(count):
        for j in range(i + 1, count):
            a, b = notes.heads[i], notes.heads[j]
            if root(pieces.people, a) != root(pieces.people, b) and agree(pieces, notes, component, a, b) == agreeing:
                join(pieces, notes, component, a, b, kind, value)


def is_with_alike(
    pieces: Pieces, notes: Notes, component: int, record: int, count: int, kind: int, value: int, agreeing: int
) -> bool:
    """Join a record to the heads with its very profile; say whether it is together with one of them."""
    people = pieces.people
    profile, found = people[record].profile, False
    for place in range(count):
        head = notes.heads[place]
        if people[head].profile == profile:
            # Records without a profile are alike, but they do not agree.
            if (profile >= 0) == (agreeing == 1):
                join(pieces, notes, component, head, record, kind, value)
            found = found or root(people, head) == root(people, record)
    return found


def agree(pieces: Pieces, notes: Notes, component: int, a: int, b: int) -> int:
    """Say whether two records agree: 1 or 0, -1 when nobody has compared them."""
    left, right = pieces.people[a].profile, pieces.people[b].profile
    if left == right and left >= 0:
        return 1
    relation = relate(pieces, notes, component, left, right)
    return NOBODY if relation == UNASKED else relation & AGREES


def join(pieces: Pieces, notes: Notes, component: int, a: int, b: int, kind: int, value: int) -> bool:
    """Join the clusters of two records unless something refuses; say whether they are together."""
    left, right = root(pieces.people, a), root(pieces.people, b)
    if left == right:
        return True
    requires = pieces.values[value].requires if value != NOBODY else NOTHING_AGAINST
    reason = refuse(pieces, notes, component, left, right, a, b, kind, requires)
    if reason >= 0:
        note(notes.refusals, notes.counts, a, b, kind, value, reason)
    if reason != ACCEPTED:
        return False
    kept, gone = min(left, right), max(left, right)
    pieces.people[gone].above = kept
    join_said(pieces.people, kept, gone)
    join_owned(pieces.people, pieces.owned, kept, gone)
    return True


def note(refusals: Table, counts: Column, a: int, b: int, kind: int, value: int, reason: int) -> None:
    """Write a refusal down, and count it even where there is no room."""
    if counts[0] < len(refusals):
        row = refusals[counts[0]]
        row.a = a
        row.b = b
        row.kind = kind
        row.value = value
        row.reason = reason
    counts[0] += 1


def join_said(people: Table, kept: int, gone: int) -> None:
    """Hang the records of `gone` with profiles that are new to `kept` to its chain."""
    said = people[gone].said_first
    while said != NOBODY:
        after = people[said].said_next
        people[said].said_next = NOBODY
        known = people[kept].said_first
        while known != NOBODY and people[known].profile != people[said].profile:
            known = people[known].said_next
        if known == NOBODY:
            if people[kept].said_first == NOBODY:
                people[kept].said_first = said
            else:
                people[people[kept].said_last].said_next = said
            people[kept].said_last = said
        said = after


def join_owned(people: Table, owned: Table, kept: int, gone: int) -> None:
    """Hang the rows of `gone` with values that are new to `kept` to its chain."""
    row = people[gone].owned_first
    while row != NOBODY:
        after = owned[row].next
        owned[row].next = NOBODY
        if not owns(people, owned, kept, owned[row].value):
            if people[kept].owned_first == NOBODY:
                people[kept].owned_first = row
            else:
                owned[people[kept].owned_last].next = row
            people[kept].owned_last = row
        row = after
