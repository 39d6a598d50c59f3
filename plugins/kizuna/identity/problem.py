"""What a solver is given and what it says: records, links and profiles as columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kizuna.identity.comparing import Profile

Numbers = npt.NDArray[Any]  # one dimension, of any integer type
ALWAYS = -1
SCORED = -2
REASONS = (
    "never by decision",
    "too many values",
    "two line ids",
    "two logins",
    "birth dates differ",
    "names contradict",
    "no agreement",
)


@dataclass(frozen=True)
class Problem:
    """Records 0 … record_count - 1 from the oldest, and what joins or parts them; only unblocked links.

    Links: (record, value), also repeatedly, with the kind's place in `policy.names`, the microsecond they were seen,
    and a number for the scope (0 where global). `profiles` says the place in `profile_texts` per record, -1 for none; a
    method `fetch(places)` of the texts is called before many are read. `link_order`, where it is known: the places of
    the links to use, value by value (capping.by_value); the others are not looked at.
    """

    record_count: int
    link_records: Numbers
    link_values: Numbers
    link_kinds: Numbers
    link_seen: Numbers
    link_scopes: Numbers
    profiles: Numbers
    profile_texts: Sequence[Profile]
    always: tuple[Numbers, Numbers]
    never: tuple[Numbers, Numbers]
    scored: tuple[Numbers, Numbers, npt.NDArray[np.float64]]
    link_order: Numbers | None = None


@dataclass(frozen=True)
class Refusals:
    """Links that were not followed: the oldest record with the value on each side, and why; `reasons` in REASONS."""

    record_a: Numbers
    record_b: Numbers
    kinds: Numbers
    values: Numbers
    reasons: Numbers


@dataclass(frozen=True)
class Solution:
    """Per record, the smallest record number of its component, its customer and its household."""

    components: Numbers
    clusters: Numbers
    households: Numbers
    refusals: Refusals
