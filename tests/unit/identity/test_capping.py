"""Values that too many share, and what a placeholder does to customers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kizuna.identity.capping import by_value, count_names
from kizuna.identity.comparing import Profile, compare
from kizuna.identity.policy import Kind, Policy
from kizuna.identity.problem import Problem
from kizuna.identity.solving import solve

RULES = Policy(
    blocked={},
    kinds={
        "email": Kind(requires="nothing", max_names=2, max_nameless_records=3),
        "phone": Kind(requires="nothing", max_names=1, max_nameless_records=1),
    },
)
LINKS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=40)
NAMES = st.lists(st.integers(0, 3), min_size=10, max_size=10)


def counted(links: list[tuple[int, int]], names: list[int]) -> list[tuple[int, ...]]:
    table = np.array(links, dtype=np.int64).reshape(-1, 2)
    found = count_names(table[:, 1], table[:, 0], table[:, 1] % 2, np.array(names), RULES)
    columns = (found.values, found.kinds, found.record_counts, found.name_counts)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(LINKS, NAMES)
def test_values_with_too_many_names_or_too_many_nameless_records_are_found(links, names) -> None:
    carriers = defaultdict(set)
    for record, value in links:
        carriers[value].add(record)
    expected = []
    for value, records in sorted(carriers.items()):
        kind = list(RULES.kinds.values())[value % 2]
        known = {names[record] for record in records} - {0}
        nameless = sum(not names[record] for record in records)
        if len(known) > kind.max_names or nameless > kind.max_nameless_records:
            expected.append((value, value % 2, len(records), len(known)))
    assert counted(links, names) == expected


def test_as_many_names_as_the_cap_are_not_too_many() -> None:
    assert counted([(0, 0), (1, 0)], [1, 2]) == []
    assert counted([(0, 0), (1, 0), (2, 0)], [1, 2, 3]) == [(0, 0, 3, 3)]


def test_one_placeholder_phone_never_yields_a_large_customer() -> None:
    # 160,000 records of 80,000 persons, half of them without a name; 0.05 % typed the same phone, some have an e-mail.
    chance = np.random.default_rng(5)
    count, mails = 160_000, 40_000
    person = chance.integers(0, count // 2, count)
    placeholder = np.flatnonzero(chance.random(count) < 0.0005)
    assert len(placeholder) > 50
    records = np.concatenate([np.arange(mails), placeholder]).astype(np.int32)
    values = np.concatenate([person[:mails], np.full(len(placeholder), -1)])
    policy = Policy()
    kinds = np.repeat([policy.names.index("email"), policy.names.index("phone")], [mails, len(placeholder)])
    nameless = chance.random(count) < 0.5
    order = by_value(values)
    blocked = count_names(values, records, kinds, np.where(nameless, 0, person + 1), policy, order)
    assert blocked.values.tolist() == [-1]
    nobody = np.empty(0, np.int64)
    problem = Problem(
        record_count=count,
        link_records=records,
        link_values=values,
        link_kinds=kinds,
        link_seen=np.zeros(len(values), np.int64),
        link_scopes=np.zeros(len(values), np.int8),
        profiles=np.where(nameless, -1, person).astype(np.int32),
        profile_texts=[Profile(family="佐藤", given=f"{one}", full=f"佐藤{one}") for one in range(count // 2)],
        always=(nobody, nobody),
        never=(nobody, nobody),
        scored=(nobody, nobody, np.empty(0)),
    )
    # Even where it is not found, it joins only who agree: nobody knows whose it is.
    for links in (order, order[~np.isin(values[order], blocked.values)]):
        sizes = np.bincount(solve(replace(problem, link_order=links), policy, compare).clusters)
        assert sizes.max() <= 50
