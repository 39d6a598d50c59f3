"""Sets of numbers by sorting say what Python's sets say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kizuna.identity import sets

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5), max_size=12)


@given(NUMBERS, NUMBERS)
def test_sets_by_sorting_are_what_sets_are(left: list[int], right: list[int]) -> None:
    one, other = np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)
    assert sets.distinct(one).tolist() == sorted(set(left))
    assert sets.union(one, other).tolist() == sorted({*left, *right})
    assert sets.difference(one, other).tolist() == sorted({*left} - {*right})
    assert sets.contained(one, other).tolist() == [number in right for number in left]


@given(NUMBERS)
def test_places_lead_back_to_the_numbers(numbers: list[int]) -> None:
    distinct, places = sets.distinct_places(np.array(numbers, dtype=np.int64))
    assert distinct.tolist() == sorted(set(numbers))
    assert distinct[places].tolist() == numbers
