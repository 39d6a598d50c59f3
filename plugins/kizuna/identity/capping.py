"""Capping: values that so many share that they say nothing about one person (a shop's phone, a placeholder)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kizuna.identity.policy import Policy
    from kizuna.identity.problem import Numbers


@dataclass(frozen=True)
class BlockedValues:
    """Values that say nothing about one person, because too many share them."""

    values: Numbers
    kinds: Numbers
    record_counts: Numbers
    name_counts: Numbers


def by_value(values: Numbers) -> Numbers:
    """Return the places of the links, value by value."""
    return np.argsort(values).astype(np.int32)


def first_places(values: Numbers, order: Numbers) -> Numbers:
    """Return where in `order` each value begins."""
    ordered = values[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return np.flatnonzero(starts).astype(np.int32)


def spread(firsts: Numbers, sizes: Numbers) -> Numbers:
    """Return first, first + 1, … for each first, as many as its size."""
    ends = np.cumsum(sizes, dtype=np.int64)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(firsts - (ends - sizes), sizes)


def count_names(
    link_values: Numbers,
    link_records: Numbers,
    link_kinds: Numbers,
    record_names: Numbers,
    policy: Policy,
    order: Numbers | None = None,
) -> BlockedValues:
    """Find the values that are on too many differently named records, or on too many without a name, for their kind.

    Args:
        link_values: per link the value's hash; a (record, value) may come repeatedly, as in Problem.
        link_records: per link the record.
        link_kinds: per link the place of the kind in `policy.names`.
        record_names: per record a number for its name, 0 for none.
        policy: its kinds' max_names and max_nameless_records.
        order: the places of the links to look at, value by value; by default all.

    Returns:
        The values over a cap of their kind, ascending, with how many records and names they are on.
    """
    order = by_value(link_values) if order is None else order
    firsts = first_places(link_values, order)
    sizes = np.diff(firsts, append=len(order))
    kinds = link_kinds[order[firsts]]
    caps = np.array([(kind.max_names, kind.max_nameless_records) for kind in policy.kinds.values()])
    many = np.flatnonzero(sizes > caps.min(axis=1)[kinds])
    links = order[spread(firsts[many], sizes[many])]
    places = np.repeat(np.arange(len(many)), sizes[many])
    records = link_records[links]
    names = record_names[records]
    named = names != 0
    name_counts = _count_different(places[named], names[named], len(many))
    nameless = _count_different(places[~named], records[~named], len(many))
    over = np.flatnonzero((name_counts > caps[kinds[many], 0]) | (nameless > caps[kinds[many], 1]))
    record_counts = _count_different(places, records, len(many))
    values = many[over]
    return BlockedValues(link_values[order[firsts[values]]], kinds[values], record_counts[over], name_counts[over])


def _count_different(groups: Numbers, items: Numbers, count: int) -> Numbers:
    """Count the different items of each group 0 … count - 1."""
    order = np.lexsort((items, groups))
    groups, items = groups[order], items[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (groups[1:] != groups[:-1]) | (items[1:] != items[:-1])
    return np.bincount(groups[new], minlength=count)
