"""Connecting: plain components, and which of them could hold a refusal. How it runs: see `compiling`."""

from __future__ import annotations

from typing import Any

Column = Any  # a list or an array of integers, read and written by place
Table = Any  # a list of objects or an array of structures: rows with integers by name
NOBODY = -1
# Why something may be refused in a component.
BY_PROFILES, BY_DECISION, BY_NUMBER, BY_REQUIREMENT = 1, 2, 4, 8


def find(above: Column, record: int) -> int:
    """Return the oldest record of a cluster, shortening the way there."""
    while above[record] != record:
        above[record] = above[above[record]]
        record = above[record]
    return record


def connect(above: Column, left: Column, right: Column) -> None:
    """Join the clusters of each pair."""
    for place in range(len(left)):
        a, b = find(above, left[place]), find(above, right[place])
        if a < b:
            above[b] = a
        else:
            above[a] = b


def connect_values(above: Column, firsts: Column, sizes: Column, records: Column) -> None:
    """Join the clusters of all records of each value: `sizes[value]` records from `firsts[value]` on."""
    for value in range(len(firsts)):
        a = find(above, records[firsts[value]])
        for place in range(firsts[value] + 1, firsts[value] + sizes[value]):
            b = find(above, records[place])
            if a < b:
                above[b] = a
            elif b < a:
                above[a] = b
                a = b


def flatten(above: Column) -> None:
    """Put the oldest record of the cluster at every record."""
    for record in range(len(above)):
        above[record] = above[above[record]]


def contest_profiles(components: Column, profiles: Column, first: Column, contested: Column) -> None:
    """Mark the components with two different profiles; `first` comes as NOBODY per record."""
    for record in range(len(components)):
        profile, component = profiles[record], components[record]
        if profile >= 0:
            if first[component] == NOBODY:
                first[component] = profile
            elif first[component] != profile:
                contested[component] |= BY_PROFILES


def contest_values(
    components: Column,
    heads: Column,
    sizes: Column,
    kinds: Column,
    needs_agreement: Column,
    exclusives: Column,
    first: Column,
    contested: Column,
) -> None:
    """Mark the components where a value could be refused by its kind.

    Args:
        components: per record the oldest record of its component.
        heads: per value one of its records.
        sizes: per value how many records it has.
        kinds: per value its kind.
        needs_agreement: per kind whether it joins only records that agree.
        exclusives: per kind its number among those of which a customer may have only so many, or NOBODY.
        first: NOBODY per record and exclusive kind.
        contested: per oldest record of a component, the mark.
    """
    count = len(components)
    for value in range(len(heads)):
        component, kind = components[heads[value]], kinds[value]
        if needs_agreement[kind] and sizes[value] > 1:
            contested[component] |= BY_REQUIREMENT
        if exclusives[kind] >= 0:
            slot = exclusives[kind] * count + component
            if first[slot] != NOBODY:
                contested[component] |= BY_NUMBER
            first[slot] = value


def sort_carriers(starts: Column, carriers: Column) -> None:
    """Order the records of each value from the oldest; they are few, or nearly in order."""
    for value in range(len(starts) - 1):
        low = starts[value]
        for place in range(low + 1, starts[value + 1]):
            record = carriers[place]
            hole = place
            while hole > low and carriers[hole - 1] > record:
                carriers[hole] = carriers[hole - 1]
                hole -= 1
            carriers[hole] = record
