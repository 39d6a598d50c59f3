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


def count_names(
    link_values: Numbers, link_records: Numbers, link_kinds: Numbers, record_names: Numbers, policy: Policy
) -> BlockedValues:
    """Find the values that are on too many differently named records, or on too many without a name, for their kind.

    Args:
        link_values: per link the value's hash; links are distinct (record, value), as in Problem.
        link_records: per link the record.
        link_kinds: per link the place of the kind in `policy.names`.
        record_names: per record a number for its name, 0 for none.
        policy: its kinds' max_names and max_nameless_records.

    Returns:
        The values over a cap of their kind, ascending, with how many records and names they are on.
    """
    values, first, places = np.unique(link_values, return_index=True, return_inverse=True)
    names = record_names[link_records]
    named = np.flatnonzero(names)
    pairs = np.unique(np.stack([places[named], names[named].astype(np.int64)], axis=1), axis=0)
    records = np.bincount(places, minlength=len(values))
    name_counts = np.bincount(pairs[:, 0], minlength=len(values))
    nameless = records - np.bincount(places[named], minlength=len(values))
    kinds = link_kinds[first]
    caps = np.array([(kind.max_names, kind.max_nameless_records) for kind in policy.kinds.values()])
    over = np.flatnonzero((name_counts > caps[kinds, 0]) | (nameless > caps[kinds, 1]))
    return BlockedValues(values[over], kinds[over], records[over], name_counts[over])
